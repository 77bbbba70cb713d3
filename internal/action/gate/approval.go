package gate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/action"
)

// ApprovalInput is the input of gate.approval.
type ApprovalInput struct {
	Reason string   `json:"reason" doc:"What the approver is asked to judge."`
	By     []string `json:"by,omitempty" doc:"Persons or groups that may approve; default anybody."`
	Count  int      `json:"count,omitempty" doc:"How many different persons must approve; default 1."`
}

// ApprovalOutput is the output of gate.approval.
type ApprovalOutput struct {
	By []string `json:"by" doc:"Persons that approved, in the order in which they did."`
}

// Approval returns the gate gate.approval.
func Approval() action.Action {
	return action.Define(action.Definition[ApprovalInput, ApprovalOutput]{
		Name:    "gate.approval",
		Version: 1,
		Summary: "Wait until people have approved.",
		Effect:  action.ReadOnly,
		Gate:    action.GateApproval,
		Check:   checkApproval,
		Preview: func(_ context.Context, _ action.Env, in ApprovalInput) (action.Preview, error) {
			return action.Preview{Summary: describeApproval(in)}, nil
		},
	})
}

func checkApproval(in ApprovalInput) error {
	if strings.TrimSpace(in.Reason) == "" {
		return errors.New("field \"reason\" is empty: say what is to be judged")
	}
	if in.Count < 0 || in.Count > 100 {
		return fmt.Errorf("field \"count\" is %d, needs 1 to 100", in.Count)
	}
	if slices.ContainsFunc(in.By, func(name string) bool { return strings.TrimSpace(name) == "" }) {
		return errors.New("field \"by\" holds an empty name")
	}
	return nil
}

func describeApproval(in ApprovalInput) string {
	text := "wait for an approval"
	if in.Count > 1 {
		text = fmt.Sprintf("wait for %d approvals", in.Count)
	}
	if len(in.By) > 0 {
		text += " by " + strings.Join(in.By, " or ")
	}
	return text + ": " + in.Reason
}
