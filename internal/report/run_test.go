package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/probe"
	"github.com/refitproject/refit/internal/run"
)

// scenes are runs at the places where people look at them.
func scenes(t *testing.T) map[string]RunSource {
	t.Helper()
	out := map[string]RunSource{"planned": newScene(t, wikiPlan()).source(false)}

	waiting := newScene(t, wikiPlan()).begin().goOn()
	waiting.event(&run.Approved{
		Who:  run.Who{By: "ada@laptop", Groups: []string{"ada"}},
		Gate: run.GateRef{Stage: "to-2.0.0", Name: "approval"}, Digest: digestOf("to 2"), Facts: digestOf("facts"),
	})
	out["approval"] = waiting.source(false)

	changed := newScene(t, wikiPlan())
	changed.answer = func(c run.Command) (run.Body, bool) {
		check, ok := c.(run.CheckStage)
		return &run.StageChecked{Stage: check.Stage, Turn: check.Turn, Facts: digestOf("other"), Changed: []run.Change{
			{Name: "fact/release.value.version", Want: `"1.2.0"`, Got: `"1.9.0"`},
		}}, ok
	}
	out["changed"] = changed.begin().goOn().source(false)

	running := newScene(t, wikiPlan())
	running.answer = func(c run.Command) (run.Body, bool) {
		_, ok := performing(c, "upgrade")
		return nil, ok
	}
	src := running.begin().goOn().approve().goOn().source(true)
	src.Progress = map[string]action.Measured{
		"run do to-2.0.0/upgrade#1": {
			Progress: action.Progress{Done: 1200, Total: 4800, Unit: "rows", Note: "copying"}, Since: src.Now.Add(-30 * time.Second),
		},
	}
	out["running"] = src

	out["forecast"] = forecast(t, estimated(wikiPlan()), time.Minute)
	out["in-doubt"] = doubtful(t).source(false)
	failed := failing(t)
	out["halted"] = failed.source(false)
	failed = failing(t).event(&run.RollbackRequested{Who: run.Who{By: "ada@laptop", Reason: "It does not answer."}}).goOn()
	out["rollback-asks"] = failed.source(false)
	back := failing(t).event(&run.RollbackRequested{Who: run.Who{By: "ada@laptop"}}).goOn()
	back.event(&run.RollbackApproved{Who: run.Who{By: "ada@laptop"}, Digest: back.plan.Digest})
	out["rolled-back"] = back.goOn().source(false)
	aborted := failing(t).event(&run.AbortRequested{Who: run.Who{By: "ada@laptop", Reason: "Serve the old one."}})
	out["aborted"] = aborted.goOn().source(false)
	cancelled := failing(t).event(&run.CancelRequested{Who: run.Who{By: "ada@laptop"}}).goOn()
	out["cancelled"] = cancelled.source(false)

	person := newScene(t, wikiPlan()).begin().goOn().approve().goOn().approve().goOn()
	out["person"] = person.source(false)
	person.event(&run.PersonDone{
		Who: run.Who{By: "cyd@desk"}, Gate: run.GateRef{Stage: "to-2.4.1", Step: "tell"},
		Evidence: json.RawMessage(`{"ticket":"OPS-7"}`),
	})
	out["succeeded"] = person.goOn().source(false)
	return out
}

// doubtful returns a run with an operation in doubt and a lease held.
func doubtful(t *testing.T) *scene {
	t.Helper()
	s := newScene(t, wikiPlan())
	s.answer = func(c run.Command) (run.Body, bool) {
		if p, ok := performing(c, "upgrade"); ok {
			return &run.OperationEnded{
				Op: p.Op, Attempt: p.Attempt, Extent: "unknown", Reason: "Lost", Message: "the connection was lost",
			}, true
		}
		o, ok := c.(run.ObserveOperation)
		return &run.Observed{Op: o.Op, Turn: o.Turn, Status: "unknown", Message: "no observe command is given"},
			ok && o.Op.Step == "upgrade" && o.Attempted
	}
	return s.begin().goOn().approve().goOn()
}

