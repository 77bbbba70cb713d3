package helm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	helmaction "helm.sh/helm/v4/pkg/action"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	helmkube "helm.sh/helm/v4/pkg/kube"
	"helm.sh/helm/v4/pkg/release/common"
	release "helm.sh/helm/v4/pkg/release/v1"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
)

// defaultHistory is how many revisions are kept, as by the program helm.
const defaultHistory = 10

// UpgradeInput is the input of helm.upgrade.
type UpgradeInput struct {
	Release       string                      `json:"release" doc:"Name of the release; it must be there."`
	Namespace     string                      `json:"namespace" doc:"Namespace of the release."`
	Chart         ChartSource                 `json:"chart" doc:"Where the chart comes from: path, or repo and name, or oci."`
	Version       string                      `json:"version,omitempty" doc:"Version of the chart; needed for repo and oci."`
	ChartUser     string                      `json:"chartUser,omitempty" doc:"User name at the server of the chart."`
	ChartPassword action.SecretRef            `json:"chartPassword,omitempty" refit:"secret" doc:"Password at the server of the chart."`
	ValuesFile    string                      `json:"valuesFile,omitempty" doc:"File with values, relative to the platform file; the same as one entry of valuesFiles."`
	ValuesFiles   []string                    `json:"valuesFiles,omitempty" doc:"Files with values, the later ones over the earlier ones and over valuesFile."`
	Values        map[string]any              `json:"values,omitempty" doc:"Values over those of the files, without secrets."`
	SecretValues  map[string]action.SecretRef `json:"secretValues,omitempty" refit:"secret" doc:"Values from secrets over all others, by paths such as hub.db.password."`
	ReuseValues   bool                        `json:"reuseValues,omitempty" doc:"Lays what is given over the values that the release has; default what is given takes their place, and they stay when nothing is given."`
	WaitForJobs   bool                        `json:"waitForJobs,omitempty" doc:"Waits for the end of the jobs of the chart too, not only of its hooks."`
	HistoryMax    int                         `json:"historyMax,omitempty" doc:"How many revisions are kept on record; default 10."`
	Patience      time.Duration               `json:"patience,omitempty" doc:"How old an operation of somebody else may be before a person is asked what has become of it; default 30m."`
	Storage       string                      `json:"storage,omitempty" enum:"secrets,configmaps" doc:"Where Helm keeps its records; default secrets."`
}

// ReleaseOutput is the output of helm.upgrade and helm.rollback.
type ReleaseOutput struct {
	Release   string      `json:"release" doc:"Name of the release."`
	Namespace string      `json:"namespace" doc:"Namespace of the release."`
	Revision  int         `json:"revision" doc:"Number of the revision that is deployed."`
	Chart     ChartOutput `json:"chart" doc:"Chart of this revision."`
}

// ChartOutput tells which chart a release has.
type ChartOutput struct {
	Name       string `json:"name" doc:"Name of the chart."`
	Version    string `json:"version" doc:"Version of the chart."`
	AppVersion string `json:"appVersion" doc:"Version of what the chart installs, as the chart says it."`
}

func (s *session) output(r *release.Release) ReleaseOutput {
	return ReleaseOutput{Release: s.release, Namespace: s.namespace, Revision: r.Version, Chart: chartOutput(r)}
}

func chartOutput(r *release.Release) ChartOutput {
	m := r.Chart.Metadata
	return ChartOutput{Name: m.Name, Version: m.Version, AppVersion: m.AppVersion}
}

// Upgrade returns the action helm.upgrade.
func Upgrade(w World) action.Action {
	return action.Define(action.Definition[UpgradeInput, ReleaseOutput]{
		Name:      "helm.upgrade",
		Version:   1,
		Summary:   "Upgrade a Helm release to a chart and values, and wait until it is ready.",
		Effect:    action.Mutating,
		Resumable: true,
		Targets:   kinds(),
		Typical:   2 * time.Minute,
		Worst:     time.Hour,
		Check:     checkUpgrade,
		Preview:   w.previewUpgrade,
		Observe:   w.observeUpgrade,
		Run:       w.runUpgrade,
		Access:    w.accessUpgrade,
		Undo: func(ctx context.Context, env action.Env, in UpgradeInput, before map[string]any) error {
			return w.takeBack(ctx, env, in.place(), before, in.HistoryMax)
		},
	})
}

func (in UpgradeInput) place() place { return place{in.Release, in.Namespace, in.Storage} }

func (in UpgradeInput) wanted() wanted {
	return wanted{source: in.Chart, version: in.Version, user: in.ChartUser, password: in.ChartPassword}
}

func (in UpgradeInput) sources() valueSources {
	files := in.ValuesFiles
	if in.ValuesFile != "" {
		files = slices.Concat([]string{in.ValuesFile}, files)
	}
	return valueSources{reuse: in.ReuseValues, files: files, inline: in.Values, secrets: in.SecretValues}
}

