package crash

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/run"
)

var stopFor = flag.Duration("stop", 2*time.Second, "how long a driver is stopped while another tries to take over")

// chain writes a stage of n steps, one after the other, each of which takes about
// three pauses (in milliseconds).
func (s *scene) chain(n, pause int) string {
	var text strings.Builder
	text.WriteString("  - id: g\n    steps:\n")
	ledger := filepath.Join(s.dir, "ledger")
	for i := range n {
		needs := ""
		if i > 0 {
			needs = fmt.Sprintf(", needs: [s%d]", i-1)
		}
		fmt.Fprintf(&text, "      s%d: {phase: upgrade, action: exec.command%s, with: {command: [%q, do, %q, g.s%d, %q], ",
			i, needs, s.effect, ledger, i, fmt.Sprint(pause))
		fmt.Fprintf(&text, "observe: {command: [%q, look, %q, g.s%d]}, undo: {command: [%q, undo, %q, g.s%d]}}}\n",
			s.effect, ledger, i, s.effect, ledger, i)
	}
	return text.String()
}

// chained returns a scene with such a plan, which is removed when all went well.
func chained(t *testing.T, n, pause int) *scene {
	t.Helper()
	s := newScene(t, uint64(time.Now().UnixNano()))
	layOut(t, s.dir)
	if n > 0 {
		s.plan = keep(t, s.dir, s.chain(n, pause))
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("everything is kept in %s", filepath.Dir(s.dir))
			return
		}
		s.remove()
	})
	return s
}

// start starts a driver that goes on by itself.
func (s *scene) start(program string) (cmd *exec.Cmd, wait func() (end, error)) {
	s.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), slowest)
	cmd, stdout, stderr := s.command(ctx, "1m")
	if program != "" {
		cmd.Path = program
	}
	if err := cmd.Start(); err != nil {
		cancel()
		s.tb.Fatal(err)
	}
	return cmd, func() (end, error) {
		defer cancel()
		return ended(cmd, cmd.Wait(), stdout, stderr)
	}
}

// kill kills a driver when a line stands in the ledger.
func (s *scene) kill(cmd *exec.Cmd, wait func() (end, error), what, name string) {
	s.tb.Helper()
	s.appears(what, name)
	if err := cmd.Process.Kill(); err != nil {
		s.tb.Fatal(err)
	}
	if e, err := wait(); err != nil || !e.killed {
		s.tb.Fatalf("got %+v, %v", e, err)
	}
}

// appears waits until a line stands in the ledger.
func (s *scene) appears(what, name string) {
	s.tb.Helper()
	const pause, most = 2 * time.Millisecond, 30 * time.Second
	for range most / pause {
		if s.ledger().first(what, name) >= 0 {
			return
		}
		<-time.After(pause)
	}
	s.tb.Fatalf("%s %s never came into the ledger", what, name)
}

// goesOn drives the run to its end and judges it.
func (s *scene) goesOn() {
	s.tb.Helper()
	if err := s.carryOut(0, 1); err != nil {
		s.tb.Fatal(err)
	}
	v, err := s.judge()
	if err != nil {
		s.tb.Fatal(err)
	}
	if len(v.problems) > 0 {
		s.tb.Fatal(strings.Join(v.problems, "\n"))
	}
}

// oneLine fails unless a driver has ended with a code and one line that says why.
func (s *scene) oneLine(e end, code int, text string) {
	s.tb.Helper()
	if e.killed || e.code != code || strings.Contains(e.stderr, "\n") || !strings.Contains(e.stderr, text) {
		s.tb.Fatalf("got %+v, want exit code %d and one line with %q", e, code, text)
	}
}

// TestProgramOutlivesDriver kills the driver alone: its program goes on, and the
// next owner waits for it instead of starting a second one.
func TestProgramOutlivesDriver(t *testing.T) {
	t.Parallel()
	s := chained(t, 2, 500)
	cmd, wait := s.start("")
	s.kill(cmd, wait, "begin", "g.s0")
	if len(s.programs()) == 0 {
		t.Fatal("the program has died with its driver: the test tests nothing")
	}
	s.goesOn()
	begun := 0
	for _, l := range s.ledger() {
		if l.what == "begin" && l.name == "g.s0" {
			begun++
		}
	}
	if begun != 1 {
		t.Fatalf("the program was started %d times", begun)
	}
}

