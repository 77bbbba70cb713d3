package cli

import (
	"io"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/service"
)

// newCheck returns the command check.
func newCheck(c *console) *cobra.Command {
	f := &planFlags{}
	req := service.CheckRequest{}
	cmd := &cobra.Command{
		Use:     "check PLAN.json|PLATFORM.yaml",
		GroupID: groupPlan,
		Short:   "Observe again, compare with a plan, and run its preflight checks",
		Long: `Check identifies the targets again, observes the facts again, and compares both
with what the next stage of a plan expects. Then it runs the preflight checks of
that stage whose inputs are known; all of them, even when one fails. Nothing is
changed.

The platform file and the procedure are read again too: the exit code is 4 when
one of them, a target or a fact is not what the plan was made for: plan again. It
is 1 when a target or a fact cannot be asked, and 3 when a check, a requirement or
a risk blocks. With a platform file a plan is made for the occasion and checked.`,
		Example: `  refit check plan.json
  refit check plan.json --stage to-4.2.0
  refit check platform.yaml --to 4.2.0 -o json`,
		Args:              files(1, 1, "a plan file or a platform file"),
		ValidArgsFunction: first(planOrPlatformFiles),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkRequest(&req, f, args[0]); err != nil {
				return err
			}
			s, err := c.service()
			if err != nil {
				return err
			}
			result, err := s.Check(cmd.Context(), req)
			if err != nil {
				return err
			}
			err = c.show(result, func(w io.Writer, opts report.TextOptions) error {
				return report.CheckText(w, *result, opts)
			})
			return verdict(result, err)
		},
	}
	cmd.Flags().StringVar(&req.Stage, "stage", "", "`STAGE` that comes next (default: the first)")
	cmd.Flags().StringVar(&req.PlatformFile, "platform", "", "`FILE` that is the platform file of the plan now")
	cmd.Flags().StringVar(&f.to, "to", "", "with a platform file: `VERSION` to upgrade to")
	cmd.Flags().StringSliceVar(&f.via, "via", nil, "with a platform file: `VERSION` that the path must pass")
	f.addAccept(c, cmd)
	complete(cmd, "stage", c.planStages)
	complete(cmd, "platform", yamlFiles)
	complete(cmd, "to", c.platformVersions)
	complete(cmd, "via", c.platformVersions)
	return cmd
}

// checkRequest fills in the request for a file. Its ending tells plans from
// platform files.
func checkRequest(req *service.CheckRequest, f *planFlags, file string) error {
	accept, err := f.accepts()
	if err != nil {
		return err
	}
	if slices.Contains([]string{".yaml", ".yml"}, filepath.Ext(file)) {
		if req.PlatformFile != "" {
			return usagef("--platform goes with a plan file, and %q is a platform file", file)
		}
		req.Plan = service.PlanRequest{Platform: file, To: f.to, Via: f.via, Accept: accept}
		return nil
	}
	if f.to != "" || len(f.via) > 0 || len(accept) > 0 {
		return usagef("--to, --via and --accept go with a platform file; a plan has its path and acceptances already")
	}
	req.PlanFile = file
	return nil
}

// verdict ends the command with the code for what was found.
func verdict(result *report.CheckResult, err error) error {
	switch {
	case err != nil:
		return err
	case result.Verdict.Stale:
		return outcome{code: ExitStale}
	case result.Verdict.Unknown:
		return outcome{code: ExitError}
	case result.Verdict.Blocked:
		return outcome{code: ExitBlocked}
	default:
		return nil
	}
}
