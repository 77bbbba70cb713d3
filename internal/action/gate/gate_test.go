package gate_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	"github.com/refitproject/refit/internal/action/gate"
)

func TestApprovalSuite(t *testing.T) {
	t.Parallel()
	actiontest.Run(t, actiontest.Suite{Action: gate.Approval(), Examples: "testdata/approval/*.yaml"})
}

func TestConditionSuite(t *testing.T) {
	t.Parallel()
	actiontest.Run(t, actiontest.Suite{Action: gate.Condition(), Examples: "testdata/condition/*.yaml"})
}

func TestSoakSuite(t *testing.T) {
	t.Parallel()
	actiontest.Run(t, actiontest.Suite{Action: gate.Soak(), Examples: "testdata/soak/*.yaml"})
}

func TestGatesSayWhatTheyWaitFor(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		gate   action.Action
		kind   action.Gate
		in     map[string]any
		want   string
		effect action.Effect
	}{
		"Anybody":   {gate.Approval(), action.GateApproval, map[string]any{"reason": "Go?"}, "wait for an approval: Go?", action.ReadOnly},
		"Two":       {gate.Approval(), action.GateApproval, map[string]any{"reason": "Go?", "by": []any{"a", "b"}, "count": int64(2)}, "wait for 2 approvals by a or b: Go?", action.ReadOnly},
		"Condition": {gate.Condition(), action.GateCondition, map[string]any{"fact": "a.b", "equals": int64(3), "reason": "others work"}, "wait until fact a.b is 3: others work", action.ReadOnly},
		"Soak":      {gate.Soak(), action.GateSoak, map[string]any{"for": "1d"}, "wait until the verify steps have held for 24h0m0s", action.ReadOnly},
		"SoakSome":  {gate.Soak(), action.GateSoak, map[string]any{"for": "90s", "checks": []any{"x", "y"}}, "wait until x, y have held for 1m30s", action.ReadOnly},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec := tc.gate.Spec()
			if spec.Gate != tc.kind || spec.Effect != tc.effect || spec.CanUndo {
				t.Errorf("unexpected spec: %+v", spec)
			}
			preview, err := tc.gate.Preview(t.Context(), action.Env{}, tc.in)
			if err != nil || preview.Summary != tc.want {
				t.Errorf("got %q, %v, want %q", preview.Summary, err, tc.want)
			}
			obs, err := tc.gate.Observe(t.Context(), action.Env{Attempted: true}, tc.in)
			if err != nil || obs.Status != action.NotStarted {
				t.Errorf("nothing in the world shows that a gate was passed; got %+v, %v", obs, err)
			}
		})
	}
}

func TestGatesRefuse(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		gate action.Action
		in   map[string]any
		want string
	}{
		"NoReason":    {gate.Approval(), map[string]any{"reason": " "}, `field "reason" is empty`},
		"Negative":    {gate.Approval(), map[string]any{"reason": "r", "count": int64(-1)}, `field "count" is -1`},
		"Nobody":      {gate.Approval(), map[string]any{"reason": "r", "by": []any{""}}, `field "by" holds an empty name`},
		"NotAPath":    {gate.Condition(), map[string]any{"fact": "a b", "equals": true}, `field "fact" is "a b"`},
		"Null":        {gate.Condition(), map[string]any{"fact": "a", "equals": nil}, `field "equals" is empty`},
		"TooOften":    {gate.Condition(), map[string]any{"fact": "a", "equals": true, "every": "1ms"}, `needs at least 1s`},
		"Zero":        {gate.Soak(), map[string]any{"for": "0s"}, `longer than 0s`},
		"EveryLonger": {gate.Soak(), map[string]any{"for": "1m", "every": "2m"}, `field "every" is 2m0s, needs at most 1m0s`},
		"GapShorter":  {gate.Soak(), map[string]any{"for": "1h", "every": "2m", "maxGap": "1m"}, `field "maxGap" is 1m0s`},
		"EmptyCheck":  {gate.Soak(), map[string]any{"for": "1h", "checks": []any{""}}, `field "checks"`},
		"OftenSoak":   {gate.Soak(), map[string]any{"for": "1h", "every": "1ms"}, `needs at least 1s`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := tc.gate.Preview(t.Context(), action.Env{}, tc.in)
			failure, ok := errors.AsType[*action.Error](err)
			if !ok || failure.Reason != action.ReasonInvalidInput || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want InvalidInput with %q", err, tc.want)
			}
		})
	}
}
