package platform

import (
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/schema"
	"github.com/refitproject/refit/internal/yamldoc"
)

// commonKeys are the keys that entries of targets of every kind may have.
func commonKeys() []string { return []string{keyKind, keyIdentity, "description"} }

// CheckTargets checks what the entries of targets hold beside kind and identity.
// config tells what the entry of a kind holds, and false for kinds that do not
// say, whose entries are not checked.
func (p *Platform) CheckTargets(config func(kind string) (schema.Type, bool)) diag.Diagnostics {
	var ds diag.Diagnostics
	for _, t := range p.Targets {
		if t.Value == nil || t.Value.Kind != yamldoc.Mapping {
			continue // Load has said so
		}
		kind := text(t.Value.Get(keyKind))
		want, ok := config(kind)
		if !ok {
			continue
		}
		plain, _ := t.Value.Plain().(map[string]any)
		for _, key := range commonKeys() {
			delete(plain, key)
		}
		for _, problem := range schema.Check(want, plain) {
			checkConfig(t.Name, kind, t.Value, problem, &ds)
		}
		for _, name := range want.FieldNames() {
			if value, ok := plain[name].(string); ok && want.Fields[name].Required && strings.TrimSpace(value) == "" {
				ds.Errorf("EmptyValue", t.Value.Get(name).Pos, "%s of target %q is empty", name, t.Name).
					Suggest("%s", configHint(name, want))
			}
		}
	}
	ds.Sort()
	return ds
}

// checkConfig reports one problem of an entry, in its place.
func checkConfig(name, kind string, n *yamldoc.Node, problem schema.Problem, ds *diag.Diagnostics) {
	pos := locate(n, problem.Path)
	if i := slices.IndexFunc(n.Pairs, func(p yamldoc.Pair) bool { return "/"+p.Key == problem.Path }); i >= 0 &&
		strings.HasPrefix(problem.Message, "unknown field") {
		pos = n.Pairs[i].KeyPos
	}
	d := ds.Errorf("InvalidTarget", pos, "target %q of kind %s%s: %s", name, kind,
		strings.ReplaceAll(problem.Path, "/", "."), problem.Message)
	if problem.Suggestion != "" {
		d.Suggest("%s", problem.Suggestion)
	}
}

// configHint says what a key of an entry is for.
func configHint(name string, t schema.Type) string {
	if doc := t.Fields[name].Doc; doc != "" {
		return strings.TrimSuffix(doc, ".")
	}
	return "write a value"
}
