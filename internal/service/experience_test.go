package service_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/all"
	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/engine/local"
	"github.com/refitproject/refit/internal/engine/worker"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/run"
	"github.com/refitproject/refit/internal/service"
)

// ticking is a clock on which a second passes whenever somebody looks.
func ticking() func() time.Time {
	var mu sync.Mutex
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(time.Second)
		return now
	}
}

// driving gives a world an engine, so that its plans can be carried out.
func (w *world) driving(t *testing.T) *world {
	t.Helper()
	clients := all.NewClients(nil)
	registry, err := action.NewRegistry(append(all.Actions(clients), peek(w.events)), all.TargetKinds(clients))
	if err != nil {
		t.Fatal(err)
	}
	now := ticking()
	w.Service, err = service.New(service.Options{
		Registry: registry, Shipped: fstest.MapFS{}, Version: "v1", StateDir: w.path("state"), Now: now,
		LookPath: func(string) (string, error) { return "", errors.New("there are no programs") },
		Progress: func(n service.Note) { w.events.add(n.Text) },
		Person:   func() (service.Person, error) { return service.Person{Name: "ada", Host: "laptop"}, nil },
		Engine: func(ctx context.Context, keyed func(string) (string, error)) (engine.Engine, error) {
			worker, err := worker.New(worker.Options{
				Registry: registry, Now: now, Keyed: keyed, Secrets: func(string) action.Secrets { return nil },
			})
			if err != nil {
				return nil, err
			}
			return local.Open(ctx, local.Options{
				Dir: w.path("state"), Worker: worker, Catalog: registry, Now: now, Host: "laptop", Form: "test",
			})
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// carryOut drives a run of a plan to its end.
func (w *world) carryOut(t *testing.T, p *plan.Plan) string {
	t.Helper()
	file := w.path("plan.json")
	if err := w.SavePlan(file, p, true); err != nil {
		t.Fatal(err)
	}
	id, err := w.Apply(t.Context(), service.ApplyRequest{
		CheckRequest: service.CheckRequest{PlanFile: file}, Digest: p.Digest, Parallel: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := w.Drive(t.Context(), service.DriveRequest{Runs: []string{id}})
	if err != nil || len(out) != 1 || out[0].View == nil || out[0].View.Status != run.Succeeded {
		t.Fatalf("got %+v, %v", out, err)
	}
	return id
}

// copies is a procedure with one stage for each of three members.
const copies = `apiVersion: refit.dev/v1alpha1
kind: Procedure
metadata: {name: copies, summary: Copies a file.}
inputs:
  names: {type: list, items: string, default: [one, two], description: Copies to make.}
stages:
  - id: to-${name}
    forEach: ${inputs.names}
    as: name
    steps:
      look: {phase: preflight, action: file.read, with: {path: note.txt}}
      copy: {phase: upgrade, action: file.copy, with: {from: note.txt, to: "${name}.txt"}, timeout: 3h, duration: {typical: 1h, worst: 2h}}
`

const copiesPlatform = `apiVersion: refit.dev/v1alpha1
kind: Platform
metadata: {name: prod}
procedure: ./procedure.yaml
inputs: {names: [NAMES]}
`

func (w *world) planOf(t *testing.T, names string) *plan.Plan {
	t.Helper()
	w.write(t, "platform.yaml", strings.Replace(copiesPlatform, "NAMES", names, 1))
	return w.plan(t)
}

// TestExperience makes two runs, the first of two stages and the second of one: the
// third plan predicts by both of them.
func TestExperience(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"note.txt": "x", "procedure.yaml": copies}).driving(t)
	first := w.planOf(t, "one, two")
	if e := first.Stages[0].Steps[0].Estimate; e.Known || e.Runs != 0 {
		t.Errorf("without runs nobody knows how long look takes: %+v", e)
	}
	w.carryOut(t, first)
	second := w.planOf(t, "three")
	look, copied := &second.Stages[0].Steps[0], &second.Stages[0].Steps[1]
	if look.Estimate.Source != plan.SourceRuns || look.Estimate.Runs != 1 || look.Estimate.Typical <= 0 {
		t.Errorf("the first run does not teach a stage of the same template: %+v", look.Estimate)
	}
	if e := copied.Estimate; e.Source != plan.SourceRuns || e.Typical >= plan.Duration(time.Hour) || e.Worst != plan.Duration(2*time.Hour) {
		t.Errorf("the run took no hour, and the author's worst stays: %+v", e)
	}
	w.carryOut(t, second)
	third := w.planOf(t, "four")
	if e := third.Stages[0].Steps[0].Estimate; e.Runs != 2 {
		t.Errorf("two runs are told: %+v", e)
	}
	if third.Summary.Duration.Source != plan.SourceRuns || third.Summary.Duration.Runs != 2 {
		t.Errorf("the plan rests on two runs: %+v", third.Summary.Duration)
	}
	var text strings.Builder
	if err := report.PlanText(&text, third, report.TextOptions{Width: 120}); err != nil ||
		!strings.Contains(text.String(), "at worst 2h, from 2 earlier runs") {
		t.Errorf("the text does not say so (%v):\n%s", err, text.String())
	}
	again := w.planOf(t, "four")
	again.Created = third.Created
	if a, b := jsonOf(t, third), jsonOf(t, again); a != b {
		t.Errorf("with the same history the plan is another:\n%s\n%s", a, b)
	}
	diff := report.PlanDiff(withoutExperience(t, w), third)
	if !diff.Equal {
		t.Errorf("the estimates changed the digest: %+v", diff)
	}
	for i := range diff.Stages {
		if s := &diff.Stages[i]; s.Op != report.Unchanged {
			t.Errorf("the estimates are shown as a change: %+v", s)
		}
	}
}

// withoutExperience makes the plan of the world as somebody who has no runs.
func withoutExperience(t *testing.T, w *world) *plan.Plan {
	t.Helper()
	bare := newWorld(t, nil)
	result, err := bare.Plan(t.Context(), service.PlanRequest{Platform: w.path("platform.yaml")})
	if err != nil {
		t.Fatal(err)
	}
	return result.Plan
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestExperienceOfAnotherAction changes the action of a step: what the other one took
// says nothing.
func TestExperienceOfAnotherAction(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"note.txt": "x", "procedure.yaml": copies}).driving(t)
	w.carryOut(t, w.planOf(t, "one"))
	w.write(t, "procedure.yaml", strings.Replace(copies, "action: file.read, with: {path: note.txt}",
		"action: test.peek, with: {path: note.txt}", 1))
	p := w.planOf(t, "two")
	if e := p.Stages[0].Steps[0].Estimate; e.Known || e.Source != "" {
		t.Errorf("another action is estimated: %+v", e)
	}
	if e := p.Stages[0].Steps[1].Estimate; e.Source != plan.SourceRuns {
		t.Errorf("the step beside it is not: %+v", e)
	}
}

// TestNoStateForAPlan makes sure that planning leaves no state behind.
func TestNoStateForAPlan(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"note.txt": "x", "procedure.yaml": copies}).driving(t)
	w.planOf(t, "one")
	if _, err := os.Stat(w.path("state")); err == nil {
		t.Error("planning makes a state folder")
	}
	w.write(t, "state", "not a folder")
	w.planOf(t, "one")
	if !slices.ContainsFunc(w.events.events, func(text string) bool {
		return strings.HasPrefix(text, "earlier runs cannot be asked for durations: state folder ")
	}) {
		t.Errorf("nobody is told that the state folder cannot be used: %v", w.events.events)
	}
}
