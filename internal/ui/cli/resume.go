package cli

import (
	"github.com/spf13/cobra"

	"github.com/refitproject/refit/internal/service"
)

// newResume returns the command resume.
func newResume(c *console) *cobra.Command {
	reason, until := "", ""
	cmd := &cobra.Command{
		Use:     "resume [RUN]",
		GroupID: groupDecide,
		Short:   "End a pause, or a stop before a stage",
		Long: `Resume ends a pause, or the stop before a stage that --until has asked for.
Whoever drives the run goes on with it; refit drive does when nobody does.`,
		Example:           `  refit resume wiki-prod-1`,
		Args:              atMost(0, 1, "one run"),
		ValidArgsFunction: c.runs(service.WantPaused, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, id, _, err := c.theRun(cmd, args, 0, 0)
			if err != nil {
				return err
			}
			if until != "" {
				return c.asked(s.Until(cmd.Context(), id, until, reason))
			}
			return c.asked(s.Resume(cmd.Context(), id, reason))
		},
	}
	cmd.Flags().StringVar(&until, "until", "", "`STAGE` before which the run stops again")
	complete(cmd, "until", c.runStages(false))
	reasonFlag(cmd, &reason)
	return cmd
}
