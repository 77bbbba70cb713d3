package cli

import (
	"github.com/spf13/cobra"

	"github.com/refitproject/refit/internal/service"
)

// newRollback returns the command rollback.
func newRollback(c *console) *cobra.Command {
	reason, stage, partly := "", "", false
	cmd := &cobra.Command{
		Use:     "rollback [RUN]",
		GroupID: groupDecide,
		Short:   "Undo a run back to the start of a stage",
		Long: `Rollback undoes what really happened, in the reverse order, back to the start of
the current stage or of the one that --to-stage names. Before each undo the target
is observed; when it no longer shows what the step left, the rollback stops. When
data has to be restored, it waits for an approval first: what was written since
the backup is lost.

A point of no return is not crossed; --partly stops there and writes down what
remains done. It is carried out by whoever drives the run.`,
		Example: `  refit rollback wiki-prod-1 --reason "the verification fails"
  refit rollback wiki-prod-1 --to-stage to-2.0.0`,
		Args:              atMost(0, 1, "one run"),
		ValidArgsFunction: c.runs(service.WantOpen, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, id, _, err := c.theRun(cmd, args, 0, 0)
			if err != nil {
				return err
			}
			return c.asked(s.Rollback(cmd.Context(), id, stage, partly, reason))
		},
	}
	cmd.Flags().StringVar(&stage, "to-stage", "", "`STAGE` to whose start to go back (default: the current one)")
	cmd.Flags().BoolVar(&partly, "partly", false, "stop at a point of no return instead of refusing")
	reasonFlag(cmd, &reason)
	complete(cmd, "to-stage", c.runStages(true))
	return cmd
}
