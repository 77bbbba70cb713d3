package yamldoc

import (
	"reflect"

	"github.com/refitproject/refit/internal/diag"
)

// shape is how a Go type is written in YAML.
type shape int

const (
	shapeUnknown  shape = iota
	shapeText           // Text
	shapeString         // string
	shapeBool           // bool
	shapeInt            // int and the other signed kinds
	shapeFloat          // float64
	shapeDuration       // Duration
	shapeRaw            // *Node
	shapePointer        // pointer to a struct
	shapeStruct         // struct
	shapeList           // slice
	shapeMap            // map with string keys
	shapeOrdered        // Ordered
)

// shapeOf tells how values of type t are written. It looks no deeper than t.
func shapeOf(t reflect.Type) shape {
	switch t {
	case reflect.TypeFor[Text]():
		return shapeText
	case reflect.TypeFor[Duration]():
		return shapeDuration
	case reflect.TypeFor[*Node]():
		return shapeRaw
	case reflect.TypeFor[Node](), reflect.TypeFor[diag.Position]():
		return shapeUnknown
	}
	switch t.Kind() {
	case reflect.String:
		return shapeString
	case reflect.Bool:
		return shapeBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return shapeInt
	case reflect.Float64:
		return shapeFloat
	case reflect.Struct:
		return shapeStruct
	case reflect.Slice:
		if t.Implements(reflect.TypeFor[interface{ isOrdered() }]()) {
			return shapeOrdered
		}
		return shapeList
	case reflect.Pointer:
		if shapeOf(t.Elem()) == shapeStruct {
			return shapePointer
		}
	case reflect.Map:
		if t.Key().Kind() == reflect.String {
			return shapeMap
		}
	default:
	}
	return shapeUnknown
}

// elemOf returns the type of the members of a list, map or Ordered, nil for
// other types.
func elemOf(t reflect.Type) reflect.Type {
	switch shapeOf(t) {
	case shapeOrdered:
		return t.Elem().Field(namedValue).Type
	case shapeList, shapeMap:
		return t.Elem()
	default:
		return nil
	}
}

// The indices of the fields of Named.
const (
	namedName = iota
	namedPos
	namedValue
)
