package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
)

// tty is a terminal with the program on it.
type tty struct {
	t    *testing.T
	cmd  *exec.Cmd
	file *os.File

	mu     sync.Mutex
	screen *vt.Emulator
	raw    bytes.Buffer // all that the program has written
	read   chan struct{}
}

// onTerminal starts the program on a terminal of its own.
func onTerminal(t *testing.T, dir string, environ []string, args ...string) *tty {
	t.Helper()
	const columns, lines = 100, 30
	cmd := program(t, dir, args...)
	cmd.Env = append(append(cmd.Env, "TERM=xterm-256color", "NO_COLOR="), environ...)
	file, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: columns, Rows: lines})
	if err != nil {
		t.Fatal(err)
	}
	x := &tty{t: t, cmd: cmd, file: file, screen: vt.NewEmulator(columns, lines), read: make(chan struct{})}
	go x.listen()
	// What a terminal answers when it is asked what it can do.
	go func() { _, _ = io.Copy(file, x.screen) }()
	t.Cleanup(func() {
		_ = file.Close()
		_ = x.screen.Close()
	})
	return x
}

// listen draws what the program writes.
func (x *tty) listen() {
	defer close(x.read)
	buf := make([]byte, 1<<16)
	for {
		n, err := x.file.Read(buf)
		x.mu.Lock()
		_, _ = x.screen.Write(buf[:n])
		x.raw.Write(buf[:n])
		x.mu.Unlock()
		if err != nil {
			return // The program has ended.
		}
	}
}

// text is what stands on the terminal.
func (x *tty) text() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.screen.String()
}

func (x *tty) written() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.raw.String()
}

