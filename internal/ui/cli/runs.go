package cli

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/service"
)

// newRuns returns the command runs with its subcommands.
func newRuns(c *console) *cobra.Command {
	list := func(cmd *cobra.Command, _ []string) error {
		s, err := c.service()
		if err != nil {
			return err
		}
		all, err := s.Runs(cmd.Context())
		if err != nil {
			return err
		}
		return c.runList(all)
	}
	cmd := &cobra.Command{
		Use:     "runs",
		GroupID: groupRun,
		Short:   "List, show and move runs",
		Long: `Runs lists all runs that are kept in the state folder of this machine, the newest
first, with their states and the processes that drive them.`,
		Example: `  refit runs
  refit runs show wiki-prod-1
  refit runs export wiki-prod-1 wiki.run`,
		Args:              noSubcommand,
		ValidArgsFunction: nothing,
		RunE:              list,
	}
	cmd.AddCommand(&cobra.Command{
		Use: "list", Short: "List all runs", Long: `List does what refit runs does.`,
		Example: `  refit runs list -o json`,
		Args:    none, ValidArgsFunction: nothing, RunE: list,
	}, newRunsShow(c), newRunsExport(c), newRunsImport(c), newRunsSetAside(c))
	return cmd
}

// history is a run with all that has happened, for programs.
type history struct {
	Run    *report.RunView    `json:"run"`
	Events []report.EventLine `json:"events"`
}

func newRunsShow(c *console) *cobra.Command {
	return &cobra.Command{
		Use:   "show [RUN]",
		Short: "Show a run with all that has happened",
		Long: `Show prints where a run stands, as refit status --full does, and every event of its
history in plain words.`,
		Example:           `  refit runs show wiki-prod-1`,
		Args:              atMost(0, 1, "one run"),
		ValidArgsFunction: c.runs(service.WantAny, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, id, _, err := c.theRun(cmd, args, 0, 0)
			if err != nil {
				return err
			}
			h := history{Events: []report.EventLine{}}
			if h.Run, h.Events, err = s.History(cmd.Context(), id); err != nil {
				return err
			}
			return c.show(h, func(w io.Writer, opts report.TextOptions) error {
				opts.Full = true
				if err := report.RunText(w, *h.Run, opts); err != nil {
					return err
				}
				if _, err := io.WriteString(w, "\n"); err != nil {
					return err
				}
				for _, e := range h.Events {
					if err := report.EventText(w, e, false, opts); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
}

func newRunsExport(c *console) *cobra.Command {
	keep := false
	cmd := &cobra.Command{
		Use:   "export RUN FILE",
		Short: "Write a run to a file, to go on with it on another machine",
		Long: `Export writes a run to a new file: its plans, its history and the head of its
chain. The run is not driven here any more: refit runs import takes it over on
another machine. With --keep it goes on here, and the file is a copy that can be
looked at and not be driven.`,
		Example: `  refit runs export wiki-prod-1 wiki.run
  refit runs export wiki-prod-1 copy.run --keep`,
		Args:              atMost(2, 2, "a run and a file"),
		ValidArgsFunction: c.runThenFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := c.service()
			if err != nil {
				return err
			}
			id, err := s.RunNamed(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if err := s.ExportRun(cmd.Context(), id, args[1], keep); err != nil {
				return err
			}
			if keep {
				c.sayf("copied to %s: to look at it elsewhere, type refit runs import %s there", args[1], args[1])
			} else {
				c.sayf("moved to %s: to go on elsewhere, type refit runs import %s there, then refit drive %s",
					args[1], args[1], id)
			}
			v, err := s.Status(cmd.Context(), id)
			return c.asked(v, err)
		},
	}
	cmd.Flags().BoolVar(&keep, "keep", false, "write a copy, and go on with the run here")
	return cmd
}

func newRunsSetAside(c *console) *cobra.Command {
	reason := ""
	cmd := &cobra.Command{
		Use:   "set-aside RUN",
		Short: "Give up a run whose history is damaged",
		Long: `Set-aside gives up a run whose history is damaged, so that nobody can go on with
it: another run may then change its targets. What the run has changed stays as it
is, with its leases: look at the targets first. A run that can be read is ended
with refit cancel instead.`,
		Example:           `  refit runs set-aside wiki-prod-1 --reason "the disk broke; the wiki is at 1.2.0"`,
		Args:              atMost(1, 1, "a run"),
		ValidArgsFunction: c.runs(service.WantHere, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needReason(cmd, reason); err != nil {
				return err
			}
			s, err := c.service()
			if err != nil {
				return err
			}
			id, err := s.RunNamed(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return s.SetRunAside(cmd.Context(), id, reason)
		},
	}
	reasonFlag(cmd, &reason)
	return cmd
}

func newRunsImport(c *console) *cobra.Command {
	return &cobra.Command{
		Use:   "import FILE",
		Short: "Take over a run that was exported on another machine",
		Long: `Import reads a run that refit runs export wrote, checks the chain of its history,
and takes it over: refit drive goes on with it here.`,
		Example: `  refit runs import wiki.run`,
		Args:    files(1, 1, "one file"),
		ValidArgsFunction: first(func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveDefault
		}),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := c.service()
			if err != nil {
				return err
			}
			return c.asked(s.ImportRun(cmd.Context(), args[0]))
		},
	}
}
