package procedure

import (
	"strings"

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
			if k.given && !s.Use.IsSet() && !b.misspelt(t, "covers") {
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
			Suggest("%s", b.suggestBackup("use a backup action, or remove covers"))
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

// suggestBackup adds to what has to be done with a backup which actions are
// backups. While there is none, nothing can be done.
func (f *file) suggestBackup(do string) string {
	var names []string
	for _, name := range f.catalog.Names() {
		if spec, ok := f.catalog.Spec(name); ok && spec.MaxProof > 0 {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "this version of refit has no backup action yet, so no step can change what holds data"
	}
	return do + "; backups are: " + strings.Join(names, ", ")
}
