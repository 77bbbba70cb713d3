package wrap_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	"github.com/refitproject/refit/internal/action/wrap"
)

type input struct {
	Name string `json:"name" doc:"Name of the thing."`
	Code string `json:"code,omitempty" refit:"sensitive" doc:"Code of the thing."`

	Keys map[string]action.SecretRef `json:"keys,omitempty" refit:"secret" doc:"Keys of the thing."`
}

type output struct {
	Text string `json:"text" doc:"What it says."`
}

// fake is an action whose functions a test gives.
type fake struct {
	observe func(ctx context.Context, env action.Env, in input) (action.Observed[output], error)
	run     func(ctx context.Context, env action.Env, in input) (output, error)
	undo    func(ctx context.Context, env action.Env, in input) error
	preview func(ctx context.Context, env action.Env, in input) (action.Preview, error)
	effect  action.Effect
}

func (f fake) action() action.Action {
	def := action.Definition[input, output]{
		Name: "fake.thing", Version: 1, Summary: "Do a thing.", Effect: f.effect,
		Preview: func(ctx context.Context, env action.Env, in input) (action.Preview, error) {
			if f.preview != nil {
				return f.preview(ctx, env, in)
			}
			return action.Preview{Summary: "do the thing " + in.Name}, nil
		},
		Observe: f.observe,
	}
	if f.effect == "" {
		def.Effect = action.Mutating
		def.Run = func(ctx context.Context, env action.Env, in input, _ map[string]any) (output, error) {
			return f.run(ctx, env, in)
		}
		def.Undo = func(ctx context.Context, env action.Env, in input, _ map[string]any) error {
			return f.undo(ctx, env, in)
		}
	}
	return action.Define(def)
}

func in() map[string]any { return map[string]any{"name": "x"} }

func notStarted(context.Context, action.Env, input) (action.Observed[output], error) {
	return action.Observed[output]{Status: action.NotStarted}, nil
}

// hang waits for the end of its context and says so as the families do.
func hang(ctx context.Context, _ action.Env, _ input) (action.Observed[output], error) {
	<-ctx.Done()
	return action.Observed[output]{}, &action.Error{Reason: "Interrupted", Retryable: true, Effect: action.ExtentNone, Err: context.Cause(ctx)}
}

func reason(err error) string {
	if failure, ok := errors.AsType[*action.Error](err); ok {
		return failure.Reason
	}
	return fmt.Sprint(err)
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		effect action.Effect
		ends   time.Duration // of the context of the caller; 0 is never
		took   time.Duration
		want   string
	}{
		"Question":      {"a question is ended", "", time.Hour, time.Minute, wrap.ReasonNoAnswer},
		"ReadOnly":      {"the observation is the step, which has a timeout of its own", action.ReadOnly, time.Hour, time.Hour, "Interrupted"},
		"ReadOnlyAlone": {"without a timeout of its own it gets this one", action.ReadOnly, 0, time.Minute, wrap.ReasonNoAnswer},
		"CallerFirst":   {"the end of the caller is not the fault of the world", "", time.Second, time.Second, "Interrupted"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if tc.ends > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tc.ends)
					defer cancel()
				}
				began := time.Now()
				a := wrap.Timeout(fake{observe: hang, effect: tc.effect}.action(), time.Minute)
				_, err := a.Observe(ctx, action.Env{}, in())
				if reason(err) != tc.want || time.Since(began) != tc.took || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%s: got %v after %s, want %s after %s", tc.reason, err, time.Since(began), tc.want, tc.took)
				}
			})
		})
	}
}

// TestTimeoutLeavesRunAlone lets Run and Undo take as long as they need.
func TestTimeoutLeavesRunAlone(t *testing.T) {
	t.Parallel()
	check := func(ctx context.Context) error {
		if _, ends := ctx.Deadline(); ends {
			return errors.New("it got a deadline")
		}
		return nil
	}
	a := wrap.Timeout(fake{
		observe: notStarted,
		run:     func(ctx context.Context, _ action.Env, _ input) (output, error) { return output{}, check(ctx) },
		undo:    func(ctx context.Context, _ action.Env, _ input) error { return check(ctx) },
	}.action(), time.Minute)
	if _, err := a.Run(context.Background(), action.Env{}, in(), nil); err != nil {
		t.Error(err)
	}
	if err := a.Undo(context.Background(), action.Env{}, in(), nil); err != nil {
		t.Error(err)
	}
}

