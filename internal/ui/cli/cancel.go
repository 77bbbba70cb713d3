package cli

import (
	"github.com/spf13/cobra"

	"github.com/refitproject/refit/internal/service"
)

// newCancel returns the command cancel.
func newCancel(c *console) *cobra.Command {
	reason := ""
	cmd := &cobra.Command{
		Use:     "cancel [RUN]",
		GroupID: groupDecide,
		Short:   "End a run before its next step",
		Long: `Cancel ends a run before its next step, as it is: nothing is undone. What is under
way is observed to its end, leases are given back where that is safe, and refit
status lists what was done and what remains. See refit rollback for undoing.`,
		Example:           `  refit cancel wiki-prod-1 --reason "planned for next week"`,
		Args:              atMost(0, 1, "one run"),
		ValidArgsFunction: c.runs(service.WantOpen, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, id, _, err := c.theRun(cmd, args, 0, 0)
			if err != nil {
				return err
			}
			return c.asked(s.Cancel(cmd.Context(), id, reason))
		},
	}
	reasonFlag(cmd, &reason)
	return cmd
}
