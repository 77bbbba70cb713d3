package yamldoc

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/refitproject/refit/internal/diag"
)

// Decode fills the struct that out points to from the mapping n, and adds all
// problems to ds. Nothing is guessed: unknown keys, values of another type and
// keys without a value are Errors, and the other keys are filled all the same.
// A nil n, which is what Parse returns when it read nothing, is passed over.
//
// The fields of the struct say what is permitted:
//
//	yaml:"name,required"  key; without required it may be left out
//	enum:"a,b"            permitted values of a string or Text, or of the
//	                      members of a list of them
//	type:"text"           what a *Node may be: text, list or map
//	yaml:"-"              not a key; Pos diag.Position becomes the place of
//	                      the mapping
//
// Fields are string, bool, int, float64, Text, Duration, *Node (the value as
// it stands), structs, pointers to structs (nil when not written), and lists,
// maps with string keys and Ordered of all these. Decode never panics; a type
// that it cannot fill, which CheckTags finds, is reported with CodeInternal.
func Decode(n *Node, out any, ds *diag.Diagnostics) {
	if n == nil {
		return
	}
	d := &decoder{ds: ds, known: map[reflect.Type]*structFields{}}
	v := reflect.ValueOf(out)
	if v.Kind() != reflect.Pointer || v.IsNil() || shapeOf(v.Type().Elem()) != shapeStruct {
		d.ds.Errorf(CodeInternal, n.Pos, "cannot decode into %T", out)
		return
	}
	d.value(n, place{name: "the document", index: -1}, v.Elem(), nil)
}

// decoder fills values and collects what does not fit.
type decoder struct {
	ds    *diag.Diagnostics
	known map[reflect.Type]*structFields
}

// place names a value in messages: by the nearest key, and the index when it
// is a member of a list.
type place struct {
	name  string
	index int
}

// String returns "needs" or "needs[2]".
func (p place) String() string {
	if p.index < 0 {
		return clip(p.name)
	}
	return fmt.Sprintf("%s[%d]", clip(p.name), p.index)
}

// value fills v from n. f is the key that n stands below; nil for the whole
// document.
func (d *decoder) value(n *Node, at place, v reflect.Value, f *field) {
	s := shapeOf(v.Type())
	if n.Kind == Invalid && s != shapeRaw {
		return
	}
	switch s {
	case shapeText, shapeString:
		d.text(n, at, v, f)
	case shapeBool, shapeInt, shapeFloat:
		d.scalar(n, at, v, s)
	case shapeDuration:
		d.duration(n, at, v)
	case shapeRaw:
		d.raw(n, at, v, f)
	case shapePointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.structure(n, at, v.Elem())
	case shapeStruct:
		d.structure(n, at, v)
	case shapeList:
		d.list(n, at, v, f)
	case shapeMap:
		d.mapping(n, at, v, f)
	case shapeOrdered:
		d.ordered(n, at, v, f)
	case shapeUnknown:
		d.ds.Errorf(CodeInternal, n.Pos, "cannot decode %s into %s", at, v.Type())
	}
}

func (d *decoder) fields(t reflect.Type) *structFields {
	s, ok := d.known[t]
	if !ok {
		s, _ = fieldsOf(t)
		d.known[t] = s
	}
	return s
}

func (d *decoder) structure(n *Node, at place, v reflect.Value) {
	s := d.fields(v.Type())
	if s.pos >= 0 {
		v.Field(s.pos).Set(reflect.ValueOf(n.Pos))
	}
	if n.Kind != Mapping {
		d.wrong(n, at, "a mapping")
		return
	}
	given := make([]bool, len(s.fields))
	for i := range n.Pairs {
		p := &n.Pairs[i]
		index, known := s.byName[p.Key]
		if !known {
			d.ds.Errorf(CodeUnknownKey, p.KeyPos, "unknown key %s", quote(p.Key)).
				Suggest("%s", diag.DidYouMean(clip(p.Key), s.names))
			if meant, near := s.byName[diag.Nearest(clip(p.Key), s.names)]; near {
				given[meant] = true // one mistake, one message
			}
			continue
		}
		given[index] = true
		f := &s.fields[index]
		d.value(p.Value, place{name: p.Key, index: -1}, v.Field(f.index), f)
	}
	for i, f := range s.fields {
		if f.required && !given[i] {
			d.missing(n, at, f)
		}
	}
}

func (d *decoder) missing(n *Node, at place, f field) {
	entry := d.ds.Errorf(CodeMissingKey, n.Pos, "%s needs the key %q", at, f.name)
	if f.doc != "" {
		entry.Suggest("%s: %s", f.name, f.doc)
	}
}

func (d *decoder) list(n *Node, at place, v reflect.Value, f *field) {
	if n.Kind != Sequence {
		d.wrong(n, at, "a list")
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Items), len(n.Items)))
	for i, item := range n.Items {
		d.value(item, place{name: at.name, index: i}, v.Index(i), f)
	}
}

func (d *decoder) mapping(n *Node, at place, v reflect.Value, f *field) {
	if n.Kind != Mapping {
		d.wrong(n, at, "a mapping")
		return
	}
	v.Set(reflect.MakeMapWithSize(v.Type(), len(n.Pairs)))
	for i := range n.Pairs {
		p := &n.Pairs[i]
		member := reflect.New(v.Type().Elem()).Elem()
		d.value(p.Value, place{name: p.Key, index: -1}, member, f)
		v.SetMapIndex(reflect.ValueOf(p.Key).Convert(v.Type().Key()), member)
	}
}

func (d *decoder) ordered(n *Node, at place, v reflect.Value, f *field) {
	if n.Kind != Mapping {
		d.wrong(n, at, "a mapping")
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Pairs), len(n.Pairs)))
	for i := range n.Pairs {
		p := &n.Pairs[i]
		named := v.Index(i)
		named.Field(namedName).SetString(p.Key)
		named.Field(namedPos).Set(reflect.ValueOf(p.KeyPos))
		d.value(p.Value, place{name: p.Key, index: -1}, named.Field(namedValue), f)
	}
}

// raw keeps the Node itself. Members of a list, map or Ordered have the type
// tag of the key that they stand below.
func (d *decoder) raw(n *Node, at place, v reflect.Value, f *field) {
	want := ""
	if f != nil {
		want = f.nodeType
	}
	kinds := map[string]Kind{"text": Scalar, "list": Sequence, "map": Mapping}
	names := map[string]string{"text": "a text", "list": "a list", "map": "a mapping"}
	if kind, restricted := kinds[want]; restricted && n.Kind != kind && n.Kind != Invalid {
		d.wrong(n, at, names[want])
		return
	}
	v.Set(reflect.ValueOf(n))
}

// enum reports a text that is not among the permitted ones.
func (d *decoder) enum(n *Node, at place, text string, f *field) {
	if f == nil || len(f.enum) == 0 || slices.Contains(f.enum, text) {
		return
	}
	d.ds.Errorf(CodeUnknownValue, n.Pos, "unknown value %s of %s", quote(text), at).
		Suggest("%s", diag.DidYouMean(clip(text), f.enum))
}