func TestLimit(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason               string
		perTarget, perAction int
		targets              int
		want                 int32
	}{
		"PerTarget":  {"two at a time for each of two targets", 2, 0, 2, 4},
		"PerAction":  {"three at a time, whatever the target", 0, 3, 2, 3},
		"Both":       {"the narrower counts", 1, 3, 2, 2},
		"NoLimit":    {"all at once", 0, 0, 2, 8},
		"NoTarget":   {"without a target only the action counts", 1, 5, 0, 5},
		"OneInTotal": {"one after the other", 1, 1, 1, 1},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var now, most atomic.Int32
				a := wrap.Limit(fake{observe: notStarted, run: func(ctx context.Context, _ action.Env, _ input) (output, error) {
					most.Store(max(most.Load(), now.Add(1)))
					defer now.Add(-1)
					time.Sleep(time.Second)
					return output{}, ctx.Err()
				}}.action(), wrap.NewLimiter(tc.perTarget, tc.perAction))
				for i := range 8 {
					env := action.Env{}
					if tc.targets > 0 {
						env.Target.Name = fmt.Sprint("target", i%tc.targets)
					}
					go func() {
						if _, err := a.Run(t.Context(), env, in(), nil); err != nil {
							t.Error(err)
						}
					}()
				}
				synctest.Wait()
				// What looks is not kept waiting by what changes.
				if _, err := a.Observe(t.Context(), action.Env{}, in()); err != nil {
					t.Error(err)
				}
				time.Sleep(time.Minute)
				if most.Load() != tc.want || now.Load() != 0 {
					t.Errorf("%s: %d at once, want %d; %d go on", tc.reason, most.Load(), tc.want, now.Load())
				}
			})
		})
	}
}

func TestLimitIsLeftWhenCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := wrap.Limit(fake{observe: hang, run: func(context.Context, action.Env, input) (output, error) { return output{}, nil }, undo: func(context.Context, action.Env, input) error { return nil }}.action(), wrap.NewLimiter(1, 0))
		env := action.Env{Target: action.Target{Name: "cluster"}}
		first, cancel := context.WithCancel(t.Context())
		go func() { _, _ = a.Observe(first, env, in()) }()
		synctest.Wait()
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		_, err := a.Preview(ctx, env, in())
		want := "fake.thing was not begun, because others go on: context deadline exceeded"
		if reason(err) != wrap.ReasonInterrupted || err.Error() != want || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want %s", err, want)
		}
		cancel()
		synctest.Wait()
		if _, err := a.Preview(t.Context(), env, in()); err != nil {
			t.Errorf("the place was not given back: %v", err)
		}
		if err := a.Undo(t.Context(), env, in(), nil); err != nil {
			t.Error(err)
		}
	})
}

func TestRetry(t *testing.T) {
	t.Parallel()
	refused := &action.Error{Reason: "ConnectionRefused", Retryable: true, Effect: action.ExtentNone}
	cases := map[string]struct {
		errs   []error
		cancel time.Duration
		want   string
		asked  int
		took   time.Duration
	}{
		"Succeeds":     {[]error{refused, refused}, time.Hour, "<nil>", 3, 3 * time.Second},
		"GivesUp":      {[]error{refused, refused, refused, refused, refused, refused}, time.Hour, "ConnectionRefused", 5, (1 + 2 + 4 + 4) * time.Second},
		"NotRetryable": {[]error{&action.Error{Reason: "NotJSON"}}, time.Hour, "NotJSON", 1, 0},
		"Plain":        {[]error{errors.New("plain")}, time.Hour, "plain", 1, 0},
		"Cancelled":    {[]error{refused, refused, refused}, 2 * time.Second, "ConnectionRefused", 2, 2 * time.Second},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				ask := func() error {
					asked++
					if asked <= len(tc.errs) {
						return tc.errs[asked-1]
					}
					return nil
				}
				a := wrap.Retry(fake{
					observe: func(context.Context, action.Env, input) (action.Observed[output], error) {
						return action.Observed[output]{Status: action.NotStarted}, ask()
					},
					preview: func(context.Context, action.Env, input) (action.Preview, error) {
						return action.Preview{Summary: "x"}, ask()
					},
					run:  func(context.Context, action.Env, input) (output, error) { return output{}, ask() },
					undo: func(context.Context, action.Env, input) error { return ask() },
				}.action(), wrap.Backoff{Attempts: 5, First: time.Second, Most: 4 * time.Second})
				for function, call := range map[string]func(context.Context) error{
					"Observe": func(ctx context.Context) error { _, err := a.Observe(ctx, action.Env{}, in()); return err },
					"Preview": func(ctx context.Context) error { _, err := a.Preview(ctx, action.Env{}, in()); return err },
				} {
					ctx, cancel := context.WithTimeout(t.Context(), tc.cancel)
					began := time.Now()
					asked = 0
					err := call(ctx)
					cancel()
					if reason(err) != tc.want || asked != tc.asked || time.Since(began) != tc.took {
						t.Errorf("%s: got %v after %d times and %s, want %s after %d and %s", function, err, asked, time.Since(began), tc.want, tc.asked, tc.took)
					}
				}
				asked = 0
				_, runErr := a.Run(t.Context(), action.Env{}, in(), nil)
				undoErr := a.Undo(t.Context(), action.Env{}, in(), nil)
				if asked != 2 || runErr == nil {
					t.Errorf("Run and Undo are asked once each, not %d times: %v, %v", asked, runErr, undoErr)
				}
			})
		})
	}
}

