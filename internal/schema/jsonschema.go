package schema

import (
	"maps"
	"slices"
)

// JSONSchema returns the JSON Schema (draft 2020-12) of what an author may
// write for a value of type t: the value itself, or in the place of any part
// of it a string with ${…}. The result is fresh plain JSON.
func JSONSchema(t Type) map[string]any {
	literal := literalSchema(t)
	if t.IsAny() || t.Kind == String && len(t.Enum) == 0 {
		return literal
	}
	return orExpression(literal)
}

func orExpression(literal map[string]any) map[string]any {
	return map[string]any{"anyOf": []any{
		literal,
		map[string]any{"type": "string", "pattern": `\$\{`},
	}}
}

func literalSchema(t Type) map[string]any {
	switch t.Kind {
	case String:
		if len(t.Enum) > 0 {
			return map[string]any{"enum": anySlice(t.Enum)}
		}
		return map[string]any{"type": "string"}
	case Int:
		return map[string]any{"type": "integer"}
	case Number:
		return map[string]any{"type": "number"}
	case Bool:
		return map[string]any{"type": "boolean"}
	case Duration:
		return map[string]any{"type": "string", "pattern": DurationPattern}
	case List:
		return map[string]any{"type": "array", "items": JSONSchema(t.ElemType())}
	case Map:
		return map[string]any{"type": "object", "additionalProperties": JSONSchema(t.ElemType())}
	case Object:
		return objectSchema(t)
	case Secret:
		return secretSchema()
	case Any:
		return map[string]any{}
	default:
		return map[string]any{}
	}
}

func objectSchema(t Type) map[string]any {
	out := map[string]any{"type": "object"}
	if t.Open() {
		return out
	}
	properties := make(map[string]any, len(t.Fields))
	var required []string
	for _, name := range t.FieldNames() {
		f := t.Fields[name]
		p := JSONSchema(f.Type)
		if f.Doc != "" {
			p["description"] = f.Doc
		}
		properties[name] = p
		if f.Required {
			required = append(required, name)
		}
	}
	out["properties"] = properties
	out["additionalProperties"] = false
	if len(required) > 0 {
		out["required"] = anySlice(required)
	}
	return out
}

func secretSchema() map[string]any { return referenceSchema(SecretFields()) }

// referenceSchema describes a reference with fields: the forms and the prefix.
// The key of a captured secret is a reference that was not captured.
func referenceSchema(fields map[string]Type) map[string]any {
	properties := map[string]any{}
	var oneOf []any
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if name == SecretCaptured {
			properties[name] = capturedSchema(fields[name])
		} else {
			properties[name] = JSONSchema(fields[name])
		}
		if name != secretPrefix {
			oneOf = append(oneOf, map[string]any{"required": []any{name}})
		}
	}
	return map[string]any{
		"type": "object", "properties": properties, "additionalProperties": false, "oneOf": oneOf,
	}
}

func capturedSchema(t Type) map[string]any {
	keys := SecretFields()
	delete(keys, SecretCaptured)
	properties, required := map[string]any{}, make([]string, 0, len(t.Fields))
	for _, name := range t.FieldNames() {
		properties[name] = JSONSchema(Of(String))
		if t.Fields[name].Type.Kind == Secret {
			properties[name] = orExpression(referenceSchema(keys))
		}
		if t.Fields[name].Required {
			required = append(required, name)
		}
	}
	return orExpression(map[string]any{
		"type": "object", "properties": properties, "additionalProperties": false, "required": anySlice(required),
		"oneOf": []any{map[string]any{"required": []any{"backup"}}, map[string]any{"required": []any{"name"}}},
	})
}

func anySlice(texts []string) []any {
	out := make([]any, len(texts))
	for i, text := range texts {
		out[i] = text
	}
	return out
}
