package worker_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/all"
	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/engine/observe"
	"github.com/refitproject/refit/internal/engine/worker"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
	"github.com/refitproject/refit/internal/secret"
	"github.com/refitproject/refit/internal/service"
)

const platformFile = `apiVersion: refit.dev/v1alpha1
kind: Platform
metadata: {name: test}
procedure: ./procedure.yaml
targets: {place: {kind: directory, path: .}}
`

// procedureFile upgrades a file, with the help of outputs of steps, a
// sub-procedure, members that are known late, gates and a lease.
const procedureFile = `apiVersion: refit.dev/v1alpha1
kind: Procedure
metadata: {name: test, summary: Upgrade a file.}
targets: {place: {kind: directory}}
inputs:
  suffix: {type: string, default: ".new"}
observe:
  version: {action: file.read, with: {path: version.txt}}
stages:
  - id: first
    expects: {version.text: "1"}
    leaves: {version.text: "2"}
    approval: {reason: "May the file change?"}
    soak: {for: 2m, every: 1m}
    steps:
      list:
        phase: prepare
        action: exec.observe
        with: {command: [sh, -c, 'printf "[\"a\", \"b\"]"'], format: json}
      quiet:
        phase: quiesce
        action: exec.command
        lease: {until: stage, onFailure: release}
        with: {command: [touch, quiet], observe: {command: [test, -e, quiet]}, undo: {command: [rm, -f, quiet]}}
      each:
        phase: upgrade
        needs: [list]
        action: exec.command
        forEach: ${steps.list.output.value}
        key: ${item}
        max: 3
        with:
          command: [touch, "${item + inputs.suffix}"]
          observe: {command: [test, -e, "${item + inputs.suffix}"]}
          undo: {command: [rm, -f, "${item + inputs.suffix}"]}
      never:
        phase: upgrade
        needs: [list]
        when: ${size(steps.list.output.value) > 2}
        action: exec.command
        with: {command: ["false"], undo: {command: ["true"]}}
      write:
        phase: upgrade
        needs: [each]
        use: write.yaml
        with: {text: "${steps.list.output.value[1]}", old: "${observe.version.text}"}
      ask:
        phase: upgrade
        needs: [write]
        action: gate.approval
        with: {reason: "It is ${steps.write.output.said}. Fine?", by: [ada], count: 1}
      see:
        phase: verify
        action: gate.condition
        with: {fact: version.text, equals: "2"}
      verify:
        phase: verify
        action: exec.observe
        with: {command: [grep, -q, "2", version.txt]}
`

const subFile = `apiVersion: refit.dev/v1alpha1
kind: SubProcedure
metadata: {name: write, summary: Write a file.}
inputs:
  text: {type: string}
  old: {type: string}
outputs:
  said: {value: '${steps.say.output.stdout + "!"}'}
steps:
  say:
    action: exec.observe
    with: {command: [echo, "${inputs.text + inputs.old}"]}
  store:
    needs: [say]
    action: exec.command
    with:
      command: [sh, -c, 'printf 2 > version.txt; printf "$1" > said.txt', sh, "${steps.say.output.stdout}"]
      observe: {command: [grep, -q, "2", version.txt]}
      undo: {command: [sh, -c, 'printf 1 > version.txt; rm -f said.txt']}
`

// host drives a run without a store, as every host does: one thing after the
// other, timers when there is nothing else. Time is virtual.
type host struct {
	t      *testing.T
	dir    string
	plan   *plan.Plan
	worker *worker.Worker
	now    time.Time
	state  run.State
	// person answers when the run waits.
	person func(h *host) run.Body
	// carried lists the commands that the worker carried out.
	carried []string
}