// failing returns a run that halted because its upgrade failed.
func failing(t *testing.T) *scene {
	t.Helper()
	s := newScene(t, wikiPlan())
	s.answer = func(c run.Command) (run.Body, bool) {
		if p, ok := performing(c, "upgrade"); ok {
			return &run.OperationEnded{
				Op: p.Op, Attempt: p.Attempt, Extent: "partial", Reason: "Exit", Message: "upgrade: exit code 1",
			}, true
		}
		o, ok := c.(run.ObserveOperation)
		return &run.Observed{Op: o.Op, Turn: o.Turn, Status: "failed", Message: "the tables are half converted"},
			ok && o.Op.What == run.Do && o.Op.Step == "upgrade" && o.Attempted
	}
	return s.begin().goOn().approve().goOn()
}

func TestRunText(t *testing.T) {
	t.Parallel()
	for name, src := range scenes(t) {
		goldenLayouts(t, "run-"+name, func(w io.Writer, opts TextOptions) error { return RunText(w, BuildRun(src), opts) })
	}
}

// TestRunTextDowntime has one blank line before and behind what was measured, whatever
// stands around it.
func TestRunTextDowntime(t *testing.T) {
	t.Parallel()
	for name, src := range scenes(t) {
		for _, left := range []bool{false, true} {
			v := BuildRun(src)
			v.Downtime = []DowntimeView{{
				Measured:  probe.Measured{Component: "hub", Down: 3 * time.Second, Up: time.Minute, Outages: []probe.Outage{{}}},
				Predicted: millis(911, 2733),
			}}
			v.Findings = append(v.Findings, plan.Finding{Name: "disk", Outcome: plan.Warn, Message: "is small"})
			if left {
				v.Channels = []ChannelView{{Name: "ops", Waiting: 2}}
			}
			text := render(t, func(w io.Writer) error { return RunText(w, v, TextOptions{}) })
			if !strings.Contains(text, "\n\nDowntime: as probes measured it") || strings.Contains(text+"\n", "\n\n\n") ||
				!strings.Contains(text, "\n  hub down for 3s, predicted 0.9s, at worst 3s\n") {
				t.Errorf("%s:\n%s", name, text)
			}
		}
	}
}

func TestRunJSON(t *testing.T) {
	t.Parallel()
	for name, src := range scenes(t) {
		golden(t, "run-"+name+".json", indented(t, BuildRun(src)))
	}
}

