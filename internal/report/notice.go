package report

import (
	"strconv"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/run"
)

// NoticeEvent is an event of a run that people are notified of.
type NoticeEvent string

// The events.
const (
	NoticeStarted    NoticeEvent = "started"
	NoticeWaiting    NoticeEvent = "waiting"
	NoticeFailed     NoticeEvent = "failed"
	NoticeStageDone  NoticeEvent = "stageDone"
	NoticeRolledBack NoticeEvent = "rolledBack"
	NoticeEnded      NoticeEvent = "ended"
)

// NoticeEvents lists the events in the order in which they come.
func NoticeEvents() []NoticeEvent {
	return []NoticeEvent{
		NoticeStarted, NoticeStageDone, NoticeFailed, NoticeWaiting, NoticeRolledBack, NoticeEnded,
	}
}

// Notice is something about a run that people should hear of. It stands for as
// long as it is true.
type Notice struct {
	// Key is the same for as long as the same is true, and differs from all that
	// the run has said before.
	Key       string      `json:"key"`
	Event     NoticeEvent `json:"event"`
	Run       string      `json:"run"`
	Platform  string      `json:"platform"`
	Procedure string      `json:"procedure"`
	// Path is the version path: "2.3.0 → 2.4.1".
	Path   string     `json:"path,omitempty"`
	Status run.Status `json:"status"`
	Stage  string     `json:"stage,omitempty"`
	Step   string     `json:"step,omitempty"`
	// Title is one line; Text says more, Command is what to type next.
	Title   string    `json:"title"`
	Text    string    `json:"text,omitempty"`
	Command string    `json:"command,omitempty"`
	At      time.Time `json:"at"`
}

// BuildNotices lists what is true of a run now that people should hear of, in
// the order in which it came about. What came and went is not among it.
func BuildNotices(v *RunView) []Notice {
	b := noticeBuilder{view: v}
	if v.Status == run.Planned {
		return nil
	}
	b.add(Notice{
		Event: NoticeStarted, Key: "started", Title: "the upgrade has started", Text: v.Path, At: v.Created,
	})
	for i := range v.Stages {
		b.stage(&v.Stages[i])
	}
	b.doubts()
	b.halted()
	for i := range v.Gates {
		b.gate(&v.Gates[i])
	}
	b.stopped()
	b.ended()
	return b.list
}

type noticeBuilder struct {
	view *RunView
	list []Notice
	// failed tells that something that has failed was told.
	failed bool
}

func (b *noticeBuilder) add(n Notice) {
	v := b.view
	n.Run, n.Platform, n.Procedure, n.Path, n.Status = v.ID, v.Platform, v.Procedure, v.Path, v.Status
	if n.At.IsZero() {
		n.At = v.Updated
	}
	n.Title = v.Platform + ": " + n.Title
	b.list = append(b.list, n)
}

// stage adds what has failed in a stage, what it asks credentials for, and that
// it is over.
func (b *noticeBuilder) stage(s *StageView) {
	going := !b.view.Status.Final() && b.view.Rollback == nil
	for i := range s.Steps {
		step := &s.Steps[i]
		switch {
		case step.Status == run.StepFailed && going && s.Current:
			b.failed = true
			b.add(Notice{
				Event: NoticeFailed, Stage: s.ID, Step: step.ID, At: step.Ended,
				Key:   key("failed", s.ID, step.ID, stamp(step.Ended)),
				Title: s.ID + "/" + step.ID + " has failed", Text: withIssues(step), Command: b.command(),
			})
		case step.Wait == run.WaitCredentials && going:
			b.add(Notice{
				Event: NoticeWaiting, Stage: s.ID, Step: step.ID,
				Key:   key("credentials", s.ID, step.ID, stamp(step.Began)),
				Title: s.ID + "/" + step.ID + " waits for credentials",
				Text:  orText(step.Message, step.Reason) + "\nIt goes on by itself once they are renewed.",
			})
		}
	}
	if s.Part == run.PartOver && !s.Abort {
		b.add(Notice{
			Event: NoticeStageDone, Stage: s.ID, Key: key("stageDone", s.ID), Title: "stage " + s.ID + " is done",
			Text: b.progress(),
		})
	}
}

