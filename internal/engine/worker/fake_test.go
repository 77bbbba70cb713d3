package worker_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/engine/observe"
	"github.com/refitproject/refit/internal/engine/worker"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// lampInput and lampOutput are those of the actions of these tests.
type lampInput struct {
	Lamp   string   `json:"lamp,omitempty" doc:"Lamp to switch."`
	Color  string   `json:"color,omitempty" doc:"Colour of the light."`
	Switch string   `json:"switch,omitempty" doc:"What makes the effect visible."`
	Words  []string `json:"words,omitempty" doc:"Words."`
}

type lampOutput struct {
	Color  string  `json:"color" doc:"Colour of the light."`
	Code   string  `json:"code,omitempty" refit:"sensitive" doc:"Code of the door."`
	Watts  float64 `json:"watts,omitempty" doc:"Power."`
	Backup string  `json:"backup,omitempty" doc:"Where the backup is."`
	Model  string  `json:"model,omitempty" doc:"Version of the lamp."`
}

// lamp is a world of one lamp: what it answers, and what it was asked.
type lamp struct {
	mu     sync.Mutex
	answer action.Observed[lampOutput]
	err    error
	panics any
	output lampOutput
	// envs and inputs are those of the calls.
	envs   []action.Env
	inputs []lampInput
	before map[string]any
	// hangs lets calls wait until they are cancelled.
	hangs bool
}

func (l *lamp) called(ctx context.Context, env action.Env, in lampInput) error {
	l.mu.Lock()
	l.envs, l.inputs = append(l.envs, env), append(l.inputs, in)
	l.mu.Unlock()
	if l.panics != nil {
		panic(l.panics)
	}
	if l.hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	return l.err
}

func (l *lamp) observe(ctx context.Context, env action.Env, in lampInput) (action.Observed[lampOutput], error) {
	err := l.called(ctx, env, in)
	return l.answer, err
}

func (l *lamp) run(ctx context.Context, env action.Env, in lampInput, before map[string]any) (lampOutput, error) {
	err := l.called(ctx, env, in)
	l.before = before
	env.Report(action.Progress{Done: 1, Total: 2})
	return l.output, err
}

func (l *lamp) undo(ctx context.Context, env action.Env, in lampInput, before map[string]any) error {
	l.before = before
	return l.called(ctx, env, in)
}

func (l *lamp) definition(name string, effect action.Effect) action.Definition[lampInput, lampOutput] {
	d := action.Definition[lampInput, lampOutput]{
		Name: name, Version: 1, Summary: "Switch a lamp.", Effect: effect, Observe: l.observe,
		Preview: func(context.Context, action.Env, lampInput) (action.Preview, error) { return action.Preview{}, nil },
	}
	if effect != action.ReadOnly {
		d.Run, d.Undo = l.run, l.undo
	}
	return d
}

// place is a kind of target whose identity is what it is told.
type place struct {
	identity string
	err      error
}

func (p *place) Kind() string { return "place" }

func (p *place) Identify(context.Context, action.Env) (string, error) { return p.identity, p.err }

// bench is a worker over a lamp and a place.
type bench struct {
	lamp  *lamp
	place *place
	plan  *plan.Plan
	now   time.Time
	keep  func(ctx context.Context, name string, data []byte) (string, error)
	*worker.Worker
}

func newBench(t *testing.T, p *plan.Plan) *bench {
	t.Helper()
	b := &bench{
		lamp: &lamp{}, place: &place{identity: "here"}, plan: p, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
	}
	change := b.lamp.definition("test.change", action.Mutating)
	change.CanLease, change.Resumable = true, true
	several := b.lamp.definition("test.several", action.Mutating)
	several.Selects, several.Resumable = true, true
	blind := b.lamp.definition("test.blind", action.Mutating)
	blind.ObserveField = "switch"
	backup := b.lamp.definition("test.backup", action.Scratch)
	backup.RestoreWith, backup.MaxProof = "test.restore", 3
	oneWay := b.lamp.definition("test.burn", action.Mutating)
	oneWay.Undo, oneWay.NoUndo = nil, "what is burnt is gone"
	actions := []action.Action{
		action.Define(change), action.Define(several), action.Define(blind), action.Define(backup), action.Define(oneWay),
		action.Define(b.lamp.definition("test.restore", action.Mutating)),
		action.Define(b.lamp.definition("test.look", action.ReadOnly)),
	}
	registry, err := action.NewRegistry(actions, []action.TargetKind{b.place})
	if err != nil {
		t.Fatal(err)
	}
	b.Worker, err = worker.New(worker.Options{
		Registry: registry, Secrets: func(string) action.Secrets { return nil },
		Now:   func() time.Time { return b.now },
		Keyed: func(text string) (string, error) { return observe.NewHasher([]byte("key")).Keyed(text), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// carry carries out a command that has to give an event.
func (b *bench) carry(t *testing.T, c run.Command) run.Body {
	t.Helper()
	body, err := b.try(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func (b *bench) try(ctx context.Context, c run.Command) (run.Body, error) {
	return b.Carry(ctx, engine.Assignment{Run: "r1", Dir: "/platform", Plan: b.plan, Command: c, Keep: b.keep})
}

// lampPlan has one step of each action.
func lampPlan() *plan.Plan {
	with := map[string]any{"lamp": "hall", "color": "red"}
	step := func(id string, effect action.Effect) plan.Step {
		return plan.Step{
			ID: id, Action: "test." + id + "@1", Effect: effect, Target: "home", With: with, Timeout: plan.Duration(time.Minute),
			Phase: plan.Upgrade,
		}
	}
	unknown := step("gone", action.Mutating)
	restored := step("restored", action.Mutating)
	restored.Action, restored.Reversible = "test.burn@1", plan.ReversibleRestore
	wrong := step("wrong", action.Mutating)
	wrong.Action, wrong.With = "test.change@1", map[string]any{"colour": "red"}
	return &plan.Plan{
		Targets: []plan.Target{{Name: "home", Kind: "place", Identity: "here"}},
		Stages: []plan.Stage{{ID: "s1", Steps: []plan.Step{
			step("change", action.Mutating), step("blind", action.Mutating), step("backup", action.Scratch),
			step("burn", action.Mutating), step("look", action.ReadOnly), unknown, wrong, restored,
		}}},
	}
}

var errWorld = errors.New("connection reset")
