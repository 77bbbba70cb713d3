package observe

import (
	"fmt"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/plan"
)

// requirementPrefix heads the names of findings about requirements.
const requirementPrefix = "requirement/"

// PlanFindings returns the findings of the plan about one stage or the whole,
// as they count now, without those about requirements, which are judged anew.
func PlanFindings(p *plan.Plan, stage string, now time.Time) []plan.Finding {
	var out []plan.Finding
	for _, f := range p.Findings {
		if (f.Stage == "" || f.Stage == stage) && !strings.HasPrefix(f.Name, requirementPrefix) {
			out = append(out, expire(f, now))
		}
	}
	return out
}

// Requirements judges the requirements of a stage with the facts of now. What
// was accepted in the plan stays accepted.
func Requirements(p *plan.Plan, stage *plan.Stage, facts map[string]any, now time.Time) []plan.Finding {
	var out []plan.Finding
	for _, r := range stage.Requires {
		f := r.Judge(facts)
		f.Stage = stage.ID
		for _, planned := range p.Findings {
			if planned.Name == f.Name && planned.Stage == f.Stage && f.Outcome != plan.Pass {
				f.Accepted = planned.Accepted
			}
		}
		out = append(out, expire(f, now))
	}
	return out
}

// expire takes an acceptance away whose last day is over.
func expire(f plan.Finding, now time.Time) plan.Finding {
	if f.Accepted != nil && f.Accepted.Expires < now.Format(time.DateOnly) {
		f.Message += fmt.Sprintf(" (the acceptance by %s expired on %s)", f.Accepted.By, f.Accepted.Expires)
		f.Accepted = nil
	}
	return f
}
