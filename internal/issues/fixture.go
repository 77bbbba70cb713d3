package issues

import (
	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/yamldoc"
)

// fixtures requires of an issue that its failing fixtures are recognised as what
// they are, and its passing ones are not.
func (r *reader) fixtures(k *known, pos diag.Position, d *IssueDocument) {
	if len(d.Failing) == 0 || len(d.Passing) == 0 {
		r.ds.Errorf(CodeFixtureMissing, pos, "issue %q has %d failing and %d passing fixtures",
			k.ID, len(d.Failing), len(d.Passing)).
			Suggest("write at least one of each: a failure that it is, and one that it is not")
	}
	seen := map[bool]bool{}
	for i := range d.Failing {
		r.failing(k, &d.Failing[i])
		seen[d.Failing[i].Benign] = true
	}
	for i := range d.Passing {
		f := &d.Passing[i]
		if f.Benign {
			r.ds.Errorf(CodeFixtureMatched, f.Pos, "a passing fixture of issue %q is called benign", k.ID).
				Suggest("remove benign, or move the fixture to failing")
		}
		if _, fits := k.try(f); fits {
			r.ds.Errorf(CodeFixtureMatched, f.Pos, "the passing fixture of issue %q is recognised as the issue", k.ID).
				Suggest("recognise it by more, or move the fixture to failing")
		}
	}
	shown := len(d.Failing) == 0 || seen[true] && seen[false]
	if k.benign != nil && len(k.benign.References()) > 0 && !shown {
		r.ds.Errorf(CodeFixtureMissing, d.Benign.Pos,
			"the condition benign of issue %q is not shown to be true and to be false", k.ID).
			Suggest("write one failing fixture with benign: true and one without")
	}
}

func (r *reader) failing(k *known, f *FixtureDocument) {
	found, fits := k.try(f)
	switch {
	case !fits:
		r.ds.Errorf(CodeFixtureMissed, f.Pos, "the failing fixture of issue %q is not recognised", k.ID).
			Suggest("mend match or in, or the fixture")
	case found.Benign && !f.Benign:
		r.ds.Errorf(CodeFixtureMissed, f.Pos, "the failing fixture of issue %q is taken for benign", k.ID).
			Suggest("mend the condition, or write benign: true")
	case !found.Benign && f.Benign:
		r.ds.Errorf(CodeFixtureMissed, f.Pos, "the failing fixture of issue %q is not taken for benign", k.ID).
			Suggest("mend the condition; a text that stands in the log only is never enough")
	}
}

// try matches one issue against a fixture.
func (k *known) try(d *FixtureDocument) (Found, bool) {
	f := &Failure{
		Stage: "stage", Step: "step", Reason: first(d.Reason, k.Reasons, "Failed"), Message: d.Message,
		Action: first(d.Action, k.Actions, "exec.command"), Phase: first(d.Phase, k.Phases, "upgrade"),
	}
	if d.Log != "" {
		f.Texts = []Text{{"log", d.Log}}
	}
	alone := &Set{list: []*known{k}}
	scope := expr.Scope{}
	for name, n := range map[string]*yamldoc.Node{varObserve: d.Observe, varInputs: d.Inputs} {
		if n != nil {
			scope[name] = n.Plain()
		}
	}
	found := alone.Find(f).Judge(scope)
	if len(found) == 0 {
		return Found{}, false
	}
	return found[0], true
}

// first returns what a fixture says, else the first that the issue names.
func first(t yamldoc.Text, list []string, otherwise string) string {
	switch {
	case t.IsSet():
		return t.Value
	case len(list) > 0:
		return list[0]
	}
	return otherwise
}