func TestDryRun(t *testing.T) {
	t.Parallel()
	forbidden := func() error { return errors.New("it was done") }
	a := wrap.DryRun(fake{
		observe: notStarted,
		run:     func(context.Context, action.Env, input) (output, error) { return output{}, forbidden() },
		undo:    func(context.Context, action.Env, input) error { return forbidden() },
	}.action())
	_, err := a.Run(t.Context(), action.Env{}, in(), nil)
	if want := "fake.thing changed nothing in a dry run; it would do the thing x"; reason(err) != wrap.ReasonDryRun || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	err = a.Undo(t.Context(), action.Env{}, in(), nil)
	if want := "fake.thing changed nothing in a dry run; it would take back: do the thing x"; reason(err) != wrap.ReasonDryRun || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if _, err := a.Run(t.Context(), action.Env{}, map[string]any{}, nil); reason(err) != action.ReasonInvalidInput {
		t.Errorf("a bad input: got %v", err)
	}
	reading := wrap.DryRun(fake{observe: notStarted, effect: action.ReadOnly}.action())
	if _, err := reading.Run(t.Context(), action.Env{}, in(), nil); !errors.Is(err, action.ErrNoRun) {
		t.Errorf("got %v", err)
	}
	if err := reading.Undo(t.Context(), action.Env{}, in(), nil); !errors.Is(err, action.ErrNoUndo) {
		t.Errorf("got %v", err)
	}
}

