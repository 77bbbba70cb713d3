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
// that covers it. A backup covers when it is of this stage, is certain to have
// ended well before the first change, and either began to read after the last
// quiesce of the component or is consistent while the component is written to.
// quiesced are the components that an earlier stage holds still until the end
// of the run.
func cover(s *Stage, stateful, quiesced map[string]bool) []coverageProblem {
	c := newCoverer(s.Steps, s.Groups)
	var problems []coverageProblem
	for _, component := range changedComponents(s.Steps, stateful) {
		found, problem := c.component(component, quiesced[component])
		if problem != nil {
			problems = append(problems, *problem)
		}
		s.Coverage = append(s.Coverage, found)
	}
	return append(problems, coverAbort(s, c, stateful, quiesced)...)
}

// coverAbort checks the author's way back to service: what it may damage is
// covered by a backup of the stage, or by one of its own.
func coverAbort(s *Stage, stage *coverer, stateful, quiesced map[string]bool) []coverageProblem {
	if s.Abort == nil {
		return nil
	}
	var problems []coverageProblem
	own := newCoverer(s.Abort.Steps, s.Abort.Groups)
	for _, component := range changedComponents(s.Abort.Steps, stateful) {
		if stage.backupBeforeChanges(component, quiesced[component]) {
			continue
		}
		held := quiesced[component] || stage.heldAfterFailure(component)
		if _, problem := own.component(component, held); problem != nil {
			problems = append(problems, *problem)
		}
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

// coverer knows the steps of a stage by what they do to components.
type coverer struct {
	seq *sequence
	// conditional are the steps that may be skipped when the stage runs.
	conditional []bool
	// mayFail are the steps without which the stage may go on: their failure,
	// or that of a step that they need, stops nothing.
	mayFail                     []bool
	changers, backups, quiesces map[string][]int
}

func newCoverer(steps []Step, groups []Group) *coverer {
	c := &coverer{
		seq: newSequence(steps), conditional: make([]bool, len(steps)), mayFail: make([]bool, len(steps)),
		changers: map[string][]int{}, backups: map[string][]int{}, quiesces: map[string][]int{},
	}
	inGroup := conditionalGroups(groups)
	for i := range steps {
		s := &steps[i]
		c.conditional[i] = s.When != "" || s.ForEach != nil || s.Remedy != nil || inGroup[s.Group]
		c.mayFail[i] = s.OnFailure == onFailureContinue
		for _, need := range c.seq.needs[i] {
			// Steps stand behind those that they need.
			c.mayFail[i] = c.mayFail[i] || c.mayFail[need]
		}
		for _, name := range s.Covers {
			c.backups[name] = append(c.backups[name], i)
		}
		if s.Skip != "" {
			continue
		}
		for _, name := range s.Changes {
			c.changers[name] = append(c.changers[name], i)
		}
		for _, name := range s.Quiesces {
			c.quiesces[name] = append(c.quiesces[name], i)
		}
	}
	return c
}

// conditionalGroups returns the uses of sub-procedures that may be skipped as a
// whole when the stage runs, because of their own condition or of an outer one.
func conditionalGroups(groups []Group) map[string]bool {
	parents, out := map[string]string{}, map[string]bool{}
	for _, g := range groups {
		parents[g.ID] = g.Parent
		if g.When != "" {
			out[g.ID] = true
		}
	}
	for _, g := range groups {
		for at := g.Parent; at != ""; at = parents[at] {
			if out[at] {
				out[g.ID] = true
			}
		}
	}
	return out
}

// backupBeforeChanges tells whether a backup of component is certain to be made
// before the stage upgrades anything, and consistent. The way back may begin
// earlier still; whoever begins it asks whether the backup was made.
func (c *coverer) backupBeforeChanges(component string, quiesced bool) bool {
	return slices.ContainsFunc(c.backups[component], func(b int) bool {
		s := &c.seq.steps[b]
		if !c.certain(b) || s.Free || c.seq.phase[b] > phaseIndex(Backup) {
			return false
		}
		return s.Online || quiesced || slices.ContainsFunc(c.quiesces[component], func(q int) bool {
			return c.certain(q) && c.seq.before(q, b)
		})
	})
}

// heldAfterFailure tells whether the stage is certain to hold the component
// still after a failure.
func (c *coverer) heldAfterFailure(component string) bool {
	return slices.ContainsFunc(c.quiesces[component], func(q int) bool {
		lease := c.seq.steps[q].Lease
		return c.certain(q) && (lease == nil || lease.Until != untilSteps && lease.OnFailure == "hold")
	})
}

// certain tells whether a step is certain to have ended well where the stage
// goes on behind it.
func (c *coverer) certain(i int) bool {
	return c.seq.steps[i].Skip == "" && !c.conditional[i] && !c.mayFail[i]
}

// onFailureContinue lets a stage go on although a step failed.
const onFailureContinue = "continue"

// component finds the backups that cover one component. Where several steps of
// the procedure back it up, the best proved one counts, then the last.
func (c *coverer) component(name string, quiesced bool) (Coverage, *coverageProblem) {
	steps := c.seq.steps
	found := Coverage{Component: name}
	for _, i := range c.changers[name] {
		found.ChangedBy = append(found.ChangedBy, steps[i].ID)
	}
	var best []int
	var reasons []string
	for _, family := range c.families(name) {
		why := ""
		for _, b := range family {
			if why = c.unfit(b, name, quiesced); why != "" {
				reasons = append(reasons, fmt.Sprintf("step %q %s", steps[b].ID, why))
				break
			}
		}
		if why == "" && (best == nil || c.proof(family) >= c.proof(best)) {
			best = family
		}
	}
	if best != nil {
		for _, b := range best {
			found.Backups = append(found.Backups, steps[b].ID)
		}
		found.Proof = c.proof(best)
		return found, nil
	}
	first := found.ChangedBy[0]
	problem := &coverageProblem{
		code: "NotCovered", step: first,
		message: fmt.Sprintf("step %q may damage %q, which no backup of the stage covers", first, name),
		remedy:  fmt.Sprintf("add a backup step with covers: [%s] to the phase backup", name),
	}
	if len(reasons) > 0 {
		problem.code = "BackupUnfit"
		problem.message += ": " + strings.Join(reasons, "; ")
		problem.remedy = "let the backup run for certain before the change, " +
			"and behind every step that quiesces the component"
	}
	return found, problem
}

// families returns the backups of a component; the members of one forEach
// belong together, because each may hold a part.
func (c *coverer) families(name string) [][]int {
	var out [][]int
	at := map[string]int{}
	for _, b := range c.backups[name] {
		template := withoutKeys(c.seq.steps[b].ID)
		if i, known := at[template]; known {
			out[i] = append(out[i], b)
			continue
		}
		at[template] = len(out)
		out = append(out, []int{b})
	}
	return out
}

// withoutKeys returns the id of a step without the keys of forEach members.
func withoutKeys(id string) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(id, "[")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		_, id, _ = strings.Cut(rest, "]")
	}
}

