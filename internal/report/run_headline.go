package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// headline says in one line why the run stands where it stands.
func (b *runBuilder) headline() string {
	s, v := &b.src.State, &b.view
	switch {
	case s.Status.Final():
		return b.ended()
	case s.Status == run.Planned:
		return "nothing was started yet"
	case len(v.InDoubt) > 0:
		d := &v.InDoubt[0]
		return "nobody can see whether " + d.Text + " has happened: " + orText(d.Message, d.Reason)
	case s.Back != nil:
		return b.goingBack()
	case s.Reason == "UntilReached":
		return "stopped before stage " + s.Until + ", as it was asked for"
	case s.Paused:
		return reasonText(s.Reason)
	case s.Cancelling:
		return "being cancelled: what is under way ends first"
	case s.Aborting:
		return "taking the author's way back: what is under way ends first"
	}
	if text := b.waitsForPerson(); text != "" {
		return text
	}
	return b.goesOn()
}

// ended says how the run has ended.
func (b *runBuilder) ended() string {
	v := &b.view
	switch v.Status {
	case run.Succeeded:
		return count(v.Counts.Done, "step") + " done, " + number(v.Counts.Skipped) + " skipped"
	case run.RolledBack:
		return count(v.Counts.Undone, "step") + " taken back: everything is as it was"
	case run.PartlyRolledBack:
		return count(v.Counts.Undone, "step") + " taken back, what remains is listed below"
	case run.Cancelled:
		return reasonText(v.Reason) + ", " + b.progress()
	case run.Failed:
		return "the author's way back was taken, " + b.progress()
	case run.Planned, run.Running, run.Waiting, run.Paused, run.Halted, run.RollingBack:
	}
	return b.progress()
}

// reasonText words why a run was paused or cancelled: a person's own words, or
// what the core calls it.
func reasonText(reason string) string {
	switch reason {
	case "", "Requested":
		return "on request"
	case "WindowClosed":
		return "its window has closed"
	}
	return reason
}

func (b *runBuilder) progress() string {
	return fmt.Sprintf("%s of %s done", number(b.view.Counts.Done), count(b.view.Counts.Total, "step"))
}

func (b *runBuilder) goingBack() string {
	back, v := b.src.State.Back, b.view.Rollback
	switch {
	case back.Stopped:
		op := &back.Items[back.Next]
		return "the rollback has stopped at " + refText(op.Ref) + ": " + orText(op.Message, op.Reason)
	case !back.Built:
		return "what is under way ends, then the run goes back to the start of stage " + v.To
	case back.Restores && back.ApprovedBy == "":
		return "the rollback restores data, so that what was written since the backup is lost: it waits for an approval"
	}
	for op := range b.src.State.Operations() {
		if op.Life == run.Asking {
			return refText(op.Ref) + " cannot be looked at: " + op.Message
		}
	}
	return fmt.Sprintf("going back to the start of stage %s: %s of %s taken back",
		v.To, number(v.Done), count(v.Total, "operation"))
}

// waitsForPerson says which decision the run waits for, "" for none.
func (b *runBuilder) waitsForPerson() string {
	s := &b.src.State
	st := &s.Stages[s.Stage]
	_, id, steps, _ := b.stageOfState(s.Stage)
	if st.Part == run.PartGated && len(st.Changed) > 0 {
		c := st.Changed[0]
		return fmt.Sprintf("stage %s does not start: %s is %s, the plan expects %s", id, c.Name, c.Got, c.Want)
	}
	for op := range s.Operations() {
		if op.Life == run.Asking {
			return refText(op.Ref) + " cannot be looked at: " + op.Message
		}
	}
	for j := range st.Steps {
		if step := &st.Steps[j]; step.Status == run.StepFailed && s.Status == run.Halted {
			return plan.StepPath(id, steps[j].ID) + " failed: " + orText(step.Message, step.Reason)
		}
	}
	if len(b.view.Gates) > 0 {
		return waitsAt(&b.view.Gates[0])
	}
	for i := range s.Findings {
		if f := &s.Findings[i]; f.Blocks() && (f.Stage == "" || f.Stage == id) && len(b.view.Operations) == 0 {
			return "blocked by " + f.Name + ": " + f.Message
		}
	}
	return ""
}

// waitsAt says what a gate waits for.
func waitsAt(g *GateView) string {
	switch {
	case g.Rejected != "":
		return fmt.Sprintf("%s of %s was refused: %s", g.Name, g.Stage, g.Rejected)
	case g.Kind == run.WaitPerson:
		return fmt.Sprintf("waits for a person's work, %s of %s: %s", g.Name, g.Stage, firstLine(g.Question))
	case g.Name == "approval":
		return fmt.Sprintf("waits for an approval of %s: %s", g.Stage, firstLine(g.Question))
	default:
		return fmt.Sprintf("waits for an approval, %s of %s: %s", g.Name, g.Stage, firstLine(g.Question))
	}
}

// firstLine returns the first line of what people are asked, and that there is more.
func firstLine(question string) string {
	first, rest, _ := strings.Cut(strings.TrimSpace(question), "\n")
	if strings.TrimSpace(rest) == "" {
		return first
	}
	return strings.TrimRight(first, " ") + " …"
}

// goesOn says what the run does or what time it waits for.
func (b *runBuilder) goesOn() string {
	s := &b.src.State
	st := &s.Stages[s.Stage]
	_, id, steps, _ := b.stageOfState(s.Stage)
	switch {
	case st.Asking != nil && st.Part == run.PartChecking:
		return "the facts of stage " + id + " cannot be asked for: " + st.Asking.Message
	case st.Part == run.PartWorking && st.Window.Never != "":
		return "no window of stage " + id + " opens any more: " + st.Window.Never
	case len(b.view.Operations) > 0 && s.Status != run.Waiting:
		return b.view.Operations[0].Text + others(len(b.view.Operations)-1)
	case st.Part == run.PartSoaking && st.Soak != nil:
		return fmt.Sprintf("soak of stage %s: %s of %s observed", id, orText(human(st.Soak.Covered), "nothing"),
			human(st.Soak.For))
	case st.Window.Asked && !st.Window.Open && !st.Window.OpensAt.IsZero() && st.Part == run.PartWorking:
		return "waits for the window of stage " + id + ", which opens " + moment(st.Window.OpensAt)
	}
	for j := range st.Steps {
		if step := stepView(&steps[j], &st.Steps[j]); step.Status == run.StepWaiting {
			text := plan.StepPath(id, step.ID) + " waits"
			if step.Wait != "" {
				text += " for " + string(step.Wait)
			}
			if step.Message != "" {
				text += ": " + step.Message
			}
			return text
		}
	}
	return "stage " + id + ", " + b.progress()
}

func others(n int) string {
	if n <= 0 {
		return ""
	}
	return " and " + number(n) + " more"
}

func orText(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// since says how long something has lasted at a time; "" when nobody knows.
func since(began, now time.Time) string {
	if began.IsZero() || now.Before(began) {
		return ""
	}
	return human(durationOf(now.Sub(began)))
}