func indented(t *testing.T, v any) string {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestRunTextMany keeps the view of a run of many steps on a page.
func TestRunTextMany(t *testing.T) {
	t.Parallel()
	p := largePlan(3, 2000)
	s := newScene(t, p)
	s.answer = func(c run.Command) (run.Body, bool) {
		_, ok := performing(c, "drain[node-0003]")
		return nil, ok
	}
	src := s.begin().goOn().source(true)
	text := render(t, func(w io.Writer) error { return RunText(w, BuildRun(src), TextOptions{}) })
	golden(t, "run-many", text)
	if n := strings.Count(text, "\n"); n > 60 {
		t.Errorf("the text has %d lines", n)
	}
	if !strings.Contains(text, "drain[node-0003]") {
		t.Error("the step that runs is not shown")
	}
}

// TestHeadlineOfRollbackThatCannotLook tells why a rollback does not go on.
func TestHeadlineOfRollbackThatCannotLook(t *testing.T) {
	t.Parallel()
	s := failing(t).event(&run.RollbackRequested{Who: run.Who{By: "ada@laptop"}}).goOn()
	s.event(&run.RollbackApproved{Who: run.Who{By: "ada@laptop"}, Digest: s.plan.Digest})
	s.answer = func(c run.Command) (run.Body, bool) {
		o, ok := c.(run.ObserveOperation)
		return &run.AskFailed{
			Op: o.Op, Turn: o.Turn, Cause: run.WaitCredentials, Message: "the token has expired",
		}, ok
	}
	for _, c := range run.Pending(s.state) {
		if body, ok := s.answer(c); ok {
			s.event(body)
		}
	}
	const want = " cannot be looked at: the token has expired"
	if v := BuildRun(s.source(false)); v.Status != run.RollingBack || !strings.HasSuffix(v.Headline, want) {
		t.Errorf("got %s: %q, want …%q", v.Status, v.Headline, want)
	}
}

func TestEventText(t *testing.T) {
	t.Parallel()
	var all []run.Event
	for _, s := range []*scene{
		doubtful(t).event(&run.Settled{
			Who: run.Who{By: "ada@laptop", Reason: "I looked."}, Verdict: run.VerdictDone,
			Op: run.Ref{What: run.Do, Stage: "to-2.0.0", Step: "upgrade"},
		}).goOn(),
		failing(t).event(&run.RollbackRequested{Who: run.Who{By: "ada@laptop"}}).goOn(),
	} {
		all = append(all, s.events...)
	}
	for _, body := range []run.Body{
		&run.OwnerChanged{Owner: "bob@desk", Epoch: 2},
		&run.StageChecked{Stage: "s", Changed: []run.Change{{Name: "fact/a", Want: "1", Got: "2"}, {Name: "fact/b"}}},
		&run.StageChecked{Stage: "s", Findings: []plan.Finding{{Name: "risk/x", Outcome: plan.Fail, Message: "tokens are lost"}}},
		&run.StageAskFailed{Stage: "s", Cause: run.WaitTarget, Message: "no answer"},
		&run.WindowAnswered{Stage: "s", OpensAt: time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC)},
		&run.WindowAnswered{Stage: "s", Open: true, ClosesAt: time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)},
		&run.WindowAnswered{Stage: "s", Never: "the last one has closed"},
		&run.StepResolved{Stage: "s", Step: "a", Skip: "not needed"},
		&run.StepResolved{Stage: "s", Step: "a", Members: []run.Member{{Key: "x"}, {Key: "y"}}},
		&run.StepResolved{Stage: "s", Step: "a", Error: "no such key"},
		&run.AskFailed{Op: run.Ref{What: run.Undo, Stage: "s", Step: "a"}, Cause: run.WaitCredentials, Message: "expired"},
		&run.IssuesMatched{Op: run.Ref{What: run.Do, Stage: "s", Step: "a"}, Issues: []run.Issue{{ID: "k1", Explanation: "known"}}},
		&run.ConditionAnswered{Gate: run.GateRef{Stage: "s", Step: "a"}, Message: "3 of 4"},
		&run.SoakObserved{Gate: run.GateRef{Stage: "s", Name: "soak"}, Healthy: true},
		&run.TimerFired{Timer: run.TimerRef{Kind: run.TimerGate, Gate: run.GateRef{Stage: "s", Name: "soak"}}},
		&run.Rejected{Who: run.Who{By: "cyd", Reason: "not\x1b[31m now\nplease"}, Gate: run.GateRef{Stage: "s", Name: "go"}},
		&run.PersonDone{Who: run.Who{By: "cyd"}, Gate: run.GateRef{Stage: "s", Step: "t"}, Evidence: json.RawMessage(`{"a":"b"}`)},
		&run.Accepted{Who: run.Who{By: "cyd", Reason: "fine"}, Name: "risk/x", Expires: "2026-12-31"},
		&run.PauseRequested{Who: run.Who{By: "cyd"}}, &run.ResumeRequested{Who: run.Who{By: "cyd"}},
		&run.CancelRequested{Who: run.Who{By: "cyd"}}, &run.RetryRequested{Who: run.Who{By: "cyd"}, Stage: "s", Step: "a"},
		&run.ReleaseRequested{Who: run.Who{By: "cyd"}, Stage: "s", Step: "a"},
		&run.RollbackApproved{Who: run.Who{By: "cyd"}, Digest: "sha256:x"}, &run.AbortRequested{Who: run.Who{By: "cyd"}},
		&run.ProbeChanged{Probe: "hub", Component: "hub", Since: time.Date(2026, 11, 21, 2, 0, 0, 0, time.UTC), Why: "refused"},
		&run.ProbeChanged{Probe: "web", Component: "hub", Up: true, Since: time.Date(2026, 11, 21, 2, 0, 9, 0, time.UTC), Unmeasured: true},
	} {
		all = append(all, run.Event{Seq: uint64(len(all) + 1), At: time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC), Body: body})
	}
	var text, lines bytes.Buffer
	for i, e := range all {
		line, err := BuildEvent("wiki-prod-1", e)
		if err != nil {
			t.Fatal(err)
		}
		if err := EventText(&text, line, i%2 == 1, TextOptions{}); err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(line)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&lines, "%s\n", data)
	}
	if got := strings.Count(text.String(), "\n"); got != len(all) {
		t.Errorf("%d events make %d lines", len(all), got)
	}
	golden(t, "events", text.String())
	golden(t, "events.json", lines.String())
}

