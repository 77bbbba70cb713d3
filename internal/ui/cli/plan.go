package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/service"
)

// planFlags are the flags of commands that make a plan.
type planFlags struct {
	to      string
	via     []string
	save    string
	replace bool
	full    bool

	accept              []string
	reason, by, expires string
}

// add declares the flags.
func (f *planFlags) add(c *console, cmd *cobra.Command, versions completer) {
	flags := cmd.Flags()
	flags.StringVar(&f.to, "to", "", "`VERSION` to upgrade to")
	flags.StringSliceVar(&f.via, "via", nil, "`VERSION` that the path must pass; may be repeated")
	flags.StringVar(&f.save, "save", "", "`FILE` to save the plan to")
	flags.BoolVar(&f.replace, "replace", false, "with --save: replace a file that holds another plan")
	flags.BoolVar(&f.full, "full", false, "show every step, however many there are")
	f.addAccept(c, cmd)
	complete(cmd, "to", versions)
	complete(cmd, "via", versions)
	complete(cmd, "save", planFiles)
}

// saving refuses what cannot be meant as the name of a file, before anything
// is done.
func (f *planFlags) saving(cmd *cobra.Command) error {
	switch {
	case cmd.Flags().Changed("save") && f.save == "":
		return usagef("--save needs a file name")
	case f.save == "-":
		return usagef("--save needs a file name: -o json writes the plan to the standard output")
	case f.replace && f.save == "":
		return usagef("--replace goes with --save FILE")
	default:
		return nil
	}
}

// showing refuses what cannot be shown, before anything is done.
func (f *planFlags) showing(cmd *cobra.Command, diff string, rbac bool, format string) error {
	switch {
	case cmd.Flags().Changed("diff") && diff == "":
		return usagef("--diff needs a file name")
	case rbac && (diff != "" || f.save != "" || format == formatMermaid):
		return usagef("--rbac shows roles instead of the plan: leave --diff, --save and -o mermaid out")
	default:
		return nil
	}
}

// planFormats are the formats that a plan can be shown in.
func planFormats() choice {
	return choice{
		value: formatText, allowed: []string{formatText, formatJSON, formatYAML, formatMermaid}, texts: formatTexts(),
	}
}

// maySave looks before anything is observed whether the plan can be saved.
func (f *planFlags) maySave(s *service.Service) error {
	if f.save == "" {
		return nil
	}
	return s.CheckSave(f.save, f.replace)
}

// addAccept declares the flags that accept findings.
func (f *planFlags) addAccept(c *console, cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&f.accept, "accept", nil, "`NAME` of a finding to let pass; may be repeated")
	flags.StringVar(&f.reason, "reason", "", "with --accept: why it may pass, as a `TEXT`")
	flags.StringVar(&f.by, "by", "", "with --accept: `WHO` accepts it")
	flags.StringVar(&f.expires, "expires", "", "with --accept: last `DAY` on which it counts, such as 2026-12-31")
	complete(cmd, "accept", c.planFindings)
	for _, name := range []string{"reason", "by", "expires"} {
		complete(cmd, name, nothing)
	}
}

// accepts returns what the flags accept.
func (f *planFlags) accepts() ([]plan.Accept, error) {
	if len(f.accept) == 0 {
		if f.reason != "" || f.by != "" || f.expires != "" {
			return nil, usagef("--reason, --by and --expires go with --accept NAME")
		}
		return nil, nil
	}
	var missing []string
	for _, flag := range []struct{ name, value string }{{"reason", f.reason}, {"by", f.by}, {"expires", f.expires}} {
		if strings.TrimSpace(flag.value) == "" {
			missing = append(missing, "--"+flag.name)
		}
	}
	if len(missing) > 0 {
		return nil, usagef("--accept needs %s too: who accepts what is written into the plan",
			strings.Join(missing, " and "))
	}
	if _, err := time.Parse(time.DateOnly, f.expires); err != nil {
		return nil, usagef("--expires %q is not a day: write it as 2026-12-31", f.expires)
	}
	out := make([]plan.Accept, 0, len(f.accept))
	for _, name := range f.accept {
		out = append(out, plan.Accept{Name: name, Reason: f.reason, By: f.by, Expires: f.expires})
	}
	return out, nil
}

const planHelp = `Plan reads a platform file and its procedure, identifies the targets, observes
the facts, finds the version path, and shows everything that would be done: in
which order, how long it takes, what is down meanwhile, what can be taken back
and from where on nothing can. Nothing is changed.

A saved plan is frozen: it carries digests, and every stage starts only when the
facts are what it expects. When a finding blocks, the plan is shown and saved all
the same, and the exit code is 3; see what to accept with --accept, or mend it.

With -o json the result is the plan file itself.

With --rbac the roles are shown instead that the account of Refit needs in the
clusters of the plan, and nothing beyond: manifests for kubectl. What cannot be
known before the run stands above them.`

