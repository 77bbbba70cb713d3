package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/service"
)

// newDoctor returns the command doctor.
func newDoctor(c *console) *cobra.Command {
	return &cobra.Command{
		Use:     "doctor [PLATFORM.yaml]",
		GroupID: groupHelp,
		Short:   "Check that everything that Refit needs is there",
		Long: `Doctor checks Refit's own folder with its disk, its locks and its database, runs
that nobody looks after, the clock, time zones, the procedures that it ships and the
programs that actions start. With a platform file it also checks that file and
its procedure, identifies the targets, looks for the programs that the commands and
scripts of the procedure name, reads the secrets without showing them, and writes to
the backup store and removes it again, comparing the room there with the size of the
last backups.

What is no reason to act stands below as a note. The exit code is 3 when something
is missing.`,
		Example: `  refit doctor
  refit doctor platform.yaml`,
		Args:              files(0, 1, "one platform file"),
		ValidArgsFunction: first(yamlFiles),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := c.service()
			if err != nil {
				return err
			}
			req := service.DoctorRequest{Getenv: c.app.Getenv}
			if len(args) > 0 {
				req.Platform = args[0]
			}
			result, err := s.Doctor(cmd.Context(), req)
			if err != nil {
				return err
			}
			err = c.show(result, func(w io.Writer, opts report.TextOptions) error {
				return doctorText(w, result, opts)
			})
			if err == nil && !result.Healthy() {
				return outcome{code: ExitBlocked}
			}
			return err
		},
	}
}

// doctorText writes one line for each finding, and the remedy below those that
// did not pass.
func doctorText(w io.Writer, result *service.DoctorResult, opts report.TextOptions) error {
	column := 0
	for _, f := range result.Findings {
		column = max(column, len(f.Name))
	}
	for _, n := range result.Notes {
		column = max(column, len(n.Name))
	}
	var b strings.Builder
	line := func(role report.Role, mark, name, message, remedy string) {
		fmt.Fprintf(&b, "%s%s  %-*s  %s\n", opts.Style.Paint(role, mark), strings.Repeat(" ", max(0, 7-len(mark))),
			column, name, oneLine(message))
		if remedy != "" {
			fmt.Fprintf(&b, "%*s%s\n", column+11, "", opts.Style.Paint(report.Muted, "→ "+oneLine(remedy)))
		}
	}
	for _, f := range result.Findings {
		mark, role := "ok", report.Good
		switch f.Outcome {
		case plan.Pass:
		case plan.Warn:
			mark, role = "warn", report.Warn
		case plan.Fail, plan.UnknownOutcome:
			mark, role = string(f.Outcome), report.Danger
		}
		line(role, mark, f.Name, f.Message, f.Remedy)
	}
	for _, n := range result.Notes {
		line(report.Muted, "note", n.Name, n.Message, n.Remedy)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
