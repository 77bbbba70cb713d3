package local_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/engine/enginetest"
	"github.com/refitproject/refit/internal/engine/local"
	"github.com/refitproject/refit/internal/run"
)

var update = flag.Bool("update", false, "rewrite the summaries, and write histories that are not there; none is changed")

// form is the folder of the histories of today's form. A new form gets a new
// folder, and the old one stays: histories of every version stay readable.
const form = "v1"

// told is what a history says, as people read it.
type told struct {
	Info    engine.Info `json:"info"`
	Summary run.Summary `json:"summary"`
	Events  []string    `json:"events"`
}

// TestKeptHistories imports histories that earlier programs have written, folds
// them, and compares what they say with what they said then.
func TestKeptHistories(t *testing.T) {
	t.Parallel()
	writeMissing(t)
	files, err := filepath.Glob("testdata/histories/*/*.jsonl")
	if err != nil || len(files) < len(stories()) {
		t.Fatalf("found the histories %q, %v", files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimPrefix(file, "testdata/histories/"), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			w := enginetest.NewWorld()
			e := open(t, t.TempDir()+"/state", w)
			info, err := e.Import(t.Context(), bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			compare(t, strings.TrimSuffix(file, ".jsonl")+".golden", tell(t, e, info.ID))
			if got, err := e.Import(t.Context(), bytes.NewReader(data)); !errors.Is(err, engine.ErrExists) {
				t.Errorf("imported twice: %+v, %v", got, err)
			}
			goOn(t, e, info)
		})
	}
}

