package platform

import (
	"reflect"

	"github.com/refitproject/refit/internal/yamldoc"
)

// Schema returns the JSON Schema (draft 2020-12) of platform files, for
// editors. The result is plain JSON and belongs to the caller.
func Schema() map[string]any {
	out := yamldoc.JSONSchema(reflect.TypeFor[Platform](), "Refit platform")
	properties, _ := out["properties"].(map[string]any)
	if targets, ok := properties["targets"].(map[string]any); ok {
		kinds := make([]any, 0, len(targetKinds()))
		for _, k := range targetKinds() {
			kinds = append(kinds, k)
		}
		targets["additionalProperties"] = map[string]any{
			"type": "object", "required": []any{keyKind},
			"properties": map[string]any{
				keyKind:     map[string]any{"enum": kinds},
				keyIdentity: map[string]any{"type": "string", "minLength": 1},
			},
		}
	}
	return out
}
