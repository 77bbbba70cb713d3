package gate

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/refitproject/refit/internal/action"
)

// ConditionInput is the input of gate.condition.
type ConditionInput struct {
	Fact   string        `json:"fact" doc:"Path of a fact below observe, such as cluster.version."`
	Equals any           `json:"equals" doc:"Value that the fact must have."`
	Every  time.Duration `json:"every,omitempty" doc:"Time between two observations of the fact; default 30s."`
	Reason string        `json:"reason,omitempty" doc:"What is waited for, for people."`
}

// ConditionOutput is the output of gate.condition.
type ConditionOutput struct {
	Value any `json:"value" doc:"Value of the fact when the gate opened."`
}

// factPattern is a path of names joined by dots.
const factPattern = `^[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*$`

// Condition returns the gate gate.condition.
func Condition() action.Action {
	return action.Define(action.Definition[ConditionInput, ConditionOutput]{
		Name:    "gate.condition",
		Version: 1,
		Summary: "Wait until a fact has a value.",
		Effect:  action.ReadOnly,
		Gate:    action.GateCondition,
		Check:   checkCondition,
		Preview: func(_ context.Context, _ action.Env, in ConditionInput) (action.Preview, error) {
			text := fmt.Sprintf("wait until fact %s is %v", in.Fact, in.Equals)
			if in.Reason != "" {
				text += ": " + in.Reason
			}
			return action.Preview{Summary: text}, nil
		},
	})
}

func checkCondition(in ConditionInput) error {
	if !regexp.MustCompile(factPattern).MatchString(in.Fact) {
		return fmt.Errorf("field \"fact\" is %q, needs the path of a fact such as \"cluster.version\"", in.Fact)
	}
	if in.Equals == nil {
		return errors.New("field \"equals\" is empty: give the value that is waited for")
	}
	return checkEvery(in.Every)
}

// checkEvery refuses observations that would be a burden for what is observed.
func checkEvery(every time.Duration) error {
	if every != 0 && every < time.Second {
		return fmt.Errorf("field \"every\" is %s, needs at least 1s", every)
	}
	return nil
}
