package run

import "github.com/refitproject/refit/internal/plan"

// timed returns how long the operation took from its first attempt to its end; false
// when it did nothing, has not ended well, or nobody watched all of it. What only
// reads does its work when it is looked at.
func (o *Operation) timed(readOnly bool) (plan.Duration, bool) {
	return o.Took, o.Life == Done && !o.Untimed && (readOnly || o.Attempt > 0)
}

// Tooks tells how long the steps of a run took that were done, or taken back, from
// begin to end: what later plans rest their predictions on.
func Tooks(s State) []plan.Took {
	c := tookCollector{s: &s}
	for i := range s.Stages {
		for j := range s.Stages[i].Steps {
			c.step(Place{i, j})
		}
	}
	if s.Back != nil {
		c.back(s.Back.Items)
	}
	return c.out
}

// tookCollector collects how long the steps of a run took.
type tookCollector struct {
	s   *State
	out []plan.Took
}

// step adds how long a step took, and giving its lease back. How often a remedy is
// taken is not foreseen.
func (c *tookCollector) step(at Place) {
	st, step := c.s.stepAt(at)
	if step.Remedy != nil {
		return
	}
	c.add(at, false, st.Ops, step.Effect == "readOnly")
	if st.Lease != nil {
		c.add(at, true, []Operation{st.Lease.Op}, false)
	}
}

// back adds how long the steps took that a rollback has taken back. The members of a
// step, and what else is restored from it, stand side by side.
func (c *tookCollector) back(items []Operation) {
	for len(items) > 0 {
		n := 1
		for n < len(items) && sameStep(&items[n], &items[0]) {
			n++
		}
		at, err := c.s.place(items[0].Stage, items[0].Step)
		if err == nil && items[0].What != Retake && items[0].What != Check {
			c.add(at, true, items[:n], false)
		}
		items = items[n:]
	}
}

// add adds what operations of a step took together, if all of them tell.
func (c *tookCollector) add(at Place, back bool, ops []Operation, readOnly bool) {
	var sum plan.Duration
	for i := range ops {
		took, ok := ops[i].timed(readOnly)
		if !ok {
			return
		}
		sum += took
	}
	if len(ops) == 0 {
		return
	}
	v := &c.s.ix.stages[at.Stage]
	c.out = append(c.out, plan.Took{
		Run: c.s.Run, Platform: c.s.ix.plan.Platform, Stage: v.plan.TemplateID(),
		Step: v.steps[at.Step].ID, Action: v.steps[at.Step].Action, Back: back, Took: sum,
	})
}

// sameStep tells whether two operations do the same with one step.
func sameStep(a, b *Operation) bool {
	return a.What == b.What && a.Stage == b.Stage && a.Step == b.Step
}
