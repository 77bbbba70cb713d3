package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/service"
)

// newLint returns the command lint.
func newLint(c *console) *cobra.Command {
	return &cobra.Command{
		Use:     "lint FILE...",
		GroupID: groupWrite,
		Short:   "Check procedures, version graphs, known issues and platform files",
		Long: `Lint checks everything that can be checked before anything is observed, and
reports all problems of all files at once, each with its place and what to do.

A procedure is checked with the files that it uses, a platform file together
with its procedure. Nothing is contacted. The exit code is 2 when there is an
error; warnings alone do not count.`,
		Example: `  refit lint procedure.yaml
  refit lint platform.yaml procedures/*.yaml -o json`,
		Args:              files(1, 0, "the files to check"),
		ValidArgsFunction: yamlFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := c.service()
			if err != nil {
				return err
			}
			result, err := s.Lint(cmd.Context(), args)
			if err != nil {
				return err
			}
			if err := c.show(result, lintText(result)); err != nil {
				return err
			}
			if result.Diagnostics.HasErrors() {
				return outcome{code: ExitUsage}
			}
			return nil
		},
	}
}

// lintText writes the problems, or that there are none. They are the
// result of this command, so they go to the standard output.
func lintText(result *service.LintResult) func(io.Writer, report.TextOptions) error {
	return func(w io.Writer, opts report.TextOptions) error {
		if len(result.Diagnostics) > 0 {
			return writeDiagnostics(w, opts.Style, result.Diagnostics)
		}
		good := opts.Style.Paint(report.Good, "no problems")
		_, err := fmt.Fprintf(w, "%s: %s\n", plural(len(result.Files), "file"), good)
		return err
	}
}
