package sim

import (
	"fmt"
	"slices"

	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// choose picks out what a step would act on. Once an attempt was begun it answers
// about what that was told, of which the first may be done.
func (w *world) choose(c run.ObserveOperation, rule *plan.Selection, e *run.Observed, f *Faults) {
	switch {
	case e.Status != "notStarted" && e.Status != "partial":
	case c.Attempted:
		e.Selection = c.Selection
		if len(c.Selection) > 1 && e.Status == "partial" && w.d.oneIn(2) {
			e.Selection = c.Selection[1:]
		}
	default:
		n := 1 + w.d.below(rule.Max)
		if w.d.oneIn(f.Bad) {
			n = pick(w.d, 0, rule.Max+1)
		}
		for i := range n {
			e.Selection = append(e.Selection, run.Selected{
				Key: fmt.Sprintf("m%d", i), Note: pick(w.d, "", "", "", "large"),
			})
		}
	}
}

// chosen is the account of what a step picked.
type chosen struct {
	// listed is what it would act on, as was recorded last, approved what a person
	// approved of that.
	listed, approved []run.Selected
	// acted is what attempts were begun with since it was seen last that nothing of
	// them is there, ever all of it.
	acted, ever []run.Selected
}

// chosenBy returns the account of an operation.
func (j *judge) chosenBy(r run.Ref) *chosen {
	key := keyOf(run.Ref{What: run.Do, Stage: r.Stage, Step: r.Step, Member: r.Member})
	c := j.choices[key]
	if c == nil {
		c = &chosen{}
		j.choices[key] = c
	}
	return c
}

// listed notes what a step would act on.
func (j *judge) listed(b *run.Observed) {
	if b.Op.What != run.Do || j.s.world.info(b.Op).step.Selection == nil {
		return
	}
	c := j.chosenBy(b.Op)
	switch {
	case b.Status == "notStarted":
		c.acted, c.listed = nil, b.Selection
	case b.Status == "partial" && b.Resumable:
		c.listed = b.Selection
	}
}

// cleared notes that nothing of the attempts of a step is there.
func (j *judge) cleared(r run.Ref) {
	if r.What == run.Do {
		j.chosenBy(r).acted = nil
	}
}

// approvedList notes that a person has approved what was listed for a step.
func (j *judge) approvedList(b *run.Approved) {
	in := j.s.world.infos[b.Gate.Stage+"/"+b.Gate.Step]
	if in == nil || in.step.Selection == nil || b.Selection == "" {
		return
	}
	st := &j.s.state.Stages[in.at.Stage].Steps[in.at.Step]
	if st.Op < len(st.Ops) {
		c := j.chosenBy(st.Ops[st.Op].Ref)
		c.approved = c.listed
	}
}

// picks judges what an attempt is begun with: what was listed, not more than the
// plan allows, and what a person approved where the plan asks for that.
func (j *judge) picks(b *run.OperationStarted) error {
	rule := j.s.world.info(b.Op).step.Selection
	if rule == nil || b.Op.What != run.Do {
		return nil
	}
	c, name := j.chosenBy(b.Op), b.Op.Stage+"/"+b.Op.Step
	switch {
	case len(c.listed) > rule.Max:
		return breachf("selection", "%s was started with %d members, %d are allowed", name, len(c.listed), rule.Max)
	case len(c.listed) == 0 && rule.Empty == plan.EmptyRefuse:
		return breachf("selection", "%s was started with nothing", name)
	case rule.Approve && !within(c.listed, c.approved):
		return breachf("I7", "%s was started with %v, approved was %v", name, c.listed, c.approved)
	}
	c.acted, c.ever = union(c.acted, c.listed), union(c.ever, c.listed)
	return nil
}

// about judges what a look, an attempt or a way back is told to be about.
func (j *judge) about(id string, op run.Ref, attempted, perform bool, told []run.Selected) error {
	in := j.s.world.info(op)
	if in == nil || in.step.Selection == nil || op.What == run.Restore {
		return nil
	}
	c := j.chosenBy(op)
	switch {
	case op.What == run.Do && perform:
		// Whom a person lets do it again, having looked, does what was begun.
		if !slices.Equal(told, c.listed) && (!j.settled[op] || !within(told, c.ever)) {
			return breachf("selection", "%s may act on %v, listed was %v", id, told, c.listed)
		}
	case op.What == run.Do && !attempted:
		if told != nil {
			return breachf("selection", "%s is about %v before anything was begun", id, told)
		}
	case !within(c.acted, told) || !within(told, c.ever):
		return breachf("selection", "%s is about %v, acted on was %v", id, told, c.acted)
	}
	return nil
}

func within(some, all []run.Selected) bool {
	return !slices.ContainsFunc(some, func(m run.Selected) bool { return !slices.Contains(all, m) })
}

func union(a, b []run.Selected) []run.Selected {
	out := slices.Clone(a)
	for _, m := range b {
		if !slices.Contains(out, m) {
			out = append(out, m)
		}
	}
	return out
}
