package tui

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/run"
	"github.com/refitproject/refit/internal/service"
)

var update = flag.Bool("update", false, "rewrite the golden frames")

// desk answers the view from what a test gives it, and keeps what was asked for.
type desk struct {
	view *report.RunView
	gate *report.ApprovalView
	err  error
	// log is what steps have written.
	log string
	// asked is what was asked for, in order.
	asked []string
}

func (d *desk) note(format string, args ...any) (*report.RunView, error) {
	d.asked = append(d.asked, fmt.Sprintf(format, args...))
	return d.view, d.err
}

func (d *desk) Status(context.Context, string) (*report.RunView, error) { return d.view, d.err }

func (d *desk) Gate(_ context.Context, q service.GateQuery, kind string) (*report.ApprovalView, error) {
	if d.gate == nil {
		return nil, errors.New("no gate waits for that")
	}
	_, err := d.note("gate %s %s %s", kind, q.Stage, q.Name)
	return d.gate, err
}

func (d *desk) Logs(_ context.Context, id, stage, step string) (*report.StepLog, error) {
	_, err := d.note("logs %s/%s", stage, step)
	return &report.StepLog{Run: id, Stage: stage, Step: step, Texts: []report.AttemptLog{{Name: step, Text: "copied\n" + d.log}}}, err
}

func (d *desk) Detail(_ context.Context, _, stage, step string) (*report.StepDetail, error) {
	_, err := d.note("detail %s/%s", stage, step)
	if err == nil {
		err = errors.New("the detail of " + step)
	}
	return nil, err
}

func (d *desk) Approve(_ context.Context, a *report.ApprovalView, _, _ string) (*report.RunView, error) {
	return d.note("approve %s", a.Subject())
}

func (d *desk) Reject(_ context.Context, a *report.ApprovalView, reason string) (*report.RunView, error) {
	return d.note("reject %s: %s", a.Subject(), reason)
}

func (d *desk) Done(_ context.Context, a *report.ApprovalView, got map[string]string, _ string) (*report.RunView, error) {
	return d.note("done %s %v", a.Gate.Name, got)
}

func (d *desk) Pause(context.Context, string, string) (*report.RunView, error) {
	return d.note("pause")
}

func (d *desk) Resume(context.Context, string, string) (*report.RunView, error) {
	return d.note("resume")
}

// start is when the runs of the tests began.
func start() time.Time { return time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC) }

// screen is a view that a test plays with.
type screen struct {
	t    *testing.T
	m    *model
	desk *desk
	feed *Feed
	now  time.Time
	// interrupts counts the interrupts that were passed on, left the times that a
	// person left.
	interrupts, left int
	quit             bool
}

// newScreen returns a screen of 80 columns and 24 lines that shows a run.
func newScreen(t *testing.T, v *report.RunView, change func(*Options)) *screen {
	t.Helper()
	s := &screen{t: t, desk: &desk{view: v}, feed: &Feed{}, now: start().Add(10 * time.Minute)}
	o := Options{
		Run: "hub-1", Reader: s.desk, Decider: s.desk, Feed: s.feed, Text: report.TextOptions{Style: report.Plain{}},
		Now: func() time.Time { return s.now }, Drives: true,
		Interrupt: func() { s.interrupts++ }, Leave: func() { s.left++ },
	}
	if change != nil {
		change(&o)
	}
	s.m = newModel(t.Context(), o)
	s.size(80, 24)
	s.tick()
	return s
}

// send gives the model a message, and those that come of it. Ticks are not followed:
// they would never end.
func (s *screen) send(msg tea.Msg) {
	s.t.Helper()
	if msg == nil {
		return
	}
	switch msg := msg.(type) {
	case tea.QuitMsg:
		s.quit = true
		return
	case tea.BatchMsg:
		for _, cmd := range msg {
			s.follow(cmd)
		}
		return
	case tickMsg:
		return
	}
	_, cmd := s.m.Update(msg)
	s.follow(cmd)
}

func (s *screen) follow(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	s.send(cmd())
}

// tick lets the screen look again.
func (s *screen) tick() {
	s.t.Helper()
	s.now = s.now.Add(time.Second)
	_, cmd := s.m.Update(tickMsg(s.now))
	s.follow(cmd)
}

func (s *screen) size(w, h int) { s.send(tea.WindowSizeMsg{Width: w, Height: h}) }

// press types keys: names of keys, or a text.
func (s *screen) press(keys ...string) {
	s.t.Helper()
	named := map[string]rune{
		"enter": tea.KeyEnter, "esc": tea.KeyEscape, "up": tea.KeyUp, "down": tea.KeyDown, "pgdown": tea.KeyPgDown,
		"home": tea.KeyHome, "end": tea.KeyEnd,
	}
	for _, key := range keys {
		switch {
		case key == "ctrl+c":
			s.send(tea.KeyPressMsg{Code: 'c', Mod: tea.ModCtrl})
		case named[key] != 0:
			s.send(tea.KeyPressMsg{Code: named[key]})
		default:
			for _, r := range key {
				s.send(tea.KeyPressMsg{Code: r, Text: string(r)})
			}
		}
	}
}

