package cli

import (
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/service"
)

// newProcedures returns the command procedures with its subcommands.
func newProcedures(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "procedures",
		GroupID: groupWrite,
		Short:   "List procedures, show one, draw its versions and paths",
		Long:    `Procedures lists the procedures that Refit ships.`,
		Example: `  refit procedures
  refit procedures show jupyterhub
  refit procedures paths ./procedure.yaml --from 1.2.0 --to 4.2.0`,
		Args: noSubcommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := c.service()
			if err != nil {
				return err
			}
			list, err := s.Procedures(cmd.Context())
			if err != nil {
				return err
			}
			return c.show(list, func(w io.Writer, opts report.TextOptions) error {
				return report.ProceduresText(w, list, opts)
			})
		},
	}
	cmd.AddCommand(newProceduresShow(c), newProceduresPaths(c))
	return cmd
}

// newProceduresShow returns the command procedures show.
func newProceduresShow(c *console) *cobra.Command {
	var full bool
	cmd := &cobra.Command{
		Use:   "show NAME|FILE",
		Short: "Show what a procedure needs and does, and its version graph",
		Long: `Show describes one procedure: its targets, components, inputs, facts and stages,
and draws its version graph. A name is that of a procedure that Refit ships; a
file has a slash in its name or ends in .yaml.`,
		Example: `  refit procedures show jupyterhub
  refit procedures show ./procedure.yaml --full`,
		Args:              files(1, 1, "one procedure"),
		ValidArgsFunction: first(c.procedureNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := c.service()
			if err != nil {
				return err
			}
			summary, warnings, err := s.Procedure(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			c.diagnostics(warnings)
			return c.show(summary, func(w io.Writer, opts report.TextOptions) error {
				opts.Full = full
				if err := report.ProcedureText(w, summary, opts); err != nil || summary.Graph == nil {
					return err
				}
				_, err := io.WriteString(w, "\n")
				return errors.Join(err, report.GraphText(w, *summary.Graph, opts))
			})
		},
	}
	cmd.Flags().BoolVar(&full, "full", false, "show everything, however long it is")
	return cmd
}

// newProceduresPaths returns the command procedures paths.
func newProceduresPaths(c *console) *cobra.Command {
	req := service.PathsRequest{}
	cmd := &cobra.Command{
		Use:   "paths NAME|FILE --from VERSION --to VERSION",
		Short: "Draw the ways from one version to another",
		Long: `Paths finds the ways from one version to another in the version graph of a
procedure, the safest first, with what each hop risks and requires. Waypoints are
not skipped, and migrations are never taken as upgrades. When there is no path
it says how far one can get and what stops it; the exit code is then 2.`,
		Example: `  refit procedures paths jupyterhub --from 1.2.0 --to 4.2.0
  refit procedures paths ./procedure.yaml --from 1.2.0 --to 4.2.0 --limit 5 -o json`,
		Args:              files(1, 1, "one procedure"),
		ValidArgsFunction: first(c.procedureNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			if req.From == "" || req.To == "" {
				return usagef("%s needs --from VERSION and --to VERSION", cmd.CommandPath())
			}
			if req.Limit < 1 {
				return usagef("--limit %d is out of range: give 1 or more", req.Limit)
			}
			s, err := c.service()
			if err != nil {
				return err
			}
			req.Procedure = args[0]
			paths, err := s.Paths(cmd.Context(), req)
			if err != nil {
				return err
			}
			err = c.show(paths, func(w io.Writer, opts report.TextOptions) error {
				return report.PathsText(w, paths, opts)
			})
			if err == nil && paths.NoPath != "" {
				return outcome{code: ExitUsage}
			}
			return err
		},
	}
	cmd.Flags().StringVar(&req.From, "from", "", "`VERSION` to start from")
	cmd.Flags().StringVar(&req.To, "to", "", "`VERSION` to get to")
	cmd.Flags().IntVar(&req.Limit, "limit", 3, "how many paths to show at most, a `NUMBER`")
	complete(cmd, "from", c.procedureVersions(new(string)))
	complete(cmd, "to", c.procedureVersions(&req.From))
	complete(cmd, "limit", nothing)
	return cmd
}
