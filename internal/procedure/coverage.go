package procedure

import (
	"slices"

	"github.com/refitproject/refit/internal/diag"
)

// checkCoverage checks for every stateful component that a step changes that a
// backup of the stage covers it: one that is certain to have ended well before,
// and that began to read after the component was quiesced, unless it is
// consistent online. Planning checks it again with the steps that really run.
//
// held are the components that earlier stages hold still until the end of the
// run; those that this stage holds so are added.
func (b *body) checkCoverage(held map[string]bool) *coverage {
	c, ok := b.flatten()
	if !ok {
		return nil
	}
	c.held = held
	for i := range c.steps {
		for _, name := range b.stateful(c.steps[i].changes) {
			b.checkCoveredChange(c, i, name, nil)
		}
	}
	return c
}

// checkAbort checks the author's way back to service: what it may damage is
// covered by a backup of the stage, or by one of its own. stage is nil when the
// order of the stage's steps is not known.
func (b *body) checkAbort(stage *coverage) {
	own, ok := b.flatten()
	if !ok || stage == nil {
		return
	}
	own.held = stage.heldAfterFailure()
	for i := range own.steps {
		for _, name := range b.stateful(own.steps[i].changes) {
			b.checkCoveredChange(own, i, name, stage)
		}
	}
}

// stateful returns those of the named components that hold data.
func (b *body) stateful(names []string) []string {
	var out []string
	for _, name := range names {
		if c, ok := b.doc.Components.Get(name); ok && c.Stateful() {
			out = append(out, name)
		}
	}
	return out
}

// fitness says how well a backup covers a change, the best last.
type fitness int

const (
	fitNone fitness = iota
	// fitUncertain: the backup may be skipped or fail, and the change runs.
	fitUncertain
	// fitDirty: the component is written to while the backup reads it.
	fitDirty
	// fitPlanned: all is well if planning does not leave the backup out.
	fitPlanned
	fitGood
)

// checkCoveredChange looks for the backup that covers the change of a
// component by step i of c. Those of further stages, nil for none, may cover it
// too.
func (b *body) checkCoveredChange(c *coverage, i int, name string, stage *coverage) {
	change := &c.steps[i]
	best, nearest := c.backupOf(i, name)
	if stage != nil {
		if fit, backup := stage.backupOf(none, name); fit > best {
			best, nearest = fit, backup
		}
	}
	switch best {
	case fitGood:
	case fitPlanned:
		b.ds.Warnf("MayNotBeCovered", change.pos,
			"step %q may damage %q, and what saves it has a when: %q", change.id, name, nearest).
			Suggest("give the change the same when; planning refuses the change when the backup is left out")
	case fitDirty:
		b.ds.Errorf("NotQuiesced", change.pos,
			"step %q may damage %q, and the backup %q reads it while it is written to", change.id, name, nearest).
			Suggest("add a step with quiesces: [%s] before the backup, or consistency: online to it", name)
	case fitUncertain:
		b.ds.Errorf("NotCovered", change.pos,
			"step %q may damage %q although the backup %q was skipped or has failed", change.id, name, nearest).
			Suggest("remove when over outputs of steps and onFailure: continue from the backup and what it needs, " +
				"or let the change need it")
	case fitNone:
		if c.loose && slices.ContainsFunc(c.steps, func(s flatStep) bool { return slices.Contains(s.covers, name) }) {
			return
		}
		b.ds.Errorf("NotCovered", change.pos,
			"step %q may damage %q, which no backup before it in the stage covers", change.id, name).
			Suggest("%s", b.suggestBackup("add a step with covers: ["+name+"] to phase backup"))
	}
}

// none is the index of no step.
const none = -1

// coverage is a stage with its sub-procedures put in their places. Behind the
// steps of each of them stands an empty one, which has ended when they have.
type coverage struct {
	steps []flatStep
	nodes []node
	order *order
	// required answers, without phases, which steps must have ended well.
	required *order
	// backups and quiesces are the steps that cover and quiesce components.
	backups, quiesces []int
	// held are the components that are held still from before.
	held map[string]bool
	// failing are the answers of mayFail, once it was asked.
	failing []bool
	// loose tells that a mistake that was reported hides some of the needs.
	loose bool
}