// TestRedact lets every function say every secret in every way it has.
func TestRedact(t *testing.T) {
	t.Parallel()
	const code = "sensitive-code"
	keys := map[string]any{"a": map[string]any{"env": "KEY", "prefix": "Bearer "}}
	secret, err := actiontest.Secrets{}.Resolve(t.Context(), keys["a"].(map[string]any))
	if err != nil {
		t.Fatal(err)
	}
	secret = strings.TrimPrefix(secret, "Bearer ")
	say := func(ctx context.Context, env action.Env, in input) (string, error) {
		values, err := env.ResolveSecrets(ctx, "keys", in.Keys)
		if err != nil {
			return "", err
		}
		text := fmt.Sprintf("%s and %s", values["a"], in.Code)
		env.Report(action.Progress{Note: text})
		fmt.Fprintln(env.LogWriter(), text)
		return text, fmt.Errorf("around: %w", &action.Error{Reason: "Said", Remedy: text, Err: fmt.Errorf("%s: %w", text, io.EOF)})
	}
	var shown strings.Builder
	env := action.Env{
		Secrets: actiontest.Secrets{}, Log: &shown,
		Progress: func(p action.Progress) { fmt.Fprintln(&shown, p.Note) },
	}
	with := map[string]any{"name": "x", "code": code, "keys": keys}
	for _, fails := range []bool{true, false} {
		result := func(err error) error {
			if fails {
				return err
			}
			return nil
		}
		a := wrap.Redact(fake{
			observe: func(ctx context.Context, env action.Env, in input) (action.Observed[output], error) {
				text, err := say(ctx, env, in)
				return action.Observed[output]{
					Status: action.Done, Output: &output{text}, Before: map[string]any{text: []any{text}},
					Reason: text, Progress: &action.Progress{Note: text},
				}, result(err)
			},
			preview: func(ctx context.Context, env action.Env, in input) (action.Preview, error) {
				text, err := say(ctx, env, in)
				return action.Preview{Summary: text, Diff: text}, result(err)
			},
			run: func(ctx context.Context, env action.Env, in input) (output, error) {
				text, err := say(ctx, env, in)
				return output{text}, result(err)
			},
			undo: func(ctx context.Context, env action.Env, in input) error {
				text, err := say(ctx, env, in)
				if fails {
					return err
				}
				return errors.New(text)
			},
		}.action())
		obs, observeErr := a.Observe(t.Context(), env, with)
		preview, previewErr := a.Preview(t.Context(), env, with)
		out, runErr := a.Run(t.Context(), env, with, nil)
		undoErr := a.Undo(t.Context(), env, with, nil)
		all, err := json.Marshal([]any{obs, preview, out, shown.String(), fmt.Sprint(observeErr, previewErr, runErr, undoErr)})
		if err != nil {
			t.Fatal(err)
		}
		for cause := observeErr; cause != nil; cause = errors.Unwrap(cause) {
			all = append(all, cause.Error()...)
		}
		if strings.Contains(string(all), secret) || strings.Contains(string(all), code) || !strings.Contains(string(all), "***") {
			t.Errorf("a secret is left, or nothing was said: %s", all)
		}
		if fails && (reason(observeErr) != "Said" || !errors.Is(runErr, io.EOF)) {
			t.Errorf("the error has lost what it is: %v", observeErr)
		}
	}
}

// TestRedactLeavesReferences hands back a reference in whose names the secret
// stands: a password that is the name of its user.
func TestRedactLeavesReferences(t *testing.T) {
	t.Parallel()
	type handed struct {
		Reference action.SecretRef `json:"reference" refit:"secret" doc:"A reference."`
		Note      string           `json:"note" doc:"A text."`
	}
	type taken struct {
		Secret action.SecretRef `json:"secret" refit:"secret" doc:"A secret."`
	}
	var ref action.SecretRef
	a := wrap.Redact(action.Define(action.Definition[taken, handed]{
		Name: "test.hand", Version: 1, Summary: "Hand back a reference.", Effect: action.Scratch, NoUndo: "a test",
		Observe: func(context.Context, action.Env, taken) (action.Observed[handed], error) {
			return action.Observed[handed]{Status: action.NotStarted}, nil
		},
		Run: func(ctx context.Context, env action.Env, in taken, _ map[string]any) (handed, error) {
			values, err := env.ResolveSecrets(ctx, "secret", map[string]action.SecretRef{"": in.Secret})
			value := values[""]
			if ref == nil {
				ref = action.SecretRef{"file": value + ".txt"}
			}
			return handed{ref, value}, err
		},
	}))
	env := action.Env{Secrets: actiontest.Secrets{}}
	with := map[string]any{"secret": map[string]any{"env": "KEY"}}
	out, err := a.Run(t.Context(), env, with, nil)
	if diff := cmp.Diff(map[string]any{"reference": map[string]any(ref), "note": "***"}, out); diff != "" || err != nil {
		t.Errorf("Run: %v (-want +got):\n%s", err, diff)
	}
	value, err := env.Secrets.Resolve(t.Context(), with["secret"].(map[string]any))
	if err != nil {
		t.Fatal(err)
	}
	ref = action.SecretRef{"fil": value}
	if out, err := a.Run(t.Context(), env, with, nil); err != nil || strings.Contains(fmt.Sprint(out), value) {
		t.Errorf("something that is no reference is left as it is: %v, %v", out, err)
	}
}

