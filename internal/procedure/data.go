package procedure

import (
	"slices"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/yamldoc"
)

// checkData checks what a step says of components and returns those that it
// changes.
func (b *body) checkData(t *StepTemplate) map[string]Component {
	s := t.Source
	covers := b.componentList("covers", s.Covers)
	changes := b.componentList("changes", s.Changes)
	b.componentList("downtime", s.Downtime)
	for _, name := range s.Quiesces {
		if c, ok := b.doc.Components.Get(name.Value); ok && c.Kind.IsSet() && !c.Stateful() {
			b.ds.Warnf("HoldsNoData", name.Pos, "step %q quiesces %q, a service that holds no data", t.ID, name.Value).
				Suggest("name it in downtime instead")
		}
	}
	b.componentList("quiesces", s.Quiesces)
	b.checkCovers(t, covers)
	return changes
}

// checkCovers checks a backup: what it holds, and how well it is proved.
func (b *body) checkCovers(t *StepTemplate, covers map[string]Component) {
	s := t.Source
	if len(s.Covers) == 0 {
		for _, k := range []keyUse{
			{"proof", s.Proof != 0, t.Pos}, {"consistency", s.Consistency.IsSet(), s.Consistency.Pos},
		} {
			if k.given && !s.Use.IsSet() {
				b.ds.Errorf("KeyNotPermitted", k.pos, "step %q has %s without covers", t.ID, k.key).
					Suggest("name in covers the components whose data the backup holds")
			}
		}
		return
	}
	if t.Spec.Name == "" {
		return
	}
	if t.Spec.MaxProof == 0 {
		b.ds.Errorf("NotABackup", s.Covers[0].Pos,
			"step %q covers %q, but %s is not a backup", t.ID, s.Covers[0].Value, t.Spec.Name).
			Suggest("use a backup action, or remove covers")
		return
	}
	const lowest, highest = 1, 3
	if s.Proof != 0 && (s.Proof < lowest || s.Proof > highest) {
		b.ds.Errorf("OutOfRange", t.Pos, "proof %d of step %q is not a level", s.Proof, t.ID).
			Suggest("1 is read back, 2 parsed, 3 restored into a scratch target and counted")
		return
	}
	if s.Proof > t.Spec.MaxProof {
		b.ds.Errorf("ProofTooHigh", t.Pos,
			"step %q wants proof %d, but %s reaches %d", t.ID, s.Proof, t.Spec.Name, t.Spec.MaxProof).
			Suggest("write proof: %d, or use another action", t.Spec.MaxProof)
	}
	for _, name := range s.Covers {
		b.checkCovered(t, name, covers)
	}
}

func (b *body) checkCovered(t *StepTemplate, name yamldoc.Text, covers map[string]Component) {
	c, ok := covers[name.Value]
	switch {
	case !ok || !c.Kind.IsSet():
	case !c.Stateful():
		b.ds.Errorf("HoldsNoData", name.Pos, "step %q covers %q, a service that holds no data", t.ID, name.Value).
			Suggest("remove it from covers, or declare the component with the kind of its data")
	case t.Source.Proof == 0 && c.DefaultProof() > t.Spec.MaxProof:
		b.ds.Errorf("ProofTooHigh", name.Pos,
			"a backup of %q, a %s, needs proof %d, but %s reaches %d",
			name.Value, c.Kind.Value, c.DefaultProof(), t.Spec.Name, t.Spec.MaxProof).
			Suggest("write proof: %d to be content with less", t.Spec.MaxProof)
	}
}

// flatStep is a step of a stage as it stands there when all sub-procedures are
// put in their places, as far as backups and changes go.
type flatStep struct {
	id     string
	pos    diag.Position
	online bool
	// The names of components are those of the procedure.
	covers, changes, quiesces []string
}

// checkCoverage checks for every stateful component that a step changes that a
// backup of the stage covers it: one that has ended before, and that began to
// read after the component was quiesced, unless it is consistent online.
// Planning checks it again with the steps that really run.
func (b *body) checkCoverage() {
	c, ok := b.flatten()
	if !ok {
		return
	}
	for i := range c.steps {
		for _, name := range c.steps[i].changes {
			if found, ok := b.doc.Components.Get(name); ok && found.Stateful() {
				b.checkCoveredChange(c, i, name)
			}
		}
	}
}