func (b *noticeBuilder) progress() string {
	c := &b.view.Counts
	return number(c.Done) + " of " + count(c.Total, "step") + " done"
}

func withIssues(step *StepView) string {
	lines := []string{orText(step.Message, step.Reason)}
	for i := range step.Issues {
		lines = append(lines, "Known issue "+step.Issues[i].ID+": "+step.Issues[i].Explanation)
	}
	return strings.Join(lines, "\n")
}

func (b *noticeBuilder) doubts() {
	for i := range b.view.InDoubt {
		d := &b.view.InDoubt[i]
		b.failed = true
		b.add(Notice{
			Event: NoticeFailed, Stage: d.Ref.Stage, Step: d.Ref.Step,
			Key:   key("inDoubt", d.Text, number0(d.Attempt)),
			Title: d.Text + " is in doubt",
			Text:  "Nobody can see whether it has happened: " + orText(d.Message, d.Reason), Command: b.command(),
		})
	}
}

// halted tells that the run has halted for a reason that is not a step's.
func (b *noticeBuilder) halted() {
	v := b.view
	if v.Status != run.Halted || b.failed {
		return
	}
	b.add(Notice{
		Event: NoticeFailed, Key: key("halted", b.current(), v.Headline), Stage: b.current(),
		Title: "the run has halted", Text: v.Headline, Command: b.command(),
	})
}

func (b *noticeBuilder) gate(g *GateView) {
	if g.Rejected != "" {
		return // That is why the run has halted.
	}
	where := g.Stage + "/" + g.Name
	n := Notice{
		Event: NoticeWaiting, Stage: g.Stage, Text: g.Question, Command: g.Command,
		Key: key("gate", g.Stage, g.Name, g.Facts, g.Selection), Title: where + " waits for a person's work",
	}
	if g.Step {
		n.Step = g.Name
	}
	if g.Kind == run.WaitApproval {
		n.Title = where + " waits for an approval"
	}
	if len(g.From) > 0 {
		n.Text += "\nFrom: " + strings.Join(g.From, ", ")
	}
	b.add(n)
}

// stopped tells that the run waits for a person without a gate: it was paused by
// its window, or has come to the stage before which it was to stop.
func (b *noticeBuilder) stopped() {
	v := b.view
	restores := v.Rollback != nil && v.Rollback.Restores && v.Rollback.Approved == "" && v.Status == run.RollingBack
	if v.Status != run.Paused && v.Reason != "UntilReached" && !restores || v.Status.Final() {
		return
	}
	b.add(Notice{
		Event: NoticeWaiting, Stage: b.current(), Key: key("stopped", b.current(), v.Headline),
		Title: "the run waits for a person", Text: v.Headline, Command: b.command(),
	})
}

func (b *noticeBuilder) ended() {
	v := b.view
	if !v.Status.Final() {
		return
	}
	n := Notice{Event: NoticeEnded, Key: key("ended", string(v.Status)), Text: v.Headline, Command: b.command()}
	switch v.Status {
	case run.RolledBack:
		n.Event, n.Title = NoticeRolledBack, "the upgrade was rolled back"
	case run.PartlyRolledBack:
		n.Event, n.Title = NoticeRolledBack, "the upgrade was partly rolled back"
	case run.Succeeded:
		n.Title = "the upgrade has succeeded"
	case run.Cancelled:
		n.Title = "the upgrade was cancelled"
	case run.Failed, run.Planned, run.Running, run.Waiting, run.Paused, run.Halted, run.RollingBack:
		n.Title = "the upgrade has failed"
	}
	if len(v.Leases) > 0 {
		n.Text += "\nStill held: " + count(len(v.Leases), "temporary change")
	}
	b.add(n)
}

func (b *noticeBuilder) current() string {
	for i := range b.view.Stages {
		if b.view.Stages[i].Current {
			return b.view.Stages[i].ID
		}
	}
	return ""
}

// command is what a person types next, other than to drive on.
func (b *noticeBuilder) command() string {
	for _, c := range b.view.Commands {
		if !strings.HasPrefix(c.Command, "refit drive") {
			return c.Command
		}
	}
	return ""
}

// key joins the parts of a key.
func key(parts ...string) string {
	for i := range parts {
		parts[i] = strconv.Quote(parts[i])
	}
	return strings.Join(parts, " ")
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
