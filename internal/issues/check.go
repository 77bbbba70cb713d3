package issues

import (
	"strings"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/schema"
	"github.com/refitproject/refit/internal/yamldoc"
)

// CheckActions reports the actions that the issues name and this program does not
// have.
func (s *Set) CheckActions(catalog action.Catalog) diag.Diagnostics {
	var ds diag.Diagnostics
	for i := range s.documents() {
		in := s.doc.Issues[i].Value.In
		if in == nil {
			continue
		}
		for _, a := range in.Actions {
			if name, version, pinned := strings.Cut(a.Value, "@"); pinned {
				ds.Errorf(CodeUnknownAction, a.Pos, "action %q is named with its version %q", name, version).
					Suggest("write %s", name)
			} else if _, ok := catalog.Spec(a.Value); !ok {
				ds.Errorf(CodeUnknownAction, a.Pos, "action %q does not exist", a.Value).
					Suggest("%s", diag.DidYouMean(a.Value, catalog.Names()))
			}
		}
	}
	return ds
}

// Check compiles the conditions of all issues against the inputs and facts of the
// procedure that they belong to, and returns those that have no mistake.
func (s *Set) Check(inputs, observed schema.Type) ([]*expr.Template, diag.Diagnostics) {
	var out []*expr.Template
	var ds diag.Diagnostics
	env, err := newEnv(inputs, observed)
	if err != nil {
		ds.Errorf("Internal", diag.Position{}, "prepare the conditions of known issues: %v", err)
		return nil, ds
	}
	for i := range s.documents() {
		d := &s.doc.Issues[i].Value
		for _, n := range []*yamldoc.Node{d.Match.State, d.Benign} {
			if n == nil {
				continue
			}
			t, problems := env.CompileTemplate(n, boolean())
			ds = append(ds, problems...)
			if t != nil {
				out = append(out, t)
			}
		}
	}
	ds.Sort()
	return out, ds
}

// documents returns what the issues were read from.
func (s *Set) documents() yamldoc.Ordered[IssueDocument] {
	if s == nil || s.doc == nil {
		return nil
	}
	return s.doc.Issues
}