// TestUndoOutlivesDriver does the same while an effect is taken back.
func TestUndoOutlivesDriver(t *testing.T) {
	t.Parallel()
	s := chained(t, 0, 0)
	verb := func(verb, name string, more string) string {
		return fmt.Sprintf("{command: [%q, %s, %q, %s%s]}", s.effect, verb, filepath.Join(s.dir, "ledger"), name, more)
	}
	step := func(name, more string) string {
		do := strings.TrimSuffix(strings.TrimPrefix(verb("do", "g."+name, more), "{"), "}")
		return fmt.Sprintf("      %s: {phase: upgrade, action: exec.command, with: {%s, unchangedExits: [3], observe: %s, undo: %s}",
			name, do, verb("look", "g."+name, ""), verb("undo", "g."+name, `, "700"`))
	}
	s.plan = keep(t, s.dir, "  - id: g\n    onFailure: rollback\n    steps:\n"+
		step("s0", "")+"}\n"+step("fails", `, "0", "9"`)+", needs: [s0]}\n")
	cmd, wait := s.start("")
	s.appears("effect", "g.s0")
	s.appears("end", "g.fails")
	undone := func() bool {
		n := 0
		for _, l := range s.ledger() {
			if l.what == "begin" && l.name == "g.s0" {
				n++
			}
		}
		return n == 2
	}
	for !undone() {
		<-time.After(2 * time.Millisecond)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if e, err := wait(); err != nil || !e.killed {
		t.Fatalf("got %+v, %v", e, err)
	}
	s.goesOn()
}

// TestSameNameElsewhere drives two runs of one name with two state folders: one of
// them waits for none of the programs of the other.
func TestSameNameElsewhere(t *testing.T) {
	t.Parallel()
	other, s := chained(t, 1, 20_000), chained(t, 2, 5)
	s.id = other.id
	busy, gone := other.start("")
	other.appears("begin", "g.s0")
	cmd, wait := s.start("")
	s.kill(cmd, wait, "begin", "g.s0")
	if err := s.carryOut(0, 1); err != nil {
		t.Fatal(err)
	}
	if other.ledger().first("effect", "g.s0") >= 0 || len(other.programs()) == 0 {
		t.Error("the program of the other run has ended: it was waited for, or killed")
	}
	if err := busy.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_, _ = gone() // It was killed.
	other.killPrograms()
}

// TestStopped stops a driver and lets another try to take over meanwhile: it is
// refused, however long that lasts.
func TestStopped(t *testing.T) {
	t.Parallel()
	s := chained(t, 4, 100)
	cmd, wait := s.start("")
	s.appears("begin", "g.s1")
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); time.Since(began) < *stopFor; {
		e, err := s.drive("", 0)
		if err != nil {
			t.Fatal(err)
		}
		s.oneLine(e, 10, fmt.Sprintf("is driven by process %d on here (driver) since", cmd.Process.Pid))
	}
	if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if e, err := wait(); err != nil || e.status != run.Succeeded {
		t.Fatalf("got %+v, %v", e, err)
	}
	s.goesOn()
}

// TestTwoDrivers starts drivers of one run at once, on a folder that is not there
// yet: one of them drives.
func TestTwoDrivers(t *testing.T) {
	t.Parallel()
	for range 4 {
		s := chained(t, 3, 60)
		var waits []func() (end, error)
		for range 4 {
			_, wait := s.start("")
			waits = append(waits, wait)
		}
		drove := 0
		for _, wait := range waits {
			e, err := wait()
			if err != nil {
				t.Fatal(err)
			}
			if e.code == 0 {
				drove++
				continue
			}
			s.oneLine(e, 10, "is driven by")
		}
		if drove == 0 {
			t.Fatal("none of them has driven the run")
		}
		s.goesOn()
	}
}