// tell reads what a run says of itself.
func tell(t *testing.T, e *local.Engine, id string) []byte {
	t.Helper()
	snap, err := e.Load(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	history, err := e.History(t.Context(), id, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	all := told{Info: snap.Info, Summary: run.Summarize(snap.State)}
	for _, r := range history {
		data, err := run.EncodeEvent(r.Event)
		if err != nil {
			t.Fatal(err)
		}
		all.Events = append(all.Events, string(data))
	}
	data, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(data, '\n')
}

func compare(t *testing.T, golden string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(golden, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("the history says something else than before (-) now (+):\n%s", diff)
	}
}

// goOn lets today's engine drive what an earlier one has left.
func goOn(t *testing.T, e *local.Engine, info engine.Info) {
	t.Helper()
	if info.Status != run.Waiting {
		return
	}
	snap, err := e.Load(t.Context(), info.ID)
	if err != nil {
		t.Fatal(err)
	}
	approve(t, e, info.ID, snap)
	if out := drive(t, e, info.ID); out[0].Err != nil || out[0].Status != run.Succeeded {
		t.Fatalf("got %+v", out[0])
	}
}

func approve(t *testing.T, e *local.Engine, id string, snap engine.Snapshot) {
	t.Helper()
	for _, g := range snap.State.Gates() {
		ask(t, e, id, &run.Approved{
			Who: run.Who{By: "bob", From: "lab"}, Gate: g.Gate, Digest: g.Digest, Facts: g.Facts,
		})
	}
}

func ask(t *testing.T, e *local.Engine, id string, body run.Body) {
	t.Helper()
	if err := e.Request(t.Context(), id, body); err != nil {
		t.Fatal(err)
	}
}

// story is a run whose history is kept.
type story struct {
	stages string
	answer func(a engine.Assignment) run.Body
	// then is what people do once the run waits; it is driven before and after.
	then func(t *testing.T, e *local.Engine, id string)
	want run.Status
}

func who() run.Who { return run.Who{By: "bob", From: "lab", Reason: "looked at it"} }

// stories are the runs that are kept, one per way in which a run ends or waits.
func stories() map[string]story {
	chain := "  - id: only\n    steps:\n      a: {phase: upgrade, action: test.do}\n" +
		"      b: {phase: upgrade, action: test.do, needs: [a]}\n      c: {phase: upgrade, action: test.do, needs: [b]}\n"
	gated := strings.Replace(chain, "    steps:", "    approval: {reason: \"Is it time?\"}\n    steps:", 1)
	cancel := func(t *testing.T, e *local.Engine, id string) {
		t.Helper()
		ask(t, e, id, &run.CancelRequested{Who: who()})
	}
	return map[string]story{
		"succeeded": {
			stages: "  - id: first\n    steps:\n      l: {phase: quiesce, action: test.do, lease: {until: stage}}\n" +
				"      r: {phase: upgrade, action: test.do, retry: {attempts: 2, backoff: 1ms}}\n" +
				"      v: {phase: verify, action: test.read}\n" + strings.ReplaceAll(chain, "only", "second"),
			answer: failsOnce("r", "none"), want: run.Succeeded,
		},
		"rolled-back": {
			stages: strings.Replace(chain, "    steps:", "    onFailure: rollback\n    steps:", 1),
			answer: failsOnce("c", "none"), want: run.RolledBack,
		},
		"in-doubt-settled": {
			stages: chain, answer: inDoubt, want: run.Succeeded,
			then: func(t *testing.T, e *local.Engine, id string) {
				t.Helper()
				op := run.Ref{What: run.Do, Stage: "only", Step: "b"}
				ask(t, e, id, &run.Settled{Who: who(), Op: op, Verdict: run.VerdictDone})
			},
		},
		"replanned": {
			stages: strings.ReplaceAll(chain, "only", "first") + strings.ReplaceAll(gated, "only", "second"),
			want:   run.Succeeded,
			then: func(t *testing.T, e *local.Engine, id string) {
				t.Helper()
				p := enginetest.Plan(t, strings.ReplaceAll(chain, "only", "second"))
				if err := e.AddPlan(t.Context(), id, p); err != nil {
					t.Fatal(err)
				}
				ask(t, e, id, &run.Replanned{Who: who(), Digest: p.Digest})
			},
		},
		"waiting":   {stages: gated, want: run.Waiting},
		"cancelled": {stages: gated, want: run.Cancelled, then: cancel},
		"halted":    {stages: chain, answer: failsOnce("b", "none"), want: run.Halted},
	}
}

// failsOnce lets the first attempt of a step fail.
func failsOnce(step, extent string) func(engine.Assignment) run.Body {
	return func(a engine.Assignment) run.Body {
		c, ok := a.Command.(run.PerformOperation)
		if !ok || c.Op.Step != step || c.Op.What != run.Do || c.Attempt > 1 {
			return nil
		}
		return &run.OperationEnded{
			Op: c.Op, Attempt: c.Attempt, Extent: extent, Retryable: true, Reason: "NoRoom", Message: "there is no room",
		}
	}
}

// inDoubt lets an attempt of step b end so that nobody knows what it did.
func inDoubt(a engine.Assignment) run.Body {
	if c, ok := a.Command.(run.ObserveOperation); ok && c.Op.Step == "b" && c.Attempted {
		return &run.Observed{Op: c.Op, Turn: c.Turn, Status: "unknown", Message: "nobody can see it"}
	}
	return failsOnce("b", "unknown")(a)
}

// writeMissing writes the histories that are not there when it is asked to.
func writeMissing(t *testing.T) {
	t.Helper()
	for name, s := range stories() {
		file := filepath.Join("testdata", "histories", form, name+".jsonl")
		if _, err := os.Stat(file); err == nil || !*update {
			continue
		}
		w := enginetest.NewWorld()
		if s.answer != nil {
			w.Answer = func(_ context.Context, a engine.Assignment) (run.Body, error) { return s.answer(a), nil }
		}
		e := open(t, t.TempDir()+"/state", w)
		info, err := e.Create(t.Context(), engine.NewRun{
			ID: name, Plan: enginetest.Plan(t, s.stages), Parallel: 4, Dir: "/srv/platform", By: "ada",
		})
		if err != nil {
			t.Fatal(err)
		}
		driven := func() engine.Outcome {
			out, err := e.Drive(t.Context(), engine.DriveOptions{Runs: []string{info.ID}, Linger: time.Minute, By: "ada"})
			if err != nil {
				t.Fatal(err)
			}
			return out[0]
		}
		out := driven()
		if s.then != nil {
			s.then(t, e, info.ID)
			out = driven()
		}
		if out.Err != nil || out.Status != s.want {
			t.Fatalf("%s has ended as %+v, want %s", name, out, s.want)
		}
		var text bytes.Buffer
		if err := e.Export(t.Context(), info.ID, &text, false); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
