package yamldoc

import (
	"path"
	"reflect"

	"github.com/refitproject/refit/internal/schema"
)

// JSONSchema returns the JSON Schema (draft 2020-12) of the documents that
// Decode reads into structs of type t, for editors. The structs below t are
// definitions of the schema, so that types may be recursive. t must pass
// CheckTags; the result is plain JSON and belongs to the caller.
func JSONSchema(t reflect.Type, title string) map[string]any {
	g := &generator{root: t, names: map[reflect.Type]string{}}
	structs := Structs(t)
	taken := map[string]bool{}
	for _, s := range structs {
		name := s.Name()
		if taken[name] {
			name = path.Base(s.PkgPath()) + "." + name
		}
		g.names[s], taken[name] = name, true
	}
	out := g.structure(t)
	definitions := map[string]any{}
	for _, s := range structs {
		if s != t {
			definitions[g.names[s]] = g.structure(s)
		}
	}
	out["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	out["title"] = title
	if len(definitions) > 0 {
		out["$defs"] = definitions
	}
	return out
}

// generator knows what the definitions are called.
type generator struct {
	root  reflect.Type
	names map[reflect.Type]string
}

func (g *generator) structure(t reflect.Type) map[string]any {
	fields, _ := fieldsOf(t)
	properties := make(map[string]any, len(fields.fields))
	var required []any
	for i := range fields.fields {
		f := &fields.fields[i]
		p := g.schemaOf(f.typ, f)
		if f.doc != "" {
			p["description"] = f.doc
		}
		properties[f.name] = p
		if f.required {
			required = append(required, f.name)
		}
	}
	out := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if required != nil {
		out["required"] = required
	}
	return out
}

// schemaOf returns the schema of values of type t below the key f.
func (g *generator) schemaOf(t reflect.Type, f *field) map[string]any {
	switch shapeOf(t) {
	case shapeText, shapeString:
		if f.enum == nil {
			return map[string]any{"type": "string"}
		}
		values := make([]any, len(f.enum))
		for i, value := range f.enum {
			values[i] = value
		}
		return map[string]any{"enum": values}
	case shapeBool:
		return map[string]any{"type": "boolean"}
	case shapeInt:
		return map[string]any{"type": "integer"}
	case shapeFloat:
		return map[string]any{"type": "number"}
	case shapeDuration:
		return map[string]any{"type": "string", "pattern": schema.DurationPattern}
	case shapeRaw:
		return rawSchema(f.nodeType)
	case shapePointer:
		return g.reference(t.Elem())
	case shapeStruct:
		return g.reference(t)
	case shapeList:
		return map[string]any{"type": "array", "items": g.schemaOf(elemOf(t), f)}
	case shapeMap, shapeOrdered:
		return map[string]any{"type": "object", "additionalProperties": g.schemaOf(elemOf(t), f)}
	case shapeUnknown:
	}
	return map[string]any{}
}

func (g *generator) reference(t reflect.Type) map[string]any {
	if t == g.root {
		return map[string]any{"$ref": "#"}
	}
	return map[string]any{"$ref": "#/$defs/" + g.names[t]}
}

// rawSchema returns the schema of a *Node. A text may hold ${…}, which is a
// string whatever it gives, or be the plain value.
func rawSchema(nodeType string) map[string]any {
	switch nodeType {
	case "text":
		return map[string]any{"type": []any{"string", "number", "boolean"}}
	case "list":
		return map[string]any{"type": "array"}
	case "map":
		return map[string]any{"type": "object"}
	default:
		return map[string]any{}
	}
}