// mount mounts a small file system in the place of the state folder.
func (s *scene) mount(size string) {
	s.tb.Helper()
	if os.Getuid() != 0 {
		needs(s.tb, "mounting a file system needs root")
	}
	if err := os.Mkdir(s.state, 0o700); err != nil {
		s.tb.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", s.state, "tmpfs", 0, "mode=0700,size="+size); err != nil {
		needs(s.tb, fmt.Sprintf("mounting a file system is not permitted: %v", err))
	}
	s.tb.Cleanup(func() {
		if err := syscall.Unmount(s.state, syscall.MNT_DETACH); err != nil {
			s.tb.Error(err)
		}
	})
}

// needs skips what cannot be tested here, unless everything was asked for.
func needs(tb testing.TB, why string) {
	tb.Helper()
	if os.Getenv("REFIT_TEST") == "all" {
		tb.Fatal(why)
	}
	tb.Skip(why)
}

// TestFullDisk lets the disk fill up in the middle of a run: one line says so, and
// the run goes on when there is room.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	for _, room := range []int{64 << 10, 150 << 10, 300 << 10, 600 << 10} {
		s := chained(t, 30, 1)
		s.mount("8m")
		if e, err := s.drive("afterCommand:20", 0); err != nil || !e.killed {
			t.Fatalf("got %+v, %v", e, err)
		}
		ballast := filepath.Join(s.state, "ballast")
		fill(t, s.state, ballast, room)
		e, err := s.drive("", 0)
		if err != nil {
			t.Fatal(err)
		}
		if e.code == 0 && e.status == run.Succeeded {
			t.Logf("%d bytes were enough", room)
		} else {
			s.oneLine(e, 1, "the disk is full")
		}
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		s.goesOn()
	}
}

