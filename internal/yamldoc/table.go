package yamldoc

import (
	"reflect"
	"slices"
)

// Row describes one key of a mapping in a reference page.
type Row struct {
	Key string
	// Type says what may be written: "string", "list of strings", "mapping of
	// names to Step", "Retry".
	Type     string
	Required bool
	Doc      string
	// Enum lists the permitted values; nil when all are.
	Enum []string
}

// Table returns the keys of the struct type t in their order. The structs that
// Type names are among Structs(t).
func Table(t reflect.Type) []Row {
	if shapeOf(t) != shapeStruct {
		return nil
	}
	fields, _ := fieldsOf(t)
	rows := make([]Row, len(fields.fields))
	for i, f := range fields.fields {
		rows[i] = Row{
			Key: f.name, Type: typeName(f.typ, f.nodeType, false), Required: f.required, Doc: f.doc,
			Enum: slices.Clone(f.enum),
		}
	}
	return rows
}

// typeName names t as readers of the reference page know it, in the singular
// or plural.
func typeName(t reflect.Type, nodeType string, plural bool) string {
	pick := func(one, many string) string {
		if plural {
			return many
		}
		return one
	}
	switch shapeOf(t) {
	case shapeText, shapeString:
		return pick("string", "strings")
	case shapeBool:
		return pick("bool", "bools")
	case shapeInt:
		return pick("whole number", "whole numbers")
	case shapeFloat:
		return pick("number", "numbers")
	case shapeDuration:
		return pick("duration", "durations")
	case shapeRaw:
		return rawName(nodeType, pick)
	case shapePointer:
		return t.Elem().Name()
	case shapeStruct:
		return t.Name()
	case shapeList:
		return pick("list of ", "lists of ") + typeName(elemOf(t), nodeType, true)
	case shapeMap, shapeOrdered:
		return pick("mapping", "mappings") + " of names to " + typeName(elemOf(t), nodeType, true)
	case shapeUnknown:
	}
	return t.String()
}

func rawName(nodeType string, pick func(one, many string) string) string {
	switch nodeType {
	case "text":
		return pick("text or expression", "texts or expressions")
	case "list":
		return pick("list", "lists")
	case "map":
		return pick("mapping", "mappings")
	default:
		return pick("any value", "any values")
	}
}
