package cli

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/service"
)

// lingerFor is how long a run may wait for a timer before the command ends: for
// retries and looks, not for windows and soaks.
const lingerFor = time.Minute

// applyFlags are the flags of apply.
type applyFlags struct {
	planFlags
	req  service.ApplyRequest
	yes  bool
	wait bool
}

// newApply returns the command apply.
func newApply(c *console) *cobra.Command {
	f := &applyFlags{}
	cmd := &cobra.Command{
		Use:     "apply PLAN.json|PLATFORM.yaml",
		GroupID: groupRun,
		Short:   "Carry out a plan",
		Long: `Apply checks a plan as refit check does, asks for confirmation, and carries it
out. Every effect is observed before it is begun and after every unclear end, and
everything is written down before it counts: when the program, the machine or the
connection dies, refit drive goes on where it was.

On a terminal the plan is shown first, and a person confirms it; --digest names
the plan that somebody has read, and --yes goes without. Without a terminal
--digest is needed. With a platform file a plan is made for the occasion.

A terminal shows the whole run live: its steps, what goes on and how far that has
come, when it ends and how late it is, what it waits for, what is held, what is
down. The keys at the bottom approve, pause and show logs; ? explains all of them,
and q leaves. Elsewhere, or with --view lines, there is one line for each event.

While the run waits for a person, a window or a soak, the lines end with the exit
code 5 and say how to go on; with --wait they stay. The first interrupt lets what
is under way end, the second stops it in order, the third kills it. Whatever
happens, refit status says where the run stands.

A target that another run of this state folder is changing is refused. Runs that
are kept on other machines are not seen.`,
		Example: `  refit apply plan.json
  refit apply plan.json --digest sha256:02e1f89825e0
  refit apply plan.json --until to-2.4.1 --wait
  refit apply platform.yaml --to 4.2.0 --run hub-november`,
		Args:              files(1, 1, "a plan file or a platform file"),
		ValidArgsFunction: first(planOrPlatformFiles),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkRequest(&f.req.CheckRequest, &f.planFlags, args[0]); err != nil {
				return err
			}
			if f.req.Digest == "" && !c.app.Interactive() {
				return usagef("without a terminal refit apply needs --digest: " +
					"the digest of the plan that somebody has read")
			}
			return c.apply(cmd.Context(), f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.req.PlatformFile, "platform", "", "`FILE` that is the platform file of the plan now")
	flags.StringVar(&f.to, "to", "", "with a platform file: `VERSION` to upgrade to")
	flags.StringSliceVar(&f.via, "via", nil, "with a platform file: `VERSION` that the path must pass")
	f.addAccept(c, cmd)
	flags.StringVar(&f.req.Digest, "digest", "", "`DIGEST` of the plan that somebody has read, or its first 12 digits")
	flags.BoolVarP(&f.yes, "yes", "y", false, "do not ask for confirmation on a terminal")
	flags.StringVar(&f.req.Until, "until", "", "`STAGE` before which the run stops")
	flags.IntVar(&f.req.Parallel, "parallel", 4, "`NUMBER` of steps that may be under way at once")
	flags.StringVar(&f.req.Name, "run", "", "`NAME` of the run (default: one after the platform)")
	c.addView(cmd)
	flags.BoolVar(&f.wait, "wait", false, "stay while the run waits")
	complete(cmd, "platform", yamlFiles)
	complete(cmd, "to", c.platformVersions)
	complete(cmd, "via", c.platformVersions)
	complete(cmd, "until", c.planStages)
	for _, name := range []string{"digest", "parallel", "run"} {
		complete(cmd, name, nothing)
	}
	return cmd
}

// apply puts the run down and drives it.
func (c *console) apply(ctx context.Context, f *applyFlags) error {
	s, err := c.service()
	if err != nil {
		return err
	}
	if f.req.Parallel < 1 {
		return usagef("--parallel %d is out of range: give 1 or more", f.req.Parallel)
	}
	if f.req.Digest == "" && !f.yes {
		f.req.Confirm = func(p *plan.Plan) error { return c.confirmPlan(ctx, p) }
	}
	id, err := s.Apply(ctx, f.req)
	if checked, ok := errors.AsType[*service.CheckError](err); ok {
		shown := c.show(checked.Result, func(w io.Writer, opts report.TextOptions) error {
			return report.CheckText(w, *checked.Result, opts)
		})
		c.sayf("refit: %s", checked)
		return verdict(checked.Result, shown)
	}
	if err != nil {
		return err
	}
	c.sayf("run %s begins", id)
	linger := lingerFor
	if f.wait {
		linger = -1
	}
	return c.driven(ctx, s, service.DriveRequest{Runs: []string{id}, Linger: linger}, false)
}

// confirmPlan shows a plan on the terminal and asks.
func (c *console) confirmPlan(ctx context.Context, p *plan.Plan) error {
	c.progress.clear()
	opts := c.textOptions(c.app.Stderr)
	opts.Confirming = true
	if err := report.PlanText(c.app.Stderr, p, opts); err != nil {
		return err
	}
	return c.confirm(ctx, "Carry out this plan?")
}