// fill writes a file that leaves only some room.
func fill(t *testing.T, dir, name string, room int) {
	t.Helper()
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		t.Fatal(err)
	}
	size := int(st.Bavail)*int(st.Bsize) - room
	if err := os.WriteFile(name, bytes.Repeat([]byte{1}, max(size, 0)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestReadOnlyDisk lets the disk become read-only between two drivers.
func TestReadOnlyDisk(t *testing.T) {
	t.Parallel()
	s := chained(t, 6, 10)
	s.mount("8m")
	cmd, wait := s.start("")
	s.kill(cmd, wait, "effect", "g.s2")
	s.killPrograms()
	remount := func(flags uintptr) {
		if err := syscall.Mount("tmpfs", s.state, "tmpfs", syscall.MS_REMOUNT|flags, "mode=0700,size=8m"); err != nil {
			t.Fatal(err)
		}
	}
	before := s.ledger().effects()
	remount(syscall.MS_RDONLY)
	e, err := s.drive("", 0)
	if err != nil {
		t.Fatal(err)
	}
	s.oneLine(e, 1, "cannot be")
	if s.ledger().effects() != before {
		t.Fatal("something was done that could not be recorded")
	}
	remount(0)
	s.goesOn()
}

// TestTornPage leaves what a machine that lost its power leaves behind the last
// commit: half a frame of the write-ahead log. Nothing that was committed is lost.
func TestTornPage(t *testing.T) {
	t.Parallel()
	for name, tear := range map[string]func(t *testing.T, wal string){
		"HalfAFrameBehind": func(t *testing.T, wal string) {
			t.Helper()
			data := []byte(read(t, wal))
			const frame = 24 + 4096
			half := data[len(data)-frame : len(data)-frame/2] // A frame that stands there already, at a wrong place.
			write(t, wal, string(data)+string(half))
		},
		"RubbishBehind": func(t *testing.T, wal string) {
			t.Helper()
			write(t, wal, read(t, wal)+strings.Repeat("\xff\x00", 3000))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := chained(t, 8, 5)
			cmd, wait := s.start("")
			s.kill(cmd, wait, "begin", "g.s4")
			tear(t, filepath.Join(s.state, "refit.db-wal"))
			s.goesOn()
		})
	}
}

// TestLostPage damages the last frame that was committed, as a disk does that
// lies about its syncs. The events in it are lost; what the steps did is seen in
// the world and not repeated.
func TestLostPage(t *testing.T) {
	t.Parallel()
	s := chained(t, 8, 5)
	cmd, wait := s.start("")
	s.kill(cmd, wait, "effect", "g.s4")
	wal := filepath.Join(s.state, "refit.db-wal")
	data := []byte(read(t, wal))
	copy(data[len(data)-2000:], bytes.Repeat([]byte{0xaa}, 2000))
	write(t, wal, string(data))
	s.goesOn()
}

// TestEveryMoment kills the driver at every moment of a small run, once each.
func TestEveryMoment(t *testing.T) {
	t.Parallel()
	stride := 1
	if *killsFlag < 500 {
		stride = 5
	}
	for _, moment := range []string{"beforeAppend", "afterAppend", "beforeCommand", "afterCommand"} {
		t.Run(moment, func(t *testing.T) {
			t.Parallel()
			for n := 1; ; n += stride {
				s := newScene(t, 12) // A plan of all kinds of steps.
				s.plan = makePlan(t, 12, 10, 2, s.effect, s.dir)
				killed, err := s.once(fmt.Sprintf("%s:%d", moment, n))
				if err != nil {
					t.Fatalf("killed at %s %d: %v; everything is kept in %s", moment, n, err, filepath.Dir(s.dir))
				}
				s.remove()
				if !killed {
					t.Logf("killed at %s 1 to %d", moment, n-stride)
					return
				}
			}
		})
	}
}

// once kills the run once at a moment and lets it go on to its end.
func (s *scene) once(at string) (bool, error) {
	killed := false
	for {
		e, err := s.drive(at, 0)
		switch {
		case err != nil:
			return killed, err
		case e.killed:
			killed = true
			return killed, s.after()
		case e.code != 0:
			return killed, errors.New(e.stderr)
		case e.status.Final():
			return killed, s.after()
		}
		if did, err := s.people(); err != nil || !did {
			return killed, errors.Join(err, fmt.Errorf("the run is %s", e.status))
		}

	}
}

func (s *scene) after() error {
	if err := s.carryOut(0, 1); err != nil {
		return err
	}
	v, err := s.judge()
	if err != nil {
		return err
	}
	if len(v.problems) > 0 {
		return errors.New(strings.Join(v.problems, "\n"))
	}
	return nil
}

// TestAsksWhileKilled pauses and resumes a run whose owner is killed meanwhile: each
// request is answered, and recorded once if it was granted.
func TestAsksWhileKilled(t *testing.T) {
	t.Parallel()
	s := chained(t, 40, 4)
	e, err := s.look("crash")
	if err != nil {
		t.Fatal(err)
	}
	who := run.Who{By: "ada", Reason: "wait"}
	granted := map[string]int{}
	ask := func(body run.Body) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		switch err := e.Request(ctx, s.id, body); {
		case err == nil:
			granted[fmt.Sprintf("%T", body)]++
		case errors.Is(err, engine.ErrNotFound), errors.Is(err, run.ErrRefused):
		default:
			t.Errorf("ask for %T: %v", body, err)
		}
	}
	ended := false
	for range min(50, max(8, *killsFlag/20)) {
		asked := make(chan struct{})
		go func() {
			defer close(asked)
			<-time.After(time.Duration(s.r.IntN(100)) * time.Millisecond)
			ask(&run.PauseRequested{Who: who})
			ask(&run.ResumeRequested{Who: who})
		}()
		d, err := s.drive("", time.Duration(50+s.r.IntN(200))*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		// Whoever asks holds the run for some milliseconds.
		if !d.killed && d.code != 0 {
			s.oneLine(d, 10, "is driven by")
		}
		<-asked
		ended = ended || d.status.Final()
	}
	t.Logf("granted: %v, ended early: %t", granted, ended)
	ask(&run.ResumeRequested{Who: who})
	s.goesOn()
	history, err := e.History(t.Context(), s.id, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	recorded := map[string]int{}
	for _, r := range history {
		if _, asks := r.Event.Body.(run.Asks); asks {
			recorded[fmt.Sprintf("%T", r.Event.Body)]++
		}
	}
	if diff := cmp.Diff(granted, recorded); diff != "" {
		t.Errorf("what was granted (-) is not what was recorded (+):\n%s", diff)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}
