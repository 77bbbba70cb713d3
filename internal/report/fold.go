package report

import (
	"slices"

	"github.com/refitproject/refit/internal/plan"
)

// How much of a plan is shown before it is folded.
const (
	wholePlan   = 200 // plans with at most so many steps are shown whole
	foldedPhase = 8   // steps of a phase that are shown in larger plans
	wholeStages = 12  // plans with at most so many stages are shown whole
	firstStages = 3   // stages at the beginning that are shown in larger plans
	diffLines   = 16  // lines of a preview's diff
)

// fold says what of a plan is left out.
type fold struct {
	phase    int // steps of a phase that are shown; 0 means all
	stages   bool
	diff     int // lines of a preview's diff; 0 means all
	noReturn *plan.PointOfNoReturn
}

func foldFor(p *plan.Plan, opts TextOptions) fold {
	f := fold{diff: diffLines, noReturn: p.Summary.PointOfNoReturn, stages: len(p.Stages) > wholeStages}
	steps := 0
	for i := range p.Stages {
		steps += len(p.Stages[i].Steps)
	}
	if steps > wholePlan {
		f.phase = foldedPhase
	}
	if opts.Full {
		f = fold{noReturn: f.noReturn}
	}
	return f
}

// hides tells whether the stage is shown in one line only. The first stages,
// the last one and the one with the point of no return are always shown.
func (f fold) hides(p *plan.Plan, i int) bool {
	if !f.stages || i < firstStages || i == len(p.Stages)-1 {
		return false
	}
	return f.noReturn == nil || f.noReturn.Stage != p.Stages[i].ID
}

// pick returns the steps of a phase that are shown, in their order, and how
// many are left out. Steps that a reader must not miss go first.
func (f fold) pick(stage string, steps []*plan.Step) (shown []*plan.Step, hidden int) {
	if f.phase == 0 || len(steps) <= f.phase+1 {
		return steps, 0
	}
	chosen := make([]int, 0, f.phase)
	for rank := range ranks {
		for i := 0; i < len(steps) && len(chosen) < f.phase; i++ {
			if f.rank(stage, steps[i]) == rank {
				chosen = append(chosen, i)
			}
		}
	}
	slices.Sort(chosen)
	for _, i := range chosen {
		shown = append(shown, steps[i])
	}
	return shown, len(steps) - len(shown)
}

// ranks is the number of values that rank returns.
const ranks = 4

// rank orders steps by how much a reader would miss them; 0 is the most.
func (f fold) rank(stage string, s *plan.Step) int {
	switch {
	case f.isNoReturn(stage, s):
		return 0
	case s.Reversible == plan.ReversibleNo && s.Skip == "":
		return 1
	case s.Skip == "" && (s.Gate != "" || len(s.Downtime) > 0):
		return 2
	default:
		return 3
	}
}

func (f fold) isNoReturn(stage string, s *plan.Step) bool {
	return f.noReturn != nil && f.noReturn.Stage == stage && f.noReturn.Step == s.ID
}
