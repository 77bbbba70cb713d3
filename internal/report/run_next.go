package report

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// number0 writes a number without commas, for names.
func number0(n int) string { return strconv.Itoa(n) }

// refText names an operation for people: "install", "undo of install",
// "restore of database from db-backup".
func refText(r run.Ref) string {
	name := plan.StepPath(r.Stage, r.Step)
	if r.Member != "" {
		name += "[" + r.Member + "]"
	}
	switch r.What {
	case run.Undo:
		return "undo of " + name
	case run.Restore:
		return "restore of " + r.Component + " from " + name
	case run.Release:
		return "release of " + name
	case run.Retake:
		return "taking again of " + name
	case run.Check:
		return "check of the facts of " + name
	case run.Do:
	}
	return name
}

// operations lists what the core has in hand.
func (b *runBuilder) operations() {
	for _, c := range run.Pending(b.src.State) {
		a := OperationView{Command: c.ID()}
		switch c := c.(type) {
		case run.PerformOperation:
			a.Text, a.Stage, a.Step = refText(c.Op)+", attempt "+number(c.Attempt), c.Op.Stage, c.Op.Step
			b.times(&a, c.Op)
		case run.StartOperation:
			a.Text, a.Stage, a.Step = refText(c.Op)+", attempt "+number(c.Attempt), c.Op.Stage, c.Op.Step
		case run.ObserveOperation:
			a.Text, a.Stage, a.Step = "looking whether "+refText(c.Op)+" has happened", c.Op.Stage, c.Op.Step
			if !c.Attempted {
				a.Text = "looking before " + refText(c.Op)
			}
			b.times(&a, c.Op)
		case run.CheckStage:
			a.Text, a.Stage = "observing the facts of stage "+c.Stage, c.Stage
		case run.EvaluateCondition:
			a.Text, a.Stage, a.Step = "looking at the condition of "+gateText(c.Gate), c.Gate.Stage, c.Gate.Step
		case run.ObserveSoak:
			a.Text, a.Stage = "observing for the soak of "+c.Gate.Stage, c.Gate.Stage
		case run.Resolve, run.AskWindow, run.MatchIssues:
			continue // They take no time that people notice.
		case run.Timer:
			continue // Waiting is said where it belongs.
		default:
			continue
		}
		b.measure(&a)
		if ref, ok := worksOn(c); ok {
			b.expectations(&a, ref)
		}
		b.view.Operations = append(b.view.Operations, a)
	}
}

// worksOn returns the operation that a command carries on.
func worksOn(c run.Command) (run.Ref, bool) {
	switch c := any(c).(type) {
	case run.PerformOperation:
		return c.Op, true
	case run.ObserveOperation:
		return c.Op, true
	default:
		return run.Ref{}, false
	}
}

func (b *runBuilder) times(a *OperationView, ref run.Ref) {
	for op := range b.src.State.Operations() {
		if op.Ref == ref {
			a.Deadline = op.Deadline
		}
	}
	for i := range b.view.Stages {
		if b.view.Stages[i].ID != ref.Stage {
			continue
		}
		for _, s := range b.view.Stages[i].Steps {
			if s.ID == ref.Step {
				a.Began = s.Began
			}
		}
	}
}

func gateText(g run.GateRef) string {
	switch {
	case g.Step != "":
		return plan.StepPath(g.Stage, g.Step)
	case g.Name != "":
		return g.Stage + " (" + g.Name + ")"
	default:
		return g.Stage
	}
}

// gates lists the gates that wait for a person.
func (b *runBuilder) gates() {
	if b.src.State.Status == run.Planned {
		return
	}
	for _, g := range b.src.State.Gates() {
		v := GateView{
			Stage: g.Gate.Stage, Name: orText(g.Gate.Step, g.Gate.Name), Step: g.Gate.Step != "", Kind: g.Terms.Kind,
			Question: g.Terms.Question, From: g.Terms.From, Count: max(g.Terms.Count, 1), By: g.By,
			Rejected: g.Rejected,
			Digest:   g.Digest, Facts: g.Facts, Selection: g.Terms.Selection, Members: g.Members,
		}
		if at, ok := b.src.State.Find(g.Gate.Stage, g.Gate.Step); ok {
			_, step := b.src.State.StepAt(at)
			v.Evidence = evidenceOf(step)
		}
		v.Command = b.passing(&v)
		b.view.Gates = append(b.view.Gates, v)
	}
}

