package run_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// world is a fake world. It remembers which steps have an effect in it.
type world struct {
	plan *plan.Plan
	// applied and half hold the places "stage/step[member]" of effects.
	applied, half map[string]bool
	// busy counts how many more looks find the effect under way.
	busy  map[string]int
	rng   *rand.Rand
	calm  bool
	wrong []string
}

func newWorld(p *plan.Plan, seed uint64) *world {
	return &world{
		plan: p, applied: map[string]bool{}, half: map[string]bool{}, busy: map[string]int{},
		rng: rand.New(rand.NewPCG(seed, 1)), calm: seed == 0,
	}
}

func where(r run.Ref) string {
	if r.Member != "" {
		return r.Stage + "/" + r.Step + "[" + r.Member + "]"
	}
	return r.Stage + "/" + r.Step
}

func (w *world) step(r run.Ref) *plan.Step {
	for i := range w.plan.Stages {
		st := &w.plan.Stages[i]
		list := st.Steps
		if r.Stage == st.ID+"/abort" {
			list = st.Abort.Steps
		} else if r.Stage != st.ID {
			continue
		}
		for j := range list {
			if list[j].ID == r.Step {
				return &list[j]
			}
		}
	}
	return nil
}

// chance is true once in n, never when the world is calm.
func (w *world) chance(n int) bool { return !w.calm && w.rng.IntN(n) == 0 }

// answer carries out a command and returns what comes back. The second value
// is false when nothing does.
func (w *world) answer(c run.Command, now time.Time) (run.Body, bool) {
	switch c := c.(type) {
	case run.CheckStage:
		if w.chance(12) {
			return &run.StageAskFailed{
				Stage: c.Stage, Turn: c.Turn, Back: c.Back, Cause: run.WaitCredentials, Message: "expired",
			}, true
		}
		return &run.StageChecked{Stage: c.Stage, Turn: c.Turn, Back: c.Back, Facts: "facts"}, true
	case run.AskWindow:
		return w.window(c, now), true
	case run.Resolve:
		return w.resolve(c), true
	case run.ObserveOperation:
		return w.observe(c), true
	case run.StartOperation:
		return &run.OperationStarted{Op: c.Op, Attempt: c.Attempt, Key: c.Key, Before: c.Before}, true
	case run.PerformOperation:
		return w.run(c)
	case run.MatchIssues:
		e := &run.IssuesMatched{Op: c.Op, Turn: c.Turn}
		if w.chance(2) {
			e.Issues = []run.Issue{{ID: "busy", Remedy: "wait"}}
		}
		return e, true
	case run.EvaluateCondition:
		return &run.ConditionAnswered{Gate: c.Gate, Turn: c.Turn, Holds: !w.chance(3), Output: []byte(`{"value":1}`)}, true
	case run.ObserveSoak:
		return &run.SoakObserved{Gate: c.Gate, Turn: c.Turn, Healthy: !w.chance(8)}, true
	case run.Timer:
		return &run.TimerFired{Timer: c.Timer}, true
	}
	return nil, false
}

func (w *world) window(c run.AskWindow, now time.Time) run.Body {
	if w.chance(3) {
		return &run.WindowAnswered{Stage: c.Stage, Turn: c.Turn, OpensAt: now.Add(time.Hour)}
	}
	onClose := "pause"
	for i := range w.plan.Stages {
		if w.plan.Stages[i].ID == c.Stage {
			onClose = w.plan.Stages[i].Windows[0].OnClose
		}
	}
	return &run.WindowAnswered{Stage: c.Stage, Turn: c.Turn, Open: true, ClosesAt: now.Add(2 * time.Hour), OnClose: onClose}
}

func (w *world) resolve(c run.Resolve) run.Body {
	e := &run.StepResolved{Stage: c.Stage, Step: c.Step, Turn: c.Turn}
	s := w.step(run.Ref{Stage: c.Stage, Step: c.Step})
	switch {
	case s.When == "false" || s.When != "" && w.chance(2):
		e.Skip = "its condition does not hold"
	case s.ForEach != nil:
		e.Members = []run.Member{{Key: "x"}, {Key: "y"}}
	case s.Gate != "":
		e.Terms = &run.Terms{
			Kind: run.Wait(s.Gate), Question: "ok?", Count: 1, For: plan.Duration(3 * time.Minute), Every: plan.Duration(time.Minute),
		}
	}
	return e
}

func (w *world) observe(c run.ObserveOperation) run.Body {
	e := &run.Observed{Op: c.Op, Turn: c.Turn, Resumable: true}
	if w.chance(12) {
		return &run.AskFailed{Op: c.Op, Turn: c.Turn, Cause: run.WaitTarget, Message: "connection refused"}
	}
	at := where(c.Op)
	forward := c.Op.What == run.Do || c.Op.What == run.Retake
	switch {
	case w.step(c.Op).Effect == "readOnly":
		e.Status = "done"
		if w.chance(10) {
			e.Status, e.Message = "failed", "not good"
		}
	case c.Op.What == run.Restore:
		e.Status = "notStarted"
		if w.applied["restored "+c.Key] {
			e.Status = "done"
		}
	case w.busy[at] > 0:
		w.busy[at]--
		e.Status = "inProgress"
	case c.Attempted && w.chance(15):
		e.Status = "unknown"
	case w.half[at]:
		e.Status = "partial"
	case w.applied[at] == forward:
		e.Status, e.Output = "done", []byte(`{"ok":true}`)
	default:
		e.Status, e.Before = "notStarted", []byte(`{"was":1}`)
	}
	if w.step(c.Op).Selection != nil {
		e.Selection = []run.Selected{{Key: "x"}, {Key: "y"}}
		if w.half[at] || w.chance(8) {
			e.Selection = e.Selection[:1]
		}
	}
	return e
}

// run has the effect, or some of it, or none, and tells the truth or not.
func (w *world) run(c run.PerformOperation) (run.Body, bool) {
	e := &run.OperationEnded{Op: c.Op, Attempt: c.Attempt}
	at := where(c.Op)
	forward := c.Op.What == run.Do || c.Op.What == run.Retake
	if c.Op.What == run.Restore {
		at, forward = "restored "+c.Key, true
	}
	if w.applied[at] == forward && !w.half[at] {
		w.wrong = append(w.wrong, fmt.Sprintf("I4: %s was run when it was done already", c.ID()))
	}
	if w.busy[at] > 0 {
		w.wrong = append(w.wrong, fmt.Sprintf("I3: %s was run while it was under way", c.ID()))
	}
	switch {
	case w.chance(8):
		e.Extent, e.Retryable, e.Message = "none", w.rng.IntN(3) > 0, "refused"
		return e, true
	case w.chance(10):
		w.half[at], w.applied[at] = true, true
		e.Extent, e.Retryable, e.Message = "partial", true, "broke off"
		return e, w.rng.IntN(2) == 0
	case w.chance(12):
		return e, false // Lost before it had any effect.
	}
	w.half[at], w.applied[at] = false, forward
	if w.chance(10) {
		w.busy[at] = 2
	}
	switch {
	case w.chance(8):
		return e, false // Lost, or it hangs.
	case w.chance(10):
		e.Extent, e.Message = "unknown", "connection reset"
		return e, true
	}
	e.OK, e.Output = true, []byte(`{"ok":true}`)
	return e, true
}

// left lists effects that are still in the world, without restores.
func (w *world) left() []string {
	var out []string
	for at, there := range w.applied {
		if there && !strings.HasPrefix(at, "restored ") {
			out = append(out, at)
		}
	}
	return out
}
