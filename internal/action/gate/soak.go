package gate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/action"
)

// SoakInput is the input of gate.soak.
type SoakInput struct {
	For    time.Duration `json:"for" doc:"How long the checks must hold; only observed time counts, and a check that fails starts it again."`
	Every  time.Duration `json:"every,omitempty" doc:"Time between two observations; default 1m."`
	MaxGap time.Duration `json:"maxGap,omitempty" doc:"Longest gap in the observation that is tolerated; default 5m."`
	Checks []string      `json:"checks,omitempty" doc:"Ids of read-only steps of the stage that are repeated; default all its verify steps."`
}

// SoakOutput is the output of gate.soak.
type SoakOutput struct {
	Observed time.Duration `json:"observed" doc:"Time for which the checks were seen to hold."`
	Restarts int           `json:"restarts" doc:"How often a check failed, so that the time started again."`
}

// Soak returns the gate gate.soak.
func Soak() action.Action {
	return action.Define(action.Definition[SoakInput, SoakOutput]{
		Name:    "gate.soak",
		Version: 1,
		Summary: "Wait until checks have held for a time.",
		Effect:  action.ReadOnly,
		Gate:    action.GateSoak,
		Check:   checkSoak,
		Preview: func(_ context.Context, _ action.Env, in SoakInput) (action.Preview, error) {
			what := "the verify steps"
			if len(in.Checks) > 0 {
				what = strings.Join(in.Checks, ", ")
			}
			return action.Preview{Summary: fmt.Sprintf("wait until %s have held for %s", what, in.For)}, nil
		},
	})
}

func checkSoak(in SoakInput) error {
	if in.For <= 0 {
		return errors.New("field \"for\" must be longer than 0s")
	}
	if in.Every > in.For {
		return fmt.Errorf("field \"every\" is %s, needs at most %s, the time of the soak", in.Every, in.For)
	}
	if in.MaxGap != 0 && in.MaxGap < in.Every {
		return fmt.Errorf("field \"maxGap\" is %s, needs at least %s like \"every\"", in.MaxGap, in.Every)
	}
	if slices.Contains(in.Checks, "") {
		return errors.New("field \"checks\" holds an empty id")
	}
	return checkEvery(in.Every)
}