func TestApprovalText(t *testing.T) {
	t.Parallel()
	first := newScene(t, wikiPlan()).begin().goOn().source(false)
	second := newScene(t, wikiPlan()).begin().goOn().approve().goOn().source(false)
	for name, src := range map[string]RunSource{"first": first, "no-return": second} {
		v := BuildRun(src)
		if len(v.Gates) != 1 {
			t.Fatalf("%s: %d gates wait", name, len(v.Gates))
		}
		a := BuildApproval(src, &v, v.Gates[0])
		goldenLayouts(t, "approval-"+name, func(w io.Writer, opts TextOptions) error { return ApprovalText(w, a, opts) })
		golden(t, "approval-"+name+".json", indented(t, a))
	}
	src := failing(t).event(&run.RollbackRequested{Who: run.Who{By: "ada@laptop"}}).goOn().source(false)
	v := BuildRun(src)
	goldenLayouts(t, "approval-rollback", func(w io.Writer, opts TextOptions) error {
		return ApprovalText(w, BuildRollbackApproval(src, &v), opts)
	})
}

func TestRunListText(t *testing.T) {
	t.Parallel()
	var l RunList
	for _, name := range []string{"planned", "running", "halted", "succeeded"} {
		info := scenes(t)[name].Info
		info.ID += "-" + name
		l.Runs = append(l.Runs, info)
	}
	l.Runs[3].Moved = true
	goldenLayouts(t, "runs", func(w io.Writer, opts TextOptions) error { return RunListText(w, l, opts) })
	golden(t, "runs.json", indented(t, l))
	goldenLayouts(t, "runs-none", func(w io.Writer, opts TextOptions) error { return RunListText(w, RunList{}, opts) })
}

func TestStepLogText(t *testing.T) {
	t.Parallel()
	s := failing(t)
	l := StepLog{Run: "wiki-prod-1", Stage: "to-2.0.0", Step: "upgrade", Texts: []AttemptLog{
		{Name: "attempt 1", Text: "converting\n\x1b[2Jhalf done\n"},
	}}
	for _, e := range s.events {
		evidence, about := AboutStep(e.Body, l.Stage, l.Step)
		if !about {
			continue
		}
		line, err := BuildEvent("wiki-prod-1", e)
		if err != nil {
			t.Fatal(err)
		}
		l.Entries = append(l.Entries, NewLogEntry(line, evidence))
	}
	goldenLayouts(t, "log", func(w io.Writer, opts TextOptions) error { return StepLogText(w, l, opts) })
	golden(t, "log.json", indented(t, l))
}

// TestWhatText tests how a step is named to who approves it.
func TestWhatText(t *testing.T) {
	t.Parallel()
	for want, s := range map[string]plan.Step{
		"run: ls -l":                             {Description: "Lists.", Preview: &action.Preview{Summary: "run: ls -l"}},
		"Lists.":                                 {Description: "Lists.", With: map[string]any{"command": []any{"ls"}}},
		"Call the provider. …":                   {Action: "manual.do@1", With: map[string]any{"instructions": "Call the provider.\nThen wait."}},
		"run: ./migrate '${size}' 7":             {Action: "exec.command@1", With: map[string]any{"command": []any{"./migrate", "${size}", 7}}},
		`file.copy@1 with {"from":"a","to":"b"}`: {Action: "file.copy@1", With: map[string]any{"from": "a", "to": "b"}},
		"gate.soak@1":                            {Action: "gate.soak@1"},
	} {
		if got := whatText(&s); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
