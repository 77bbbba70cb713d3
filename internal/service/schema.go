package service

import (
	"reflect"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/issues"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/platform"
	"github.com/refitproject/refit/internal/procedure"
	"github.com/refitproject/refit/internal/schema"
	"github.com/refitproject/refit/internal/versions"
	"github.com/refitproject/refit/internal/yamldoc"
)

// SchemaKinds lists the kinds of files for which there is a JSON Schema.
func SchemaKinds() []string { return []string{"issues", "plan", "platform", "procedure", "versions"} }

// Schema returns the JSON Schema (draft 2020-12) of one kind of file, for
// editors and other programs.
func (s *Service) Schema(kind string) (map[string]any, error) {
	switch kind {
	case "issues":
		return issues.Schema(), nil
	case "plan":
		return planSchema(), nil
	case "platform":
		return platform.Schema(), nil
	case "procedure":
		return procedure.Schema(s.o.Registry), nil
	case "versions":
		return yamldoc.JSONSchema(reflect.TypeFor[versions.Document](), "Version graph of Refit"), nil
	default:
		return nil, usageErrorf("there is no schema %q", kind).suggest("%s", diag.DidYouMean(kind, SchemaKinds()))
	}
}

// planSchema describes plan files. They are written by Refit, so unlike in the
// files that people write there are no expressions in the place of values.
func planSchema() map[string]any {
	out := written(schema.FromStruct[plan.Plan]())
	out["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	out["title"] = "Plan of Refit"
	return out
}

// written returns the JSON Schema of values of type t as a program writes
// them.
func written(t schema.Type) map[string]any {
	switch t.Kind {
	case schema.String, schema.Duration:
		return map[string]any{"type": "string"}
	case schema.Int:
		return map[string]any{"type": "integer"}
	case schema.Number:
		return map[string]any{"type": "number"}
	case schema.Bool:
		return map[string]any{"type": "boolean"}
	case schema.List:
		return map[string]any{"type": "array", "items": written(t.ElemType())}
	case schema.Map:
		return map[string]any{"type": "object", "additionalProperties": written(t.ElemType())}
	case schema.Object:
		return writtenObject(t)
	case schema.Any, schema.Secret:
		return map[string]any{}
	default:
		return map[string]any{}
	}
}

func writtenObject(t schema.Type) map[string]any {
	if t.Open() {
		return map[string]any{"type": "object"}
	}
	properties := make(map[string]any, len(t.Fields))
	required := []any{}
	for _, name := range t.FieldNames() {
		properties[name] = written(t.Fields[name].Type)
		if t.Fields[name].Required {
			required = append(required, name)
		}
	}
	return map[string]any{
		"type": "object", "properties": properties, "required": required, "additionalProperties": false,
	}
}
