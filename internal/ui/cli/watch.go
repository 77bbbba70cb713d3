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
		Short:   "Follow a run that another process drives",
		Long: `Watch shows a run from any process, without disturbing the one that drives it, and
ends when the run has ended. On a terminal it shows the whole run: what goes on,
how far that has come, what it waits for; the keys at the bottom approve, pause and
show logs, and q leaves.

Elsewhere, or with --view lines or --all, it prints the events as they happen, one
line each, and begins with the last few. With -o json every event is one line, with
its number, its type and its data as they stand in the history.`,
		Example: `  refit watch
  refit watch wiki-prod-1 --all -o json`,
		Args:              atMost(0, 1, "one run"),
		ValidArgsFunction: c.runs(service.WantAny, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, id, _, err := c.theRun(cmd, args, 0, 0)
			if err != nil {
				return err
			}
			req.Run = id
			if live, err := c.lively(); err != nil || live && !all {
				if err != nil {
					return err
				}
				return c.watchLive(cmd.Context(), s, req)
			}
			ctx, cancel := context.WithCancel(cmd.Context())
			defer cancel()
			out := &lines{c: c, gone: cancel}
			req.On = out.event
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
	c.addView(cmd)
	complete(cmd, "last", nothing)
	return cmd
}