// backupOf returns the best backup of a component for the step change, and how
// well it fits. Without a step, none, the backup only has to be made.
func (c *coverage) backupOf(change int, name string) (fitness, string) {
	best, id := fitNone, ""
	for _, j := range c.backups {
		if !slices.Contains(c.steps[j].covers, name) || change != none && !c.order.before(j, change) {
			continue
		}
		if fit := c.fit(j, change, name); fit > best {
			best, id = fit, c.steps[j].id
		}
	}
	return best, id
}

// fit says how well the backup, which ends before the change, covers it.
func (c *coverage) fit(backup, change int, name string) fitness {
	certainty := c.certainty(backup, change)
	if certainty == fitUncertain || c.steps[backup].online {
		return certainty
	}
	return min(certainty, c.quiesced(backup, change, name))
}

// certainty tells whether the change runs only when step i has ended well:
// fitGood, fitPlanned or fitUncertain.
func (c *coverage) certainty(i, change int) fitness {
	step := &c.steps[i]
	needed := change != none && c.required.before(i, change)
	if step.deferred || !needed && c.mayFail(i) {
		return fitUncertain
	}
	for _, condition := range step.conditions {
		if change == none || !slices.Contains(c.steps[change].conditions, condition) {
			return fitPlanned
		}
	}
	return fitGood
}

// mayFail tells whether the stage may go on without step i: when it, or one
// that it needs, fails.
func (c *coverage) mayFail(i int) bool {
	if c.failing == nil {
		c.failing = make([]bool, len(c.steps))
		for j := range c.steps {
			if c.steps[j].continues {
				for k := range c.steps {
					c.failing[k] = c.failing[k] || j == k || c.required.before(j, k)
				}
			}
		}
	}
	return c.failing[i]
}

// quiesced tells whether the backup begins to read after the last quiesce of
// the component before the change: fitGood or fitPlanned, else fitDirty.
func (c *coverage) quiesced(backup, change int, name string) fitness {
	if c.held[name] {
		return fitGood
	}
	best := fitDirty
	for _, q := range c.quiesces {
		if !slices.Contains(c.steps[q].quiesces, name) || change != none && c.order.before(change, q) {
			continue
		}
		if !c.order.before(q, backup) {
			return fitDirty
		}
		if certainty := c.certainty(q, change); certainty > fitUncertain {
			best = max(best, certainty)
		}
	}
	return best
}

// holds calls found for every component that a step of the stage is certain to
// hold still, with that step.
func (c *coverage) holds(found func(step *flatStep, name string)) {
	for _, q := range c.quiesces {
		if c.certainty(q, none) != fitGood {
			continue
		}
		for _, name := range c.steps[q].quiesces {
			found(&c.steps[q], name)
		}
	}
}

// heldAfterFailure returns the components that are still held when a step of
// the stage has failed.
func (c *coverage) heldAfterFailure() map[string]bool {
	out := map[string]bool{}
	for name := range c.held {
		out[name] = true
	}
	c.holds(func(step *flatStep, name string) {
		l := step.lease
		isLong := l == nil || l.Until.Value == "stage" || l.Until.Value == "run"
		if isLong && (l == nil || l.OnFailure.Value != "release") {
			out[name] = true
		}
	})
	return out
}

// holdOn adds to held the components that the stage holds still until the end
// of the run.
func (c *coverage) holdOn(held map[string]bool) {
	c.holds(func(step *flatStep, name string) {
		if l := step.lease; l != nil && l.Until.Value == "run" && l.OnFailure.Value != "release" {
			held[name] = true
		}
	})
}

// flatStep is a step of a stage as it stands there when all sub-procedures are
// put in their places, as far as backups and changes go.
type flatStep struct {
	id     string
	pos    diag.Position
	online bool
	lease  *Lease
	// The names of components are those of the procedure.
	covers, changes, quiesces []string
	// deferred tells that only the run decides whether the step is skipped;
	// conditions are those that planning decides.
	deferred   bool
	conditions []condition
	// continues tells that the stage goes on when the step fails.
	continues bool
}

// condition is a when; scope is the use in whose sub-procedure it stands.
type condition struct{ scope, text string }
