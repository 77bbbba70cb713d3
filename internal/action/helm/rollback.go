package helm

import (
	"context"
	"errors"
	"fmt"
	"time"

	helmaction "helm.sh/helm/v4/pkg/action"
	helmkube "helm.sh/helm/v4/pkg/kube"
	"helm.sh/helm/v4/pkg/release/common"
	release "helm.sh/helm/v4/pkg/release/v1"

	"github.com/refitproject/refit/internal/action"
)

// RollbackInput is the input of helm.rollback.
type RollbackInput struct {
	Release     string        `json:"release" doc:"Name of the release."`
	Namespace   string        `json:"namespace" doc:"Namespace of the release."`
	Revision    int           `json:"revision" doc:"Number of the revision to go back to, as helm history shows it."`
	WaitForJobs bool          `json:"waitForJobs,omitempty" doc:"Waits for the end of the jobs of the chart too, not only of its hooks."`
	HistoryMax  int           `json:"historyMax,omitempty" doc:"How many revisions are kept on record; default 10."`
	Patience    time.Duration `json:"patience,omitempty" doc:"How old an operation of somebody else may be before a person is asked what has become of it; default 30m."`
	Storage     string        `json:"storage,omitempty" enum:"secrets,configmaps" doc:"Where Helm keeps its records; default secrets."`
}

// Rollback returns the action helm.rollback.
func Rollback(w World) action.Action {
	return action.Define(action.Definition[RollbackInput, ReleaseOutput]{
		Name:      "helm.rollback",
		Version:   1,
		Summary:   "Roll a Helm release back to an earlier revision, and wait until it is ready.",
		Effect:    action.Mutating,
		Resumable: true,
		Targets:   kinds(),
		Typical:   2 * time.Minute,
		Worst:     time.Hour,
		Check:     checkRollback,
		Preview:   w.previewRollback,
		Observe:   w.observeRollback,
		Run:       w.runRollback,
		Access:    w.accessRollback,
		Undo: func(ctx context.Context, env action.Env, in RollbackInput, before map[string]any) error {
			return w.takeBack(ctx, env, in.place(), before, in.HistoryMax)
		},
	})
}

func (in RollbackInput) place() place { return place{in.Release, in.Namespace, in.Storage} }

func checkRollback(in RollbackInput) error {
	switch {
	case in.Revision < 1:
		return fmt.Errorf("field \"revision\" is %d, needs the number of a revision", in.Revision)
	case in.HistoryMax < 0 || in.HistoryMax == 1:
		return fmt.Errorf("field \"historyMax\" is %d, needs at least 2: the revision before is the way back",
			in.HistoryMax)
	case in.Patience < 0:
		return errors.New("field \"patience\" must not be negative")
	}
	return in.place().check()
}

// noRevision says that the record of a revision is not there.
func (s *session) noRevision(number int) error {
	return refused(reasonRevisionNotFound, "see helm history",
		fmt.Errorf("roll %s back to revision %d: it is not on record", s, number))
}

func (w World) previewRollback(ctx context.Context, env action.Env, in RollbackInput) (action.Preview, error) {
	var out action.Preview
	err := w.named(ctx, env, in.place(), func(s *session, st standing) error {
		to := st.revision(in.Revision)
		if to == nil {
			return s.noRevision(in.Revision)
		}
		out.Summary = fmt.Sprintf("roll %s back from %s (revision %d) to %s (revision %d)",
			s, chartID(st.last()), st.last().Version, chartID(to), to.Version)
		out.Diff = manifestDiff(st.last().Manifest, to.Manifest)
		return nil
	})
	return out, err
}

func (w World) observeRollback(
	ctx context.Context, env action.Env, in RollbackInput,
) (action.Observed[ReleaseOutput], error) {
	var seen action.Observed[ReleaseOutput]
	err := w.named(ctx, env, in.place(), func(s *session, st standing) error {
		var err error
		seen, err = s.observe(ctx, st, in.Patience, func(r *release.Release) (bool, error) {
			return st.origin(r) == in.Revision, nil
		})
		return err
	})
	return w.orGone(seen, err)
}

func (w World) runRollback(
	ctx context.Context, env action.Env, in RollbackInput, _ map[string]any,
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
		if st.revision(in.Revision) == nil {
			return s.extent(s.noRevision(in.Revision))
		}
		if err := s.rollback(ctx, in.Revision, in.WaitForJobs, in.HistoryMax); err != nil {
			return err
		}
		now, err := s.standing()
		if err == nil {
			out = s.output(now.last())
		}
		return s.extent(err)
	})
	return out, err
}

// rollback lets Helm roll the release back.
func (s *session) rollback(ctx context.Context, revision int, jobs bool, historyMax int) error {
	limit, cancel := waiting(ctx)
	defer cancel()
	back := helmaction.NewRollback(s.config)
	back.Version = revision
	back.WaitStrategy = helmkube.StatusWatcherStrategy
	s.client.limit = limit
	back.WaitForJobs = jobs
	back.Timeout = patience
	back.CleanupOnFail = true
	back.MaxHistory = history(historyMax)
	err := back.Run(s.release)
	if err == nil {
		return nil
	}
	failed := s.explain(ctx, fmt.Sprintf("roll %s back to revision %d", s, revision), err)
	s.recordFailure(failed)
	return failed
}

// recordFailure marks a rollback whose hook has failed: Helm leaves that pending.
func (s *session) recordFailure(failed error) {
	st, err := s.standing()
	if err != nil || !carries(st.last(), s.stamper.stamp) || !pending(st.last()) {
		return // what cannot be recorded now is recognised by the stamp
	}
	st.last().SetStatus(common.StatusFailed, squeeze(failed.Error()))
	_ = s.config.Releases.Update(st.last()) // as above
}

// takeBack rolls the release back to what was there before the step.
func (w World) takeBack(
	ctx context.Context, env action.Env, p place, before map[string]any, historyMax int,
) error {
	return w.named(ctx, env, p, func(s *session, st standing) error {
		last := st.last()
		first, begun := st.beforeOurs()
		switch {
		case !begun:
			return nil
		case st.undoes(last) && last.Info.Status == common.StatusDeployed:
			return nil
		case !st.ours(last) && !st.undoes(last):
			return s.changed(last)
		}
		to := st.target(before)
		if to == nil && len(before) == 0 {
			to = first
		}
		if to == nil {
			return refused(reasonRevisionNotFound, "restore the release from a backup, or install the old chart again",
				fmt.Errorf("take back the change of %s: the revision before it is no longer on record", s))
		}
		doing := fmt.Sprintf("take back revision %d of %s", last.Version, s)
		s.stamper.stamp = st.undoStamp
		if err := s.bury(ctx, last, st.undoes(last)); err != nil {
			return action.WithExtent(s.explain(ctx, doing, err), action.ExtentPartial)
		}
		return s.rollback(ctx, to.Version, false, historyMax)
	})
}

// changed says that somebody else has changed the release since.
func (s *session) changed(last *release.Release) error {
	remedy := "find out who, and roll it back by hand if that is still right"
	reason := reasonReleaseChanged
	if pending(last) {
		reason, remedy = reasonReleasePending, "wait for its end"
	}
	failed := refused(reason, remedy, fmt.Errorf(
		"take back the change of %s: revision %d of %s, which is %s, is not of this step",
		s, last.Version, chartID(last), last.Info.Status))
	failed.Retryable = pending(last)
	return failed
}
