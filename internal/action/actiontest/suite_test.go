package actiontest_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
)

type lampInput struct {
	Room string `json:"room" doc:"Room of the lamp."`
	Code string `json:"code" refit:"sensitive" doc:"Code of the door."`

	Keys map[string]action.SecretRef `json:"keys" refit:"secret" doc:"Keys of the doors."`
}

type lampOutput struct {
	On bool `json:"on" doc:"Whether it is on."`
}

type lampDefinition = action.Definition[lampInput, lampOutput]

func lampFile(env action.Env, in lampInput) string { return filepath.Join(env.Dir, in.Room) }

// lamp is an action that keeps its contract: a lamp is on when its file exists.
func lamp() lampDefinition {
	return lampDefinition{
		Name: "lamp.on", Version: 1, Summary: "Switch a lamp on.", Effect: action.Mutating, CanLease: true,
		Preview: func(_ context.Context, _ action.Env, in lampInput) (action.Preview, error) {
			return action.Preview{Summary: "switch on the lamp in " + in.Room}, nil
		},
		Observe: func(_ context.Context, env action.Env, in lampInput) (action.Observed[lampOutput], error) {
			light, err := os.ReadFile(lampFile(env, in))
			if errors.Is(err, os.ErrNotExist) {
				return action.Observed[lampOutput]{Status: action.NotStarted}, nil
			}
			if len(light) > 0 { // somebody else has dimmed it
				before := map[string]any{"light": string(light)}
				return action.Observed[lampOutput]{Status: action.NotStarted, Before: before}, nil
			}
			return action.Saw(lampOutput{On: true}), err
		},
		Run: func(ctx context.Context, env action.Env, in lampInput, _ map[string]any) (lampOutput, error) {
			if err := ctx.Err(); err != nil {
				return lampOutput{}, err
			}
			return lampOutput{On: true}, os.WriteFile(lampFile(env, in), nil, 0o600)
		},
		Undo: func(_ context.Context, env action.Env, in lampInput, _ map[string]any) error {
			if err := os.Remove(lampFile(env, in)); err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
			return nil
		},
	}
}

