package action_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/schema"
)

// paintInput has one field of every kind that inputs can have.
type paintInput struct {
	Wall   string            `json:"wall" doc:"Wall to paint."`
	Color  string            `json:"color,omitempty" enum:"red,blue" doc:"Colour."`
	Coats  int               `json:"coats,omitempty" doc:"How many coats."`
	Litres float64           `json:"litres,omitempty" doc:"How much paint."`
	Dry    time.Duration     `json:"dry,omitempty" doc:"Time between coats."`
	Matt   bool              `json:"matt,omitempty" doc:"No gloss."`
	Tools  []string          `json:"tools,omitempty" doc:"Tools to use."`
	Labels map[string]string `json:"labels,omitempty" doc:"Labels to stick on."`
	Extra  any               `json:"extra,omitempty" doc:"Anything."`
	Code   string            `json:"code,omitempty" refit:"sensitive" doc:"Code of the door."`
	Strip  *stripInput       `json:"strip,omitempty" doc:"How to take the paint off."`
}

type stripInput struct {
	Heat int `json:"heat" doc:"Degrees."`
}

type paintOutput struct {
	Seen    paintInput     `json:"seen" doc:"Input as the action saw it."`
	Count   int            `json:"count" doc:"How many."`
	Took    time.Duration  `json:"took" doc:"How long."`
	Missing map[string]int `json:"missing" doc:"Never set."`
	Note    string         `json:"note,omitempty" doc:"Remark."`
}

// paint is a complete definition that tests bend.
func paint() action.Definition[paintInput, paintOutput] {
	return action.Definition[paintInput, paintOutput]{
		Name: "wall.paint", Version: 1, Summary: "Paint a wall.", Effect: action.Mutating,
		UndoField: "strip", NoUndo: "nothing tells how to strip it",
		Check: func(in paintInput) error {
			if in.Coats > 9 {
				return errors.New("field \"coats\" is too large")
			}
			return nil
		},
		Preview: func(_ context.Context, _ action.Env, in paintInput) (action.Preview, error) {
			return action.Preview{Summary: "paint " + in.Wall}, nil
		},
		Observe: func(context.Context, action.Env, paintInput) (action.Observed[paintOutput], error) {
			return action.Observed[paintOutput]{Status: action.NotStarted, Before: map[string]any{"color": "white"}}, nil
		},
		Run: func(_ context.Context, _ action.Env, in paintInput, _ map[string]any) (paintOutput, error) {
			return paintOutput{Seen: in, Count: 3, Took: 90 * time.Second}, nil
		},
		Undo: func(context.Context, action.Env, paintInput, map[string]any) error { return nil },
	}
}

func TestDefineSpec(t *testing.T) {
	t.Parallel()
	spec := action.Define(paint()).Spec()
	if spec.ID() != "wall.paint@1" || !spec.CanUndo || spec.UndoField != "strip" {
		t.Errorf("unexpected spec: %+v", spec)
	}
	want := schema.Field{Type: schema.Of(schema.String), Sensitive: true, Doc: "Code of the door."}
	if diff := cmp.Diff(want, spec.Input.Fields["code"]); diff != "" {
		t.Errorf("field code (-want +got):\n%s", diff)
	}
	if !spec.Output.Fields["count"].Required || spec.Output.Fields["note"].Required {
		t.Error("required fields of the output are not those without omitempty")
	}
}

func TestDefineRoundTrip(t *testing.T) {
	t.Parallel()
	in := map[string]any{
		"wall": "north", "color": "red", "coats": int64(2), "litres": int64(3), "dry": "1d12h", "matt": true,
		"tools": []any{"brush"}, "labels": map[string]any{"a": "b"}, "extra": []any{int64(1), nil, "x"},
		"code": "1234", "strip": map[string]any{"heat": float64(40)},
	}
	out, err := action.Define(paint()).Run(t.Context(), action.Env{}, in, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"count": int64(3), "took": "1m30s", "missing": map[string]any{},
		"seen": map[string]any{
			"wall": "north", "color": "red", "coats": int64(2), "litres": float64(3), "dry": "36h0m0s", "matt": true,
			"tools": []any{"brush"}, "labels": map[string]any{"a": "b"}, "extra": []any{int64(1), nil, "x"},
			"code": "1234", "strip": map[string]any{"heat": int64(40)},
		},
	}
	if diff := cmp.Diff(want, out); diff != "" {
		t.Errorf("output (-want +got):\n%s", diff)
	}
}

