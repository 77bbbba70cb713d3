package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain is the program itself when the environment asks for it, so that
// tests can start it as a process.
func TestMain(m *testing.M) {
	if os.Getenv("REFIT_TEST_PROGRAM") != "" {
		main()
		return
	}
	if signal.Ignored(syscall.SIGHUP) {
		// Under nohup: programs inherit that it is ignored, unless somebody here listens.
		signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	}
	os.Exit(m.Run())
}

// program returns a command that starts the program in dir.
func program(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "REFIT_TEST_PROGRAM=1", "XDG_STATE_HOME="+dir, "GOCOVERDIR="+t.TempDir())
	return cmd
}

func TestProgram(t *testing.T) {
	t.Parallel()
	out, err := program(t, t.TempDir(), "version").Output()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(out), "refit dev (go1.") {
		t.Errorf("got %q", out)
	}
}

// TestRegistry finds mistakes in the definitions of actions, which would make
// every command but version fail.
func TestRegistry(t *testing.T) {
	t.Parallel()
	if out, err := program(t, t.TempDir(), "doctor").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestInterrupt(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done() // answers nothing until the program gives up
	}))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	for name, text := range map[string]string{
		"platform.yaml": "apiVersion: refit.dev/v1alpha1\nkind: Platform\nmetadata: {name: test}\nprocedure: ./procedure.yaml\n",
		"procedure.yaml": `apiVersion: refit.dev/v1alpha1
kind: Procedure
metadata: {name: test, summary: Asks an address that does not answer.}
observe:
  answer: {action: http.get, with: {url: "` + server.URL + `"}}
stages:
  - id: only
    expects: {answer.status: 200}
    steps:
      look: {phase: prepare, action: file.read, with: {path: x}}
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := program(t, dir, "plan", "platform.yaml", "--save", "plan.json")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-asked
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	failed, ok := errors.AsType[*exec.ExitError](cmd.Wait())
	if !ok || failed.ExitCode() != 1 || stderr.String() != "refit: interrupted\n" {
		t.Errorf("ended with %v and %q, want exit code 1 and one line", failed, stderr.String())
	}
	if entries, _ := filepath.Glob(filepath.Join(dir, "*")); len(entries) != 2 {
		t.Errorf("files are left behind: %q", entries)
	}
}

// TestNothingOutlivesTheProgram ends the program while a child runs that does
// not end when it is asked to.
func TestNothingOutlivesTheProgram(t *testing.T) {
	t.Parallel()
	for name, signals := range map[string][]os.Signal{
		"Terminal": {syscall.SIGHUP}, "Twice": {os.Interrupt, os.Interrupt},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, dir, `program: {action: exec.observe, with: {command: [sh, -c, 'trap "" TERM; echo $$ > pid.new; mv pid.new pid; while :; do sleep 1; done']}}`)
			cmd := program(t, dir, "plan", "platform.yaml")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			pid := 0
			eventually(t, "the child has started", func() bool {
				text, _ := os.ReadFile(filepath.Join(dir, "pid"))
				pid, _ = strconv.Atoi(strings.TrimSpace(string(text)))
				return pid > 0
			})
			began := time.Now()
			go func() { _ = cmd.Wait() }()
			for _, s := range signals {
				_ = cmd.Process.Signal(s)
				time.Sleep(50 * time.Millisecond) // two at once count as one
			}
			eventually(t, "the child has ended", func() bool { return syscall.Kill(pid, 0) != nil })
			if took := time.Since(began); name == "Twice" && took > 2900*time.Millisecond { // It gets three seconds otherwise.
				t.Errorf("the second interrupt took %s", took)
			}
		})
	}
}

// TestInterruptWhileDriving ends a run in the middle of a step: the first
// interrupt lets the step go on to its end, the second stops it in order. What
// has happened is written down each time, and the run can be gone on with.
func TestInterruptWhileDriving(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		reason  string
		signals []os.Signal
		stderr  string
		done    bool
	}{
		"Once":     {"What is under way ends.", []os.Signal{os.Interrupt}, "goes on to its end", true},
		"Twice":    {"It is stopped.", []os.Signal{os.Interrupt, os.Interrupt}, "refit drive test-1 goes on", false},
		"Terminal": {"The terminal goes away.", []os.Signal{syscall.SIGHUP}, "refit drive test-1 goes on", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			writeSlow(t, dir)
			if out, err := program(t, dir, "plan", "platform.yaml", "--save", "plan.json").CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			cmd := program(t, dir, "apply", "plan.json", "--digest", digestOf(t, filepath.Join(dir, "plan.json")))
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			exists := func(name string) func() bool {
				return func() bool { _, err := os.Stat(filepath.Join(dir, name)); return err == nil }
			}
			eventually(t, "the step has begun", exists("begun"))
			for _, s := range test.signals {
				_ = cmd.Process.Signal(s)
				time.Sleep(100 * time.Millisecond) // two at once count as one
			}
			if test.done {
				write1(t, filepath.Join(dir, "go"), "")
			}
			failed, ok := errors.AsType[*exec.ExitError](cmd.Wait())
			if !ok || failed.ExitCode() != 1 || !strings.Contains(stderr.String(), test.stderr) {
				t.Errorf("%s Ended with %v:\n%s%s", test.reason, failed, &stdout, &stderr)
			}
			if got := exists("done")(); got != test.done {
				t.Errorf("%s The step is done: %t", test.reason, got)
			}
			write1(t, filepath.Join(dir, "go"), "")
			if out, err := program(t, dir, "drive", "test-1").CombinedOutput(); err != nil || !exists("done")() {
				t.Errorf("going on ended with %v:\n%s", err, out)
			}
		})
	}
}

// writeSlow makes a platform whose only step goes on until the file go is there.
func writeSlow(t *testing.T, dir string) {
	t.Helper()
	write1(t, filepath.Join(dir, "platform.yaml"),
		"apiVersion: refit.dev/v1alpha1\nkind: Platform\nmetadata: {name: test}\nprocedure: ./procedure.yaml\n")
	write1(t, filepath.Join(dir, "procedure.yaml"), `apiVersion: refit.dev/v1alpha1
kind: Procedure
metadata: {name: test, summary: Takes its time.}
components: {web: {kind: service}}
stages:
  - id: only
    steps:
      slow:
        phase: upgrade
        action: exec.command
        with:
          command: [sh, -c, "touch begun; while [ ! -e go ]; do sleep 0.05; done; touch done"]
          observe: {command: [test, -e, done]}
          undo: {command: [rm, -f, done]}
        changes: [web]
      other:
        phase: verify
        action: file.read
        with: {path: done}
`)
}

func write1(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// digestOf reads the digest of a plan file.
func digestOf(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var p struct {
		Digest string `json:"digest"`
	}
	if err := json.Unmarshal(data, &p); err != nil {
		t.Fatal(err)
	}
	return p.Digest
}

// TestNoHome lets everything work that needs no state folder.
func TestNoHome(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, `fact: {action: file.read, with: {path: platform.yaml}}`)
	for _, args := range [][]string{{"plan", "platform.yaml"}, {"lint", "platform.yaml"}, {"procedures"}} {
		cmd := program(t, dir, args...)
		cmd.Env = append(cmd.Env, "HOME=", "XDG_STATE_HOME=")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%q: %v\n%s", args, err, out)
		}
	}
	cmd := program(t, dir, "doctor")
	cmd.Env = append(cmd.Env, "HOME=", "XDG_STATE_HOME=")
	out, err := cmd.CombinedOutput()
	failed, ok := errors.AsType[*exec.ExitError](err)
	if !ok || failed.ExitCode() != 3 || !strings.Contains(string(out), "set HOME or XDG_STATE_HOME") {
		t.Errorf("doctor ended with %v:\n%s", err, out)
	}
}

// write makes a platform with one fact.
func write(t *testing.T, dir, fact string) {
	t.Helper()
	for name, text := range map[string]string{
		"platform.yaml": "apiVersion: refit.dev/v1alpha1\nkind: Platform\nmetadata: {name: test}\nprocedure: ./procedure.yaml\n",
		"procedure.yaml": `apiVersion: refit.dev/v1alpha1
kind: Procedure
metadata: {name: test, summary: Observes one fact.}
observe:
  ` + fact + `
stages:
  - id: only
    steps:
      look: {phase: prepare, action: file.read, with: {path: x}}
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	limit, tick := time.After(time.Minute), time.NewTicker(5*time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-limit:
			t.Fatalf("waited in vain until %s", what)
		case <-tick.C:
		}
	}
}