// newPlan returns the command plan with its subcommand.
func newPlan(c *console) *cobra.Command {
	f := &planFlags{}
	diff, rbac := "", false
	output := planFormats()
	cmd := &cobra.Command{
		Use:     "plan PLATFORM.yaml",
		GroupID: groupPlan,
		Short:   "Make a plan from a platform file and what is true now",
		Long:    planHelp,
		Example: `  refit plan platform.yaml --to 4.2.0
  refit plan platform.yaml --to 4.2.0 --save plan.json
  refit plan platform.yaml --to 4.2.0 --diff plan.json
  refit plan platform.yaml --to 4.2.0 --accept risk/token-loss \
      --reason "no user has tokens" --by ana --expires 2026-12-31
  refit plan platform.yaml --to 4.2.0 -o mermaid > plan.mmd
  refit plan platform.yaml --to 4.2.0 --rbac | kubectl apply -f -
  refit plan show plan.json`,
		Args:              misspelt(files(1, 1, "one platform file")),
		ValidArgsFunction: first(yamlFiles),
		RunE: func(cmd *cobra.Command, args []string) error {
			accept, err := f.accepts()
			if err != nil {
				return err
			}
			if err := f.saving(cmd); err != nil {
				return err
			}
			if err := f.showing(cmd, diff, rbac, output.value); err != nil {
				return err
			}
			s, err := c.service()
			if err != nil {
				return err
			}
			if err := f.maySave(s); err != nil {
				return err
			}
			var old *plan.Plan
			if diff != "" {
				// Before anything is observed: a misspelt name should not cost time.
				if old, err = s.ReadPlan(diff); err != nil {
					return err
				}
			}
			req := service.PlanRequest{Platform: args[0], To: f.to, Via: f.via, Accept: accept}
			result, err := s.Plan(cmd.Context(), req)
			if err != nil {
				return err
			}
			if rbac {
				return c.showRBAC(cmd.Context(), s, result)
			}
			return c.finishPlan(s, f, result, old)
		},
	}
	f.add(c, cmd, c.platformVersions)
	cmd.Flags().StringVar(&diff, "diff", "", "show what differs from the saved plan `FILE` instead of the plan")
	cmd.Flags().BoolVar(&rbac, "rbac", false, "show the Kubernetes roles that the plan needs instead of the plan")
	cmd.Flags().VarP(&output, "output", "o", "`FORMAT` of the result: text, json, yaml or mermaid")
	complete(cmd, "diff", planFiles)
	complete(cmd, "output", output.complete)
	c.shareOutput(cmd, &output)
	cmd.AddCommand(newPlanShow(c))
	return cmd
}

// newPlanShow returns the command plan show.
func newPlanShow(c *console) *cobra.Command {
	full := false
	output := planFormats()
	cmd := &cobra.Command{
		Use:   "show PLAN.json",
		Short: "Show a saved plan",
		Long: `Show reads a saved plan, verifies its digests and shows it. A plan that was
changed by hand is refused. Nothing is observed; see refit check for that.`,
		Example: `  refit plan show plan.json
  refit plan show plan.json --full -o yaml`,
		Args:              files(1, 1, "one plan file"),
		ValidArgsFunction: first(planFiles),
		RunE: func(_ *cobra.Command, args []string) error {
			s, err := c.service()
			if err != nil {
				return err
			}
			p, err := s.ReadPlan(args[0])
			if err != nil {
				return err
			}
			return c.showPlan(p, full, args[0])
		},
	}
	cmd.Flags().BoolVar(&full, "full", false, "show every step, however many there are")
	cmd.Flags().VarP(&output, "output", "o", "`FORMAT` of the result: text, json, yaml or mermaid")
	complete(cmd, "output", output.complete)
	c.shareOutput(cmd, &output)
	return cmd
}

// finishPlan saves and shows a plan, or what differs from an old one.
func (c *console) finishPlan(s *service.Service, f *planFlags, result *service.PlanResult, old *plan.Plan) error {
	c.diagnostics(result.Warnings)
	if f.save != "" {
		if err := s.SavePlan(f.save, result.Plan, f.replace); err != nil {
			return err
		}
	}
	var err error
	if old != nil {
		err = c.showDiff(s.Diff(old, result.Plan))
	} else {
		err = c.showPlan(result.Plan, f.full, f.save)
	}
	if err != nil {
		return err
	}
	if f.save != "" {
		c.sayf("saved to %s", diag.Position{File: f.save})
	}
	return c.blocked(result.Plan)
}

// showPlan shows a plan in the chosen format. file is where it is saved.
func (c *console) showPlan(p *plan.Plan, full bool, file string) error {
	switch c.output.value {
	case formatMermaid:
		return c.written(report.PlanMermaid(c.app.Stdout, p))
	case formatJSON:
		// The plan file itself, so that the output can be used as one.
		out := bufio.NewWriterSize(c.app.Stdout, 1<<16)
		return c.written(errors.Join(plan.Write(out, p), out.Flush()))
	default:
		return c.show(p, func(w io.Writer, opts report.TextOptions) error {
			opts.Full, opts.PlanFile = full, file
			return report.PlanText(w, p, opts)
		})
	}
}

// showRBAC shows the roles that a plan needs.
func (c *console) showRBAC(ctx context.Context, s *service.Service, result *service.PlanResult) error {
	c.diagnostics(result.Warnings)
	roles, err := s.RBAC(ctx, result.Plan, result.Dir)
	if err != nil {
		return err
	}
	return c.show(roles, func(w io.Writer, _ report.TextOptions) error { return report.RBACYAML(w, roles) })
}

// showDiff shows what differs between two plans.
func (c *console) showDiff(d report.Diff) error {
	if c.output.value == formatMermaid {
		return usagef("-o mermaid draws plans, not what differs between them: give -o text, json or yaml")
	}
	return c.show(d, func(w io.Writer, opts report.TextOptions) error { return report.DiffText(w, d, opts) })
}

// blocked ends a command with ExitBlocked when findings stop the plan.
func (c *console) blocked(p *plan.Plan) error {
	findings := p.Blocked()
	if len(findings) == 0 {
		return nil
	}
	c.sayf("refit: the plan is blocked by %s: %s", plural(len(findings), "finding"), findingNames(findings))
	return outcome{code: ExitBlocked}
}

// findingNames lists the names of findings, the first few of them.
func findingNames(findings []plan.Finding) string {
	const most = 5
	names := make([]string, 0, most+1)
	for i, f := range findings {
		if i == most {
			names = append(names, fmt.Sprintf("and %d more", len(findings)-most))
			break
		}
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}
