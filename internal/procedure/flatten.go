package procedure

import (
	"cmp"
	"slices"

	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/yamldoc"
)

// around is what the uses around a step of a sub-procedure say about it.
type around struct {
	id, phase, onFailure string
	// rename maps the names of components to those of the procedure.
	rename map[string]string
	// late are the inputs that are known only when the stage runs.
	late       map[string]bool
	deferred   bool
	conditions []condition
}

// flatten puts all sub-procedures of a stage in their places; ok is false when
// the order is not known because of a mistake.
func (b *body) flatten() (flat *coverage, ok bool) {
	c := &coverage{}
	ends := make(map[string]int, len(b.steps))
	starts := make([]int, len(b.steps))
	for i, t := range b.steps {
		if !b.phaseSpan(t).known() || b.misspelt(t, "phase", "covers", "quiesces", "consistency") {
			return nil, false // reported, or its sub-procedure is
		}
		c.loose = c.loose || b.misspelt(t, "needs")
		starts[i] = len(c.steps)
		ends[t.ID] = c.add(t, around{onFailure: b.onFailure}, b.late[t.ID])
		for at := starts[i]; at < len(c.steps); at++ {
			c.steps[at].pos = t.Pos
		}
	}
	for i, t := range b.steps {
		// The needs are those of the order, which has no circles.
		for _, j := range b.order.nodes[i].needs {
			c.needs(starts[i], ends[t.ID], ends[b.steps[j].ID])
		}
	}
	c.order = newOrder(c.nodes)
	required := slices.Clone(c.nodes)
	for i := range required {
		required[i].free = true
	}
	c.required = newOrder(required)
	return c, true
}

// needs lets all steps from start to end need another one.
func (c *coverage) needs(start, end, needed int) {
	for at := start; at <= end; at++ {
		c.nodes[at].needs = append(c.nodes[at].needs, needed)
	}
}

// inside returns what holds inside of step t, which stands in a. late are the
// inputs of its sub-procedure that are known only when the stage runs.
func (a around) inside(t *StepTemplate, late map[string]bool) around {
	scope := a.id
	if a.id != "" {
		a.id += "/"
	}
	a.id += t.ID
	if t.Source.Phase.IsSet() {
		a.phase = t.Source.Phase.Value
	}
	a.onFailure = cmp.Or(t.Source.OnFailure.Value, a.onFailure)
	a.deferred = a.deferred || isDeferred(t.When, a.late) || isDeferred(t.ForEach, a.late)
	if t.Source.When != nil {
		a.conditions = append(slices.Clip(a.conditions), condition{scope, textOf(t.Source.When)})
	}
	a.late = late
	return a
}

// isDeferred tells whether only the run decides about a value: it uses outputs
// of steps, by itself or with late inputs.
func isDeferred(t *expr.Template, late map[string]bool) bool {
	return refersTo(t, varSteps) || usesLate(t, late)
}

// add appends one step, or the steps of its sub-procedure, and returns the
// index of what has ended when it has.
func (c *coverage) add(t *StepTemplate, a around, late map[string]bool) int {
	rename := a.rename
	a = a.inside(t, late)
	if t.Sub == nil {
		return c.addStep(t, a)
	}
	a.rename = make(map[string]string, len(t.Components))
	for name, outer := range t.Components {
		a.rename[name] = outer
		if further, ok := rename[outer]; ok {
			a.rename[name] = further
		}
	}
	join := node{free: true}
	starts, ends := make([]int, len(t.Sub.Steps)), make(map[string]int, len(t.Sub.Steps))
	for i, s := range t.Sub.Steps {
		starts[i] = len(c.steps)
		ends[s.ID] = c.add(s, a, passedOn(s, a.late))
		join.needs = append(join.needs, ends[s.ID])
	}
	for i, s := range t.Sub.Steps {
		for _, need := range s.Source.Needs {
			if needed, ok := ends[need.Value]; ok {
				c.needs(starts[i], ends[s.ID], needed)
			}
		}
	}
	c.steps, c.nodes = append(c.steps, flatStep{id: a.id}), append(c.nodes, join)
	return len(c.steps) - 1
}

func (c *coverage) addStep(t *StepTemplate, a around) int {
	at := len(c.steps)
	step := flatStep{
		id: a.id, pos: t.Pos, lease: t.Source.Lease,
		// That an action is no backup has been reported.
		online: t.Source.Consistency.Value == "online" || t.Spec.MaxProof == 0,
		covers: renamed(t.Source.Covers, a.rename), deferred: a.deferred, conditions: a.conditions,
		continues: a.onFailure == onFailureContinue && a.phase != phasePreflight,
	}
	if t.Spec.Name == "" || mutates(t.Spec) { // others have been told that they change nothing
		step.changes, step.quiesces = renamed(t.Source.Changes, a.rename), renamed(t.Source.Quiesces, a.rename)
	}
	if len(step.covers) > 0 {
		c.backups = append(c.backups, at)
	}
	if len(step.quiesces) > 0 {
		c.quiesces = append(c.quiesces, at)
	}
	i := phaseIndex(a.phase)
	c.steps = append(c.steps, step)
	c.nodes = append(c.nodes, node{lo: i, hi: i, free: t.Source.Order.Value == "free" || i == unknown})
	return at
}

// renamed returns the names of texts, translated by rename.
func renamed(texts []yamldoc.Text, rename map[string]string) []string {
	if len(texts) == 0 {
		return nil
	}
	names := make([]string, len(texts))
	for i, t := range texts {
		names[i] = t.Value
		if outer, ok := rename[t.Value]; ok {
			names[i] = outer
		}
	}
	return names
}