func TestProgress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var got []int64
		var late func(action.Progress)
		a := wrap.Progress(fake{observe: notStarted, run: func(_ context.Context, env action.Env, _ input) (output, error) {
			for i := range int64(10) {
				env.Report(action.Progress{Done: i})
				time.Sleep(90 * time.Millisecond)
			}
			late = env.Progress
			return output{}, nil
		}}.action())
		env := action.Env{Now: time.Now, Progress: func(p action.Progress) { got = append(got, p.Done) }}
		if _, err := a.Run(t.Context(), env, in(), nil); err != nil {
			t.Fatal(err)
		}
		late(action.Progress{Done: 99})
		if diff := cmp.Diff([]int64{0, 3, 6, 9}, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
	t.Run("LastOne", func(t *testing.T) {
		t.Parallel()
		var got []int64
		now := time.Unix(1000, 0)
		a := wrap.Progress(fake{observe: notStarted, undo: func(_ context.Context, env action.Env, _ input) error {
			env.Report(action.Progress{Done: 1})
			env.Report(action.Progress{Done: 2})
			now = now.Add(-time.Hour) // a clock that is set back silences nobody
			env.Report(action.Progress{Done: 3})
			env.Report(action.Progress{Done: 4})
			env.Report(action.Progress{Done: 5})
			return nil
		}}.action())
		env := action.Env{Now: func() time.Time { return now }, Progress: func(p action.Progress) { got = append(got, p.Done) }}
		if err := a.Undo(t.Context(), env, in(), nil); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]int64{1, 3, 5}, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

func TestBound(t *testing.T) {
	t.Parallel()
	// {"text":"…"} has 11 bytes around the text.
	cases := map[string]struct {
		size   int
		reason string
	}{
		"Largest":  {wrap.MaxBytes - 11, ""},
		"TooLarge": {wrap.MaxBytes - 10, wrap.ReasonOutputTooLarge},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := strings.Repeat("x", tc.size)
			a := wrap.Bound(fake{
				observe: func(_ context.Context, _ action.Env, in input) (action.Observed[output], error) {
					if in.Name == "before" {
						return action.Observed[output]{Status: action.NotStarted, Before: map[string]any{"text": text}}, nil
					}
					return action.Saw(output{text}), nil
				},
				run: func(context.Context, action.Env, input) (output, error) { return output{text}, nil },
			}.action())
			_, runErr := a.Run(t.Context(), action.Env{}, in(), nil)
			_, observeErr := a.Observe(t.Context(), action.Env{}, in())
			_, beforeErr := a.Observe(t.Context(), action.Env{}, map[string]any{"name": "before"})
			for function, got := range map[string]struct {
				err    error
				effect action.Extent
				want   string
			}{
				"Run":     {runErr, action.ExtentDone, "the effect has happened, and the output of fake.thing has 32769 bytes, at most 32768 are kept: let the step give less, such as a digest or a file"},
				"Observe": {observeErr, action.ExtentNone, "the output of fake.thing has 32769 bytes, at most 32768 are kept"},
				"Before":  {beforeErr, action.ExtentNone, "the state before the effect of fake.thing has 32769 bytes"},
			} {
				if tc.reason == "" {
					if got.err != nil {
						t.Errorf("%s: %v", function, got.err)
					}
					continue
				}
				failure, ok := errors.AsType[*action.Error](got.err)
				if !ok || failure.Reason != tc.reason || failure.Effect != got.effect || !strings.HasPrefix(failure.Error(), got.want) {
					t.Errorf("%s: got %#v: %v", function, failure, got.err)
				}
			}
		})
	}
}

func TestLog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{
			Level: slog.LevelDebug,
			ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey {
					return slog.Attr{}
				}
				return a
			},
		}))
		a := wrap.Log(fake{
			observe: func(context.Context, action.Env, input) (action.Observed[output], error) {
				return action.Observed[output]{Status: action.NotStarted, Reason: "nothing there"}, nil
			},
			run: func(context.Context, action.Env, input) (output, error) {
				time.Sleep(3 * time.Second)
				return output{}, &action.Error{Reason: "Broken", Effect: action.ExtentPartial, Err: errors.New("it broke")}
			},
			undo: func(context.Context, action.Env, input) error { return nil },
		}.action(), logger)
		env := action.Env{Key: "run-1/step-1", Target: action.Target{Name: "cluster"}, Now: time.Now}
		with := map[string]any{"name": "of the input", "code": "sensitive-code"}
		_, _ = a.Preview(t.Context(), action.Env{}, with)
		_, _ = a.Observe(t.Context(), env, with)
		_, _ = a.Run(t.Context(), env, with, nil)
		_ = a.Undo(t.Context(), env, with, nil)
		const on = `target=cluster key=run-1/step-1`
		want := strings.Join([]string{
			`level=DEBUG msg="action starts" action=fake.thing@1 function=preview`,
			`level=DEBUG msg="action ended" action=fake.thing@1 function=preview`,
			`level=DEBUG msg="action starts" action=fake.thing@1 function=observe ` + on,
			`level=DEBUG msg="action ended" action=fake.thing@1 function=observe ` + on + ` status=notStarted because="nothing there" duration=0s`,
			`level=INFO msg="action starts" action=fake.thing@1 function=run ` + on,
			`level=WARN msg="action failed" action=fake.thing@1 function=run ` + on + ` duration=3s reason=Broken extent=partial error="it broke"`,
			`level=INFO msg="action starts" action=fake.thing@1 function=undo ` + on,
			`level=INFO msg="action ended" action=fake.thing@1 function=undo ` + on + ` duration=0s`, "",
		}, "\n")
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

