package cli

import (
	"context"
	"io"
	"path/filepath"
	"strings"

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
	digest := ""
	cmd := &cobra.Command{
		Use:     "replan PLAN.json|RUN",
		GroupID: groupPlan,
		Short:   "Plan the stages that are left anew, from what is true now",
		Long: `Replan reads the procedure and the platform file of a plan again, observes again,
and plans the stages behind the one that was done last. It shows for each stage
whether its digest is the same, so that approvals survive, or what changed.
Nothing is changed but the file that --save names.

That a stage is done is not believed: when the facts are not what it leaves, the
exit code is 4. What was accepted in the plan for the stages that are left stays
accepted until its last day.

With the name of a run its stages are planned anew of which nothing was started,
and the run goes on with them: after a question on the terminal, or when --digest
names the new plan. Otherwise they are only shown. A stage under way has to end
first.`,
		Example: `  refit replan plan.json --after to-3.3.8
  refit replan plan.json --after to-3.3.8 --save rest.json
  refit replan wiki-prod-1
  refit replan wiki-prod-1 --digest sha256:02e1f89825e0`,
		Args:              files(1, 1, "a plan file or a run"),
		ValidArgsFunction: c.runsOrFiles(service.WantOpen),
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
			req.To, req.Via, req.Accept = f.to, f.via, accept
			if isRun(args[0]) {
				if req.After != "" {
					return usagef("--after goes with a plan file: a run knows which stages are done")
				}
				return c.replanRun(cmd.Context(), s, f, args[0], digest, req)
			}
			if digest != "" {
				return usagef("--digest goes with a run")
			}
			req.PlanFile = args[0]
			result, err := s.Replan(cmd.Context(), req)
			if err != nil {
				return err
			}
			return c.finishReplan(s, f, result)
		},
	}
	cmd.Flags().StringVar(&req.After, "after", "", "last `STAGE` that is done (default: none is)")
	cmd.Flags().StringVar(&digest, "digest", "", "with a run: `DIGEST` of the new plan, to go on with it")
	complete(cmd, "digest", nothing)
	cmd.Flags().StringVar(&req.PlatformFile, "platform", "", "`FILE` that is the platform file of the plan now")
	f.add(c, cmd, c.replanVersions)
	complete(cmd, "after", c.planStages)
	complete(cmd, "platform", yamlFiles)
	return cmd
}

// isRun tells the name of a run from that of a plan file.
func isRun(name string) bool {
	return filepath.Ext(name) != ".json" && !strings.ContainsRune(name, filepath.Separator)
}

// replanRun plans the stages of a run anew, shows what differs, and lets the run
// go on with them when a person wants it.
func (c *console) replanRun(
	ctx context.Context, s *service.Service, f *planFlags, name, digest string, req service.ReplanRequest,
) error {
	id, err := s.RunNamed(ctx, name)
	if err != nil {
		return err
	}
	result, err := s.PlansOfRun(ctx, id, req)
	if err != nil {
		return err
	}
	if digest == "" && !c.app.Interactive() {
		if err := c.finishReplan(s, f, result); err != nil {
			return err
		}
		c.sayf("nothing was changed: refit replan %s --digest %s goes on with this plan", id, result.Plan.Digest)
		return nil
	}
	if digest == "" {
		c.progress.clear()
		if err := report.DiffText(c.app.Stderr, result.Diff, c.textOptions(c.app.Stderr)); err != nil {
			return err
		}
		if err := c.confirm(ctx, "Go on with this plan?"); err != nil {
			return err
		}
	}
	return c.asked(s.ReplaceStages(ctx, id, result.Plan, digest, ""))
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
