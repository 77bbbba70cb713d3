package cli_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
)

// terminal is refit in a real pseudo-terminal.
type terminal struct {
	t    *testing.T
	cmd  *exec.Cmd
	file *os.File
	mu   sync.Mutex
	seen bytes.Buffer // since what was waited for last
	all  bytes.Buffer
	more chan struct{}
}

// startTerminal starts refit in dir, on a terminal of 90 columns and 30 lines.
func startTerminal(t *testing.T, dir string, environ []string, args ...string) *terminal {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(t.TempDir(), "refit")
	if err := os.Symlink(self, bin); err != nil { // The test binary is the program when it is called so.
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), bin, args...)
	cmd.Dir = dir
	cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "WORK=" + dir, "REFIT_TEST_NOW=2026-11-21T09:00:00Z", "TERM=xterm-256color",
		"REFIT_TEST_TERMINAL=90", "REFIT_TEST_ASK=1", "GOCOVERDIR=" + t.TempDir(),
	}, environ...)
	file, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: 90, Rows: 30})
	if err != nil {
		t.Fatal(err)
	}
	term := &terminal{t: t, cmd: cmd, file: file, more: make(chan struct{}, 1)}
	t.Cleanup(func() { _ = file.Close() })
	go term.read()
	return term
}

// read collects what the program shows, until it has ended.
func (term *terminal) read() {
	buf := make([]byte, 4096)
	for {
		n, err := term.file.Read(buf)
		term.mu.Lock()
		term.seen.Write(buf[:n])
		term.all.Write(buf[:n])
		term.mu.Unlock()
		select {
		case term.more <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// shows waits until a text was shown, and forgets what came before.
func (term *terminal) shows(text string) {
	term.t.Helper()
	limit := time.After(20 * time.Second)
	for {
		term.mu.Lock()
		all := term.seen.String()
		i := strings.Index(all, text)
		if i >= 0 {
			term.seen.Next(i + len(text))
		}
		term.mu.Unlock()
		if i >= 0 {
			return
		}
		select {
		case <-term.more:
		case <-limit:
			term.t.Fatalf("%q is not shown in %q", text, all)
		}
	}
}

// types sends keys.
func (term *terminal) types(keys string) {
	term.t.Helper()
	if _, err := term.file.WriteString(keys); err != nil {
		term.t.Fatal(err)
	}
}

// ends waits for the program and returns its exit code.
func (term *terminal) ends() int {
	term.t.Helper()
	err := term.cmd.Wait()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		return failed.ExitCode()
	}
	if err != nil {
		term.t.Fatal(err)
	}
	return 0
}

// asking is a folder with a procedure that asks for several things.
func asking(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	text := `apiVersion: refit.dev/v1alpha1
kind: Procedure
metadata: {name: hub, summary: Upgrade the hub.}
targets: {app: {kind: directory}}
inputs:
  workers: {type: int, default: 4}
  mode: {type: string, enum: [fast, careful, slow], default: fast}
  token: {type: secret}
stages:
  - id: only
    steps:
      look: {phase: prepare, action: file.read, with: {path: "${inputs.mode} ${inputs.workers}"}}
`
	if err := os.WriteFile(filepath.Join(dir, "procedure.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestInitTerminal fills in the form on a real terminal: a wrong answer is refused
// in its place, a choice is made with the arrows, and a secret is never asked for.
func TestInitTerminal(t *testing.T) {
	t.Parallel()
	dir := asking(t)
	term := startTerminal(t, dir, nil, "init")
	term.shows("./procedure.yaml")
	term.types("\x1b[B\r") // below those that are shipped
	term.shows("Name of the platform")
	term.shows("For example hub-prod.")
	term.types("Hub\r")
	term.shows("is not permitted")
	term.types("\x15hub-prod\r")
	term.shows("shift+tab")
	term.types("\r")
	term.shows("Target app")
	term.types("./app\r")
	term.shows("workers")
	term.types("\x15many\r")
	term.shows("must be a whole number")
	term.types("\x158\r")
	term.shows("↑") // what can be typed now: the next field has been entered
	term.types("\x1b[B\r")
	term.shows("Where the secret token comes from")
	term.types("\x1b[B\r")
	term.shows("File that holds")
	term.types("token.txt\r")
	term.shows("Maintenance")
	term.types("file:///srv/backups\r")
	term.shows("submit")
	term.types("Sat 22:00 4h UTC\r")
	term.shows("wrote")
	if code := term.ends(); code != 0 {
		t.Errorf("it ended with %d", code)
	}
	if strings.Contains(term.all.String(), "such as hub") {
		t.Error("an example stands in a field, as if Enter took it")
	}
	text, err := os.ReadFile(filepath.Join(dir, "platform.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"  name: hub-prod", "    path: ./app", "  workers: 8", "  mode: careful", "  token: {file: token.txt}",
		"  store: file:///srv/backups", `  - {days: [Sat], start: "22:00", duration: 4h, zone: UTC}`,
	} {
		if !strings.Contains(string(text), "\n"+line+"\n") {
			t.Errorf("the line %q is missing in\n%s", line, text)
		}
	}
}

// TestInitInterrupted leaves the form: with the keys, by a signal, and line by line.
// Nothing is written.
func TestInitInterrupted(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason  string
		environ []string
		first   string
	}{
		"Form":  {"The form takes the key itself.", nil, "Name of the platform"},
		"Lines": {"Line by line the end of the input ends it.", []string{"TERM=dumb"}, "Name of the platform"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := asking(t)
			term := startTerminal(t, dir, tc.environ, "init", "./procedure.yaml")
			term.shows(tc.first)
			if tc.environ == nil {
				term.types("hub\r\x03")
			} else {
				term.types("hub\r\x04\x04")
			}
			term.shows("nothing was written")
			if code := term.ends(); code != 1 {
				t.Errorf("%s It ended with %d.", tc.reason, code)
			}
			if _, err := os.Stat(filepath.Join(dir, "platform.yaml")); err == nil {
				t.Error("something was written")
			}
		})
	}
}

// TestInitNoColor shows no colours when the environment asks for none.
func TestInitNoColor(t *testing.T) {
	t.Parallel()
	colors := regexp.MustCompile(`\x1b\[[0-9;]*\b3[0-7]m`)
	for name, tc := range map[string]struct {
		environ []string
		colored bool
	}{"Colours": {nil, true}, "None": {[]string{"NO_COLOR=1"}, false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			term := startTerminal(t, asking(t), tc.environ, "init", "./procedure.yaml")
			term.shows("What it is, in a few words")
			term.types("\x03")
			term.shows("nothing was written")
			_ = term.ends()
			term.mu.Lock()
			defer term.mu.Unlock()
			if got := colors.Match(term.all.Bytes()); got != tc.colored {
				t.Errorf("coloured: %t in %q", got, term.all.String())
			}
		})
	}
}
