package cli

import (
	"github.com/spf13/cobra"

	"github.com/refitproject/refit/internal/service"
)

// newReject returns the command reject.
func newReject(c *console) *cobra.Command {
	reason := ""
	cmd := &cobra.Command{
		Use:     "reject [RUN] [STAGE [GATE]]",
		GroupID: groupDecide,
		Short:   "Refuse what a run asks an approval for",
		Long: `Reject refuses at a gate. The run halts before the stage; refit retry observes its
facts again and asks again, refit approve passes the gate after all. Refusing a
rollback ends the run as it is.`,
		Example:           `  refit reject wiki-prod-1 to-2.0.0 --reason "the copy is not complete"`,
		Args:              atMost(0, 3, "a run, a stage and a gate"),
		ValidArgsFunction: c.runs(service.WantApproval, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needReason(cmd, reason); err != nil {
				return err
			}
			s, a, err := c.gate(cmd, args, "")
			if err != nil {
				return err
			}
			return c.asked(s.Reject(cmd.Context(), a, reason))
		},
	}
	reasonFlag(cmd, &reason)
	return cmd
}
