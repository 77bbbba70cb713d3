package cli

import (
	"github.com/spf13/cobra"

	"github.com/refitproject/refit/internal/service"
)

// newProbe returns the command that measures the probes of a run. People have no
// use for it: whoever drives a run starts it.
func newProbe(c *console) *cobra.Command {
	return &cobra.Command{
		Use:     "probe RUN",
		GroupID: groupRun,
		Hidden:  true,
		Short:   "Measure the probes of a run until it has ended",
		Long: `Probe measures whether the components of a run are available, until the run has
ended. The process that drives the run starts it when it needs it.`,
		Example:           `  refit probe hub-prod-1`,
		Args:              files(1, 1, "a run"),
		ValidArgsFunction: c.runs(service.WantOpen, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := c.service()
			if err != nil {
				return err
			}
			return s.Probe(cmd.Context(), args[0])
		},
	}
}