// proof is the lowest level of proof of a family.
func (c *coverer) proof(family []int) int {
	lowest := c.seq.steps[family[0]].Proof
	for _, b := range family {
		lowest = min(lowest, c.seq.steps[b].Proof)
	}
	return lowest
}

// unfit says why backup b does not cover a component, or "".
func (c *coverer) unfit(b int, component string, quiesced bool) string {
	step := &c.seq.steps[b]
	switch {
	case step.Skip != "":
		return "is skipped"
	case c.conditional[b]:
		return "may be skipped when the stage runs"
	}
	for _, changer := range c.changers[component] {
		id := c.seq.steps[changer].ID
		if !c.seq.before(b, changer) {
			return fmt.Sprintf("does not end before step %q starts", id)
		}
		if c.mayFail[b] && !c.seq.requires(changer, b) {
			return fmt.Sprintf("may fail without stopping step %q", id)
		}
	}
	if step.Online {
		return ""
	}
	return c.notQuiesced(b, component, quiesced)
}

// notQuiesced says why the component may be written to while backup b reads it
// or between that and the last change, or "".
func (c *coverer) notQuiesced(b int, component string, quiesced bool) string {
	changers := c.changers[component]
	for _, q := range c.quiesces[component] {
		step := &c.seq.steps[q]
		if !slices.ContainsFunc(changers, func(i int) bool { return c.seq.before(q, i) }) {
			continue
		}
		if !c.seq.before(q, b) {
			return fmt.Sprintf("begins to read before step %q has quiesced the component", step.ID)
		}
		if !c.held(q, changers) {
			return fmt.Sprintf("is outdated: step %q lets the component be written to again before the change", step.ID)
		}
		certain := !c.mayFail[q] || c.seq.requires(b, q)
		quiesced = quiesced || !c.conditional[q] && certain
	}
	if !quiesced {
		return "reads the component while it is written to: quiesce it first, or write consistency: online"
	}
	return ""
}

// held tells whether the lease of step q is held for certain until all changers
// have ended.
func (c *coverer) held(q int, changers []int) bool {
	lease := c.seq.steps[q].Lease
	if lease == nil || lease.Until != untilSteps {
		return true
	}
	return !slices.ContainsFunc(changers, func(changer int) bool {
		return !slices.ContainsFunc(lease.Steps, func(id string) bool {
			until, ok := c.seq.index[id]
			return ok && (until == changer || c.seq.startsAfter(until, changer))
		})
	})
}

// The moments at which a lease is given back.
const (
	untilStage = "stage"
	untilRun   = "run"
	untilSteps = "steps"
)

// lowProof says for each backup with a lower level of proof than its component
// needs that it has; the author wrote it so, people should see it.
func lowProof(s *Stage, proofs map[string]int) []Finding {
	var out []Finding
	for _, c := range s.Coverage {
		if len(c.Backups) == 0 || c.Proof >= proofs[c.Component] {
			continue
		}
		out = append(out, Finding{
			Name: "proof/" + c.Component, Stage: s.ID, Step: c.Backups[0], Outcome: Warn, Reason: "LowProof",
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
