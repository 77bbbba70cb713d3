package cli

import (
	"github.com/spf13/cobra"

	"github.com/refitproject/refit/internal/service"
)

// newRetry returns the command retry.
func newRetry(c *console) *cobra.Command {
	reason := ""
	cmd := &cobra.Command{
		Use:     "retry [RUN] [STAGE STEP]",
		GroupID: groupDecide,
		Short:   "Try what has failed again",
		Long: `Retry tries a failed step again, where it stands: it is observed first. Without a
step it is the only one that has failed, the check of a stage that does not start,
or the rollback that has stopped.`,
		Example: `  refit retry
  refit retry wiki-prod-1 to-2.0.0 install --reason "the disk has space again"`,
		Args:              atMost(0, 3, "a run, a stage and a step"),
		ValidArgsFunction: c.runs(service.WantFailed, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, id, rest, err := c.theRun(cmd, args, 0, 2)
			if err != nil {
				return err
			}
			stage, step, err := stageAndStep(rest)
			if err != nil {
				return err
			}
			return c.asked(s.Retry(cmd.Context(), id, stage, step, reason))
		},
	}
	reasonFlag(cmd, &reason)
	return cmd
}

// stageAndStep takes two names, or none.
func stageAndStep(rest []string) (stage, step string, err error) {
	switch len(rest) {
	case 0:
		return "", "", nil
	case 2:
		return rest[0], rest[1], nil
	default:
		return "", "", usagef("%q is a stage or a step: name both, or none", rest[0])
	}
}
