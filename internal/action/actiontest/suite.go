package actiontest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/schema"
	"github.com/refitproject/refit/internal/yamldoc"
)

// deadline is how long an action may go on after its context has ended.
const deadline = 8 * time.Second

// Suite describes how an action is tested.
type Suite struct {
	Action action.Action
	// World makes a fresh world; it is called once for every subtest and
	// cleans up by itself. By default the world is an empty folder.
	World func(t *testing.T) World
	// Examples is a glob pattern of YAML files, each with the input of one
	// step. They must work in every fresh world: read-only actions give a
	// fact, the others can be run.
	Examples string
	// Slow is an input with which the action would take longer than a minute,
	// to see that cancelling ends it. Nil for actions that never wait.
	Slow map[string]any
	// Crash carries out Run and breaks it off at a point, counted from 0, as
	// the end of the process would: nothing is tidied up, and the result is
	// lost. It answers false when Run ended before it came there. Nil means
	// that the process ends before Run begins, or when all is done.
	Crash func(t *testing.T, w World, in, before map[string]any, point int) bool
	// Foreign changes what a step with the input in has set, as somebody else
	// would. Actions that can be a lease need it.
	Foreign func(t *testing.T, w World, in map[string]any)
	// OnlyOnce tells that Run does more when it is called again after its
	// effect has happened: only what Observe answers keeps it from that.
	OnlyOnce bool
	// Permit returns env as that of somebody who may do what list says in the cluster
	// of env, and nothing else: the action is tested with what it says that it needs.
	// Suites without a cluster leave it nil.
	Permit func(t *testing.T, env action.Env, list []action.Access) action.Env

	// permit narrows what the environment of a world may do; it may be nil.
	permit func(t *testing.T, w World, in map[string]any) action.Env
}

// World is what an action works on.
type World struct {
	Env action.Env
	// State returns a text that differs when the world differs; by default it
	// lists the files below Env.Dir.
	State func(t *testing.T) string
	// Adapt changes the input of an example to fit the world, such as the port
	// of a server; it may be nil.
	Adapt func(in map[string]any)
}

// Run tests that an action keeps its contract: its definition is sound; inputs
// that do not fit are refused by the name of the field; Preview and Observe
// change nothing; the output fits its type; cancelling ends it in time;
// sensitive values and secrets never come back, and Preview asks for none; a
// dry run changes nothing; what it did is observed, happens once for one key,
// and is undone without a trace; a crash at any point is recognised, carried on
// from and undone; a lease that somebody else has changed is known; what an action
// picks is all that it acts on; in a cluster it needs no more than it says.
func Run(t *testing.T, s Suite) {
	t.Helper()
	if s.World == nil {
		s.World = FolderWorld
	}
	examples := load(t, s.Examples)
	t.Run("Definition", s.definition)
	for name, in := range examples {
		t.Run("Inputs/"+name, func(t *testing.T) { t.Parallel(); s.inputs(t, in) })
		t.Run("ReadsOnly/"+name, func(t *testing.T) { t.Parallel(); s.readsOnly(t, in) })
		t.Run("Sensitive/"+name, func(t *testing.T) { t.Parallel(); s.sensitive(t, in) })
		t.Run("Cancelled/"+name, func(t *testing.T) { t.Parallel(); s.cancelled(t, in) })
		t.Run("Effect/"+name, func(t *testing.T) { t.Parallel(); s.effect(t, in) })
		if s.Permit != nil {
			t.Run("Access/"+name, func(t *testing.T) { t.Parallel(); s.access(t, in) })
		}
		if spec := s.Action.Spec(); spec.Effect == action.ReadOnly || spec.Gate != "" {
			continue
		}
		t.Run("DryRun/"+name, func(t *testing.T) { t.Parallel(); s.dryRun(t, in) })
		t.Run("Crash/"+name, func(t *testing.T) { t.Parallel(); s.crashes(t, in) })
		t.Run("Selects/"+name, func(t *testing.T) { t.Parallel(); s.selects(t, in) })
		t.Run("Lease/"+name, func(t *testing.T) { t.Parallel(); s.lease(t, in) })
	}
	if s.Slow != nil {
		t.Run("Slow", func(t *testing.T) { t.Parallel(); s.slow(t) })
	}
}

// FolderWorld is an empty folder.
func FolderWorld(t *testing.T) World {
	t.Helper()
	now := func() time.Time { return time.Date(2026, time.November, 21, 2, 0, 0, 0, time.UTC) }
	return World{Env: action.Env{Dir: t.TempDir(), Key: "run-1/step-1", Secrets: Secrets{}, Now: now}}
}

// load reads the examples by the names of their files.
func load(t *testing.T, pattern string) map[string]map[string]any {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no example matches %q (%v); every action has at least one", pattern, err)
	}
	examples := map[string]map[string]any{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		node, problems := yamldoc.Parse(file, data, yamldoc.DefaultLimits())
		in, ok := node.Plain().(map[string]any)
		if problems.HasErrors() || !ok {
			t.Fatalf("example %s is not the input of a step: %v", file, problems)
		}
		examples[filepath.Base(file)] = in
	}
	return examples
}

