package cli

import (
	"github.com/spf13/cobra"

	"github.com/refitproject/refit/internal/service"
)

// newPause returns the command pause.
func newPause(c *console) *cobra.Command {
	reason := ""
	cmd := &cobra.Command{
		Use:     "pause [RUN]",
		GroupID: groupDecide,
		Short:   "Hold a run before its next step",
		Long: `Pause holds a run before its next step. What is under way goes on to its end, and
leases are kept. It takes effect within a second, from any terminal.`,
		Example:           `  refit pause wiki-prod-1 --reason "lunch"`,
		Args:              atMost(0, 1, "one run"),
		ValidArgsFunction: c.runs(service.WantActive, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, id, _, err := c.theRun(cmd, args, 0, 0)
			if err != nil {
				return err
			}
			return c.asked(s.Pause(cmd.Context(), id, reason))
		},
	}
	reasonFlag(cmd, &reason)
	return cmd
}
