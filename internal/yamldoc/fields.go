package yamldoc

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/diag"
)

// field is a key of a mapping, read from the tags of a struct field.
type field struct {
	index    int
	name     string
	typ      reflect.Type
	required bool
	enum     []string
	nodeType string // of a *Node: "", "text", "list" or "map"
	doc      string
}

// structFields is what the tags of a struct say.
type structFields struct {
	typ    reflect.Type
	fields []field
	names  []string
	byName map[string]int // indices in fields
	pos    int            // index of the struct field Pos, -1 without one
}

// fieldsOf reads the tags of the struct type t. The error names the first tag
// that makes no sense; what could be read is returned all the same.
func fieldsOf(t reflect.Type) (*structFields, error) {
	out := &structFields{typ: t, byName: map[string]int{}, pos: -1}
	var first error
	for i := range t.NumField() {
		f := t.Field(i)
		tag, tagged := f.Tag.Lookup("yaml")
		var err error
		switch {
		case !f.IsExported():
			if tagged {
				err = fmt.Errorf("field %s.%s has a yaml tag and is not exported", t, f.Name)
			}
		case tag == "-":
			if f.Name == "Pos" && f.Type == reflect.TypeFor[diag.Position]() {
				out.pos = i
			}
		default:
			err = out.add(i, f, tag)
		}
		if first == nil {
			first = err
		}
	}
	return out, first
}

func (s *structFields) add(index int, f reflect.StructField, tag string) error {
	name, options, more := strings.Cut(tag, ",")
	key := field{
		index: index, name: name, typ: f.Type, required: options == "required",
		nodeType: f.Tag.Get("type"), doc: f.Tag.Get("doc"),
	}
	if enum := f.Tag.Get("enum"); enum != "" {
		key.enum = strings.Split(enum, ",")
	}
	if name == "" {
		return fmt.Errorf("field %s.%s has no yaml tag", s.typ, f.Name)
	}
	if _, twice := s.byName[name]; twice {
		return fmt.Errorf("field %s.%s: the key %q is used twice", s.typ, f.Name, name)
	}
	s.byName[name] = len(s.fields)
	s.fields = append(s.fields, key)
	s.names = append(s.names, name)
	switch {
	case more && !key.required:
		return fmt.Errorf("field %s.%s: unknown option %q in the yaml tag", s.typ, f.Name, options)
	case key.enum != nil && !isTextual(f.Type):
		return fmt.Errorf("field %s.%s: an enum needs a text or a list of texts", s.typ, f.Name)
	case key.nodeType != "" && (!isRaw(f.Type) || !slices.Contains([]string{"text", "list", "map"}, key.nodeType)):
		return fmt.Errorf("field %s.%s: a type tag is text, list or map, on a *Node", s.typ, f.Name)
	}
	return nil
}

// isTextual tells whether t holds one text, or a list of texts.
func isTextual(t reflect.Type) bool {
	s := shapeOf(t)
	if s == shapeList {
		s = shapeOf(t.Elem())
	}
	return s == shapeText || s == shapeString
}

// isRaw tells whether t is a *Node, or a list, map or Ordered of them.
func isRaw(t reflect.Type) bool {
	if elem := elemOf(t); elem != nil {
		t = elem
	}
	return shapeOf(t) == shapeRaw
}

// CheckTags returns an error that names the first struct field below t that
// Decode cannot fill, or whose tags make no sense. It is meant for tests: with
// types that pass, Decode reports problems of documents only.
func CheckTags(t reflect.Type) error {
	if t == nil || shapeOf(t) != shapeStruct {
		return fmt.Errorf("type %v is not a struct that can be decoded", t)
	}
	for _, s := range Structs(t) {
		fields, err := fieldsOf(s)
		if err != nil {
			return err
		}
		for _, f := range fields.fields {
			if err := checkType(f.typ); err != nil {
				return fmt.Errorf("key %q of %s: %w", f.name, s, err)
			}
		}
	}
	return nil
}

// checkType refuses types that have no form in YAML. Structs are looked at on
// their own.
func checkType(t reflect.Type) error {
	if shapeOf(t) == shapeUnknown {
		return fmt.Errorf("type %s cannot be decoded", t)
	}
	if elem := elemOf(t); elem != nil {
		return checkType(elem)
	}
	return nil
}

// Structs returns t and the structs that can stand below it, each once, in the
// order in which their keys first appear.
func Structs(t reflect.Type) []reflect.Type {
	var found []reflect.Type
	var walk func(reflect.Type)
	walk = func(t reflect.Type) {
		switch s := shapeOf(t); {
		case elemOf(t) != nil:
			walk(elemOf(t))
		case s == shapePointer:
			walk(t.Elem())
		case s == shapeStruct && !slices.Contains(found, t):
			found = append(found, t)
			fields, _ := fieldsOf(t)
			for _, f := range fields.fields {
				walk(f.typ)
			}
		}
	}
	walk(t)
	return found
}
