package procedure

import (
	"fmt"
	"reflect"
	"regexp"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/schema"
	"github.com/refitproject/refit/internal/yamldoc"
)

// Schema returns the JSON Schema (draft 2020-12) of procedures and
// sub-procedures, for editors. What may stand below with depends on the action
// of the step and comes from catalog. The result is plain JSON and belongs to
// the caller.
func Schema(catalog action.Catalog) map[string]any {
	out := yamldoc.JSONSchema(reflect.TypeFor[Document](), "Refit procedure")
	definitions, _ := out["$defs"].(map[string]any)
	specs := allSpecs(catalog)
	refineActions(definitions["Step"], specs)
	var readOnly []action.Spec
	for _, s := range specs {
		if s.Effect == action.ReadOnly && s.Gate == "" {
			readOnly = append(readOnly, s)
		}
	}
	refineActions(definitions["Observe"], readOnly)
	if step, ok := definitions["Step"].(map[string]any); ok {
		step["oneOf"] = []any{
			map[string]any{"required": []any{"action"}}, map[string]any{"required": []any{"use"}},
		}
	}
	out["allOf"] = []any{
		kindRule(KindProcedure, "stages", "steps", "outputs"),
		kindRule(KindSubProcedure, "steps", "versions", "issues", "observe", "from", "probes", "stages"),
	}
	return out
}

// allSpecs returns every version of every action, the newest first.
func allSpecs(catalog action.Catalog) []action.Spec {
	var specs []action.Spec
	for _, name := range catalog.Names() {
		newest, ok := catalog.Spec(name)
		if !ok {
			continue
		}
		specs = append(specs, newest)
		for v := newest.Version - 1; v > 0; v-- {
			if older, ok := catalog.Spec(fmt.Sprintf("%s@%d", name, v)); ok {
				specs = append(specs, older)
			}
		}
	}
	return specs
}

// refineActions lets a definition with the keys action and with accept the
// actions of specs only, each with its own input.
func refineActions(definition any, specs []action.Spec) {
	d, ok := definition.(map[string]any)
	if !ok {
		return
	}
	names := make([]any, 0, 2*len(specs))
	rules := make([]any, 0, len(specs))
	seen := map[string]bool{}
	for _, s := range specs {
		pattern := "^" + regexp.QuoteMeta(s.ID()) + "$"
		if !seen[s.Name] {
			names = append(names, s.Name)
			pattern = fmt.Sprintf("^%s(@%d)?$", regexp.QuoteMeta(s.Name), s.Version)
			seen[s.Name] = true
		}
		names = append(names, s.ID())
		then := map[string]any{"properties": map[string]any{"with": schema.JSONSchema(s.Input)}}
		if needsInput(s.Input) {
			then["required"] = []any{"with"}
		}
		rules = append(rules, map[string]any{
			"if": map[string]any{
				"properties": map[string]any{"action": map[string]any{"pattern": pattern}}, "required": []any{"action"},
			},
			"then": then,
		})
	}
	if properties, ok := d["properties"].(map[string]any); ok {
		if property, ok := properties["action"].(map[string]any); ok {
			delete(property, "type")
			property["enum"] = names
		}
	}
	if len(rules) > 0 {
		d["allOf"] = rules
	}
}

func needsInput(t schema.Type) bool {
	for _, f := range t.Fields {
		if f.Required {
			return true
		}
	}
	return false
}

// kindRule requires one key of documents of a kind and refuses others.
func kindRule(kind, required string, refused ...string) map[string]any {
	properties := map[string]any{}
	for _, key := range refused {
		properties[key] = false
	}
	return map[string]any{
		"if": map[string]any{
			"properties": map[string]any{"kind": map[string]any{"const": kind}}, "required": []any{"kind"},
		},
		"then": map[string]any{"required": []any{required}, "properties": properties},
	}
}
