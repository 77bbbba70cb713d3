package main

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
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
			if took := time.Since(began); name == "Twice" && took > 2*time.Second {
				t.Errorf("the second interrupt took %s", took)
			}
		})
	}
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
	limit, tick := time.After(10*time.Second), time.NewTicker(5*time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-limit:
			t.Fatalf("waited in vain until %s", what)
		case <-tick.C:
		}
	}
}