// evidenceOf names the values that a step asks a person for.
func evidenceOf(step *plan.Step) []string {
	list, _ := step.With["evidence"].([]any)
	var names []string
	for _, v := range list {
		if name, ok := v.(string); ok {
			names = append(names, name)
		}
	}
	return names
}

// passing is the command that passes a gate.
func (b *runBuilder) passing(g *GateView) string {
	if g.Kind == run.WaitApproval {
		return b.command("approve", g.Stage, g.Name, "--digest", shortDigest(g.Named()))
	}
	args := []string{g.Stage, g.Name}
	for _, name := range g.Evidence {
		args = append(args, name+"=VALUE")
	}
	return b.command("done", args...)
}

// command writes a command about the run.
func (b *runBuilder) command(verb string, args ...string) string {
	words := []string{"refit", verb, shellWord(b.view.ID)}
	for _, a := range args {
		words = append(words, shellWord(a))
	}
	return strings.Join(words, " ")
}

// commands lists what people can type next.
func (b *runBuilder) commands() {
	if b.view.Moved {
		return
	}
	add := func(command, why string) {
		why = firstLine(orText(why, "go on"))
		b.view.Commands = append(b.view.Commands, NextCommand{Command: command, Why: why})
	}
	if b.view.Owner == nil && (b.view.Status == run.Planned || len(run.Pending(b.src.State)) > 0) {
		add(b.command("drive"), "go on with the run")
	}
	doubts := false
	for _, n := range b.sum.Next {
		switch n.Verb {
		case "settle":
			if !doubts {
				b.settling(add)
			}
			doubts = true
		case "approve":
			b.approving(n, add)
		case "done":
			for i := range b.view.Gates {
				if g := &b.view.Gates[i]; g.Kind == run.WaitPerson && len(n.Args) > 1 &&
					g.Stage == n.Args[0] && g.Name == n.Args[1] {
					add(g.Command, n.Why)
				}
			}
		case "accept":
			expires := b.src.Now.AddDate(0, 0, 7).Format(time.DateOnly)
			add(b.command("accept", append(n.Args, "--reason", "WHY", "--expires", expires)...), n.Why)
		case "retry":
			add(b.command("retry", n.Args...), "mend it, then try again: "+n.Why)
		case "rollback":
			add(b.command("rollback", append([]string{"--to-stage"}, n.Args...)...), n.Why)
		default:
			add(b.command(n.Verb, n.Args...), n.Why)
		}
	}
}

func (b *runBuilder) approving(n run.Next, add func(command, why string)) {
	// The digests of the stage and of a list stand last; that of the list counts.
	digests := slices.IndexFunc(n.Args, func(a string) bool { return strings.HasPrefix(a, "sha256:") })
	if digests < 0 {
		digests = len(n.Args)
	}
	args := slices.Clone(n.Args[:digests])
	if digests < len(n.Args) {
		args = append(args, "--digest", shortDigest(n.Args[len(n.Args)-1]))
	}
	add(b.command("approve", args...), n.Why)
}

// settling offers the verdicts about what is in doubt.
func (b *runBuilder) settling(add func(command, why string)) {
	for _, d := range b.view.InDoubt {
		args := []string{d.Ref.Stage, d.Ref.Step}
		var flags []string
		if d.Ref.What != run.Do {
			flags = append(flags, "--operation", string(d.Ref.What))
		}
		if d.Ref.Member != "" {
			flags = append(flags, "--member", d.Ref.Member)
		}
		if d.Ref.Component != "" {
			flags = append(flags, "--component", d.Ref.Component)
		}
		flags = append(flags, "--reason", "WHY")
		verdict := func(v run.Verdict, why string) {
			all := append(append(append([]string{}, args...), string(v)), flags...)
			add(b.command("settle", all...), why)
		}
		verdict(run.VerdictDone, d.Text+" has happened: I looked")
		verdict(run.VerdictRedo, d.Text+" has not happened: do it again")
		verdict(run.VerdictNotDone, d.Text+" has not happened: let it count as failed")
	}
}
