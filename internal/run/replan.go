package run

import (
	"fmt"
	"slices"

	"github.com/refitproject/refit/internal/plan"
)

// PlanSource finds a plan by its digest, among those that the host keeps beside
// the history. The same digest gives the same plan for ever.
type PlanSource func(digest string) (*plan.Plan, error)

// PlanPart says from which stage on a run carries out which plan.
type PlanPart struct {
	Digest string `json:"digest"`
	From   int    `json:"from"`
}

// WithPlans returns s with where the plans are found that Replanned names. A
// state without it refuses the event.
func WithPlans(s State, source PlanSource) State {
	s.source = source
	return s
}

// ResumeFrom binds a state that was read from JSON to its plans again, also
// after a replan.
func ResumeFrom(source PlanSource, s State) (State, error) {
	parts := s.Plans
	if len(parts) == 0 {
		parts = []PlanPart{{Digest: s.Digest}}
	}
	var whole *plan.Plan
	var origins []*plan.Plan
	for _, part := range parts {
		p, err := find(source, part.Digest)
		if err != nil {
			return State{}, fmt.Errorf("resume run %q: %w", s.Run, err)
		}
		if whole != nil && part.From > len(whole.Stages) {
			return State{}, fmt.Errorf("resume run %q: plan %s follows stage %d, there are %d",
				s.Run, part.Digest, part.From, len(whole.Stages))
		}
		whole, origins = join(whole, origins, part.From, p)
	}
	s.source = source
	return bind(s, whole, origins)
}

// find asks for a plan and checks that it is the right one.
func find(source PlanSource, digest string) (*plan.Plan, error) {
	if source == nil {
		return nil, fmt.Errorf("plan %s is not known here", digest)
	}
	p, err := source(digest)
	if err != nil {
		return nil, fmt.Errorf("plan %s: %w", digest, err)
	}
	if p == nil || p.Digest != digest {
		return nil, fmt.Errorf("plan %s is not the one that was found", digest)
	}
	return p, nil
}

// join puts the stages of p behind the first kept stages of before. Origins are
// the plans that the stages came from.
func join(before *plan.Plan, origins []*plan.Plan, kept int, p *plan.Plan) (*plan.Plan, []*plan.Plan) {
	if before == nil {
		return p, repeated(p, len(p.Stages))
	}
	whole := *p
	whole.Stages = append(slices.Clone(before.Stages[:kept]), p.Stages...)
	whole.Accept = append(slices.Clone(before.Accept), p.Accept...)
	whole.Summary.Stages = slices.Clone(p.Summary.Stages)
	for _, sum := range before.Summary.Stages {
		if slices.ContainsFunc(before.Stages[:kept], func(st plan.Stage) bool { return st.ID == sum.ID }) {
			whole.Summary.Stages = append(whole.Summary.Stages, sum)
		}
	}
	return &whole, append(slices.Clone(origins[:kept]), repeated(p, len(p.Stages))...)
}

func repeated(p *plan.Plan, n int) []*plan.Plan {
	list := make([]*plan.Plan, n)
	for i := range list {
		list[i] = p
	}
	return list
}

// firstLeft returns the first stage of which nothing was started.
func (s *State) firstLeft() int {
	if s.touched(s.Stage) {
		return s.Stage + 1
	}
	return s.Stage
}

// touched tells whether something of a stage was started, or done by a person.
func (s *State) touched(stage int) bool {
	if s.begun(stage) || s.Stages[stage].Part == PartOver {
		return true
	}
	for j := range s.Stages[stage].Steps {
		if st, _ := s.stepAt(Place{stage, j}); s.byHand(Place{stage, j}) && st.Gate != nil && len(st.Gate.By) > 0 {
			return true
		}
	}
	return false
}

// mutating is the effect of steps that change the world.
const mutating = "mutating"

// leftAs returns a stage that replaces old; its new steps count from gone on. Answers to what was asked for the
// old one do not count for it. What people approved does, where it is the same.
func (old *StageState) leftAs(was, now *stageView, gone int) StageState {
	st := newStage(now)
	st.Checks = old.Checks
	st.Window.Turn = old.Window.Turn + 1
	for j := range now.steps {
		if i, ok := was.byID[now.steps[j].ID]; ok {
			st.Steps[j] = old.Steps[i].fresh()
		} else {
			st.Steps[j].countFrom(gone)
		}
	}
	if was.plan.Digest != now.plan.Digest {
		return st
	}
	st.Facts = old.Facts
	for i := range st.Gates {
		g := &st.Gates[i]
		for k := range old.Gates {
			if o := &old.Gates[k]; o.Name == g.Name && o.Kind == g.Kind {
				terms := g.Terms
				*g = *o
				g.Terms = terms
			}
		}
	}
	return st
}
