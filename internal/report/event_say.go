package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// sayEvent puts an event into plain words.
func sayEvent(body run.Body) said {
	switch b := body.(type) {
	case *run.Started:
		return said{text: "the run starts, driven by " + b.Owner, role: Heading}
	case *run.OwnerChanged:
		return said{text: "driven by " + b.Owner + " now: what was under way is looked at first", role: Heading}
	case *run.StageChecked:
		return sayChecked(b)
	case *run.StageAskFailed:
		return said{b.Stage, "the facts cannot be asked for: " + b.Message, Warn}
	case *run.WindowAnswered:
		return sayWindow(b)
	case *run.StepResolved:
		return sayResolved(b)
	case *run.Observed:
		return sayObserved(b)
	case *run.AskFailed:
		return said{refText(b.Op), "cannot be looked at (" + string(b.Cause) + "): " + b.Message, Warn}
	case *run.OperationStarted:
		return said{refText(b.Op), "started, attempt " + number(b.Attempt), Text}
	case *run.OperationEnded:
		return sayEnded(b)
	case *run.IssuesMatched:
		return sayIssues(b)
	case *run.ConditionAnswered:
		if b.Holds {
			return said{gateText(b.Gate), "the condition holds", Good}
		}
		return said{gateText(b.Gate), "the condition does not hold yet: " + b.Message, Muted}
	case *run.SoakObserved:
		if b.Healthy {
			return said{gateText(b.Gate), "observed: healthy", Good}
		}
		return said{gateText(b.Gate), "observed: not healthy, the soak starts again: " + b.Message, Warn}
	case *run.TimerFired:
		return sayTimer(b)
	case *run.Approved, *run.Rejected, *run.PersonDone, *run.Accepted, *run.PauseRequested, *run.ResumeRequested,
		*run.CancelRequested, *run.RetryRequested, *run.Settled, *run.ReleaseRequested, *run.RollbackRequested,
		*run.RollbackApproved, *run.Replanned, *run.UntilRequested, *run.AbortRequested:
	case *run.ProbeChanged:
		return sayProbe(b)
	}
	return sayRequest(body)
}

func sayProbe(b *run.ProbeChanged) said {
	text, role := "up since ", Good
	if !b.Up {
		text, role = "down since ", Warn
	}
	text += b.Since.UTC().Format(time.TimeOnly)
	if b.Unmeasured {
		text += ", before that it was not measured"
	}
	where := "probe " + b.Probe
	if b.Component != b.Probe {
		where += " of " + b.Component
	}
	return said{where, withReason(text, b.Why), role}
}

func sayChecked(b *run.StageChecked) said {
	where := b.Stage
	if len(b.Changed) > 0 {
		c := b.Changed[0]
		more := ""
		if n := len(b.Changed) - 1; n > 0 {
			more = " and " + number(n) + " more"
		}
		text := fmt.Sprintf("not as expected: %s is %s instead of %s%s", c.Name, c.Got, c.Want, more)
		return said{where, text, Danger}
	}
	for i := range b.Findings {
		if f := &b.Findings[i]; f.Blocks() {
			return said{where, "facts are as expected; " + f.Name + " blocks: " + f.Message, Danger}
		}
	}
	return said{where, "facts are as expected", Good}
}

func sayWindow(b *run.WindowAnswered) said {
	switch {
	case b.Never != "":
		return said{b.Stage, "no window opens any more: " + b.Never, Danger}
	case b.Open && b.ClosesAt.IsZero():
		return said{b.Stage, "the window is open", Good}
	case b.Open:
		return said{b.Stage, "the window is open until " + moment(b.ClosesAt), Good}
	default:
		return said{b.Stage, "the window opens " + moment(b.OpensAt), Warn}
	}
}

func sayResolved(b *run.StepResolved) said {
	where := plan.StepPath(b.Stage, b.Step)
	switch {
	case b.Error != "":
		return said{where, "its values cannot be computed: " + b.Error, Danger}
	case b.Skip != "":
		return said{where, "skipped: " + b.Skip, Muted}
	case b.Terms != nil && b.Terms.Question != "":
		return said{where, "waits for " + string(b.Terms.Kind) + ": " + firstLine(b.Terms.Question), Warn}
	case b.Terms != nil:
		return said{where, "waits for " + string(b.Terms.Kind), Warn}
	case b.Members != nil:
		keys := make([]string, len(b.Members))
		for i := range b.Members {
			keys[i] = b.Members[i].Key
		}
		return said{where, count(len(keys), "member") + ": " + list(keys, 20), Text}
	default:
		return said{where, "its values are known", Muted}
	}
}

