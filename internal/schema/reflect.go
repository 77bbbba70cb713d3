package schema

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// FromStruct returns the Type of the JSON form of T; see FromType.
func FromStruct[T any]() Type { return FromType(reflect.TypeFor[T]()) }

// FromType returns the Type of the JSON form of values of type t, which is as
// a rule a struct: the input or output of an action. A struct becomes a closed
// Object. Tags of its fields say the rest:
//
//	json:"name,omitempty"  name; omitempty or omitzero: not required
//	doc:"One sentence."    text for the reference page
//	enum:"a,b"             permitted values of a string, or of a list of them
//	refit:"sensitive"      the value is a secret; also secret (a reference to
//	                       a secret, or a list or map of references) and
//	                       optional (not required)
//
// Durations and types named Duration become Duration; any, json.RawMessage and
// a type inside itself become Any. CheckTags finds what has no JSON form; here
// it is Any.
func FromType(t reflect.Type) Type {
	return (&reflector{active: map[reflect.Type]bool{}}).typeOf(t)
}

// CheckTags returns an error that names the first field below t, or t itself,
// that FromType cannot describe: a kind without JSON form, a field without
// json tag, an enum on something that is not a string, an unknown word in a
// refit tag. It is meant for tests.
func CheckTags(t reflect.Type) error {
	r := &reflector{active: map[reflect.Type]bool{}}
	r.typeOf(t)
	return r.err
}

// reflector walks types. The first thing that it cannot describe is err.
type reflector struct {
	active map[reflect.Type]bool
	err    error
}

func (r *reflector) failf(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

func (r *reflector) typeOf(t reflect.Type) Type {
	if t == nil || t == reflect.TypeFor[json.RawMessage]() {
		return Of(Any)
	}
	if t == reflect.TypeFor[time.Duration]() || t.Name() == "Duration" {
		return Of(Duration)
	}
	if t.Kind() != reflect.Pointer && t.Implements(reflect.TypeFor[encoding.TextMarshaler]()) {
		return Of(String)
	}
	switch t.Kind() {
	case reflect.String:
		return Of(String)
	case reflect.Bool:
		return Of(Bool)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return Of(Int)
	case reflect.Float32, reflect.Float64:
		return Of(Number)
	case reflect.Interface:
		return Of(Any)
	case reflect.Pointer:
		return r.typeOf(t.Elem())
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return Of(String)
		}
		return ListOf(r.typeOf(t.Elem()))
	case reflect.Map:
		if t.Key().Kind() != reflect.String {
			r.failf("type %s: the keys of a map must be strings", t)
		}
		return MapOf(r.typeOf(t.Elem()))
	case reflect.Struct:
		return r.object(t)
	default:
		r.failf("type %s has no JSON form", t)
		return Of(Any)
	}
}

func (r *reflector) object(t reflect.Type) Type {
	if r.active[t] {
		return Of(Any)
	}
	r.active[t] = true
	defer delete(r.active, t)
	fields := make(map[string]Field, t.NumField())
	for f := range t.Fields() {
		r.field(t, f, fields)
	}
	return ObjectOf(fields)
}

func (r *reflector) field(t reflect.Type, f reflect.StructField, into map[string]Field) {
	tag, tagged := f.Tag.Lookup("json")
	name, options, _ := strings.Cut(tag, ",")
	switch {
	case tag == "-", !f.IsExported() && !f.Anonymous:
		return
	case f.Anonymous && name == "":
		embedded := r.typeOf(f.Type)
		for name, member := range embedded.Fields {
			r.enter(t, f, name, member, into)
		}
		return
	case !tagged || name == "":
		r.failf("field %s.%s has no json tag", t, f.Name)
		name = f.Name
	}
	field := Field{Type: r.typeOf(f.Type), Required: true, Doc: f.Tag.Get("doc")}
	for option := range strings.SplitSeq(options, ",") {
		if option == "omitempty" || option == "omitzero" {
			field.Required = false
		}
	}
	r.marks(t, f, &field)
	r.enter(t, f, name, field, into)
}

// enter adds a member; a name that is there already is refused, although Go
// would let an outer field hide an embedded one.
func (r *reflector) enter(t reflect.Type, f reflect.StructField, name string, field Field, into map[string]Field) {
	if _, twice := into[name]; twice {
		r.failf("field %s.%s: the name %q is used twice", t, f.Name, name)
	}
	into[name] = field
}

// secretsIn returns the type of references to secrets that t is the form of:
// one, or a list or map of them.
func secretsIn(t Type) Type {
	isMany := t.Kind == List || t.Kind == Map
	if elem := t.ElemType().Kind; isMany && (elem == Map || elem == Object) {
		return Type{Kind: t.Kind, Elem: &Type{Kind: Secret}}
	}
	return Of(Secret)
}

// marks reads the tags refit and enum.
func (r *reflector) marks(t reflect.Type, f reflect.StructField, field *Field) {
	for mark := range strings.SplitSeq(f.Tag.Get("refit"), ",") {
		switch mark {
		case "":
		case "sensitive":
			field.Sensitive = true
		case "secret":
			field.Type = secretsIn(field.Type)
		case "optional":
			field.Required = false
		default:
			r.failf("field %s.%s: unknown word %q in the refit tag", t, f.Name, mark)
		}
	}
	enum := f.Tag.Get("enum")
	switch {
	case enum == "":
	case field.Type.Kind == String:
		field.Type.Enum = strings.Split(enum, ",")
	case field.Type.Kind == List && field.Type.ElemType().Kind == String:
		field.Type.Elem.Enum = strings.Split(enum, ",")
	default:
		r.failf("field %s.%s: enum on a %s", t, f.Name, field.Type)
	}
}