func (b *body) checkCoveredChange(c *coverage, i int, name string) {
	change := &c.steps[i]
	nearest := -1
	for _, j := range c.backups {
		if !slices.Contains(c.steps[j].covers, name) || !c.order.before(j, i) {
			continue
		}
		if c.steps[j].online || c.quiesced(j, i, name) {
			return
		}
		nearest = j
	}
	if nearest < 0 {
		b.ds.Errorf("NotCovered", change.pos,
			"step %q may damage %q, which no backup before it in the stage covers", change.id, name).
			Suggest("add a backup step with covers: [%s] to phase backup", name)
		return
	}
	b.ds.Errorf("NotQuiesced", change.pos,
		"step %q may damage %q, and the backup %q reads it while it is written to",
		change.id, name, c.steps[nearest].id).
		Suggest("add a step with quiesces: [%s] before the backup, or consistency: online to it", name)
}

// coverage is a stage with its sub-procedures put in their places. Behind the
// steps of each of them stands an empty one, which has ended when they have.
type coverage struct {
	steps []flatStep
	nodes []node
	order *order
	// backups and quiesces are the steps that cover and quiesce components.
	backups, quiesces []int
}

// quiesced tells whether the backup begins to read after the last quiesce of
// the component before the change.
func (c *coverage) quiesced(backup, change int, name string) bool {
	found := false
	for _, q := range c.quiesces {
		if !slices.Contains(c.steps[q].quiesces, name) || c.order.before(change, q) {
			continue
		}
		if !c.order.before(q, backup) {
			return false
		}
		found = true
	}
	return found
}

// flatten puts all sub-procedures of a stage in their places; ok is false when
// the order is not known because of a mistake.
func (b *body) flatten() (flat *coverage, ok bool) {
	c := &coverage{}
	ends := make(map[string]int, len(b.steps))
	starts := make([]int, len(b.steps))
	for i, t := range b.steps {
		if !b.phaseSpan(t).known() {
			return nil, false // reported, or its sub-procedure is
		}
		starts[i] = len(c.steps)
		ends[t.ID] = c.add(t, t.ID, t.Source.Phase.Value, nil)
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
	return c, true
}

// needs lets all steps from start to end need another one.
func (c *coverage) needs(start, end, needed int) {
	for at := start; at <= end; at++ {
		c.nodes[at].needs = append(c.nodes[at].needs, needed)
	}
}

// add appends one step, or the steps of its sub-procedure, and returns the
// index of what has ended when it has. rename maps the names of components to
// those of the procedure.
func (c *coverage) add(t *StepTemplate, id, phase string, rename map[string]string) int {
	if t.Source.Phase.IsSet() {
		phase = t.Source.Phase.Value
	}
	if t.Sub == nil {
		return c.addStep(t, id, phase, rename)
	}
	inner := make(map[string]string, len(t.Components))
	for name, outer := range t.Components {
		inner[name] = outer
		if further, ok := rename[outer]; ok {
			inner[name] = further
		}
	}
	join := node{free: true}
	starts, ends := make([]int, len(t.Sub.Steps)), make(map[string]int, len(t.Sub.Steps))
	for i, s := range t.Sub.Steps {
		starts[i] = len(c.steps)
		ends[s.ID] = c.add(s, id+"/"+s.ID, phase, inner)
		join.needs = append(join.needs, ends[s.ID])
	}
	for i, s := range t.Sub.Steps {
		for _, need := range s.Source.Needs {
			if needed, ok := ends[need.Value]; ok {
				c.needs(starts[i], ends[s.ID], needed)
			}
		}
	}
	c.steps, c.nodes = append(c.steps, flatStep{id: id}), append(c.nodes, join)
	return len(c.steps) - 1
}

func (c *coverage) addStep(t *StepTemplate, id, phase string, rename map[string]string) int {
	at := len(c.steps)
	step := flatStep{
		id: id, pos: t.Pos, online: t.Source.Consistency.Value == "online",
		covers: renamed(t.Source.Covers, rename),
	}
	if t.Spec.Name == "" || mutates(t.Spec) { // others have been told that they change nothing
		step.changes, step.quiesces = renamed(t.Source.Changes, rename), renamed(t.Source.Quiesces, rename)
	}
	if len(step.covers) > 0 {
		c.backups = append(c.backups, at)
	}
	if len(step.quiesces) > 0 {
		c.quiesces = append(c.quiesces, at)
	}
	i := phaseIndex(phase)
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
