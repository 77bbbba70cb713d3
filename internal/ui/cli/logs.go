package cli

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/service"
)

// newLogs returns the command logs.
func newLogs(c *console) *cobra.Command {
	artefact := ""
	cmd := &cobra.Command{
		Use:     "logs [RUN] STAGE STEP",
		GroupID: groupRun,
		Short:   "Show the attempts of a step with their evidence",
		Long: `Logs shows what is kept of one step: every look and every attempt, what it gave
back, why it failed, and what the action wrote meanwhile. Secrets are not among
it. Failed attempts keep their evidence.

Outputs that are too large for the history are kept as artefacts;
--artefact DIGEST writes one to the standard output as it is.`,
		Example: `  refit logs wiki-prod-1 to-2.0.0 install
  refit logs to-2.0.0 install -o json
  refit logs --artefact DIGEST > output.json`,
		Args:              atMost(0, 3, "a stage and a step"),
		ValidArgsFunction: c.runs(service.WantStep, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if artefact != "" {
				s, err := c.service()
				if err != nil {
					return err
				}
				return s.Artefact(cmd.Context(), artefact, c.app.Stdout)
			}
			if len(args) < 2 {
				return usagef("%s needs a stage and a step: %s", cmd.CommandPath(), cmd.UseLine())
			}
			s, id, rest, err := c.theRun(cmd, args, 2, 2)
			if err != nil {
				return err
			}
			log, err := s.Logs(cmd.Context(), id, rest[0], rest[1])
			if err != nil {
				return err
			}
			return c.show(log, func(w io.Writer, opts report.TextOptions) error {
				return report.StepLogText(w, *log, opts)
			})
		},
	}
	cmd.Flags().StringVar(&artefact, "artefact", "", "`DIGEST` of evidence to write as it is")
	complete(cmd, "artefact", c.artefacts)
	return cmd
}