// frame is what is on the screen, of which every line has to fit.
func (s *screen) frame() string {
	s.t.Helper()
	lines, _ := s.m.frame()
	if len(lines) != s.m.height {
		s.t.Errorf("the frame has %d lines, the screen %d", len(lines), s.m.height)
	}
	for _, line := range lines {
		if n := ansi.StringWidth(line); n > s.m.width {
			s.t.Errorf("a line has %d columns, the screen %d: %q", n, s.m.width, line)
		}
	}
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n") + "\n"
}

// golden compares a frame with a file of testdata.
func (s *screen) golden(name string) {
	s.t.Helper()
	file := filepath.Join("testdata", name+".golden")
	got := s.frame()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		s.t.Fatalf("read the golden frame: %v; make it with -update", err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		s.t.Errorf("%s differs (-want +got), -update rewrites it:\n%s", file, diff)
	}
}

// shows checks that a text is on the screen.
func (s *screen) shows(text string) {
	s.t.Helper()
	if frame := s.frame(); !strings.Contains(frame, text) {
		s.t.Errorf("the screen does not show %q:\n%s", text, frame)
	}
}

// asked checks what was asked for, and forgets it.
func (s *screen) asked(want ...string) {
	s.t.Helper()
	if diff := cmp.Diff(want, s.desk.asked); diff != "" {
		s.t.Errorf("asked for (-want +got):\n%s", diff)
	}
	s.desk.asked = nil
}

// hub is a run that is in the middle of its second stage.
func hub() *report.RunView {
	at := func(minutes float64) time.Time { return start().Add(time.Duration(minutes * float64(time.Minute))) }
	step := func(id string, phase plan.Phase, status run.StepStatus, began, ended float64) report.StepView {
		s := report.StepView{ID: id, Phase: phase, Action: "exec.command@1", Status: status}
		if began > 0 {
			s.Began = at(began)
		}
		if ended > 0 {
			s.Ended = at(ended)
		}
		return s
	}
	off := step("logins-off", plan.Quiesce, run.StepSucceeded, 6, 6.5)
	off.Held = true
	second := report.StageView{ID: "to-5.0", Number: 2, Part: run.PartWorking, Current: true, Digest: "sha256:b2", Steps: []report.StepView{
		step("fetch", plan.Prepare, run.StepSucceeded, 4, 6), off,
		step("db-backup", plan.Backup, run.StepSucceeded, 6.5, 7.5),
		step("migrate", plan.Upgrade, run.StepRunning, 8, 0),
		step("answers", plan.Verify, run.StepPending, 0, 0),
	}}
	return &report.RunView{
		RunInfo: report.RunInfo{
			ID: "hub-1", Platform: "hub-prod", Status: run.Running, Created: start(), Updated: at(8), By: "ada@laptop",
			Owner: &report.RunOwner{Host: "laptop", PID: 7, By: "ada@laptop", Since: start()},
		},
		Procedure: "jupyterhub", Path: "4.0 → 5.0", Headline: "to-5.0/migrate, attempt 1", Looked: at(10),
		Counts: report.StepCounts{Total: 7, Done: 5},
		Stages: []report.StageView{
			{ID: "to-4.9", Number: 1, Part: run.PartOver, Digest: "sha256:a1", Steps: []report.StepView{
				step("fetch", plan.Prepare, run.StepSucceeded, 1, 2), step("upgrade", plan.Upgrade, run.StepSucceeded, 2, 3),
			}},
			second,
		},
		Operations: []report.OperationView{{
			Command: "run do to-5.0/migrate#1", Text: "to-5.0/migrate, attempt 1", Stage: "to-5.0", Step: "migrate", Began: at(8),
			Progress: &action.Progress{Done: 1200, Total: 4800, Unit: "rows"}, Rate: 40, Left: plan.Duration(90 * time.Second),
		}},
		Leases: []report.LeaseView{{Stage: "to-5.0", Step: "logins-off", Since: at(6.5), Quiesces: []string{"database"}}},
	}
}

// waiting is a run at a gate of a kind.
func waiting(kind run.Wait, evidence ...string) (*report.RunView, *report.ApprovalView) {
	v := hub()
	v.Status, v.Operations = run.Waiting, nil
	g := report.GateView{
		Stage: "to-5.0", Name: "approval", Kind: kind, Question: "Users are logged off.", Count: 1, Digest: "sha256:b2",
		Evidence: evidence,
	}
	v.Gates, v.Headline = []report.GateView{g}, "waits at to-5.0"
	return v, &report.ApprovalView{Run: v.ID, Platform: v.Platform, Gate: g}
}
