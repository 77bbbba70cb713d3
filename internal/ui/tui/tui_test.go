package tui

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/run"
)

// TestDocs compares the screen that the documentation shows with a real one.
func TestDocs(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../docs/how-to/apply-and-resume.md")
	if err != nil {
		t.Fatal(err)
	}
	frame, err := os.ReadFile("testdata/running-80x24.golden")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), "```\n"+string(frame)+"```\n") {
		t.Errorf("the page does not show this screen:\n%s", frame)
	}
}

func TestFrames(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{80, 24}, {120, 40}, {50, 12}, {80, 5}, {30, 3}} {
		s := newScreen(t, hub(), nil)
		for i := range 6 {
			s.feed.Event(report.EventLine{At: start().Add(time.Duration(i) * time.Minute), Where: "to-5.0/migrate", Text: "started"})
		}
		s.tick()
		s.size(size[0], size[1])
		s.golden(fmt.Sprintf("running-%dx%d", size[0], size[1]))
	}
	s := newScreen(t, hub(), func(o *Options) { o.Text.ASCII = true })
	s.golden("ascii")
	s.press("?")
	s.golden("help")
	v, a := waiting(run.WaitApproval)
	s = newScreen(t, v, nil)
	s.desk.gate = a
	s.golden("approval")
	s.press("a")
	s.golden("approval-asked")
}

// TestBeforeTheFirstLook tests the screen while nothing is known, and when nothing
// can be known.
func TestBeforeTheFirstLook(t *testing.T) {
	t.Parallel()
	s := newScreen(t, nil, nil)
	s.desk.err = errors.New("run \"hub-1\" is damaged")
	s.tick()
	s.shows(`run "hub-1" is damaged`)
	s.press("p", "a", "l", "enter", "down", "/", "x", "esc")
	s.asked()
	s.desk.view, s.desk.err = hub(), nil
	s.tick()
	s.shows("Run hub-1 Running")
	s.desk.err = errors.New("the disk is gone")
	s.tick()
	s.shows("the run cannot be read: the disk is gone")
	s.shows("Run hub-1 Running")
}

func TestFollow(t *testing.T) {
	t.Parallel()
	s := newScreen(t, hub(), nil)
	s.shows(">     ▸ migrate")
	s.press("up", "up")
	s.shows("f follow")
	next := hub()
	next.Stages[1].Steps[3].Status, next.Stages[1].Steps[4].Status = run.StepSucceeded, run.StepRunning
	s.desk.view = next
	s.tick()
	if strings.Contains(s.frame(), ">     ▸ answers") {
		t.Error("the cursor follows although a person moved it")
	}
	s.press("f")
	s.shows(">     ▸ answers")
	s.press("home")
	s.shows("> ▹ Stage 1")
	s.press("end")
	s.shows(">     ▸ answers")
}

func TestFold(t *testing.T) {
	t.Parallel()
	s := newScreen(t, hub(), nil)
	s.press("home", "enter")
	s.shows("✓ upgrade")
	s.press("down", "down", " ")
	s.shows("> ▹ Stage 1")
	if strings.Contains(s.frame(), "✓ upgrade") {
		t.Error("the stage is not closed")
	}
}

func TestFilter(t *testing.T) {
	t.Parallel()
	s := newScreen(t, hub(), nil)
	s.press("/", "succeeded fetch")
	s.golden("filter")
	s.press("enter")
	s.shows("filter: succeeded fetch")
	s.press("/", "esc")
	s.shows("filter: succeeded fetch")
	s.press("esc")
	s.shows("migrate")
	s.press("/", "nothing")
	s.shows("no step has nothing")
}

