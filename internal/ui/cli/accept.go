package cli

import (
	"github.com/spf13/cobra"

	"github.com/refitproject/refit/internal/service"
)

// newAccept returns the command accept.
func newAccept(c *console) *cobra.Command {
	reason, expires := "", ""
	cmd := &cobra.Command{
		Use:     "accept [RUN] FINDING",
		GroupID: groupDecide,
		Short:   "Let a finding that blocks a run pass, by its name",
		Long: `Accept lets a check that failed, or that could not be decided, pass by its name.
Who accepts it, why, and until which day is kept in the history and shown in every
report. After that day the finding blocks again.`,
		Example: `  refit accept wiki-prod-1 risk/drafts-lost \
      --reason "no author is at work" --expires 2026-12-31`,
		Args:              atMost(1, 2, "the name of a finding"),
		ValidArgsFunction: c.runs(service.WantBlocked, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needReason(cmd, reason); err != nil {
				return err
			}
			if expires == "" {
				return usagef("%s needs --expires DAY: the last day on which it counts", cmd.CommandPath())
			}
			if err := day("expires", expires); err != nil {
				return err
			}
			s, id, rest, err := c.theRun(cmd, args, 1, 1)
			if err != nil {
				return err
			}
			return c.asked(s.Accept(cmd.Context(), id, rest[0], expires, reason))
		},
	}
	reasonFlag(cmd, &reason)
	cmd.Flags().StringVar(&expires, "expires", "", "last `DAY` on which it counts, such as 2026-12-31")
	complete(cmd, "expires", nothing)
	return cmd
}
