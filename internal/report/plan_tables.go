package report

import (
	"fmt"
	"slices"

	"github.com/refitproject/refit/internal/plan"
)

// coverage shows which backup covers each component that the stage changes.
func (t *planText) coverage(s *plan.Stage) {
	if len(s.Coverage) == 0 {
		return
	}
	t.blank()
	t.para(2, 2, in(Heading, "Covered by backups"))
	tab := table{indent: 4, header: []string{"component", "changed by", "backup", "proof", "lost by a restore"}}
	for _, c := range s.Coverage {
		backup, proof := cell(Good, list(c.Backups, 3)), cell(Text, proofColumn(c.Proof))
		if len(c.Backups) == 0 {
			backup, proof = cell(Danger, "NOT COVERED"), cell(Danger, "–")
		}
		tab.add(cell(Strong, c.Component), cell(Text, list(c.ChangedBy, 3)), backup, proof, lossColumn(&c))
	}
	tab.write(t.page)
}

func proofColumn(level int) string {
	switch level {
	case 0:
		return "none"
	case 1:
		return "1, read back"
	case 2:
		return "2, parsed"
	case 3:
		return "3, restored and counted"
	default:
		return fmt.Sprint(level)
	}
}

// lossColumn says how much a restore may lose.
func lossColumn(c *plan.Coverage) []span {
	switch {
	case len(c.Backups) == 0:
		return cell(Danger, "everything")
	case c.LossWindow > 0:
		return cell(Warn, human(c.LossWindow)+" and later writes")
	default:
		return cell(Text, "later writes")
	}
}

// leases shows what is given back, in the order in which it happens: the last
// one that was taken is the first one that is given back.
func (t *planText) leases(s *plan.Stage) {
	if len(s.Leases) == 0 {
		return
	}
	t.blank()
	t.para(2, 2, in(Heading, "Given back"), in(Muted, ", in this order"))
	tab := table{indent: 4, header: []string{"change of", "when", "after a failure", "ends quiesce of"}}
	held := false
	for _, l := range slices.Backward(s.Leases) {
		after := cell(Text, "given back")
		if l.OnFailure == "hold" {
			after, held = cell(Warn, "held"), true
		}
		ends := cell(Text, orDash(list(l.Quiesces, 3)))
		tab.add(cell(Strong, l.Step), cell(Text, untilText(&l.StepLease)), after, ends)
	}
	tab.write(t.page)
	if held {
		t.para(4, 6, in(Muted, "held: until the stage is verified, rolled back, or somebody releases it"))
	}
}

func orDash(text string) string {
	if text == "" {
		return "–"
	}
	return text
}

// abort shows the author's way back to service.
func (t *planText) abort(s *plan.Stage) {
	if s.Abort == nil {
		return
	}
	t.blank()
	t.para(2, 2, in(Heading, "Way back to service"), in(Muted, ", offered when rolling back is refused or fails"))
	if s.Abort.Description != "" {
		t.para(4, 4, plain(s.Abort.Description))
	}
	phaseOf := map[string]plan.Phase{}
	for i := range s.Abort.Steps {
		phaseOf[s.Abort.Steps[i].ID] = s.Abort.Steps[i].Phase
	}
	for i := range s.Abort.Steps {
		t.step(4, &s.Abort.Steps[i], phaseOf)
	}
}