func newHost(t *testing.T, files map[string]string) *host {
	t.Helper()
	h := &host{t: t, dir: t.TempDir(), now: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(h.dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	registry, err := all.NewRegistry(all.NewClients([]string{"PATH=" + os.Getenv("PATH")}))
	if err != nil {
		t.Fatal(err)
	}
	s, err := service.New(service.Options{
		Registry: registry, Shipped: fstest.MapFS{}, Version: "v1", StateDir: filepath.Join(h.dir, "state"),
		Now: func() time.Time { return h.now }, Progress: func(service.Note) {},
		LookPath: func(string) (string, error) { return "", errors.New("there are no programs") },
	})
	if err != nil {
		t.Fatal(err)
	}
	result, err := s.Plan(t.Context(), service.PlanRequest{Platform: filepath.Join(h.dir, "platform.yaml")})
	if err != nil {
		t.Fatal(err)
	}
	h.plan = result.Plan
	h.worker, err = worker.New(worker.Options{
		Registry: registry, Secrets: func(dir string) action.Secrets { return secret.Resolver{}.In(dir) },
		Now: func() time.Time { return h.now },
		Keyed: func(text string) (string, error) {
			return observe.NewHasher([]byte("key")).Keyed(text), nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	h.state = run.New(h.plan, "r1")
	h.record(&run.Started{Digest: h.plan.Digest, Owner: "me", Epoch: 1, Parallel: 2})
	return h
}

// record appends an event in the form in which it is kept.
func (h *host) record(b run.Body) {
	h.t.Helper()
	data, err := run.EncodeEvent(run.Event{Seq: h.state.Seq + 1, At: h.now, Body: b})
	if err != nil {
		h.t.Fatal(err)
	}
	e, err := run.DecodeEvent(data)
	if err != nil {
		h.t.Fatal(err)
	}
	if h.state, err = run.Advance(h.state, e); err != nil {
		h.t.Fatalf("%s: %v", data, err)
	}
}

// drive goes on until the run has ended or a person is needed who has nothing
// to say.
func (h *host) drive() {
	h.t.Helper()
	for range 300 {
		if h.state.Status.Final() && len(run.Pending(h.state)) == 0 {
			return
		}
		if !h.step() {
			body := h.person(h)
			if body == nil {
				return
			}
			h.record(body)
		}
	}
	h.t.Fatalf("the run goes on for ever: %+v", run.Summarize(h.state))
}

// step carries out one command and tells whether there was one.
func (h *host) step() bool {
	h.t.Helper()
	var timer *run.Timer
	for _, c := range run.Pending(h.state) {
		if c, ok := c.(run.Timer); ok {
			if c.Timer.Kind != run.TimerTimeout && (timer == nil || c.At.Before(timer.At)) {
				timer = &c
			}
			continue
		}
		if c, ok := c.(run.StartOperation); ok {
			h.record(&run.OperationStarted{Op: c.Op, Attempt: c.Attempt, Key: c.Key, Before: c.Before})
			return true
		}
		body, err := h.worker.Carry(h.t.Context(), engine.Assignment{Run: "r1", Dir: h.dir, Plan: h.plan, Command: c})
		if err != nil {
			h.t.Fatal(err)
		}
		h.carried = append(h.carried, c.ID())
		h.record(body)
		return true
	}
	if timer == nil {
		return false
	}
	if timer.At.After(h.now) {
		h.now = timer.At
	}
	h.record(&run.TimerFired{Timer: timer.Timer})
	return true
}

// approve approves what the run waits for, as ada.
func approve(h *host) run.Body {
	st := &h.state.Stages[h.state.Stage]
	id := h.plan.Stages[0].ID
	approval := func(gate run.GateRef) run.Body {
		return &run.Approved{Who: run.Who{By: "ada"}, Gate: gate, Digest: h.plan.Stages[0].Digest, Facts: st.Facts}
	}
	for _, g := range st.Gates {
		if !g.Passed {
			return approval(run.GateRef{Stage: id, Name: g.Name})
		}
	}
	for i, step := range st.Steps {
		if step.Gate != nil && !step.Gate.Passed {
			return approval(run.GateRef{Stage: id, Step: h.plan.Stages[0].Steps[i].ID})
		}
	}
	return nil
}

// files returns the names of the files in the folder, but those of the author.
func (h *host) files() []string {
	h.t.Helper()
	entries, err := os.ReadDir(h.dir)
	if err != nil {
		h.t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".yaml") && !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names
}

func (h *host) read(name string) string {
	h.t.Helper()
	data, err := os.ReadFile(filepath.Join(h.dir, name))
	if err != nil {
		h.t.Fatal(err)
	}
	return string(data)
}

func inputFiles() map[string]string {
	return map[string]string{
		"platform.yaml": platformFile, "procedure.yaml": procedureFile, "write.yaml": subFile, "version.txt": "1",
	}
}

// TestWholeRun drives a plan that service has built, with the real actions, to
// its end.
func TestWholeRun(t *testing.T) {
	t.Parallel()
	h := newHost(t, inputFiles())
	var asked []string
	h.person = func(h *host) run.Body {
		for _, next := range run.Summarize(h.state).Next {
			if next.Verb == "approve" {
				asked = append(asked, next.Why)
			}
		}
		return approve(h)
	}
	h.drive()
	if h.state.Status != run.Succeeded {
		t.Fatalf("got %s: %+v", h.state.Status, run.Summarize(h.state))
	}
	if diff := cmp.Diff([]string{"a.new", "b.new", "said.txt", "version.txt"}, h.files()); diff != "" {
		t.Errorf("the lease was given back, the rest is there (-want +got):\n%s", diff)
	}
	if got := h.read("said.txt"); got != "b1" {
		t.Errorf("the step of the sub-procedure got %q", got)
	}
	if diff := cmp.Diff([]string{"May the file change?", "It is b1!. Fine?"}, asked); diff != "" {
		t.Errorf("what people were asked (-want +got):\n%s", diff)
	}
	soaks := 0
	for _, id := range h.carried {
		if strings.HasPrefix(id, "soak ") {
			soaks++
		}
	}
	if soaks != 3 {
		t.Errorf("the soak of two minutes looked %d times, want at 0, 1 and 2 minutes", soaks)
	}
}

// TestWholeRollback takes everything back, once the gate is refused.
func TestWholeRollback(t *testing.T) {
	t.Parallel()
	h := newHost(t, inputFiles())
	h.person = func(h *host) run.Body {
		st := &h.state.Stages[0]
		if st.Part == run.PartGated {
			return approve(h)
		}
		return &run.RollbackRequested{Who: run.Who{By: "ada"}}
	}
	h.drive()
	if h.state.Status != run.RolledBack {
		t.Fatalf("got %s: %+v", h.state.Status, run.Summarize(h.state))
	}
	if diff := cmp.Diff([]string{"version.txt"}, h.files()); diff != "" {
		t.Errorf("everything is as it was (-want +got):\n%s", diff)
	}
	if got := h.read("version.txt"); got != "1" {
		t.Errorf("the version is %q", got)
	}
}

// TestFactsChanged halts before the first step and goes on once the fact is
// back.
func TestFactsChanged(t *testing.T) {
	t.Parallel()
	h := newHost(t, inputFiles())
	write := func(content string) {
		if err := os.WriteFile(filepath.Join(h.dir, "version.txt"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("3")
	h.person = func(*host) run.Body { return nil }
	h.drive()
	want := []run.Change{{Name: "fact/version.text", Want: `"1"`, Got: `"3"`}}
	if diff := cmp.Diff(want, h.state.Stages[0].Changed); diff != "" || h.state.Status != run.Halted {
		t.Errorf("%s (-want +got):\n%s", h.state.Status, diff)
	}
	if len(h.carried) != 1 {
		t.Errorf("nothing but the check may be carried out: %v", h.carried)
	}
	write("1")
	h.record(&run.RetryRequested{Who: run.Who{By: "ada"}})
	h.person = approve
	h.drive()
	if h.state.Status != run.Succeeded {
		t.Errorf("got %s", h.state.Status)
	}
}
