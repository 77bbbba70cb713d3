package enginetest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// World is a world without faults that carries out commands at once. It counts
// what was done in it. It is safe for concurrent use.
type World struct {
	mu sync.Mutex
	// applied holds the keys of effects that are there.
	applied map[string]bool
	// counts tells how often an effect was carried out, by the ID of the command.
	counts map[string]int
	// order has the effects in the order in which they happened: "do stage/step".
	order []string
	// flying counts the calls under way that may change the world, by key; most
	// and overlaps are the most at once, and how often two had one key.
	flying         map[string]int
	now            int
	most, overlaps int
	// file keeps the effects for the next process; nil for a world that ends with
	// this one.
	file *os.File
	// Meet is called before a command is carried out; it may wait, and its error
	// is that of the attempt. It may be nil.
	Meet func(ctx context.Context, a engine.Assignment) error
	// Answer may answer a command in the place of the world, which then changes
	// nothing; with nil the world answers. It may be nil.
	Answer func(ctx context.Context, a engine.Assignment) (run.Body, error)
	// Lose is called after an effect was carried out; its error takes the place
	// of the result. It may be nil.
	Lose func(ctx context.Context, a engine.Assignment) error
}

var _ engine.Worker = (*World)(nil)

// NewWorld returns a world in which nothing has happened.
func NewWorld() *World {
	return &World{applied: map[string]bool{}, counts: map[string]int{}, flying: map[string]int{}}
}

// Order returns the effects in the order in which they happened, as
// "do stage/step" or "undo stage/step[member]".
func (w *World) Order() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.order)
}

// AtOnce tells how many calls that may change the world were under way at once at
// most, and how often two of them were for one step.
func (w *World) AtOnce() (most, overlaps int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.most, w.overlaps
}

// Count tells how often an effect was carried out, by the ID of its command.
func (w *World) Count(id string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.counts[id]
}

// Effects tells how many effects were carried out.
func (w *World) Effects() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, c := range w.counts {
		n += c
	}
	return n
}

// Applied tells whether the effect of a step is there: "run/stage/step".
func (w *World) Applied(key string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.applied[key]
}

// Carry implements engine.Worker.
func (w *World) Carry(ctx context.Context, a engine.Assignment) (run.Body, error) {
	if c, ok := a.Command.(run.PerformOperation); ok {
		key := forwardKey(c.Op, a.Run)
		w.begin(key)
		defer w.end(key)
	}
	if w.Answer != nil {
		if body, err := w.Answer(ctx, a); body != nil || err != nil {
			return body, err
		}
	}
	met := "" // Trouble of the world is an event.
	if w.Meet != nil {
		if err := w.Meet(ctx, a); err != nil {
			met = err.Error()
		}
	}
	switch c := a.Command.(type) {
	case run.CheckStage:
		return &run.StageChecked{Stage: c.Stage, Turn: c.Turn, Back: c.Back, Facts: "facts"}, nil
	case run.Resolve:
		return &run.StepResolved{Stage: c.Stage, Step: c.Step}, nil
	case run.ObserveOperation:
		if met != "" {
			return &run.AskFailed{
				Op: c.Op, Turn: c.Turn, Cause: run.WaitTarget, Message: met,
			}, nil
		}
		return w.observe(c, readsOnly(a.Plan, c.Op)), nil
	case run.PerformOperation:
		if met != "" {
			return &run.OperationEnded{
				Op: c.Op, Attempt: c.Attempt, Extent: "unknown", Retryable: true, Message: met,
			}, nil
		}
		body := w.perform(c)
		if w.Lose != nil {
			if err := w.Lose(ctx, a); err != nil {
				return nil, err
			}
		}
		return body, nil
	case run.MatchIssues:
		return &run.IssuesMatched{Op: c.Op, Turn: c.Turn}, nil
	case run.ObserveSoak:
		return &run.SoakObserved{Gate: c.Gate, Turn: c.Turn, Healthy: true}, nil
	case run.EvaluateCondition:
		return &run.ConditionAnswered{Gate: c.Gate, Turn: c.Turn, Holds: true}, nil
	case run.AskWindow:
		return &run.WindowAnswered{Stage: c.Stage, Turn: c.Turn, Open: true}, nil
	case run.StartOperation, run.Timer:
	}
	return nil, fmt.Errorf("the host carries out %s itself", a.Command.ID())
}

func (w *World) begin(key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flying[key]++
	w.now++
	w.most = max(w.most, w.now)
	if w.flying[key] > 1 {
		w.overlaps++
	}
}

func (w *World) end(key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flying[key]--
	w.now--
}

// forwardKey is the key of the step, also for what takes it back.
func forwardKey(a run.Ref, runID string) string {
	key := runID + "/" + a.Stage + "/" + a.Step
	if a.Member != "" {
		key += "[" + a.Member + "]"
	}
	return key
}

func goesForward(what run.What) bool { return what == run.Do || what == run.Retake }

// effectName is how Order names an effect: "do stage/step[member]".
func effectName(op run.Ref) string {
	name := string(op.What) + " " + op.Stage + "/" + op.Step
	if op.Member != "" {
		name += "[" + op.Member + "]"
	}
	return name
}

// runOf returns the run that a key is of: keys begin with it.
func runOf(key string, op run.Ref) string {
	id, _, _ := strings.Cut(key, "/"+op.Stage+"/")
	return id
}

// readsOnly tells whether an operation is one of a step that only looks.
func readsOnly(p *plan.Plan, op run.Ref) bool {
	for i := range p.Stages {
		for j := range p.Stages[i].Steps {
			if p.Stages[i].ID == op.Stage && p.Stages[i].Steps[j].ID == op.Step {
				return p.Stages[i].Steps[j].Effect == action.ReadOnly
			}
		}
	}
	return false
}

func (w *World) observe(c run.ObserveOperation, reads bool) run.Body {
	w.mu.Lock()
	defer w.mu.Unlock()
	e := &run.Observed{Op: c.Op, Turn: c.Turn, Status: "notStarted", Before: json.RawMessage(`{"value":""}`)}
	if reads || w.applied[forwardKey(c.Op, runOf(c.Key, c.Op))] == goesForward(c.Op.What) {
		e.Status, e.Output = "done", json.RawMessage(`{"value":"set"}`)
	}
	return e
}

func (w *World) perform(c run.PerformOperation) run.Body {
	w.mu.Lock()
	defer w.mu.Unlock()
	e := effect{Key: forwardKey(c.Op, runOf(c.Key, c.Op)), ID: c.ID(), Op: c.Op}
	w.happen(e)
	if err := w.keep(e); err != nil {
		return &run.OperationEnded{Op: c.Op, Attempt: c.Attempt, Extent: "unknown", Message: err.Error()}
	}
	return &run.OperationEnded{Op: c.Op, Attempt: c.Attempt, OK: true, Output: json.RawMessage(`{"value":"set"}`)}
}