// TestAll puts all of them together: a check of the input and the Spec pass
// through, a secret does not even reach the log, and a dry run asks for none.
func TestAll(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	tries := 0
	inner := fake{
		observe: func(ctx context.Context, env action.Env, in input) (action.Observed[output], error) {
			tries++
			values, err := env.ResolveSecrets(ctx, "keys", in.Keys)
			if err != nil {
				return action.Observed[output]{}, err
			}
			return action.Observed[output]{}, &action.Error{Reason: "Broken", Retryable: true, Err: errors.New("with " + values["a"])}
		},
		run:  func(context.Context, action.Env, input) (output, error) { return output{}, nil },
		undo: func(context.Context, action.Env, input) error { return nil },
	}.action()
	a := wrap.All(inner, wrap.Options{
		Ask: time.Minute, Retry: wrap.Backoff{Attempts: 2, First: time.Millisecond}, Limiter: wrap.NewLimiter(1, 1), DryRun: true,
		Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if diff := cmp.Diff(inner.Spec(), a.Spec()); diff != "" {
		t.Errorf("the Spec changed (-want +got):\n%s", diff)
	}
	checker, ok := a.(action.Checker)
	if !ok || checker.Check(in()) != nil || checker.Check(nil) == nil {
		t.Error("Check must pass through")
	}
	ref := map[string]any{"env": "KEY"}
	secret, _ := actiontest.Secrets{}.Resolve(t.Context(), ref)
	env := action.Env{Secrets: actiontest.Secrets{}}
	_, err := a.Observe(t.Context(), env, map[string]any{"name": "x", "keys": map[string]any{"a": ref}})
	if reason(err) != "Broken" || tries != 2 || strings.Contains(log.String()+err.Error(), secret) || !strings.Contains(log.String(), "with ***") {
		t.Errorf("got %v after %d tries, log:\n%s", err, tries, log.String())
	}
	if _, err := a.Run(t.Context(), env, in(), nil); reason(err) != wrap.ReasonDryRun {
		t.Errorf("got %v", err)
	}
	if err := a.Undo(t.Context(), env, in(), nil); reason(err) != wrap.ReasonDryRun {
		t.Errorf("got %v", err)
	}
	zero := wrap.All(inner, wrap.Options{})
	if _, err := zero.Run(t.Context(), env, in(), nil); err != nil {
		t.Errorf("the zero Options stop nothing: %v", err)
	}
}

// TestLargeOutputs leaves large outputs to who can keep them elsewhere; what
// was before has no other place.
func TestLargeOutputs(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("x", wrap.MaxBytes)
	inner := fake{
		observe: func(context.Context, action.Env, input) (action.Observed[output], error) {
			return action.Observed[output]{Status: action.NotStarted, Before: map[string]any{"text": large}}, nil
		},
		run: func(context.Context, action.Env, input) (output, error) { return output{large}, nil },
	}.action()
	for keeps, want := range map[bool]string{true: "<nil>", false: wrap.ReasonOutputTooLarge} {
		a := wrap.All(inner, wrap.Options{LargeOutputs: keeps})
		if _, err := a.Run(t.Context(), action.Env{}, in(), nil); reason(err) != want {
			t.Errorf("LargeOutputs %v: Run gives %v, want %s", keeps, err, want)
		}
		if _, err := a.Observe(t.Context(), action.Env{}, in()); reason(err) != wrap.ReasonOutputTooLarge {
			t.Errorf("LargeOutputs %v: Observe gives %v", keeps, err)
		}
	}
}
