package courier_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/notify"
	"github.com/refitproject/refit/internal/notify/courier"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/run"
)

// stage is a run that the tests move by hand, and what was sent and said of it.
type stage struct {
	t   *testing.T
	dir string

	mu     sync.Mutex
	view   report.RunView
	sent   []string
	said   []string
	broken map[string]error
	// before is called before a message is taken; it may be nil.
	before func(ctx context.Context, channel string) error
	now    time.Time
}

func newStage(t *testing.T) *stage {
	t.Helper()
	now := time.Date(2026, time.November, 21, 2, 0, 0, 0, time.UTC)
	return &stage{
		t: t, dir: filepath.Join(t.TempDir(), "notify"), broken: map[string]error{}, now: now,
		view: report.RunView{
			RunInfo: report.RunInfo{
				ID: "hub-prod-1", Platform: "hub-prod", Status: run.Running, Created: now, Updated: now,
			},
			Procedure: "hub", Path: "1 → 2",
			Stages: []report.StageView{{ID: "to-2", Current: true, Part: run.PartWorking}},
		},
	}
}

// change moves the run.
func (s *stage) change(do func(v *report.RunView)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do(&s.view)
}

func (s *stage) start(fresh bool, channels ...plan.Channel) *courier.Courier {
	s.t.Helper()
	c, err := courier.Start(s.t.Context(), courier.Options{
		Dir: s.dir, Run: "hub-prod-1", Channels: channels, Fresh: fresh,
		Look: func(context.Context) (*report.RunView, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			v := s.view
			v.Stages = slices.Clone(v.Stages)
			for i := range v.Stages {
				v.Stages[i].Steps = slices.Clone(v.Stages[i].Steps)
			}
			return &v, nil
		},
		Deliver: func(ctx context.Context, c plan.Channel, m notify.Message) error {
			if s.before != nil {
				if err := s.before(ctx, c.Name); err != nil {
					return err
				}
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if err := s.broken[c.Name]; err != nil {
				return err
			}
			text := c.Name + ": " + m.Title
			if m.Repeat {
				text += " (repeat)"
			}
			s.sent = append(s.sent, text)
			return nil
		},
		Say: func(line string) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.said = append(s.said, line)
		},
		Now: func() time.Time {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.now
		},
		Pace: courier.Pace{
			Look: time.Millisecond, Try: 100 * time.Millisecond, First: 5 * time.Millisecond,
			Most: 10 * time.Millisecond, Gap: time.Millisecond,
		},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// want compares what was sent.
func (s *stage) want(reason string, want ...string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if diff := cmp.Diff(want, s.sent); diff != "" {
		s.t.Errorf("%s (-want +got):\n%s", reason, diff)
	}
}

const (
	patient   = 5 * time.Second
	impatient = 50 * time.Millisecond
)

func ops(on ...string) plan.Channel { return plan.Channel{Name: "ops", Kind: "slack", On: on} }

func failed(v *report.RunView) {
	v.Status = run.Halted
	v.Stages[0].Steps = []report.StepView{{
		ID: "install", Status: run.StepFailed, Message: "the disk is full", Ended: v.Updated,
	}}
	v.Commands = []report.NextCommand{{Command: "refit retry hub-prod-1 to-2 install"}}
}

func mended(v *report.RunView) {
	v.Status = run.Running
	v.Stages[0].Steps = []report.StepView{{ID: "install", Status: run.StepRunning}}
}

func succeeded(v *report.RunView) {
	v.Status = run.Succeeded
	v.Stages[0].Part, v.Stages[0].Current, v.Stages[0].Steps = run.PartOver, false, nil
}

// TestOnce tells what is true once, whoever drives the run, and again when it
// comes again.
func TestOnce(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	c := s.start(true, ops())
	c.Close(t.Context(), patient)
	c = s.start(false, ops())
	s.change(failed)
	c.Wake()
	c.Close(t.Context(), patient)
	want := []string{"ops: hub-prod: the upgrade has started", "ops: hub-prod: to-2/install has failed"}
	s.want("what another process has told is not told again", want...)
	s.change(mended)
	s.start(false, ops()).Close(t.Context(), patient)
	s.change(failed)
	s.start(false, ops()).Close(t.Context(), patient)
	want = append(want, "ops: hub-prod: to-2/install has failed")
	s.want("a step that fails again is told again", want...)
	s.change(succeeded)
	s.start(false, ops()).Close(t.Context(), patient)
	s.start(false, ops()).Close(t.Context(), patient)
	want = append(want, "ops: hub-prod: stage to-2 is done", "ops: hub-prod: the upgrade has succeeded")
	s.want("the end", want...)
	if left := courier.Left(s.dir); len(left) > 0 {
		t.Errorf("something is left: %v", left)
	}
}

// TestMoved does not tell the past of a run that was taken here.
func TestMoved(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.change(func(v *report.RunView) {
		v.Stages[0].Part = run.PartOver
		v.Gates = []report.GateView{{Stage: "to-3", Name: "go", Kind: run.WaitApproval, Command: "refit approve"}}
	})
	s.start(false, ops()).Close(t.Context(), patient)
	s.want("only what waits", "ops: hub-prod: to-3/go waits for an approval")
}

func TestFilter(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.change(failed)
	s.start(true, ops("failed"), plan.Channel{
		Name: "web", Title: "${notice.run} ${notice.event} ${notice.step}: ${notice.command}", On: []string{"failed"},
	}, plan.Channel{Name: "odd", Title: "${notice.nothing}", On: []string{"started"}}).Close(t.Context(), patient)
	slices.Sort(s.sent)
	s.want("each channel hears of its events, in its words; a text that cannot be evaluated is replaced",
		"odd: hub-prod: the upgrade has started", "ops: hub-prod: to-2/install has failed",
		"web: hub-prod-1 failed install: refit retry hub-prod-1 to-2 install")
}

// TestDown keeps what a channel that is down does not take for the next driving,
// says so once, and lets the other channels go on.
func TestDown(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.broken["ops"] = errors.New("the connection was refused")
	c := s.start(true, ops(), plan.Channel{Name: "mail"})
	c.Close(t.Context(), impatient)
	s.want("the other channel", "mail: hub-prod: the upgrade has started")
	if diff := cmp.Diff([]string{
		`notifications: channel "ops": the connection was refused: the run goes on, and the channel is tried again`,
		`notifications: channel "ops": 1 not delivered: the next refit drive tries again`,
	}, s.said); diff != "" {
		t.Errorf("one line each (-want +got):\n%s", diff)
	}
	j, err := courier.ReadTold(s.dir, "hub-prod-1")
	if err != nil {
		t.Fatal(err)
	}
	want := []report.ChannelView{{
		Name: "ops", Waiting: 1, Trouble: "the connection was refused", Since: s.now, Tried: s.now,
	}}
	if diff := cmp.Diff(want, courier.Views(j)); diff != "" {
		t.Errorf("what status shows (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"hub-prod-1"}, courier.Left(s.dir)); diff != "" {
		t.Errorf("what is left (-want +got):\n%s", diff)
	}
	s.broken["ops"] = nil
	s.start(false, ops(), plan.Channel{Name: "mail"}).Close(t.Context(), patient)
	// The driving may have ended just when an attempt was refused: then nobody knows
	// what became of it, and the next one says so.
	s.mu.Lock()
	for i := range s.sent {
		s.sent[i] = strings.TrimSuffix(s.sent[i], " (repeat)")
	}
	s.mu.Unlock()
	s.want("later", "mail: hub-prod: the upgrade has started", "ops: hub-prod: the upgrade has started")
}

// TestSlow never lets anybody wait: a channel that hangs is given up.
func TestSlow(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.before = func(ctx context.Context, _ string) error { <-ctx.Done(); return ctx.Err() }
	c := s.start(true, ops())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 10_000 {
			c.Wake()
		}
		c.Close(t.Context(), impatient)
	}()
	select {
	case <-done:
	case <-time.After(patient):
		t.Error("somebody waits for a channel that hangs")
	}
}

// TestCrash leaves the record as a process leaves it that ends while a message
// is under way: the next one sends it again, and says so.
func TestCrash(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	var once sync.Once
	left := ""
	s.before = func(context.Context, string) error {
		once.Do(func() {
			data, err := os.ReadFile(filepath.Join(s.dir, "hub-prod-1.json"))
			if err != nil {
				t.Error(err)
			}
			left = string(data)
		})
		return nil
	}
	s.start(true, ops()).Close(t.Context(), patient)
	if err := os.WriteFile(filepath.Join(s.dir, "hub-prod-1.json"), []byte(left), 0o600); err != nil {
		t.Fatal(err)
	}
	s.start(false, ops()).Close(t.Context(), patient)
	s.want("at least once", "ops: hub-prod: the upgrade has started", "ops: hub-prod: the upgrade has started (repeat)")
}

// TestFlood tells of many things at once in one message.
func TestFlood(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.change(func(v *report.RunView) {
		for i := range 40 {
			v.Stages[0].Steps = append(v.Stages[0].Steps, report.StepView{ID: fmt.Sprint("s", i), Status: run.StepFailed})
		}
	})
	s.start(true, ops("failed")).Close(t.Context(), patient)
	s.want("one message", "ops: hub-prod: 40 messages")
}

// TestOld does not tell what nobody wants to hear any more.
func TestOld(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.change(succeeded)
	s.now = s.now.Add(48 * time.Hour)
	s.start(true, ops()).Close(t.Context(), patient)
	s.want("the end is told, what went before is not", "ops: hub-prod: the upgrade has succeeded")
}

// TestTwoProcesses lets one process tell.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	c := s.start(true, ops())
	if again := s.start(true, ops()); again != nil {
		t.Error("a second courier has begun")
	}
	c.Close(t.Context(), patient)
	s.want("once", "ops: hub-prod: the upgrade has started")
}

func TestDamagedRecord(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"Empty": "", "Newer": `{"version": 2}`, "Other": "[]"} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "r.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := courier.ReadTold(dir, "r")
		if err == nil || !strings.Contains(err.Error(), "is damaged, or of a newer version: remove it") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	dir := t.TempDir()
	data, err := json.Marshal(map[string]any{"version": 1, "channels": map[string]any{"ops": nil}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "r.json"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	if j, err := courier.ReadTold(dir, "r"); err != nil || j.Channels["ops"] == nil {
		t.Errorf("got %v, %v", j, err)
	}
}
