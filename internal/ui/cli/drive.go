package cli

import (
	"github.com/spf13/cobra"

	"github.com/refitproject/refit/internal/service"
)

// newDrive returns the command drive.
func newDrive(c *console) *cobra.Command {
	wait := false
	cmd := &cobra.Command{
		Use:     "drive [RUN...]",
		GroupID: groupRun,
		Short:   "Go on with runs",
		Long: `Drive goes on with runs: one, several, or all that have not ended and that nobody
drives. What was under way when the last process ended is observed first, and
never simply repeated.

It does what can be done now and ends, with the worst of the exit codes of the
runs; a run that waits gives 5. So it can be started every few minutes, by cron
for instance: a run that another process drives is passed over, unless it was
named; then the exit code is 10. With --wait it stays until the runs have ended.

One run that is named is shown live on a terminal, as refit apply does: then it stays
while the run waits, and q leaves.`,
		Example: `  refit drive
  refit drive wiki-prod-1 --wait
  */5 * * * *  refit drive`,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: c.everyRun(service.WantUndriven),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := c.service()
			if err != nil {
				return err
			}
			req := service.DriveRequest{Runs: args, Linger: lingerFor}
			if wait {
				req.Linger = -1
			}
			list, err := s.Runs(cmd.Context())
			if err != nil {
				return err
			}
			if len(args) == 0 && list.Open() == 0 {
				c.sayf("no run goes on: there is nothing to drive")
			}
			return c.driven(cmd.Context(), s, req, len(args) > 1 || len(args) == 0 && list.Open() > 1)
		},
	}
	c.addView(cmd)
	cmd.Flags().BoolVar(&wait, "wait", false, "stay while the runs wait")
	return cmd
}
