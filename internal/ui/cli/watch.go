package cli

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/service"
)

// newWatch returns the command watch.
func newWatch(c *console) *cobra.Command {
	req := service.WatchRequest{}
	all := false
	cmd := &cobra.Command{
		Use:     "watch [RUN]",
		GroupID: groupRun,
		Short:   "Follow the events of a run that another process drives",
		Long: `Watch prints the events of a run as they happen, one line each, from any process
and without disturbing the one that drives the run. It begins with the last few
and ends when the run has ended.

With -o json every event is one line, with its number, its type and its data as
they stand in the history.`,
		Example: `  refit watch
  refit watch wiki-prod-1 --all -o json`,
		Args:              atMost(0, 1, "one run"),
		ValidArgsFunction: c.runIDs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, id, _, err := c.theRun(cmd, args, 0, 0)
			if err != nil {
				return err
			}
			ctx, cancel := context.WithCancel(cmd.Context())
			defer cancel()
			out := &lines{c: c, gone: cancel}
			req.Run, req.On = id, out.event
			if all {
				req.Last = -1
			}
			v, err := s.Watch(ctx, req)
			if out.err != nil {
				return out.err
			}
			if err != nil && (v == nil || !errors.Is(err, context.Canceled)) {
				return err
			}
			line := outcomeLine{lineKind: lineKind{"outcome"}, Run: id, ExitCode: endingCode(v.Ending()), View: v}
			out.write(line, func(w io.Writer, opts report.TextOptions) error {
				return report.RunStandsText(w, *v, opts)
			})
			return out.err
		},
	}
	cmd.Flags().IntVar(&req.Last, "last", 10, "`NUMBER` of events to begin with")
	cmd.Flags().BoolVar(&all, "all", false, "begin with the first event")
	complete(cmd, "last", cobra.NoFileCompletions)
	return cmd
}
