package sim

import (
	"encoding/json"
	"errors"
	"slices"

	"github.com/refitproject/refit/internal/plan"
)

// Shrink makes a failing case smaller while it violates the same invariant:
// fewer stages and steps, fewer faults, a shorter history. budget is how many
// simulations it may take.
func Shrink(c Case, budget int) (Case, Result) {
	s := &shrinker{best: c, result: Run(c, nil), left: budget}
	s.name = nameOf(s.result.Err)
	for s.left > 0 {
		before := s.left
		if !s.round() {
			break
		}
		if s.left == before {
			break
		}
	}
	s.best.Breach = s.name
	return s.best, s.result
}

func nameOf(err error) string {
	if v := (*BreachError)(nil); errors.As(err, &v) {
		return v.Name
	}
	return ""
}

type shrinker struct {
	best   Case
	result Result
	name   string
	left   int
}

// round tries every way to make the case smaller and tells whether one did.
func (s *shrinker) round() bool {
	smaller := false
	for i := len(s.best.Plan.Stages) - 1; i >= 0 && len(s.best.Plan.Stages) > 1; i-- {
		smaller = s.plan(func(p *plan.Plan) { p.Stages = slices.Delete(p.Stages, i, i+1) }) || smaller
	}
	for i := range s.best.Plan.Stages {
		smaller = s.stage(i) || smaller
	}
	s.best.Faults.each(func(name string, n *int) {
		if *n == 0 {
			return
		}
		c := s.best
		c.Faults.each(func(other string, m *int) {
			if other == name {
				*m = 0
			}
		})
		smaller = s.try(c) || smaller
	})
	smaller = s.meeting(true) || smaller
	smaller = s.meeting(false) || smaller
	for _, wild := range []int{s.best.Wild / 2, s.best.Wild * 9 / 10, len(s.result.History)} {
		if wild < s.best.Wild {
			c := s.best
			c.Wild = wild
			smaller = s.try(c) || smaller
		}
	}
	if s.best.Parallel > 1 {
		c := s.best
		c.Parallel = 1
		smaller = s.try(c) || smaller
	}
	return smaller
}

// meeting tries the case without each of the faults of its meeting.
func (s *shrinker) meeting(storm bool) bool {
	if s.best.Meeting == nil {
		return false
	}
	smaller := false
	faults := func(m *Meeting) *Faults {
		if storm {
			return &m.Storm
		}
		return &m.Before
	}
	faults(s.best.Meeting).each(func(name string, n *int) {
		if *n == 0 {
			return
		}
		c, m := s.best, *s.best.Meeting
		c.Meeting = &m
		faults(&m).each(func(other string, n *int) {
			if other == name {
				*n = 0
			}
		})
		smaller = s.try(c) || smaller
	})
	return smaller
}

// stage drops what a stage can do without; larger parts first.
func (s *shrinker) stage(i int) bool {
	smaller := false
	for _, drop := range []func(*plan.Stage){
		func(st *plan.Stage) { st.Abort = nil }, func(st *plan.Stage) { st.Windows = nil },
		func(st *plan.Stage) { st.Soak = nil }, func(st *plan.Stage) { st.Gates = nil },
	} {
		smaller = s.plan(func(p *plan.Plan) { drop(&p.Stages[i]) }) || smaller
	}
	for size := len(s.best.Plan.Stages[i].Steps) / 2; size > 0; size /= 2 {
		for at := 0; at+size <= len(s.best.Plan.Stages[i].Steps); {
			if s.plan(func(p *plan.Plan) { withoutSteps(&p.Stages[i], at, size) }) {
				smaller = true
			} else {
				at += size
			}
		}
	}
	return smaller
}

// withoutSteps deletes steps of a stage, and what others say of them.
func withoutSteps(st *plan.Stage, at, size int) {
	gone := map[string]bool{}
	for _, step := range st.Steps[at : at+size] {
		gone[step.ID] = true
	}
	st.Steps = slices.Delete(st.Steps, at, at+size)
	for i := range st.Steps {
		step := &st.Steps[i]
		step.Needs = slices.DeleteFunc(step.Needs, func(id string) bool { return gone[id] })
		if step.Lease != nil && step.Lease.Until == "steps" && gone[step.Lease.Steps[0]] {
			step.Lease = &plan.StepLease{Until: "stage", OnFailure: step.Lease.OnFailure}
		}
	}
}

// plan tries the case with a changed plan.
func (s *shrinker) plan(change func(*plan.Plan)) bool {
	c := s.best
	data, err := json.Marshal(c.Plan)
	if err != nil {
		return false
	}
	var p plan.Plan
	if err := json.Unmarshal(data, &p); err != nil {
		return false
	}
	change(&p)
	if plan.Freeze(&p) != nil {
		return false
	}
	c.Plan = &p
	return s.try(c)
}

// try keeps a case when, with its own seed or one of a few others, it violates
// the same invariant; of several the one with the shortest history.
func (s *shrinker) try(c Case) bool {
	found := false
	for n := uint64(0); n < 24 && s.left > 0; n++ {
		if n > 0 {
			c.Seed = s.best.Seed*31 + n
		}
		s.left--
		r := Run(c, nil)
		if nameOf(r.Err) != s.name {
			continue
		}
		if !found || len(r.History) < len(s.result.History) {
			s.best, s.result = c, r
		}
		found = true
		if n > 4 {
			break
		}
	}
	return found
}
