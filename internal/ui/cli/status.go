package cli

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/service"
)

// newStatus returns the command status.
func newStatus(c *console) *cobra.Command {
	full, exitCode := false, false
	cmd := &cobra.Command{
		Use:     "status [RUN]",
		GroupID: groupRun,
		Short:   "Show where a run stands and what can be done next",
		Long: `Status shows where a run stands and why: its stages and steps, what is under way,
what it waits for, which leases it holds and since when, what is in doubt, what
remains, and the commands that can be typed next. Nothing is changed, and the run
may be driven by another process meanwhile.

While no process drives the run nothing is released, and status says so. Without
a name it is the only run that has not ended; when there are several they are
listed. The exit code is 0, or with --exit-code what refit drive would end with.`,
		Example: `  refit status
  refit status wiki-prod-1 --full
  refit status wiki-prod-1 -o json | jq .commands`,
		Args:              atMost(0, 1, "one run"),
		ValidArgsFunction: c.runs(service.WantAny, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := c.service()
			if err != nil {
				return err
			}
			name := ""
			if len(args) > 0 {
				name = args[0]
			} else if list, err := s.Runs(cmd.Context()); err != nil {
				return err
			} else if list.Open() != 1 {
				return c.runList(list)
			}
			v, err := s.Status(cmd.Context(), name)
			if err != nil {
				return err
			}
			err = c.view(v, full)
			if code := endingCode(v.Ending()); err == nil && exitCode && code != ExitDone {
				return outcome{code: code}
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&full, "full", false, "show every step, however many there are")
	cmd.Flags().BoolVar(&exitCode, "exit-code", false, "end with the exit code of the run")
	return cmd
}

// runList shows all runs.
func (c *console) runList(list *report.RunList) error {
	return c.show(list, func(w io.Writer, opts report.TextOptions) error { return report.RunListText(w, *list, opts) })
}
