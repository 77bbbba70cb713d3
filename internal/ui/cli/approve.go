package cli

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/service"
)

// newApprove returns the command approve.
func newApprove(c *console) *cobra.Command {
	digest, reason, yes := "", "", false
	cmd := &cobra.Command{
		Use:     "approve [RUN] [STAGE [GATE]]",
		GroupID: groupDecide,
		Short:   "Approve what a run waits for",
		Long: `Approve shows what is approved: what the stage will do, which facts it starts
from, how long it takes, what is down meanwhile and from where on there is no way
back. Then it asks, and puts the approval down for exactly what was shown: for the
digest of the stage, for the facts, and for the list of members where there is
one. An approval for anything else does not count.

Without a terminal --digest is needed: that of the stage, or of the list of members
where one is approved, as refit status shows it, or its first 12 digits. The stage
"rollback" stands for a rollback that restores data. What can be left out is what
only one gate waits for.`,
		Example: `  refit approve
  refit approve wiki-prod-1 to-2.0.0
  refit approve wiki-prod-1 to-2.0.0 approval --digest sha256:a35572ec50d4
  refit approve wiki-prod-1 rollback --digest sha256:afcc994ab29e`,
		Args:              atMost(0, 3, "a run, a stage and a gate"),
		ValidArgsFunction: c.runs(service.WantApproval, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, a, err := c.gate(cmd, args, "approval")
			if err != nil {
				return err
			}
			if digest == "" {
				if !c.app.Interactive() {
					return usagef("without a terminal refit approve needs --digest: %s has %s",
						a.Subject(), a.Gate.Named())
				}
				if err := c.showApproval(cmd.Context(), a, yes); err != nil {
					return err
				}
			}
			return c.asked(s.Approve(cmd.Context(), a, digest, reason))
		},
	}
	cmd.Flags().StringVar(&digest, "digest", "", "`DIGEST` of what somebody has read, or its first 12 digits")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "show what is approved, and do not ask")
	reasonFlag(cmd, &reason)
	complete(cmd, "digest", nothing)
	return cmd
}

// gate finds the gate that arguments name.
func (c *console) gate(cmd *cobra.Command, args []string, kind string) (*service.Service, *report.ApprovalView, error) {
	s, id, rest, err := c.theRun(cmd, args, 0, 2)
	if err != nil {
		return nil, nil, err
	}
	q := service.GateQuery{Run: id}
	if len(rest) > 0 {
		q.Stage = rest[0]
	}
	if len(rest) > 1 {
		q.Name = rest[1]
	}
	a, err := s.Gate(cmd.Context(), q, kind)
	return s, a, err
}

// showApproval shows what is approved and asks for it, on the terminal.
func (c *console) showApproval(ctx context.Context, a *report.ApprovalView, yes bool) error {
	c.progress.clear()
	if err := report.ApprovalText(c.app.Stderr, *a, c.textOptions(c.app.Stderr)); err != nil {
		return err
	}
	if yes {
		return nil
	}
	return c.confirm(ctx, "Approve this?")
}

// newGate returns the command gate, which shows what would be approved.
func newGate(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "gate [RUN] [STAGE [GATE]]",
		GroupID: groupDecide,
		Short:   "Show what a gate asks for, and what approving it means",
		Long: `Gate shows what refit approve would ask about, and changes nothing: what the stage
will do, which facts it starts from, and from where on there is no way back.`,
		Example: `  refit gate
  refit gate wiki-prod-1 to-2.0.0 -o json`,
		Args:              atMost(0, 3, "a run, a stage and a gate"),
		ValidArgsFunction: c.runs(service.WantGate, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, a, err := c.gate(cmd, args, "")
			if err != nil {
				return err
			}
			return c.show(a, func(w io.Writer, opts report.TextOptions) error {
				return report.ApprovalText(w, *a, opts)
			})
		},
	}
	return cmd
}