// TestApprove tests that exactly what is shown is approved, once it was read.
func TestApprove(t *testing.T) {
	t.Parallel()
	v, a := waiting(run.WaitApproval)
	for i := range 40 {
		a.Steps = append(a.Steps, report.ApprovalStep{ID: fmt.Sprintf("step-%d", i), Text: "does something", Reversible: plan.ReversibleUndo})
	}
	s := newScreen(t, v, nil)
	s.desk.gate = a
	s.press("a")
	s.asked("gate approval to-5.0 approval")
	s.press("y")
	s.asked()
	s.shows("read it to its end first")
	s.press("end", "y")
	s.asked("approve stage to-5.0")
	s.shows("approved: stage to-5.0")
}

func TestApproveIsRefused(t *testing.T) {
	t.Parallel()
	v, a := waiting(run.WaitApproval)
	s := newScreen(t, v, nil)
	s.desk.gate = a
	s.press("a")
	s.asked("gate approval to-5.0 approval")
	s.desk.err = errors.New("it counts for another digest")
	s.press("y")
	s.shows("it counts for another digest")
	s.asked("approve stage to-5.0")
}

func TestRefuse(t *testing.T) {
	t.Parallel()
	v, a := waiting(run.WaitApproval)
	s := newScreen(t, v, nil)
	s.desk.gate = a
	s.press("a", "x", "not tonight", "enter")
	s.asked("gate approval to-5.0 approval", "reject stage to-5.0: not tonight")
}

func TestDone(t *testing.T) {
	t.Parallel()
	v, a := waiting(run.WaitPerson, "ticket", "by")
	s := newScreen(t, v, nil)
	s.desk.gate = a
	s.press("d", "y", "enter")
	s.shows("type something")
	s.press("OPS-7", "enter", "ada", "enter")
	s.asked("gate person to-5.0 approval", "done approval map[by:ada ticket:OPS-7]")
	s.press("d", "y", "esc", "esc")
	s.asked("gate person to-5.0 approval")
	s.shows("Stage 2")
}

func TestPause(t *testing.T) {
	t.Parallel()
	s := newScreen(t, hub(), nil)
	s.press("p")
	s.asked("pause")
	s.desk.view.Status = run.Paused
	s.tick()
	s.shows("p go on")
	s.press("p")
	s.asked("resume")
}

// TestLogsGoOn shows the end of the logs of a step that is under way, and stays where
// the reader is when they are asked for again.
func TestLogsGoOn(t *testing.T) {
	t.Parallel()
	s := newScreen(t, hub(), nil)
	s.desk.log = strings.Repeat("copied a row\n", 100) + "the last row\n"
	s.press("l")
	s.shows("the last row")
	s.desk.log += "one more row\n"
	s.press("r")
	s.shows("one more row")
	s.press("home", "pgdown")
	before := s.frame()
	s.desk.log += "and another\n"
	s.press("r")
	if got := s.frame(); got != before {
		t.Errorf("the reader was taken elsewhere:\n%s", got)
	}
	s.press("esc", "home", "enter", "down", "down", "l") // A step that is over.
	s.shows("fetch of run hub-1")
}

func TestLogsAndDetails(t *testing.T) {
	t.Parallel()
	s := newScreen(t, hub(), nil)
	s.press("l")
	s.asked("logs to-5.0/migrate")
	s.shows("copied")
	s.press("r")
	s.asked("logs to-5.0/migrate")
	s.press("esc", "enter")
	s.asked("detail to-5.0/migrate")
	s.shows("the detail of migrate")
	s.press("home", "l")
	s.asked()
	s.shows("choose a step first")
}

