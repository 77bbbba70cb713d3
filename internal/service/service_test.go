package service_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/all"
	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/service"
)

// secret is the value that must never leave an action.
const secret = "correct horse battery staple"

// peekInput is the input of the actions of this test.
type peekInput struct {
	Path string `json:"path,omitempty" doc:"File to read, relative to the platform file."`
	Mode string `json:"mode,omitempty" doc:"What to do: nothing, wait, fail or undecided."`
}

// peekOutput has a sensitive member.
type peekOutput struct {
	User     string `json:"user" doc:"Name of the user."`
	Password string `json:"password" refit:"sensitive" doc:"Password of the user."`
}

// peek reads a user and a password from a file. With a mode it behaves badly.
func peek(events *log) action.Action {
	return action.Define(action.Definition[peekInput, peekOutput]{
		Name: "test.peek", Version: 1, Summary: "Read a password.", Effect: action.ReadOnly,
		Preview: func(ctx context.Context, _ action.Env, in peekInput) (action.Preview, error) {
			events.add("preview " + in.Mode)
			if in.Mode == "wait" {
				<-ctx.Done()
				return action.Preview{}, ctx.Err()
			}
			return action.Preview{Summary: "peek"}, nil
		},
		Observe: func(ctx context.Context, env action.Env, in peekInput) (action.Observed[peekOutput], error) {
			events.add("observe " + in.Mode)
			switch in.Mode {
			case "wait":
				<-ctx.Done()
				return action.Observed[peekOutput]{}, ctx.Err()
			case "fail":
				return action.Observed[peekOutput]{Status: action.Failed, Reason: "the password is weak"}, nil
			case "undecided":
				return action.Observed[peekOutput]{Status: action.Unknown}, nil
			case "refuse":
				return action.Observed[peekOutput]{}, &action.Error{
					Reason: "Refused", Remedy: "ask politely", Err: errors.New("the door is shut"),
				}
			}
			data, err := os.ReadFile(filepath.Join(env.Dir, in.Path))
			if err != nil {
				return action.Observed[peekOutput]{}, err
			}
			user, password, _ := strings.Cut(strings.TrimSpace(string(data)), ":")
			return action.Saw(peekOutput{User: user, Password: password}), nil
		},
	})
}

// log collects what was done, by several goroutines at once.
type log struct {
	mu     sync.Mutex
	events []string
}

func (l *log) add(event string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, event)
}

// count returns how many of the events are event.
func (l *log) count(event string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, e := range l.events {
		if e == event {
			n++
		}
	}
	return n
}

// world is a folder with files, and a service over it.
type world struct {
	dir    string
	events *log
	*service.Service
}

// newWorld writes files and returns a service whose state is in the folder
// state.
func newWorld(tb testing.TB, files map[string]string) *world {
	tb.Helper()
	w := &world{dir: tb.TempDir(), events: &log{}}
	for name, text := range files {
		w.write(tb, name, text)
	}
	clients := all.NewClients(nil)
	registry, err := action.NewRegistry(append(all.Actions(clients), peek(w.events)), all.TargetKinds(clients))
	if err != nil {
		tb.Fatal(err)
	}
	w.Service, err = service.New(service.Options{
		Registry: registry, Shipped: fstest.MapFS{}, Version: "v1", StateDir: w.path("state"),
		Now:      func() time.Time { return time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC) },
		LookPath: func(string) (string, error) { return "", errors.New("there are no programs") },
		Progress: func(n service.Note) { w.events.add(n.Text) },
	})
	if err != nil {
		tb.Fatal(err)
	}
	return w
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

func (w *world) write(tb testing.TB, name, text string) {
	tb.Helper()
	if err := os.MkdirAll(filepath.Dir(w.path(name)), 0o700); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(w.path(name), []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
}

// platformFile is a platform file for the procedure beside it.
const platformFile = `apiVersion: refit.dev/v1alpha1
kind: Platform
metadata: {name: test}
procedure: ./procedure.yaml
`

// procedureFile returns a procedure with one stage of the given steps, which
// observes a user with a password. That it asks for the password lets the plan
// rest on it.
func procedureFile(steps ...string) string {
	return `apiVersion: refit.dev/v1alpha1
kind: Procedure
metadata: {name: test, summary: A procedure of a test.}
observe:
  login: {action: test.peek, with: {path: login.txt}}
stages:
  - id: only
    expects: {login.user: ana}
    steps:
      first: {phase: prepare, action: file.read, with: {path: "${has(observe.login.password) ? observe.login.user : 'x'}"}}
` + strings.Join(steps, "\n")
}

func (w *world) plan(t *testing.T) *plan.Plan {
	t.Helper()
	result, err := w.Plan(t.Context(), service.PlanRequest{Platform: w.path("platform.yaml")})
	if err != nil {
		t.Fatal(err)
	}
	return result.Plan
}

func (w *world) check(t *testing.T, req service.CheckRequest) *report.CheckResult {
	t.Helper()
	result, err := w.Check(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestShippedProcedures(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"platform.yaml": strings.Replace(platformFile, "./procedure.yaml", "tests", 1)})
	registry, err := action.NewRegistry([]action.Action{peek(w.events), fileRead()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := service.New(service.Options{
		Registry: registry, Now: time.Now, Version: "v1", StateDir: w.path("state"),
		Shipped: fstest.MapFS{
			"test/procedure.yaml": {Data: []byte(procedureFile())}, "lib/part.yaml": {Data: []byte("x")},
			"README.md": {Data: []byte("x")},
		},
		LookPath: func(string) (string, error) { return "", nil }, Progress: func(service.Note) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	list, err := s.Procedures(t.Context())
	if err != nil || len(list) != 1 || list[0].Name != "test" {
		t.Errorf("got %v, %v, want the procedure test", list, err)
	}
	_, err = s.Plan(t.Context(), service.PlanRequest{Platform: w.path("platform.yaml")})
	var ds diag.Diagnostics
	if !errors.As(err, &ds) || !strings.HasSuffix(ds.Error(), `4:12: error: Refit ships no procedure "tests": did you mean "test"?`) {
		t.Errorf("got error %v", err)
	}
}

func TestNewRefusesMissingOptions(t *testing.T) {
	t.Parallel()
	if _, err := service.New(service.Options{}); err == nil {
		t.Error("a service without options was built")
	}
}
