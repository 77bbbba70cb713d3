package cli

import (
	"github.com/spf13/cobra"

	"github.com/refitproject/refit/internal/service"
)

// newAbort returns the command abort.
func newAbort(c *console) *cobra.Command {
	reason := ""
	cmd := &cobra.Command{
		Use:     "abort [RUN]",
		GroupID: groupDecide,
		Short:   "Take the author's way back to service",
		Long: `Abort takes the way back that the author of the procedure has written for the
current stage: forward steps that bring the platform back to service when undoing
is refused, has failed, or would take too long. It is carried out by whoever drives
the run.`,
		Example:           `  refit abort wiki-prod-1 --reason "the restore does not end"`,
		Args:              atMost(0, 1, "one run"),
		ValidArgsFunction: c.runs(service.WantOpen, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, id, _, err := c.theRun(cmd, args, 0, 0)
			if err != nil {
				return err
			}
			return c.asked(s.Abort(cmd.Context(), id, reason))
		},
	}
	reasonFlag(cmd, &reason)
	return cmd
}
