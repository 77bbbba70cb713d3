package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/procedure"
)

// remedyPrefix begins the ids of the steps that are remedies; the id of the issue
// follows.
const remedyPrefix = "remedy/"

// remedies adds the steps that are taken only when a known issue is met. One that
// may damage what no backup of the stage covers is left out of the stage, and
// people are told so: the failed step then fails.
func (s *stageBuilder) remedies() {
	x := &expansion{stageBuilder: s, ids: map[string][]string{}, prefix: remedyPrefix}
	most := map[string]int{}
	var templates []*procedure.StepTemplate
	for _, r := range s.in.Procedure.Remedies {
		templates = append(templates, r.Step)
		most[remedyPrefix+r.Step.ID] = r.Max
	}
	x.expand(templates)
	for i := range x.out {
		step := x.out[i]
		if step.Skip != "" {
			continue
		}
		step.Remedy = &Remedy{Issue: strings.TrimPrefix(step.ID, remedyPrefix), Max: most[step.ID]}
		steps, err := order(append(slices.Clone(s.stage.Steps), step))
		switch {
		case err != nil:
			s.ds.Errorf("OrderImpossible", s.position(step.ID), "stage %q: %s", s.stage.ID, err).
				Suggest("mend the remedy")
		case !s.covers(steps, &step):
			s.plan.Findings = append(s.plan.Findings, Finding{
				Name: step.ID, Stage: s.stage.ID, Outcome: Pass, Reason: "RemedyLeftOut",
				Message: fmt.Sprintf("stage %q does not take the remedy of known issue %q by itself, "+
					"as no backup of the stage covers what it changes", s.stage.ID, step.Remedy.Issue),
			})
		default:
			s.stage.Steps = steps
		}
	}
}

// covers tells whether a backup of the stage covers everything that a remedy may
// damage.
func (s *stageBuilder) covers(steps []Step, remedy *Step) bool {
	c := newCoverer(steps, s.stage.Groups)
	return !slices.ContainsFunc(remedy.Changes, func(name string) bool {
		if !s.stateful[name] {
			return false
		}
		_, problem := c.component(name, s.quiesced[name])
		return problem != nil
	})
}

// certain tells whether a step runs when all goes well: it is neither left out nor
// a remedy. Predictions are about such steps.
func (s *Step) certain() bool { return s.Skip == "" && s.Remedy == nil }
