package cli

import (
	"github.com/spf13/cobra"

	"github.com/refitproject/refit/internal/service"
)

// newRelease returns the command release.
func newRelease(c *console) *cobra.Command {
	reason := ""
	cmd := &cobra.Command{
		Use:     "release [RUN] [STAGE STEP]",
		GroupID: groupDecide,
		Short:   "Give a lease back before its time",
		Long: `Release gives a temporary change back that a run holds: logins that are off, a
cordon, a flipped port. It restores the value of before only if the target still
carries what Refit set; anything else is left alone and becomes a finding. Without
a step it is the only lease that is held.

It is put down, and carried out by whoever drives the run.`,
		Example:           `  refit release wiki-prod-1 to-2.0.0 read-only --reason "editors are needed"`,
		Args:              atMost(0, 3, "a run, a stage and a step"),
		ValidArgsFunction: c.runs(service.WantLease, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, id, rest, err := c.theRun(cmd, args, 0, 2)
			if err != nil {
				return err
			}
			stage, step, err := stageAndStep(rest)
			if err != nil {
				return err
			}
			return c.asked(s.Release(cmd.Context(), id, stage, step, reason))
		},
	}
	reasonFlag(cmd, &reason)
	return cmd
}