// shows waits until a text stands on the terminal.
func (x *tty) shows(text string) {
	x.t.Helper()
	limit := time.Now().Add(time.Minute)
	for !strings.Contains(x.text(), text) {
		if time.Now().After(limit) {
			x.t.Fatalf("the terminal does not show %q:\n%s", text, x.text())
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// types sends keys to the program.
func (x *tty) types(keys string) {
	x.t.Helper()
	if _, err := x.file.WriteString(keys); err != nil {
		x.t.Fatal(err)
	}
}

// ends waits for the end of the program, and checks its exit code and that the
// terminal was given back.
func (x *tty) ends(code int) {
	x.t.Helper()
	got := 0
	if failed, ok := errors.AsType[*exec.ExitError](x.cmd.Wait()); ok {
		got = failed.ExitCode()
	}
	<-x.read
	if got != code {
		x.t.Errorf("exit code %d, want %d:\n%s", got, code, x.text())
	}
	raw := x.written()
	if on, off := strings.LastIndex(raw, "\x1b[?1049h"), strings.LastIndex(raw, "\x1b[?1049l"); on > off {
		x.t.Error("the other screen is still shown")
	}
	if off, on := strings.LastIndex(raw, "\x1b[?25l"), strings.LastIndex(raw, "\x1b[?25h"); off > on {
		x.t.Error("the cursor is still hidden")
	}
}

// planned makes a platform with a slow step, with a gate in front of it where an
// approval is asked for, and a plan for it.
func planned(t *testing.T, approval bool) string {
	t.Helper()
	dir := t.TempDir()
	writeSlow(t, dir)
	if approval {
		name := filepath.Join(dir, "procedure.yaml")
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		write1(t, name, strings.Replace(string(text), "  - id: only\n", "  - id: only\n    approval: {reason: Nobody can write.}\n", 1))
	}
	if out, err := program(t, dir, "plan", "platform.yaml", "--save", "plan.json").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

// TestLiveApply carries out a plan on a terminal: with the confirmation, an approval
// by keys, a filter, and a terminal that changes its size.
func TestLiveApply(t *testing.T) {
	t.Parallel()
	dir := planned(t, true)
	x := onTerminal(t, dir, nil, "apply", "plan.json")
	x.shows("Type yes to go on")
	x.types("yes\r")
	x.shows("waits for an approval: Nobody can write.")
	x.types("a")
	x.shows("What the stage will do")
	x.types("y")
	x.shows("approved: stage only")
	x.shows("slow   exec.command@1")
	const columns, lines = 60, 16
	x.mu.Lock()
	x.screen.Resize(columns, lines)
	x.mu.Unlock()
	if err := pty.Setsize(x.file, &pty.Winsize{Cols: columns, Rows: lines}); err != nil {
		t.Fatal(err)
	}
	x.types("/verify")
	x.shows("filter: verify")
	x.types("\r")
	x.shows("f follow")
	if got := strings.Split(x.text(), "\n"); !strings.Contains(got[lines-1], "p pause") {
		t.Errorf("the keys do not stand at the bottom of the smaller terminal:\n%s", x.text())
	}
	write1(t, filepath.Join(dir, "go"), "")
	x.ends(0)
	x.shows("Run test-1 Succeeded")
	x.shows("refit report test-1")
}

// begun carries a plan out on a terminal, until its step is under way.
func begun(t *testing.T, dir string) *tty {
	t.Helper()
	x := onTerminal(t, dir, nil, "apply", "plan.json", "--yes")
	eventually(t, "the step has begun", func() bool {
		_, err := os.Stat(filepath.Join(dir, "begun"))
		return err == nil
	})
	x.shows("Running")
	return x
}

// TestLiveInterrupts types interrupts while a step is under way.
func TestLiveInterrupts(t *testing.T) {
	t.Parallel()
	t.Run("Once", func(t *testing.T) {
		t.Parallel()
		dir := planned(t, false)
		x := begun(t, dir)
		x.types("\x03")
		x.shows("goes on to its end")
		write1(t, filepath.Join(dir, "go"), "")
		x.ends(1)
		x.shows("refit drive test-1 goes on")
	})
	t.Run("Twice", func(t *testing.T) {
		t.Parallel()
		dir := planned(t, false)
		x := begun(t, dir)
		x.types("\x03")
		x.shows("goes on to its end")
		x.types("\x03")
		x.ends(1)
		x.shows("refit drive test-1 goes on")
		write1(t, filepath.Join(dir, "go"), "")
		if out, err := program(t, dir, "drive", "test-1").CombinedOutput(); err != nil {
			t.Errorf("going on ended with %v:\n%s", err, out)
		}
	})
	t.Run("Thrice", func(t *testing.T) {
		t.Parallel()
		dir := planned(t, false)
		name := filepath.Join(dir, "procedure.yaml")
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		write1(t, name, strings.Replace(string(text), `"touch begun;`, `"trap '' TERM; touch begun; echo $$ > pid;`, 1))
		if out, err := program(t, dir, "plan", "platform.yaml", "--save", "plan.json", "--replace").CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		x := begun(t, dir)
		x.types("\x03")
		x.shows("goes on to its end")
		x.types("\x03")
		x.shows("stopping now")
		x.types("\x03")
		x.ends(1)
		pid, err := os.ReadFile(filepath.Join(dir, "pid"))
		if err != nil {
			t.Fatal(err)
		}
		n, err := strconv.Atoi(strings.TrimSpace(string(pid)))
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "the child has ended", func() bool { return syscall.Kill(n, 0) != nil })
	})
	t.Run("Hangup", func(t *testing.T) {
		t.Parallel()
		dir := planned(t, false)
		x := begun(t, dir)
		_ = x.file.Close()
		_ = x.cmd.Wait()
		write1(t, filepath.Join(dir, "go"), "")
		if out, err := program(t, dir, "drive", "test-1").CombinedOutput(); err != nil {
			t.Errorf("going on ended with %v:\n%s", err, out)
		}
	})
	t.Run("Leave", func(t *testing.T) {
		t.Parallel()
		x := onTerminal(t, planned(t, true), nil, "apply", "plan.json", "--yes")
		x.shows("waits for an approval")
		x.types("q")
		x.ends(5)
		x.shows("refit approve test-1")
	})
}

// TestLiveWatch watches a run that another process drives, approves it from there,
// and leaves: the run goes on.
func TestLiveWatch(t *testing.T) {
	t.Parallel()
	dir := planned(t, true)
	driver := program(t, dir, "apply", "plan.json", "--wait", "--digest", digestOf(t, filepath.Join(dir, "plan.json")))
	if err := driver.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the run is there", func() bool {
		out, _ := program(t, dir, "status").Output()
		return strings.Contains(string(out), "waits for an approval")
	})
	x := onTerminal(t, dir, nil, "watch")
	x.shows("q leave")
	x.types("a")
	x.shows("What the stage will do")
	x.types("y")
	x.shows("approved: stage only")
	x.types("q")
	x.ends(0)
	x.shows("Run test-1 Running")
	write1(t, filepath.Join(dir, "go"), "")
	if err := driver.Wait(); err != nil {
		t.Errorf("the driver ended with %v", err)
	}
}

// TestLines prints lines on terminals that cannot show more, and no colours where
// nobody wants them.
func TestLines(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		environ, args []string
	}{
		"Dumb":  {environ: []string{"TERM=dumb"}},
		"Asked": {environ: []string{"NO_COLOR=1"}, args: []string{"--view", "lines"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := planned(t, false)
			write1(t, filepath.Join(dir, "go"), "")
			x := onTerminal(t, dir, test.environ, append([]string{"apply", "plan.json", "--yes"}, test.args...)...)
			x.ends(0)
			if raw := x.written(); strings.Contains(raw, "\x1b[?1049h") || !strings.Contains(raw, "only/slow  started") {
				t.Errorf("there are no lines:\n%s", raw)
			}
		})
	}
	t.Run("NoColor", func(t *testing.T) {
		t.Parallel()
		dir := planned(t, false)
		x := onTerminal(t, dir, []string{"NO_COLOR=1"}, "apply", "plan.json", "--yes")
		x.shows("Run test-1 Running")
		write1(t, filepath.Join(dir, "go"), "")
		x.ends(0)
		if painted := regexp.MustCompile(`\x1b\[[0-9;]*m`).FindAllString(x.written(), -1); painted != nil {
			t.Errorf("it is painted with %q: %q", painted, x.written())
		}
	})
}
