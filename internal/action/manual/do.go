package manual

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/refitproject/refit/internal/action"
)

// DoInput is the input of manual.do.
type DoInput struct {
	Instructions string   `json:"instructions" doc:"What the person does, step by step."`
	Evidence     []string `json:"evidence,omitempty" doc:"Names of values that the person enters when the work is done, such as a ticket number."`
	Undo         string   `json:"undo,omitempty" doc:"What the person does to take the work back; without it the step has no inverse."`
}

// DoOutput is the output of manual.do.
type DoOutput struct {
	By       string            `json:"by" doc:"Person that did the work."`
	Evidence map[string]string `json:"evidence" doc:"Values that the person entered, by name."`
}

// Do returns the action manual.do. It is carried out by the core as a gate: it
// shows the instructions and waits until a person says that they are done, and
// shows the instructions of undo in the same way when the step is taken back.
func Do() action.Action {
	return action.Define(action.Definition[DoInput, DoOutput]{
		Name:      "manual.do",
		Version:   1,
		Summary:   "Wait until a person has done something that Refit cannot do.",
		Effect:    action.Mutating,
		Gate:      action.GatePerson,
		UndoField: "undo",
		NoUndo:    "no instructions for taking the work back are given",
		Check:     checkDo,
		Preview: func(_ context.Context, _ action.Env, in DoInput) (action.Preview, error) {
			first, _, more := strings.Cut(strings.TrimSpace(in.Instructions), "\n")
			if more {
				first += " …"
			}
			return action.Preview{Summary: "wait until a person has done: " + first}, nil
		},
	})
}

// evidencePattern admits names that expressions can select.
const evidencePattern = `^[A-Za-z_][A-Za-z0-9_]*$`

func checkDo(in DoInput) error {
	if strings.TrimSpace(in.Instructions) == "" {
		return errors.New("field \"instructions\" is empty: say what the person has to do")
	}
	seen := map[string]bool{}
	for _, name := range in.Evidence {
		if !regexp.MustCompile(evidencePattern).MatchString(name) {
			return fmt.Errorf("field \"evidence\" holds %q, needs names of letters, digits and _", name)
		}
		if seen[name] {
			return fmt.Errorf("field \"evidence\" names %q twice", name)
		}
		seen[name] = true
	}
	return nil
}
