package service

import (
	"bytes"
	"fmt"

	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/schema"
)

// planAgain is the remedy for a plan whose files changed.
const planAgain = "plan again"

// basis loads the platform file and the procedure of a saved plan and compares
// them with what the plan was made from: a *StaleError names everything that
// differs, a *UsageError refuses the platform file of something else.
func (s *Service) basis(file string, p *plan.Plan) (*loaded, error) {
	l, ds, err := openPlatform(file)
	if err != nil {
		return nil, err
	}
	if ds.HasErrors() {
		return nil, ds
	}
	if err := s.attachProcedure(l, file); err != nil {
		if l.platform.Metadata.Name.Value != p.Platform {
			return nil, otherPlatform(l, p)
		}
		return nil, &StaleError{
			Changes: []string{fmt.Sprintf("the procedure %q of the plan cannot be read any more: %s",
				p.Procedure.Name, firstProblem(err))},
			Remedy: "mend it, or plan again",
		}
	}
	if err := l.isFor(p); err != nil {
		return nil, err
	}
	if l.procedure.Digest != p.Procedure.Digest {
		return nil, &StaleError{
			Changes: []string{fmt.Sprintf("the procedure %q changed since the plan was made", p.Procedure.Name)},
			Remedy:  planAgain,
		}
	}
	if err := l.resolve(s, ds); err != nil {
		return nil, err
	}
	return l, l.unchanged(p)
}

// isFor refuses a platform file that is not that of the plan.
func (l *loaded) isFor(p *plan.Plan) error {
	if name := l.procedure.Document.Metadata.Name.Value; name != p.Procedure.Name {
		return usageErrorf("platform file is for procedure %s, the plan is for %s", name, p.Procedure.Name)
	}
	if l.platform.Metadata.Name.Value != p.Platform {
		return otherPlatform(l, p)
	}
	return nil
}

func otherPlatform(l *loaded, p *plan.Plan) error {
	name := l.platform.Metadata.Name.Value
	return usageErrorf("platform file is for platform %s, the plan is for %s", name, p.Platform)
}

// unchanged compares targets and inputs of the platform file with those that
// the plan froze.
func (l *loaded) unchanged(p *plan.Plan) error {
	stale := &StaleError{Remedy: planAgain}
	planned := make(map[string]plan.Target, len(p.Targets))
	for _, t := range p.Targets {
		planned[t.Name] = t
	}
	for _, t := range l.targets {
		if !sameJSON(planned[t.Name].Config, t.Config) {
			stale.Changes = append(stale.Changes,
				fmt.Sprintf("the platform file describes target %q otherwise than when the plan was made", t.Name))
		}
		if t.Identity != "" && t.Identity != planned[t.Name].Identity {
			stale.Changes = append(stale.Changes, fmt.Sprintf(
				"the platform file gives target %q the identity %q, the plan was made for %q",
				t.Name, t.Identity, planned[t.Name].Identity))
		}
	}
	// The same procedure declares the same inputs, so each is in the platform
	// file's values when it is in the plan's, but for optional ones.
	for _, in := range l.procedure.Document.Inputs {
		before, had := p.Inputs[in.Name]
		now, has := l.inputs[in.Name]
		if had != has || had && !sameJSON(map[string]any{"": before}, map[string]any{"": now}) {
			stale.Changes = append(stale.Changes,
				fmt.Sprintf("the platform file changed input %q since the plan was made", in.Name))
		}
	}
	if len(stale.Changes) > 0 {
		return stale
	}
	return nil
}

// sameJSON tells whether two objects are the same in canonical JSON: one was
// read from a plan file, the other from YAML.
func sameJSON(a, b map[string]any) bool {
	if len(a) == 0 && len(b) == 0 {
		return true
	}
	left, err := schema.CanonicalJSON(a)
	if err != nil {
		return false
	}
	right, err := schema.CanonicalJSON(b)
	return err == nil && bytes.Equal(left, right)
}