func sayObserved(b *run.Observed) said {
	text, role := "looked: "+b.Status, Muted
	switch b.Status {
	case "notStarted":
		text = "looked: nothing has happened"
	case "inProgress":
		text = "looked: it is under way"
	case "done":
		text, role = "looked: it has happened", Good
	case "failed":
		text, role = "looked: it has failed", Danger
	case "partial":
		text, role = "looked: some of it has happened", Warn
	case "unknown":
		text, role = "looked: it cannot be known", Danger
	case "changed":
		text, role = "looked: somebody else changed it", Danger
	}
	if n := len(b.Selection); n > 0 {
		text += "; would act on " + number(n) + ": " + run.KeysOf(b.Selection)
	}
	return said{refText(b.Op), withReason(text, orText(b.Message, b.Reason)), role}
}

func withReason(text, reason string) string {
	if reason == "" {
		return text
	}
	return text + ": " + reason
}

func sayEnded(b *run.OperationEnded) said {
	if b.OK {
		return said{refText(b.Op), "done", Good}
	}
	text := "attempt " + number(b.Attempt) + " failed"
	switch b.Extent {
	case "none":
		text += ", nothing was changed"
	case "unknown":
		text += ", what it did is not known"
	case "partial":
		text += ", some of it was done"
	}
	return said{refText(b.Op), withReason(text, orText(b.Message, b.Reason)), Danger}
}

func sayIssues(b *run.IssuesMatched) said {
	if len(b.Issues) == 0 {
		return said{refText(b.Op), "failed; no known issue fits", Danger}
	}
	ids := make([]string, len(b.Issues))
	for i := range b.Issues {
		ids[i] = b.Issues[i].ID
	}
	return said{refText(b.Op), "failed; known: " + strings.Join(ids, ", ") + ": " + b.Issues[0].Explanation, Warn}
}

func sayTimer(b *run.TimerFired) said {
	where := b.Timer.Gate.Stage
	if b.Timer.Op.Stage != "" {
		where = refText(b.Timer.Op)
	} else if where != "" {
		where = gateText(b.Timer.Gate)
	}
	switch b.Timer.Kind {
	case run.TimerTimeout:
		return said{where, "the attempt took too long", Warn}
	case run.TimerWindow:
		return said{where, "the window opens or closes now", Muted}
	case run.TimerOperation:
		return said{where, "time to go on", Muted}
	case run.TimerGate, run.TimerCheck:
	}
	return said{where, "time to look again", Muted}
}

// sayRequest is about what people asked for.
func sayRequest(body any) said {
	switch b := body.(type) {
	case *run.Approved:
		return said{gateText(b.Gate), "approved by " + who(b.Who) + " for " + shortDigest(b.Digest), Good}
	case *run.Rejected:
		return said{gateText(b.Gate), "refused by " + who(b.Who), Danger}
	case *run.PersonDone:
		return said{gateText(b.Gate), "done by " + who(b.Who) + evidence(b.Evidence), Good}
	case *run.Accepted:
		return said{"", b.Name + " accepted by " + who(b.Who) + " until " + b.Expires, Warn}
	case *run.PauseRequested:
		return said{"", "pause asked for by " + who(b.Who), Warn}
	case *run.ResumeRequested:
		return said{"", "resumed by " + who(b.Who), Good}
	case *run.CancelRequested:
		return said{"", "cancel asked for by " + who(b.Who), Warn}
	case *run.RetryRequested:
		where := b.Stage
		if b.Step != "" {
			where += "/" + b.Step
		}
		return said{where, "retry asked for by " + who(b.Who), Warn}
	case *run.Settled:
		return said{refText(b.Op), "settled as " + string(b.Verdict) + " by " + who(b.Who), Warn}
	case *run.ReleaseRequested:
		return said{plan.StepPath(b.Stage, b.Step), "release asked for by " + who(b.Who), Warn}
	case *run.RollbackRequested:
		return said{b.Stage, "rollback asked for by " + who(b.Who), Warn}
	case *run.RollbackApproved:
		return said{"", "rollback approved by " + who(b.Who), Warn}
	case *run.Replanned:
		return said{b.From, "replanned by " + who(b.Who) + ", plan " + shortDigest(b.Digest), Warn}
	case *run.UntilRequested:
		if b.Stage == "" {
			return said{"", "to go on to the end, asked for by " + who(b.Who), Warn}
		}
		return said{b.Stage, "to stop before this stage, asked for by " + who(b.Who), Warn}
	case *run.AbortRequested:
		return said{"", "the author's way back asked for by " + who(b.Who), Warn}
	default:
		return said{"", strings.TrimPrefix(fmt.Sprintf("%T", body), "*run."), Text}
	}
}

func who(w run.Who) string {
	text := w.By
	if w.From != "" {
		text += " (" + w.From + ")"
	}
	if w.Reason != "" {
		text += ": " + w.Reason
	}
	return text
}

func evidence(data []byte) string {
	if len(data) == 0 || string(data) == "{}" {
		return ""
	}
	return ", evidence " + string(data)
}