func checkUpgrade(in UpgradeInput) error {
	if in.HistoryMax < 0 || in.HistoryMax == 1 {
		return fmt.Errorf("field \"historyMax\" is %d, needs at least 2: the revision before is the way back",
			in.HistoryMax)
	}
	if in.Patience < 0 {
		return errors.New("field \"patience\" must not be negative")
	}
	for _, err := range []error{in.place().check(), in.wanted().check(), in.sources().check()} {
		if err != nil {
			return err
		}
	}
	return nil
}

func (w World) previewUpgrade(ctx context.Context, env action.Env, in UpgradeInput) (action.Preview, error) {
	out := action.Preview{Summary: fmt.Sprintf("upgrade %s to %s", in.place(), in.wanted())}
	err := w.named(ctx, env, in.place(), func(s *session, st standing) error {
		last := st.last()
		if pending(last) || len(in.ChartPassword) > 0 {
			out.Summary += "; the difference cannot be shown beforehand"
			return nil
		}
		doing := "render " + in.wanted().String() + " for " + s.String()
		chart, err := in.wanted().load(ctx, env)
		if err != nil {
			return err
		}
		out.Summary = fmt.Sprintf("upgrade %s from %s to %s-%s", s, chartID(last), chart.Name(), chart.Metadata.Version)
		values, err := in.sources().values(ctx, env, last.Config, false)
		if err != nil {
			return err
		}
		up := helmaction.NewUpgrade(s.config)
		up.DryRunStrategy = helmaction.DryRunServer
		up.Namespace, up.ResetValues = s.namespace, true
		up.WaitStrategy = helmkube.StatusWatcherStrategy
		rendered, err := up.RunWithContext(ctx, s.release, chart, values)
		if err != nil {
			return s.explain(ctx, doing, err)
		}
		if next, ok := rendered.(*release.Release); ok {
			out.Diff = manifestDiff(last.Manifest, next.Manifest)
		}
		return nil
	})
	return out, err
}

func (w World) observeUpgrade(
	ctx context.Context, env action.Env, in UpgradeInput,
) (action.Observed[ReleaseOutput], error) {
	var seen action.Observed[ReleaseOutput]
	err := w.named(ctx, env, in.place(), func(s *session, st standing) error {
		var err error
		seen, err = s.observe(ctx, st, in.Patience, func(r *release.Release) (bool, error) {
			return s.isAt(ctx, in, r)
		})
		return err
	})
	return w.orGone(seen, err)
}

// orGone answers that an effect on a release that is not there has failed: asking
// again gives the same.
func (w World) orGone(
	seen action.Observed[ReleaseOutput], err error,
) (action.Observed[ReleaseOutput], error) {
	if action.ReasonOf(err) == reasonReleaseNotFound {
		return action.Observed[ReleaseOutput]{Status: action.Failed, Reason: err.Error()}, nil
	}
	return seen, err
}

// isAt tells whether a revision is what the step asks for, whoever has made it.
func (s *session) isAt(ctx context.Context, in UpgradeInput, r *release.Release) (bool, error) {
	same, err := in.wanted().isAt(ctx, s.env, r.Chart)
	if err != nil || !same {
		return false, err
	}
	have, err := plainMap(r.Config)
	if err != nil {
		return false, err
	}
	want, err := in.sources().values(ctx, s.env, r.Config, true)
	if err != nil {
		return false, err
	}
	return action.Equal(have, want), nil
}

// observe tells how far a change of a release has come. reached tells whether a
// revision is what the step asks for.
func (s *session) observe(
	ctx context.Context, st standing, patience time.Duration, reached func(*release.Release) (bool, error),
) (action.Observed[ReleaseOutput], error) {
	last := st.last()
	done := func(why string) (action.Observed[ReleaseOutput], error) {
		out := s.output(last)
		return action.Observed[ReleaseOutput]{Status: action.Done, Output: &out, Reason: why}, nil
	}
	seen := action.Observed[ReleaseOutput]{Before: st.state(last)}
	if before, begun := st.beforeOurs(); begun && before != nil && (st.ours(last) || st.undoes(last)) {
		seen.Before = st.state(before)
	}
	var err error
	switch own := st.ours(last); {
	case pending(last) && (own || st.undoes(last)):
		seen.Status, seen.Reason, err = s.brokenOff(ctx, st, last)
		return seen, err
	case pending(last):
		seen.Status, seen.Reason = s.foreign(last, patience)
		return seen, nil
	case (own || st.undoes(last)) && last.Info.Status == common.StatusFailed:
		seen.Status = action.Partial
		seen.Reason = fmt.Sprintf("revision %d failed: %s", last.Version, squeeze(last.Info.Description))
		return seen, nil
	case own && last.Info.Status == common.StatusDeployed:
		return done(fmt.Sprintf("revision %d is deployed", last.Version))
	case last.Info.Status == common.StatusUninstalled:
		seen.Status, seen.Reason = action.Failed, s.String()+" was uninstalled"
		return seen, nil
	}
	if last.Info.Status == common.StatusDeployed && !st.undoes(last) {
		at, err := reached(last)
		if err != nil {
			return seen, err
		}
		if at {
			return done(fmt.Sprintf("revision %d is that already, and is not of this step", last.Version))
		}
	}
	return s.notStarted(st, seen), nil
}

