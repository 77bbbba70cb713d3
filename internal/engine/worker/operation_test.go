package worker_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/run"
)

func observedText(b run.Body) string {
	if e, ok := b.(*run.AskFailed); ok {
		return "ask again: " + string(e.Cause)
	}
	e, ok := b.(*run.Observed)
	if !ok {
		return fmt.Sprintf("%T", b)
	}
	return strings.TrimSpace(e.Status + " " + e.Reason)
}

func TestObserve(t *testing.T) {
	t.Parallel()
	saw := func(s action.Status) action.Observed[lampOutput] {
		return action.Observed[lampOutput]{
			Status: s, Output: &lampOutput{Color: "red"}, Before: map[string]any{"color": "white"}, Reason: "the light says so",
		}
	}
	const white, blue = `{"color":"white"}`, `{"color":"blue"}`
	op := func(what run.What, step string) run.ObserveOperation {
		return run.ObserveOperation{Op: run.Ref{What: what, Stage: "s1", Step: step}, Turn: 3, Key: "key"}
	}
	back := func(what run.What, before string, attempted bool) run.ObserveOperation {
		c := op(what, "change")
		c.Before, c.Attempted = []byte(before), attempted
		return c
	}
	attempted := func(c run.ObserveOperation) run.ObserveOperation { c.Attempted = true; return c }
	refused := func(reason string) error { return &action.Error{Reason: reason, Err: errWorld} }
	cases := map[string]struct {
		reason string
		c      run.ObserveOperation
		sees   action.Observed[lampOutput]
		err    error
		panics any
		want   string
	}{
		"DoNotStarted":   {"The way forward is told as it is seen.", op(run.Do, "change"), saw(action.NotStarted), nil, nil, "notStarted"},
		"DoDone":         {"Done.", op(run.Do, "change"), saw(action.Done), nil, nil, "done"},
		"DoPartial":      {"Half.", op(run.Do, "change"), saw(action.Partial), nil, nil, "partial"},
		"DoInProgress":   {"Under way.", op(run.Do, "change"), saw(action.InProgress), nil, nil, "inProgress"},
		"DoUnknown":      {"Nobody knows.", op(run.Do, "change"), saw(action.Unknown), nil, nil, "unknown"},
		"DoFailed":       {"It ended badly.", op(run.Do, "change"), saw(action.Failed), nil, nil, "failed"},
		"ReadFailed":     {"A check that fails.", op(run.Do, "look"), saw(action.Failed), nil, nil, "failed"},
		"RetakeDone":     {"To take a lease again is to do it again.", op(run.Retake, "change"), saw(action.Done), nil, nil, "done"},
		"RestoreStarted": {"The restoring action looks.", op(run.Restore, "backup"), saw(action.NotStarted), nil, nil, "notStarted"},
		"RestoreNothing": {"Nothing restores what is no backup.", op(run.Restore, "change"), saw(action.NotStarted), nil, nil, "failed NoRestore"},

		"UndoThere":         {"What the step left is there: the undo can begin.", back(run.Undo, white, false), saw(action.Done), nil, nil, "notStarted"},
		"UndoStillThere":    {"The undo had no effect yet.", back(run.Undo, white, true), saw(action.Done), nil, nil, "notStarted"},
		"UndoFailedEffect":  {"A failed effect is taken back too.", back(run.Undo, white, false), saw(action.Failed), nil, nil, "notStarted"},
		"UndoAsBefore":      {"It is as it was.", back(run.Undo, white, false), saw(action.NotStarted), nil, nil, "done"},
		"UndoDone":          {"It is again as it was.", back(run.Undo, white, true), saw(action.NotStarted), nil, nil, "done"},
		"UndoForeign":       {"Somebody else's value is left alone.", back(run.Undo, blue, false), saw(action.NotStarted), nil, nil, "changed"},
		"UndoForeignBehind": {"Also when somebody came behind the undo.", back(run.Undo, blue, true), saw(action.NotStarted), nil, nil, "changed"},
		"UndoHalf":          {"A half-done effect is taken back.", back(run.Undo, white, false), saw(action.Partial), nil, nil, "notStarted"},
		"UndoHalfway":       {"The undo is half done.", back(run.Undo, white, true), saw(action.Partial), nil, nil, "partial"},
		"UndoUnderWay":      {"The effect is under way: it is waited for.", back(run.Undo, white, false), saw(action.InProgress), nil, nil, "inProgress"},
		"UndoUnknown":       {"Nobody knows.", back(run.Undo, white, false), saw(action.Unknown), nil, nil, "unknown"},
		"ReleaseThere":      {"A lease is given back like an undo.", back(run.Release, white, false), saw(action.Done), nil, nil, "notStarted"},
		"ReleaseForeign":    {"Somebody else's value is left alone.", back(run.Release, blue, false), saw(action.NotStarted), nil, nil, "changed"},
		"UndoUnseen":        {"An effect that cannot be seen is believed to the record.", op(run.Undo, "blind"), saw(action.Unknown), nil, nil, "notStarted"},
		"UndoUnseenBegun":   {"What the undo has done cannot be known.", attempted(op(run.Undo, "blind")), saw(action.Unknown), nil, nil, "unknown"},

		"Down":             {"The target is waited for.", op(run.Do, "change"), saw(action.Done), errWorld, nil, "ask again: target"},
		"DownBehindEffect": {"Also behind an attempt.", attempted(op(run.Do, "change")), saw(action.Done), errWorld, nil, "ask again: target"},
		"NoSecret":         {"Secrets are waited for.", op(run.Do, "change"), saw(action.Done), refused(action.ReasonSecretUnavailable), nil, "ask again: credentials"},
		"AccessRefused":    {"So is a secret that counts.", op(run.Undo, "change"), saw(action.Done), refused(action.ReasonAccessRefused), nil, "ask again: credentials"},
		"CheckTimeout":     {"A check that may succeed later is asked again.", op(run.Do, "look"), saw(action.Done), &action.Error{Reason: "Timeout", Retryable: true, Err: errWorld}, nil, "ask again: target"},
		"CheckSecret":      {"So is one without its secret.", op(run.Do, "look"), saw(action.Done), refused(action.ReasonSecretUnavailable), nil, "ask again: credentials"},
		"CheckNoFile":      {"One that cannot be carried out as it is finds nothing out.", op(run.Do, "look"), saw(action.Done), refused("FileNotFound"), nil, "unknown FileNotFound"},
		"EffectNoFile":     {"That says nothing of an effect.", op(run.Do, "change"), saw(action.Done), refused("FileNotFound"), nil, "ask again: target"},
		"InvalidInput":     {"To ask again would not help.", op(run.Do, "wrong"), saw(action.Done), nil, nil, "failed InvalidInput"},
		"UnknownAction":    {"Nor would it here.", op(run.Do, "gone"), saw(action.Done), nil, nil, "failed UnknownAction"},
		"UnknownAttempted": {"But what an attempt did is not known.", attempted(op(run.Do, "gone")), saw(action.Done), nil, nil, "unknown UnknownAction"},
		"Panic":            {"A broken action does not end the process.", op(run.Do, "change"), saw(action.Done), nil, "boom", "failed Panicked"},
		"PanicAttempted":   {"What it did is not known.", attempted(op(run.Do, "change")), saw(action.Done), nil, errWorld, "unknown Panicked"},
		"BadRecord":        {"A record that cannot be read.", back(run.Undo, `[1]`, false), saw(action.Done), nil, nil, "failed InvalidRecord"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, lampPlan())
			b.lamp.answer, b.lamp.err, b.lamp.panics = tc.sees, tc.err, tc.panics
			body := b.carry(t, tc.c)
			if got := observedText(body); got != tc.want {
				t.Errorf("%s got %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
}

func TestObserveTellsWhatTheCoreNeeds(t *testing.T) {
	t.Parallel()
	b := newBench(t, lampPlan())
	b.lamp.answer = action.Observed[lampOutput]{Status: action.NotStarted, Before: map[string]any{"color": "white"}, Reason: "two\nlines"}
	op := run.Ref{What: run.Do, Stage: "s1", Step: "change", Member: "m"}
	got := b.carry(t, run.ObserveOperation{Op: op, Turn: 3, Key: "r1/s1/change[m]", Attempted: true, With: []byte(`{"lamp":"attic"}`)})
	want := &run.Observed{
		Op: op, Turn: 3, Status: "notStarted", Before: []byte(`{"color":"white"}`), Resumable: true, Message: "two lines",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	env := b.lamp.envs[0]
	if env.Key != "r1/s1/change[m]" || !env.Attempted || env.Dir != "/platform" || env.Target.Name != "home" {
		t.Errorf("the action was given %+v", env)
	}
	if diff := cmp.Diff(lampInput{Lamp: "attic"}, b.lamp.inputs[0]); diff != "" {
		t.Errorf("the recorded input counts (-want +got):\n%s", diff)
	}
}

func TestUndoFindsTheEffectByItsKey(t *testing.T) {
	t.Parallel()
	b := newBench(t, lampPlan())
	b.lamp.answer = action.Observed[lampOutput]{Status: action.Done}
	op := run.Ref{What: run.Release, Stage: "s1", Step: "change"}
	b.carry(t, run.ObserveOperation{Op: op, Key: "r1/s1/change:release"})
	b.carry(t, run.PerformOperation{Op: op, Key: "r1/s1/change:release", Before: []byte(`{"color":"white"}`)})
	for i, env := range b.lamp.envs {
		if env.Key != "r1/s1/change" {
			t.Errorf("call %d has the key %q", i, env.Key)
		}
	}
	if !b.lamp.envs[0].Attempted {
		t.Error("what is taken back was attempted")
	}
	if diff := cmp.Diff(map[string]any{"color": "white"}, b.lamp.before); diff != "" {
		t.Errorf("the undo goes back to what was there before (-want +got):\n%s", diff)
	}
}

func TestRestoreGetsWhatTheBackupLeft(t *testing.T) {
	t.Parallel()
	b := newBench(t, lampPlan())
	op := run.Ref{What: run.Restore, Stage: "s1", Step: "backup", Component: "db"}
	c := run.PerformOperation{Op: op, Key: "r1/s1/backup:restoredb", Attempt: 1, With: []byte(`{"color":"green","backup":"s3"}`)}
	if e, ok := b.carry(t, c).(*run.OperationEnded); !ok || !e.OK {
		t.Fatalf("got %+v", e)
	}
	if diff := cmp.Diff([]lampInput{{Lamp: "hall", Color: "green"}}, b.lamp.inputs); diff != "" {
		t.Errorf("the output counts before the input, other members are left out (-want +got):\n%s", diff)
	}
	if key := b.lamp.envs[0].Key; key != c.Key {
		t.Errorf("a restore is an effect of its own, but has the key %q", key)
	}
}

func TestPerform(t *testing.T) {
	t.Parallel()
	failure := func(e action.Extent, retryable bool) error {
		return &action.Error{Reason: "Refused", Retryable: retryable, Effect: e, Err: errWorld, Remedy: "wait"}
	}
	cases := map[string]struct {
		reason string
		what   run.What
		step   string
		err    error
		panics any
		want   run.OperationEnded
	}{
		"OK":       {"It went well.", run.Do, "change", nil, nil, run.OperationEnded{OK: true, Output: []byte(`{"color":""}`)}},
		"UndoOK":   {"An undo has no output.", run.Undo, "change", nil, nil, run.OperationEnded{OK: true}},
		"None":     {"Nothing has happened.", run.Do, "change", failure(action.ExtentNone, true), nil, run.OperationEnded{Extent: "none", Retryable: true, Reason: "Refused", Message: "connection reset: wait"}},
		"Partial":  {"Half.", run.Do, "change", failure(action.ExtentPartial, false), nil, run.OperationEnded{Extent: "partial", Reason: "Refused", Message: "connection reset: wait"}},
		"Done":     {"There, and yet it failed.", run.Do, "change", failure(action.ExtentDone, false), nil, run.OperationEnded{Extent: "done", Reason: "Refused", Message: "connection reset: wait"}},
		"Unsaid":   {"Who says nothing of the effect does not know it.", run.Do, "change", failure("", false), nil, run.OperationEnded{Extent: "unknown", Reason: "Refused", Message: "connection reset: wait"}},
		"AnyError": {"So is any other error.", run.Undo, "change", errWorld, nil, run.OperationEnded{Extent: "unknown", Retryable: true, Reason: "Failed", Message: "connection reset"}},
		"Panic":    {"A panic tells its type only.", run.Do, "change", nil, "hunter2", run.OperationEnded{Extent: "unknown", Reason: "Panicked", Message: "the action broke down (string): report it as a bug of the action"}},
		"NoUndo":   {"There is no inverse.", run.Undo, "burn", nil, nil, run.OperationEnded{Extent: "none", Reason: "NoUndo", Message: action.ErrNoUndo.Error()}},
		"Restored": {"A restore came before, and there is no more to it.", run.Undo, "restored", nil, nil, run.OperationEnded{OK: true}},
		"Gone":     {"The program has no such action.", run.Do, "gone", nil, nil, run.OperationEnded{Extent: "none", Reason: "UnknownAction", Message: `this program has no action "test.gone@1": use the version of refit that made the plan`}},
		"Wrong":    {"The input does not fit.", run.Do, "wrong", nil, nil, run.OperationEnded{Extent: "none", Reason: "InvalidInput", Message: `input of test.change: /colour: unknown field "colour": did you mean "color"?`}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, lampPlan())
			b.lamp.err, b.lamp.panics = tc.err, tc.panics
			tc.want.Op, tc.want.Attempt = run.Ref{What: tc.what, Stage: "s1", Step: tc.step}, 2
			got, _ := b.carry(t, run.PerformOperation{Op: tc.want.Op, Attempt: 2}).(*run.OperationEnded)
			if diff := cmp.Diff(&tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestInterrupted ends the context of calls that hang.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, lampPlan())
		b.lamp.hangs = true
		ref := run.Ref{What: run.Do, Stage: "s1", Step: "change"}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		body, err := b.try(ctx, run.PerformOperation{Op: ref, Attempt: 1})
		e, _ := body.(*run.OperationEnded)
		if err != nil || e.OK || e.Extent != "unknown" || e.Reason != "Interrupted" || !e.Retryable {
			t.Errorf("what an interrupted attempt did is not known; got %+v, %v", e, err)
		}
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if body, err := b.try(ctx, run.ObserveOperation{Op: ref}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("an interrupted look is no answer; got %+v, %v", body, err)
		}
		calls := len(b.lamp.envs)
		if _, err := b.try(ctx, run.PerformOperation{Op: ref}); err == nil || len(b.lamp.envs) != calls {
			t.Errorf("nothing is begun once the context has ended; got %v", err)
		}
		began := time.Now()
		got, _ := b.carry(t, run.ObserveOperation{Op: ref}).(*run.AskFailed)
		if got == nil || !strings.Contains(got.Message, "no answer within 1m0s") || time.Since(began) != time.Minute {
			t.Errorf("a look ends with the timeout of the step; got %+v after %s", got, time.Since(began))
		}
	})
}

func TestOutputs(t *testing.T) {
	t.Parallel()
	b := newBench(t, lampPlan())
	b.lamp.output = lampOutput{Color: "red", Code: "hunter2"}
	c := run.PerformOperation{Op: run.Ref{What: run.Do, Stage: "s1", Step: "change"}, Key: "r1/s1/change", Attempt: 1}
	e, _ := b.carry(t, c).(*run.OperationEnded)
	if text := string(e.Output); strings.Contains(text, "hunter2") || !strings.Contains(text, `"code":"hmac-sha256:`) {
		t.Errorf("a sensitive member is a keyed hash: %s", text)
	}

	b.lamp.output = lampOutput{Color: strings.Repeat("x", run.MaxOutput)}
	if _, err := b.try(t.Context(), c); err == nil || !strings.Contains(err.Error(), "keeps no artefacts") {
		t.Errorf("nothing is lost in silence; got %v", err)
	}
	var kept []byte
	b.keep = func(_ context.Context, _ string, data []byte) (string, error) {
		kept = data
		return "sha256:x", nil
	}
	e, _ = b.carry(t, c).(*run.OperationEnded)
	want := &run.Artefact{Name: "output of r1/s1/change", Digest: "sha256:x", Size: int64(len(kept))}
	if diff := cmp.Diff(want, e.OutputArtefact); diff != "" || e.Output != nil || !e.OK || len(kept) <= run.MaxOutput {
		t.Errorf("a large output is kept beside the history (-want +got):\n%s", diff)
	}
}

func TestForeignCommands(t *testing.T) {
	t.Parallel()
	b := newBench(t, lampPlan())
	for want, c := range map[string]run.Command{
		"a host answers this command itself": run.StartOperation{},
		"the plan has no stage":              run.CheckStage{Stage: "s9"},
		"has no step":                        run.Resolve{Stage: "s1", Step: "s9"},
	} {
		if _, err := b.try(t.Context(), c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if e, ok := b.carry(t, run.MatchIssues{Turn: 4}).(*run.IssuesMatched); !ok || e.Turn != 4 {
		t.Errorf("without known issues none fits; got %+v", e)
	}
}
