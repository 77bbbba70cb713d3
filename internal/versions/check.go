package versions

import (
	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/schema"
)

// Check compiles the rules of all risks in env, to which the variable hop is
// added, and asks factExists for the path below observe of every fact that a
// version or an edge requires. It must be called before Risk.Evaluate, and not
// beside anything else that uses the Graph.
func (g *Graph) Check(env *expr.Env, factExists func(path string) bool) diag.Diagnostics {
	var ds diag.Diagnostics
	for _, use := range g.facts {
		if !factExists(use.fact) {
			ds.Errorf(CodeUnknownFact, use.pos,
				"requirement %q needs the fact %q, which the procedure does not observe",
				use.requirement, use.fact).Suggest("observe it in the procedure, or correct the path")
		}
	}
	withHop, err := env.With(map[string]schema.Type{hopVariable: g.HopType()})
	if err != nil {
		ds.Errorf(CodeInvalidProperty, diag.Position{}, "declare the variable %q: %v", hopVariable, err)
		return ds
	}
	for _, e := range g.edges {
		for _, r := range e.risks {
			for _, rule := range r.rules {
				compiled, problems := withHop.CompileTemplate(rule.when, schema.Of(schema.Bool))
				ds = append(ds, problems...)
				if !problems.HasErrors() {
					rule.compiled = compiled
				}
			}
		}
	}
	ds.Sort()
	return ds
}