// notStarted tells of a release that is not what the step asks for, and on which
// nothing of it is under way.
func (s *session) notStarted(
	st standing, seen action.Observed[ReleaseOutput],
) action.Observed[ReleaseOutput] {
	last := st.last()
	seen.Status = action.NotStarted
	seen.Reason = fmt.Sprintf("revision %d of %s is %s", last.Version, chartID(last), last.Info.Status)
	before, begun := st.beforeOurs()
	if !begun || st.undoes(last) || before != nil && content(before) == content(last) {
		return seen
	}
	// Somebody has gone on from what the step made, and not back to what was before.
	seen.Status = action.Unknown
	seen.Reason = fmt.Sprintf("revision %d of %s is neither of this step nor what was there before it: "+
		"somebody else has changed %s since; find out who, then settle the step", last.Version, chartID(last), s)
	return seen
}

func (w World) runUpgrade(
	ctx context.Context, env action.Env, in UpgradeInput, _ map[string]any,
) (ReleaseOutput, error) {
	var out ReleaseOutput
	err := w.named(ctx, env, in.place(), func(s *session, st standing) error {
		settled, err := s.settle(ctx, st, in.WaitForJobs)
		if err != nil {
			return err
		}
		if settled != nil {
			out = s.output(settled)
			return nil
		}
		chart, err := in.wanted().load(ctx, env)
		if err != nil {
			return s.extent(err)
		}
		values, err := in.sources().values(ctx, env, st.last().Config, true)
		if err != nil {
			return s.extent(err)
		}
		made, err := s.upgrade(ctx, in, chart, values)
		if err == nil {
			out = s.output(made)
		}
		return err
	})
	return out, err
}

// extent corrects errors of what comes before an attempt: an earlier one may have left
// something.
func (s *session) extent(err error) error {
	if s.stamper.created {
		return action.WithExtent(err, action.ExtentPartial)
	}
	return err
}

// settle ends what an attempt of this step has left. It returns the revision of the
// step when that is all that is to be done.
func (s *session) settle(ctx context.Context, st standing, jobs bool) (*release.Release, error) {
	last := st.last()
	doing := fmt.Sprintf("settle revision %d of %s", last.Version, s)
	switch {
	case st.ours(last) && last.Info.Status == common.StatusDeployed:
		return last, nil
	case st.ours(last) && (pending(last) || last.Info.Status == common.StatusFailed):
		s.stamper.created = true
		adopted, err := s.adopt(ctx, st, last, jobs)
		if adopted {
			return last, err
		}
		if err == nil {
			err = s.bury(ctx, last, true)
		}
		if err != nil {
			return nil, s.explain(ctx, doing, err)
		}
	case st.undoes(last) && pending(last):
		s.stamper.created = true
		if err := s.bury(ctx, last, true); err != nil {
			return nil, s.explain(ctx, doing, err)
		}
	case pending(last):
		_, why := s.foreign(last, 0)
		failed := refused(reasonReleasePending, "", errors.New(why))
		failed.Retryable = true
		return nil, failed
	}
	return nil, nil //nolint:nilnil // nothing of the step is done yet
}

// upgrade lets Helm upgrade the release. It applies as the release was applied before.
func (s *session) upgrade(
	ctx context.Context, in UpgradeInput, chart *chartv2.Chart, values map[string]any,
) (*release.Release, error) {
	limit, cancel := waiting(ctx)
	defer cancel()
	up := helmaction.NewUpgrade(s.config)
	up.Namespace = s.namespace
	up.ResetValues = true // values are complete
	up.WaitStrategy = helmkube.StatusWatcherStrategy
	s.client.limit = limit
	up.WaitForJobs = in.WaitForJobs
	up.Timeout = patience
	up.CleanupOnFail = true
	up.MaxHistory = history(in.HistoryMax)
	s.progress("rendering the chart", 0)
	// Helm would leave what it does behind when its context ends, and go on with it:
	// the carrier ends it instead, and then Helm records how it has ended.
	made, err := up.RunWithContext(context.WithoutCancel(ctx), s.release, chart, values)
	doing := fmt.Sprintf("upgrade %s to %s-%s", s, chart.Name(), chart.Metadata.Version)
	if err != nil {
		return nil, s.explain(ctx, doing, err)
	}
	rel, ok := made.(*release.Release)
	if !ok {
		return nil, kube.Failure(doing, fmt.Errorf("a release of type %T is not known", made), action.ExtentUnknown)
	}
	return rel, nil
}

func history(given int) int {
	if given == 0 {
		return defaultHistory
	}
	return given
}
