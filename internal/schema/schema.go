package schema

import (
	"maps"
	"slices"
	"strings"
)

// Kind is the basic shape of a value.
type Kind string

// The kinds. Values are those of JSON, with whole numbers kept apart: string,
// int64, float64, bool, []any, map[string]any. A Duration is a string such as
// "90s" that is checked. A Secret is a reference to a secret, never its value:
// an object with exactly one of env, file, command, kubernetes, captured, and a
// prefix if need be.
const (
	Any      Kind = "any"
	String   Kind = "string"
	Int      Kind = "int"
	Number   Kind = "number"
	Bool     Kind = "bool"
	Duration Kind = "duration"
	List     Kind = "list"
	Map      Kind = "map"    // any keys, values of Elem
	Object   Kind = "object" // the Fields and no others; without Fields any keys
	Secret   Kind = "secret"
)

// Kinds lists the kinds that an author can declare in YAML, in alphabetical order.
func Kinds() []string {
	return []string{"any", "bool", "duration", "int", "list", "map", "number", "object", "secret", "string"}
}

// Type is the type of a value. The zero Type is Any.
type Type struct {
	Kind Kind
	// Elem is the type of the members of a List or the values of a Map; nil
	// means Any.
	Elem *Type
	// Fields are the members of an Object. An Object with nil Fields is open:
	// any field may be selected and has type Any.
	Fields map[string]Field
	// Enum lists the permitted values of a String; empty means all.
	Enum []string
}

// Field is a member of an Object.
type Field struct {
	Type Type
	// Required members must be given in inputs and are always there in outputs.
	Required bool
	// Sensitive members hold secrets: outside the action they are replaced by
	// a keyed hash.
	Sensitive bool
	// Doc is one sentence for the reference page.
	Doc string
}

// Hidden tells whether f is Sensitive and holds a value, not a reference to a
// secret: outside of the action only a hash of it is known.
func (f Field) Hidden() bool { return f.Sensitive && f.Type.Kind != Secret }

// IsAny tells whether nothing is known of values of this type.
func (t Type) IsAny() bool { return t.Kind == Any || t.Kind == "" }

// Open tells whether t is an Object that permits any field.
func (t Type) Open() bool { return t.Kind == Object && t.Fields == nil }

// HoldsSensitive tells whether values of t have Sensitive members whose values
// are secrets. References to secrets are none.
func (t Type) HoldsSensitive() bool {
	if t.Elem != nil && t.Elem.HoldsSensitive() {
		return true
	}
	for _, f := range t.Fields {
		if f.Hidden() || f.Type.HoldsSensitive() {
			return true
		}
	}
	return false
}

// ElemType returns the type of the members of a List or Map, Any when not known.
func (t Type) ElemType() Type {
	if t.Elem == nil {
		return Type{Kind: Any}
	}
	return *t.Elem
}

// FieldNames returns the names of the Fields in alphabetical order.
func (t Type) FieldNames() []string { return slices.Sorted(maps.Keys(t.Fields)) }

// ListOf returns the type of lists of elem.
func ListOf(elem Type) Type { return Type{Kind: List, Elem: &elem} }

// MapOf returns the type of maps from strings to elem.
func MapOf(elem Type) Type { return Type{Kind: Map, Elem: &elem} }

// ObjectOf returns a closed Object with the given fields.
func ObjectOf(fields map[string]Field) Type {
	if fields == nil {
		fields = map[string]Field{}
	}
	return Type{Kind: Object, Fields: fields}
}

// Of returns a Type of kind k without further detail.
func Of(k Kind) Type { return Type{Kind: k} }

// String names t as an author would write it: "string", "list(int)", "object".
func (t Type) String() string {
	switch t.Kind {
	case List, Map:
		return string(t.Kind) + "(" + t.ElemType().String() + ")"
	case String:
		if len(t.Enum) > 0 {
			return "one of " + strings.Join(t.Enum, ", ")
		}
		return string(t.Kind)
	case "":
		return string(Any)
	default:
		return string(t.Kind)
	}
}