// TestInterrupts tests that each interrupt that is typed is passed on, and that the
// terminal is given back before the third one ends the program.
func TestInterrupts(t *testing.T) {
	t.Parallel()
	s := newScreen(t, hub(), nil)
	s.press("ctrl+c")
	s.send(stoppingMsg{})
	s.shows("what is under way goes on to its end")
	s.press("j", "?", "esc")
	s.shows("stopping: what is under way goes on to its end; ctrl+c stops it now")
	s.shows("ctrl+c stop now")
	s.press("ctrl+c", "j")
	s.shows("stopping now; ctrl+c once more ends the program")
	if s.interrupts != 2 || s.quit {
		t.Errorf("%d interrupts, ended %t; want 2, and it goes on", s.interrupts, s.quit)
	}
	s.press("q")
	s.shows("stopping now")
	if s.left != 1 {
		t.Error("nobody was told that a person leaves")
	}
	s.press("ctrl+c")
	if !s.quit || !s.m.last || s.interrupts != 2 {
		t.Error("the third one must end the view, and be passed on after that")
	}
	s = newScreen(t, hub(), nil)
	s.send(endMsg{})
	if !s.quit {
		t.Error("the view does not end with the run")
	}
}

// TestWatching tests that a view that does not drive the run only ends itself.
func TestWatching(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"ctrl+c", "q"} {
		s := newScreen(t, hub(), func(o *Options) { o.Drives, o.Interrupt, o.Leave = false, nil, nil })
		s.shows("q leave")
		s.press(key)
		if !s.quit {
			t.Errorf("%s does not end the view", key)
		}
	}
}

// TestStuck tests that the view of a driven run gives the terminal back when only a
// command can help, and stays while somebody reads or watches.
func TestStuck(t *testing.T) {
	t.Parallel()
	stuck := func() *report.RunView {
		v := hub()
		v.Operations, v.Events = nil, 7
		v.InDoubt = []report.DoubtView{{Text: "to-5.0/migrate", Attempt: 1}}
		v.Commands = []report.NextCommand{{Command: "refit settle hub-1 to-5.0 migrate done", Why: "it has happened"}}
		return v
	}
	s := newScreen(t, stuck(), nil)
	s.press("?")
	for range 5 {
		s.tick()
	}
	if s.left != 0 {
		t.Error("it left while somebody reads")
	}
	s.press("esc")
	for range 6 {
		s.tick()
	}
	if s.left != 1 {
		t.Errorf("it left %d times, want once", s.left)
	}
	s = newScreen(t, stuck(), func(o *Options) { o.Drives = false })
	for range 5 {
		s.tick()
	}
	if s.quit {
		t.Error("a view that watches ended")
	}
}

// TestLooksSeldomAtSlowRuns tests that a look that takes long is not followed by the
// next one at once, and that the next one comes.
func TestLooksSeldomAtSlowRuns(t *testing.T) {
	t.Parallel()
	s := newScreen(t, hub(), nil)
	s.m.looked(lookedMsg{view: hub(), took: 2 * time.Second})
	v := hub()
	v.Headline = "something new"
	s.desk.view = v
	for range 5 { // seconds
		s.feed.Changed()
		s.tick()
		if strings.Contains(s.frame(), "something new") {
			t.Fatal("it looked again too soon")
		}
	}
	s.feed.Changed()
	s.tick()
	s.shows("something new")
}

// TestSaid tests what is said while a screen is shown: it is seen at once, and kept
// for afterwards.
func TestSaid(t *testing.T) {
	t.Parallel()
	s := newScreen(t, hub(), nil)
	s.feed.Say("refit: probes: the downtime is not measured")
	s.tick()
	s.shows("the downtime is not measured")
	if got := s.feed.Said(); len(got) != 1 {
		t.Errorf("kept %q", got)
	}
}

// FuzzKeys types anything on screens of any size: every frame has to fit.
func FuzzKeys(f *testing.F) {
	f.Add("jjk /fetch", 80, 24)
	f.Add("ay?q", 20, 2)
	f.Add("\x1b\x03G gg", 1, 1)
	f.Fuzz(func(t *testing.T, keys string, w, h int) {
		if w < 1 || h < 1 || w > 300 || h > 100 || len(keys) > 64 {
			return // No screen is like that.
		}
		v, a := waiting(run.WaitApproval)
		s := newScreen(t, v, nil)
		s.desk.gate = a
		s.size(w, h)
		for _, r := range keys {
			s.press(string(r))
			_ = s.frame()
		}
	})
}