func TestDefineInvalidInput(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		in     map[string]any
		want   string
	}{
		"Missing":   {reason: "nil is an empty input", in: nil, want: `field "wall" is missing`},
		"Unknown":   {reason: "a typo is found", in: map[string]any{"wall": "n", "colour": "red"}, want: `did you mean "color"?`},
		"WrongType": {reason: "types are strict", in: map[string]any{"wall": int64(1)}, want: "/wall: must be a string"},
		"Fraction":  {reason: "whole is whole", in: map[string]any{"wall": "n", "coats": 1.5}, want: "/coats"},
		"Duration":  {reason: "durations are texts", in: map[string]any{"wall": "n", "dry": int64(3)}, want: "/dry"},
		"Enum":      {reason: "enums are closed", in: map[string]any{"wall": "n", "color": "rad"}, want: `did you mean "red"?`},
		"Nested":    {reason: "members of members too", in: map[string]any{"wall": "n", "strip": map[string]any{}}, want: `"heat" is missing`},
		"Several":   {reason: "all mistakes at once", in: map[string]any{"wall": true, "matt": "x"}, want: "/matt: must be true or false, is a string; /wall:"},
		"Check":     {reason: "the action's own rule", in: map[string]any{"wall": "n", "coats": int64(10)}, want: `field "coats" is too large`},
	}
	a := action.Define(paint())
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := a.Run(t.Context(), action.Env{}, tc.in, nil)
			failure, ok := errors.AsType[*action.Error](err)
			if !ok || failure.Reason != action.ReasonInvalidInput || failure.Effect != action.ExtentNone {
				t.Fatalf("%s: got %#v", tc.reason, err)
			}
			text := err.Error()
			if !strings.HasPrefix(text, "input of wall.paint: ") || !strings.Contains(text, tc.want) || strings.Contains(text, "\n") {
				t.Errorf("%s: got %q, want one line with %q", tc.reason, text, tc.want)
			}
		})
	}
}

func TestUndoNeedsItsField(t *testing.T) {
	t.Parallel()
	a := action.Define(paint())
	plain := map[string]any{"wall": "north"}
	if err := a.Undo(t.Context(), action.Env{}, plain, nil); !errors.Is(err, action.ErrNoUndo) {
		t.Errorf("without strip: got %v, want ErrNoUndo", err)
	}
	if ok, why := a.Spec().Undoable(plain); ok || why != "nothing tells how to strip it" {
		t.Errorf("Undoable = %v, %q", ok, why)
	}
	strip := map[string]any{"wall": "north", "strip": map[string]any{"heat": int64(1)}}
	if err := a.Undo(t.Context(), action.Env{}, strip, nil); err != nil {
		t.Errorf("with strip: %v", err)
	}
	// While planning, the value may still be the text of an expression.
	if ok, _ := a.Spec().Undoable(map[string]any{"strip": "${inputs.strip}"}); !ok {
		t.Error("an expression in the undo field must count as given")
	}
}

func TestObserveGivesOutputOnlyWhenDone(t *testing.T) {
	t.Parallel()
	for status, want := range map[action.Status]bool{action.Done: true, action.Partial: false, action.Unknown: false} {
		def := paint()
		def.Observe = func(context.Context, action.Env, paintInput) (action.Observed[paintOutput], error) {
			return action.Observed[paintOutput]{Status: status, Output: &paintOutput{}, Reason: "seen"}, nil
		}
		obs, err := action.Define(def).Observe(t.Context(), action.Env{}, map[string]any{"wall": "n"})
		if err != nil || obs.Status != status || obs.Reason != "seen" || (obs.Output != nil) != want {
			t.Errorf("%s: got %+v, %v", status, obs, err)
		}
	}
}

func TestReadOnlyHasNeitherRunNorUndo(t *testing.T) {
	t.Parallel()
	def := paint()
	def.Effect, def.Run, def.Undo, def.UndoField, def.NoUndo = action.ReadOnly, nil, nil, "", ""
	a := action.Define(def)
	if _, err := a.Run(t.Context(), action.Env{}, nil, nil); !errors.Is(err, action.ErrNoRun) {
		t.Errorf("Run: got %v, want ErrNoRun", err)
	}
	if err := a.Undo(t.Context(), action.Env{}, nil, nil); !errors.Is(err, action.ErrNoUndo) {
		t.Errorf("Undo: got %v, want ErrNoUndo", err)
	}
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	cause := errors.New("first\nsecond\x1b[31m")
	cases := map[string]struct {
		err  *action.Error
		want string
	}{
		"Whole":      {&action.Error{Reason: "R", Remedy: "do this", Err: errors.New("what")}, "what: do this"},
		"NoRemedy":   {&action.Error{Reason: "R", Err: errors.New("what")}, "what"},
		"ReasonOnly": {&action.Error{Reason: "FileNotFound"}, "FileNotFound"},
		"OneLine":    {&action.Error{Err: cause}, "first second [31m"},
	}
	for name, tc := range cases {
		if got := tc.err.Error(); got != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
	if !errors.Is(&action.Error{Err: cause}, cause) {
		t.Error("the cause must be found by errors.Is")
	}
}