// broken are lamps that break their contract in one way each.
func broken() map[string]func(*lampDefinition) {
	return map[string]func(*lampDefinition){
		"Definition/has no full stop": func(d *lampDefinition) { d.Summary = "Switch" },
		"ReadsOnly/Preview and Observe must change nothing": func(d *lampDefinition) {
			d.Preview = func(_ context.Context, env action.Env, in lampInput) (action.Preview, error) {
				return action.Preview{Summary: "x"}, os.WriteFile(lampFile(env, in)+".tmp", nil, 0o600)
			}
		},
		"ReadsOnly/the preview has no summary": func(d *lampDefinition) {
			d.Preview = func(context.Context, action.Env, lampInput) (action.Preview, error) { return action.Preview{}, nil }
		},
		"Sensitive/gives a sensitive value back": func(d *lampDefinition) {
			d.Observe = func(_ context.Context, _ action.Env, in lampInput) (action.Observed[lampOutput], error) {
				return action.Observed[lampOutput]{}, errors.New("wrong code " + in.Code)
			}
		},
		"Sensitive/value back: {\"Status\":\"done\"": func(d *lampDefinition) {
			d.Observe = func(ctx context.Context, env action.Env, in lampInput) (action.Observed[lampOutput], error) {
				keys, err := env.ResolveSecrets(ctx, "keys", in.Keys)
				seen := action.Saw(lampOutput{})
				seen.Reason = keys["front"]
				return seen, err
			}
		},
		"Sensitive/Preview asks for a secret": func(d *lampDefinition) {
			d.Preview = func(ctx context.Context, env action.Env, in lampInput) (action.Preview, error) {
				_, _ = env.ResolveSecrets(ctx, "keys", in.Keys)
				return action.Preview{Summary: "x"}, nil
			}
		},
		"Effect/Undo left a trace": func(d *lampDefinition) {
			d.Undo = func(context.Context, action.Env, lampInput, map[string]any) error { return nil }
		},
		"Effect/changed the world twice": func(d *lampDefinition) {
			d.Run = func(ctx context.Context, env action.Env, in lampInput, _ map[string]any) (lampOutput, error) {
				if err := ctx.Err(); err != nil {
					return lampOutput{}, err
				}
				f, err := os.OpenFile(lampFile(env, in), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
				if err != nil {
					return lampOutput{}, err
				}
				_, err = f.WriteString("on")
				return lampOutput{On: true}, errors.Join(err, f.Close())
			}
		},
		"Crash/Undo after a crash at point 0": func(d *lampDefinition) {
			d.Undo = func(_ context.Context, env action.Env, in lampInput, _ map[string]any) error {
				return os.Remove(lampFile(env, in)) // fails when there is nothing to undo
			}
		},
		"Crash/Observe answers unknown": func(d *lampDefinition) {
			observe := d.Observe
			d.Observe = func(ctx context.Context, env action.Env, in lampInput) (action.Observed[lampOutput], error) {
				if env.Attempted {
					return action.Observed[lampOutput]{Status: action.Unknown}, nil
				}
				return observe(ctx, env, in)
			}
		},
		"Lease/needs Foreign": func(*lampDefinition) {}, // see TestSuitePasses
		"Lease/before is that of the step": func(d *lampDefinition) {
			observe := d.Observe
			d.Observe = func(ctx context.Context, env action.Env, in lampInput) (action.Observed[lampOutput], error) {
				seen, err := observe(ctx, env, in)
				seen.Before = nil
				return seen, err
			}
		},
		"Lease/got done": func(d *lampDefinition) {
			d.Observe = func(_ context.Context, env action.Env, in lampInput) (action.Observed[lampOutput], error) {
				_, err := os.Stat(lampFile(env, in))
				if errors.Is(err, os.ErrNotExist) {
					return action.Observed[lampOutput]{Status: action.NotStarted}, nil
				}
				return action.Saw(lampOutput{On: true}), err
			}
		},
		"Sensitive/The log or the progress gives": func(d *lampDefinition) {
			d.Undo = func(_ context.Context, env action.Env, in lampInput, _ map[string]any) error {
				_, err := env.LogWriter().Write([]byte("code " + in.Code))
				return err
			}
		},
		"DryRun/a dry run changed the world": func(d *lampDefinition) {
			d.Preview = func(_ context.Context, env action.Env, in lampInput) (action.Preview, error) {
				return action.Preview{Summary: "x"}, os.WriteFile(lampFile(env, in), nil, 0o600)
			}
		},
		"Effect/got notStarted": func(d *lampDefinition) {
			d.Run = func(context.Context, action.Env, lampInput, map[string]any) (lampOutput, error) {
				return lampOutput{}, nil
			}
		},
		"Cancelled/it succeeded and did nothing": func(d *lampDefinition) {
			d.Run = func(context.Context, action.Env, lampInput, map[string]any) (lampOutput, error) {
				return lampOutput{}, nil
			}
		},
	}
}

const brokenVariable = "REFIT_TEST_BROKEN_LAMP"

func example(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "lamp.yaml")
	if err := os.WriteFile(file, []byte("{room: kitchen, code: hunter2, keys: {front: {env: KEY}}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestSuitePasses is run by itself, and by TestSuiteFindsMistakes in a process
// of its own with a lamp that is broken.
func TestSuitePasses(t *testing.T) {
	def := lamp()
	if breakIt, isBroken := broken()[os.Getenv(brokenVariable)]; isBroken {
		breakIt(&def)
	}
	suite := actiontest.Suite{
		Action: action.Define(def), Examples: example(t),
		Foreign: func(t *testing.T, w actiontest.World, in map[string]any) {
			t.Helper()
			path := filepath.Join(w.Env.Dir, in["room"].(string))
			if err := os.WriteFile(path, []byte("dim"), 0o600); err != nil {
				t.Fatal(err)
			}
		},
	}
	if os.Getenv(brokenVariable) == "Lease/needs Foreign" {
		suite.Foreign = nil
	}
	actiontest.Run(t, suite)
}

func TestSuiteFindsMistakes(t *testing.T) {
	t.Parallel()
	for name := range broken() {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSuitePasses$", "-test.v")
			cmd.Env = append(os.Environ(), brokenVariable+"="+name)
			out, err := cmd.CombinedOutput()
			part, message, _ := strings.Cut(name, "/")
			if part == "Definition" {
				message = "one sentence"
			}
			if err == nil || !strings.Contains(string(out), "--- FAIL: TestSuitePasses/"+part) || !strings.Contains(string(out), message) {
				t.Errorf("the suite must fail in %s with %q:\n%s", part, message, out)
			}
		})
	}
}

// loose is an action that takes any input.
type loose struct{ action.Action }

func (l loose) Preview(context.Context, action.Env, map[string]any) (action.Preview, error) {
	return action.Preview{Summary: "x"}, nil
}

func TestSuiteFindsLooseInputs(t *testing.T) {
	t.Parallel()
	if os.Getenv(brokenVariable) == "loose" {
		actiontest.Run(t, actiontest.Suite{Action: loose{action.Define(lamp())}, Examples: example(t)})
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSuiteFindsLooseInputs$", "-test.v")
	cmd.Env = append(os.Environ(), brokenVariable+"=loose")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), `Preview with a bad "room": got <nil>`) {
		t.Errorf("an action that takes any input must fail:\n%s", out)
	}
}

func TestCatalog(t *testing.T) {
	t.Parallel()
	c := actiontest.NewCatalog(action.Spec{Name: "b.x", Version: 1}, action.Spec{Name: "b.x", Version: 2}, action.Spec{Name: "a.y"})
	for name, want := range map[string]string{"b.x": "b.x@2", "b.x@1": "b.x@1", "a.y": "a.y@1", "a.y@1": "a.y@1", "c": ""} {
		spec, ok := c.Spec(name)
		if ok != (want != "") || (ok && spec.ID() != want) {
			t.Errorf("%s: got %s, %v, want %s", name, spec.ID(), ok, want)
		}
	}
	if got := c.Names(); !slices.Equal(got, []string{"a.y", "b.x"}) {
		t.Errorf("Names() = %v", got)
	}
}
