package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/diag"
)

// coverageProblem is a component that a step may damage without a proved
// backup of the same stage. It is not acceptable: nothing is lost.
type coverageProblem struct {
	code, step, message, remedy string
}

// cover finds for every stateful component that the stage changes the backup
// that covers it: a backup of this stage that has ended before the change and
// whose reading began after the last quiesce of the component, or that is
// consistent while the component is written to.
func cover(s *Stage, stateful map[string]bool) []coverageProblem {
	seq := newSequence(s.Steps)
	var problems []coverageProblem
	for _, component := range changedComponents(s.Steps, stateful) {
		found := Coverage{Component: component}
		for i := range s.Steps {
			step := &s.Steps[i]
			if step.Skip != "" || !slices.Contains(step.Changes, component) {
				continue
			}
			found.ChangedBy = append(found.ChangedBy, step.ID)
			backup, problem := coveringBackup(seq, i, component)
			if problem != nil {
				problems = append(problems, *problem)
				continue
			}
			found.Backup, found.Proof = s.Steps[backup].ID, s.Steps[backup].Proof
		}
		s.Coverage = append(s.Coverage, found)
	}
	return problems
}

// changedComponents returns the stateful components that steps change, in the
// order of the first change.
func changedComponents(steps []Step, stateful map[string]bool) []string {
	var out []string
	for i := range steps {
		if steps[i].Skip != "" {
			continue
		}
		for _, c := range steps[i].Changes {
			if stateful[c] && !slices.Contains(out, c) {
				out = append(out, c)
			}
		}
	}
	return out
}

// coveringBackup returns the backup that covers component before the step
// changer, or why there is none.
func coveringBackup(seq *sequence, changer int, component string) (int, *coverageProblem) {
	steps := seq.steps
	backup, reasons := -1, []string{}
	for b := range steps {
		if !slices.Contains(steps[b].Covers, component) {
			continue
		}
		if why := backupUnfit(seq, b, changer, component); why != "" {
			reasons = append(reasons, fmt.Sprintf("step %q %s", steps[b].ID, why))
			continue
		}
		backup = b
	}
	if backup >= 0 {
		return backup, nil
	}
	problem := &coverageProblem{
		code: "NotCovered", step: steps[changer].ID,
		message: fmt.Sprintf("step %q may damage %q, which no backup of the stage covers",
			steps[changer].ID, component),
		remedy: fmt.Sprintf("add a backup step with covers: [%s] to the phase backup", component),
	}
	if len(reasons) > 0 {
		problem.code = "BackupUnfit"
		problem.message += ": " + strings.Join(reasons, "; ")
		problem.remedy = "let the backup run for certain before the change, " +
			"and behind every step that quiesces the component"
	}
	return -1, problem
}

// backupUnfit says why backup b does not cover component for the step changer,
// or "".
func backupUnfit(seq *sequence, b, changer int, component string) string {
	step := &seq.steps[b]
	switch {
	case step.Skip != "":
		return "is skipped"
	case step.When != "" || step.ForEach != nil:
		return "may be skipped when the stage runs"
	case !seq.before(b, changer):
		return "does not end before the change starts"
	case step.Online:
		return ""
	}
	quiesced := false
	for q := range seq.steps {
		quiesce := &seq.steps[q]
		if quiesce.Skip != "" || !slices.Contains(quiesce.Quiesces, component) || !seq.before(q, changer) {
			continue
		}
		if !seq.before(q, b) {
			return fmt.Sprintf("begins to read before step %q has quiesced the component", quiesce.ID)
		}
		if until := released(seq, q); until >= 0 && !heldUntil(seq, until, changer) {
			return fmt.Sprintf("is outdated: step %q lets the component be written to again before the change",
				quiesce.ID)
		}
		quiesced = quiesced || quiesce.When == "" && quiesce.ForEach == nil
	}
	if !quiesced {
		return "reads the component while it is written to: quiesce it first, or write consistency: online"
	}
	return ""
}

// released returns the step after which the lease of step q is given back, -1
// when it is held to the end of the stage at least.
func released(seq *sequence, q int) int {
	lease := seq.steps[q].Lease
	if lease == nil {
		return -1
	}
	id, isStep := strings.CutPrefix(lease.Until, "step:")
	if !isStep {
		return -1
	}
	i, ok := seq.index[id]
	if !ok {
		return -1
	}
	return i
}

// heldUntil tells whether a lease that is given back after step until is held
// for certain while step changer runs.
func heldUntil(seq *sequence, until, changer int) bool {
	return until == changer || seq.before(changer, until)
}

// lowProof says for each backup with a lower level of proof than its component
// needs that it has; the author wrote it so, people should see it.
func lowProof(s *Stage, proofs map[string]int) []Finding {
	var out []Finding
	for _, c := range s.Coverage {
		if c.Backup == "" || c.Proof >= proofs[c.Component] {
			continue
		}
		out = append(out, Finding{
			Name: "proof/" + c.Component, Stage: s.ID, Step: c.Backup, Outcome: Warn, Reason: "LowProof",
			Message: fmt.Sprintf("the backup of %q is proved at level %d, its kind usually needs %d",
				c.Component, c.Proof, proofs[c.Component]),
			Remedy: "raise proof in the procedure where the action can do it",
		})
	}
	return out
}

// report adds the problems to ds at the positions of the steps.
func report(problems []coverageProblem, at func(step string) diag.Position, ds *diag.Diagnostics) {
	for _, p := range problems {
		ds.Errorf(p.code, at(p.step), "%s", p.message).Suggest("%s", p.remedy)
	}
}