// start makes a fresh world and fits in to it.
func (s Suite) start(t *testing.T, in map[string]any) (World, map[string]any) {
	t.Helper()
	w := s.World(t)
	if w.State == nil {
		w.State = func(t *testing.T) string { t.Helper(); return FolderState(t, w.Env.Dir) }
	}
	in = cloneMap(in)
	if w.Adapt != nil {
		w.Adapt(in)
	}
	if s.permit != nil {
		w.Env = s.permit(t, w, in)
	}
	return w, in
}

func (s Suite) definition(t *testing.T) {
	t.Helper()
	var kinds []action.TargetKind
	for _, kind := range s.Action.Spec().Targets {
		kinds = append(kinds, anyTarget(kind))
	}
	if _, err := action.NewRegistry([]action.Action{s.Action}, kinds); err != nil {
		t.Error(err)
	}
}

// anyTarget is a kind of target of which only the name matters.
type anyTarget string

func (k anyTarget) Kind() string                                       { return string(k) }
func (anyTarget) Identify(context.Context, action.Env) (string, error) { return "", nil }

// readsOnly tests that looking changes nothing and that facts fit their type.
func (s Suite) readsOnly(t *testing.T, example map[string]any) {
	t.Helper()
	w, in := s.start(t, example)
	before, given := w.State(t), cloneMap(in)
	preview, err := s.Action.Preview(t.Context(), w.Env, in)
	if err != nil {
		t.Fatalf("Preview: %v", err)
	}
	if preview.Summary == "" {
		t.Error("the preview has no summary")
	}
	obs, err := s.Action.Observe(t.Context(), w.Env, in)
	if err != nil {
		t.Fatalf("Observe: %v", err)
	}
	if diff := cmp.Diff(before, w.State(t)); diff != "" {
		t.Errorf("Preview and Observe must change nothing (-before +after):\n%s", diff)
	}
	spec := s.Action.Spec()
	if obs.Status == action.Done {
		fits(t, spec, obs.Output)
	}
	if spec.Effect == action.ReadOnly && spec.Gate == "" && obs.Status != action.Done {
		t.Errorf("a read-only action answers done, not %s", obs.Status)
	}
	if diff := cmp.Diff(given, in); diff != "" {
		t.Errorf("the input was changed (-before +after):\n%s", diff)
	}
}

// effect tests the life of a step: not started, run, done, undone.
func (s Suite) effect(t *testing.T, example map[string]any) {
	t.Helper()
	spec := s.Action.Spec()
	w, in := s.start(t, example)
	if spec.Effect == action.ReadOnly || spec.Gate != "" {
		if _, err := s.Action.Run(t.Context(), w.Env, in, nil); !errors.Is(err, action.ErrNoRun) {
			t.Errorf("Run: got %v, want ErrNoRun", err)
		}
		if err := s.Action.Undo(t.Context(), w.Env, in, nil); !errors.Is(err, action.ErrNoUndo) {
			t.Errorf("Undo: got %v, want ErrNoUndo", err)
		}
		return
	}
	start := w.State(t)
	before := s.begin(t, &w, in)
	out, err := s.Action.Run(t.Context(), w.Env, in, before)
	if err != nil {
		t.Fatalf("Run: %v", err)
	}
	fits(t, spec, out)
	w.Env.Attempted = true
	s.again(t, w, in, before)
	if !spec.Observable(in) {
		s.expect(t, w, in, action.Unknown)
	} else {
		fits(t, spec, s.expect(t, w, in, action.Done).Output)
	}
	if possible, _ := spec.Undoable(in); !possible {
		if err := s.Action.Undo(t.Context(), w.Env, in, before); !errors.Is(err, action.ErrNoUndo) {
			t.Errorf("Undo: got %v, want ErrNoUndo", err)
		}
		return
	}
	for range 2 { // a way back that was interrupted is gone again
		if err := s.Action.Undo(t.Context(), w.Env, in, before); err != nil {
			t.Fatalf("Undo: %v", err)
		}
		if diff := cmp.Diff(start, w.State(t)); diff != "" {
			t.Errorf("Undo left a trace (-before +after):\n%s", diff)
		}
	}
}

// begin observes a step that was not started and tells the world what it may act
// on. It returns the state before the effect.
func (s Suite) begin(t *testing.T, w *World, in map[string]any) map[string]any {
	t.Helper()
	obs := s.expect(t, *w, in, action.NotStarted)
	if s.Action.Spec().Selects {
		w.Env.Members = obs.Members
	}
	return obs.Before
}

func (s Suite) expect(t *testing.T, w World, in map[string]any, want action.Status) action.Observation {
	t.Helper()
	obs, err := s.Action.Observe(t.Context(), w.Env, in)
	if err != nil {
		t.Fatalf("Observe: %v", err)
	}
	if obs.Status != want {
		t.Fatalf("Observe: got %s (%s), want %s", obs.Status, obs.Reason, want)
	}
	return obs
}

// fits tests an output against the type that the spec promises.
func fits(t *testing.T, spec action.Spec, out map[string]any) {
	t.Helper()
	for _, p := range schema.Check(spec.Output, any(out)) {
		t.Errorf("the output does not fit its type: %s", p)
	}
}
