package cli

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/service"
)

// replanned is the result of replan for programs.
type replanned struct {
	Diff report.Diff `json:"diff"`
	Plan *plan.Plan  `json:"plan"`
}

// newReplan returns the command replan.
func newReplan(c *console) *cobra.Command {
	f := &planFlags{}
	req := service.ReplanRequest{}
	cmd := &cobra.Command{
		Use:     "replan PLAN.json",
		GroupID: groupPlan,
		Short:   "Plan the stages that are left anew, from what is true now",
		Long: `Replan reads the procedure and the platform file of a plan again, observes again,
and plans the stages behind the one that was done last. It shows for each stage
whether its digest is the same, so that approvals survive, or what changed.
Nothing is changed but the file that --save names.

That a stage is done is not believed: when the facts are not what it leaves, the
exit code is 4. What was accepted in the plan for the stages that are left stays
accepted until its last day.`,
		Example: `  refit replan plan.json --after to-3.3.8
  refit replan plan.json --after to-3.3.8 --save rest.json`,
		Args:              files(1, 1, "one plan file"),
		ValidArgsFunction: first(planFiles),
		RunE: func(cmd *cobra.Command, args []string) error {
			accept, err := f.accepts()
			if err != nil {
				return err
			}
			if err := f.saving(cmd); err != nil {
				return err
			}
			s, err := c.service()
			if err != nil {
				return err
			}
			if err := f.maySave(s); err != nil {
				return err
			}
			req.PlanFile, req.To, req.Via, req.Accept = args[0], f.to, f.via, accept
			result, err := s.Replan(cmd.Context(), req)
			if err != nil {
				return err
			}
			return c.finishReplan(s, f, result)
		},
	}
	cmd.Flags().StringVar(&req.After, "after", "", "last `STAGE` that is done (default: none is)")
	cmd.Flags().StringVar(&req.PlatformFile, "platform", "", "`FILE` that is the platform file of the plan now")
	f.add(cmd, cobra.NoFileCompletions)
	complete(cmd, "after", c.planStages)
	complete(cmd, "platform", yamlFiles)
	return cmd
}

// finishReplan saves the new plan and shows what differs from the old one.
func (c *console) finishReplan(s *service.Service, f *planFlags, result *service.ReplanResult) error {
	c.diagnostics(result.Warnings)
	if f.save != "" {
		if err := s.SavePlan(f.save, result.Plan, f.replace); err != nil {
			return err
		}
	}
	value := replanned{Diff: result.Diff, Plan: result.Plan}
	err := c.show(value, func(w io.Writer, opts report.TextOptions) error {
		if err := report.DiffText(w, result.Diff, opts); err != nil || !f.full {
			return err
		}
		opts.Full, opts.PlanFile = true, f.save
		return report.PlanText(w, result.Plan, opts)
	})
	if err != nil {
		return err
	}
	if f.save != "" {
		c.sayf("saved to %s", diag.Position{File: f.save})
	}
	return c.blocked(result.Plan)
}
