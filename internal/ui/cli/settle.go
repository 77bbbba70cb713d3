package cli

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/refitproject/refit/internal/service"
)

// newSettle returns the command settle.
func newSettle(c *console) *cobra.Command {
	req := service.SettleRequest{}
	output := ""
	operation := choice{allowed: []string{"do", "undo", "restore", "release", "retake"}}
	cmd := &cobra.Command{
		Use:     "settle [RUN] [STAGE STEP] VERDICT",
		GroupID: groupDecide,
		Short:   "Say whether an operation in doubt has happened",
		Long: `Settle decides about an operation of which nobody can see whether it has happened.
Refit never guesses: look at the target yourself, then give the verdict:

  done      it has happened; --output gives what later steps need of it
  redo      it has not happened, or may safely happen again: do it again
  notDone   it has not happened; it counts as failed

The reason is kept in the history. refit logs shows what is known.`,
		Example: `  refit settle wiki-prod-1 to-2.0.0 upgrade done --reason "the tables are converted"
  refit settle redo --reason "nothing was sent"`,
		Args:              atMost(1, 4, "a verdict: done, redo or notDone"),
		ValidArgsFunction: c.settleArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			last := len(args) - 1
			req.Verdict, req.Operation = args[last], operation.value
			if err := checkVerdict(req.Verdict); err != nil {
				return err
			}
			if err := needReason(cmd, req.Reason); err != nil {
				return err
			}
			if output != "" {
				if req.Output = json.RawMessage(output); !json.Valid(req.Output) {
					return usagef("--output %q is not JSON", output)
				}
			}
			s, id, rest, err := c.theRun(cmd, args[:last], 0, 2)
			if err != nil {
				return err
			}
			if len(rest) == 1 {
				return usagef("%q is a stage or a step: name both, or none", rest[0])
			}
			if req.Run = id; len(rest) == 2 {
				req.Stage, req.Step = rest[0], rest[1]
			}
			return c.asked(s.Settle(cmd.Context(), req))
		},
	}
	reasonFlag(cmd, &req.Reason)
	flags := cmd.Flags()
	flags.Var(&operation, "operation", "which of the operations of the step, a `WORD`")
	flags.StringVar(&req.Member, "member", "", "which `MEMBER` of a step with forEach")
	flags.StringVar(&req.Component, "component", "", "which `COMPONENT` of a restore")
	flags.StringVar(&output, "output", "", "with done: output of the step, as `JSON`")
	for _, part := range []string{"operation", "member", "component"} {
		complete(cmd, part, c.doubts(part))
	}
	complete(cmd, "output", nothing)
	return cmd
}

func verdicts() []string { return []string{"done", "redo", "notDone"} }

func checkVerdict(verdict string) error {
	if slices.Contains(verdicts(), verdict) {
		return nil
	}
	return usagef("%q is no verdict, which is one of %s%s", verdict, strings.Join(verdicts(), ", "),
		didYouMean(verdict, verdicts()))
}
