package helm

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	helmaction "helm.sh/helm/v4/pkg/action"
	helmkube "helm.sh/helm/v4/pkg/kube"
	"helm.sh/helm/v4/pkg/release/common"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/backup"
)

// UninstallInput is the input of helm.uninstall.
type UninstallInput struct {
	Release   string        `json:"release" doc:"Name of the release."`
	Namespace string        `json:"namespace" doc:"Namespace of the release."`
	Store     string        `json:"store,omitempty" doc:"Address of the store with the backup of what its volumes hold."`
	Backup    string        `json:"backup,omitempty" doc:"Id of that backup, which must be proved; needed when volume claims are deleted with the release."`
	Level     int           `json:"level,omitempty" doc:"Least level of its proof from 1 to 3; default 2."`
	Patience  time.Duration `json:"patience,omitempty" doc:"How old an operation of somebody else may be before a person is asked what has become of it; default 30m."`
	Storage   string        `json:"storage,omitempty" enum:"secrets,configmaps" doc:"Where Helm keeps its records; default secrets."`
}

// UninstallOutput is the output of helm.uninstall.
type UninstallOutput struct {
	Release   string        `json:"release" doc:"Name of the release."`
	Namespace string        `json:"namespace" doc:"Namespace of the release."`
	Claims    []ClaimOutput `json:"claims" doc:"Volume claims that the release had and what became of them; none when it was gone already."`
}

// Uninstall returns the action helm.uninstall.
func Uninstall(w World) action.Action {
	return action.Define(action.Definition[UninstallInput, UninstallOutput]{
		Name:      "helm.uninstall",
		Version:   1,
		Summary:   "Uninstall a Helm release, unless data would die with it.",
		Effect:    action.Mutating,
		Resumable: true,
		Targets:   kinds(),
		NoUndo:    "the release and its records are gone; it is installed anew, and its data comes from the backup",
		Typical:   time.Minute,
		Worst:     time.Hour,
		Check:     checkUninstall,
		Preview:   w.previewUninstall,
		Observe:   w.observeUninstall,
		Run:       w.runUninstall,
		Access:    w.accessUninstall,
	})
}

func (in UninstallInput) place() place { return place{in.Release, in.Namespace, in.Storage} }

func checkUninstall(in UninstallInput) error {
	switch {
	case (in.Store == "") != (in.Backup == ""):
		return errors.New("fields \"store\" and \"backup\" belong together")
	case in.Level < 0 || in.Level > backup.Restored:
		return fmt.Errorf("field \"level\" is %d, needs 1 to 3", in.Level)
	case in.Patience < 0:
		return errors.New("field \"patience\" must not be negative")
	}
	return in.place().check()
}

func (w World) previewUninstall(ctx context.Context, env action.Env, in UninstallInput) (action.Preview, error) {
	out := action.Preview{Summary: fmt.Sprintf("uninstall %s", in.place())}
	err := w.named(ctx, env, in.place(), func(s *session, st standing) error {
		claims, err := s.claims(ctx, st.last())
		if err != nil {
			return err
		}
		out.Summary = fmt.Sprintf("uninstall %s (%s)", s, chartID(st.last()))
		for _, c := range claims {
			out.Summary += fmt.Sprintf("; claim %s is %s", c.Name, c.Fate)
			if c.dies() {
				out.Summary += ", and its data with it"
			}
		}
		out.Diff = manifestDiff(st.last().Manifest, "")
		return nil
	})
	if action.ReasonOf(err) == reasonReleaseNotFound {
		out.Summary = fmt.Sprintf("nothing: there is no %s", in.place())
		return out, nil
	}
	return out, err
}

func (w World) observeUninstall(
	ctx context.Context, env action.Env, in UninstallInput,
) (action.Observed[UninstallOutput], error) {
	var seen action.Observed[UninstallOutput]
	err := w.named(ctx, env, in.place(), func(s *session, st standing) error {
		last := st.last()
		switch own := st.ours(last); {
		case last.Info.Status == common.StatusUninstalled:
			seen.Status, seen.Reason = action.Partial, s.String()+" is uninstalled, and its records are still there"
		case pending(last) && own:
			seen.Status, seen.Reason = action.Partial, "uninstalling "+s.String()+" was broken off"
		case pending(last):
			seen.Status, seen.Reason = s.foreign(last, in.Patience)
		default:
			seen.Status, seen.Before = action.NotStarted, st.state(last)
			seen.Reason = fmt.Sprintf("revision %d of %s is %s", last.Version, chartID(last), last.Info.Status)
		}
		return nil
	})
	if action.ReasonOf(err) == reasonReleaseNotFound {
		out := UninstallOutput{Release: in.Release, Namespace: in.Namespace, Claims: []ClaimOutput{}}
		return action.Observed[UninstallOutput]{
			Status: action.Done, Output: &out, Reason: fmt.Sprintf("there is no %s", in.place()),
		}, nil
	}
	return seen, err
}

func (w World) runUninstall(
	ctx context.Context, env action.Env, in UninstallInput, _ map[string]any,
) (UninstallOutput, error) {
	out := UninstallOutput{Release: in.Release, Namespace: in.Namespace, Claims: []ClaimOutput{}}
	err := w.named(ctx, env, in.place(), func(s *session, st standing) error {
		last := st.last()
		if pending(last) && !st.ours(last) {
			_, why := s.foreign(last, in.Patience)
			failed := refused(reasonReleasePending, "", errors.New(why))
			failed.Retryable = true
			return failed
		}
		s.stamper.created = pending(last)
		claims, err := s.claims(ctx, last)
		if err != nil {
			return s.extent(err)
		}
		out.Claims = append(out.Claims, claims...)
		if err := w.guard(ctx, env, in, s, claims); err != nil {
			return s.extent(err)
		}
		return s.uninstall(ctx)
	})
	if action.ReasonOf(err) == reasonReleaseNotFound {
		return out, nil
	}
	return out, err
}

// guard refuses to uninstall what data would die with: a claim that goes needs a volume
// that stays, and a proved backup.
func (w World) guard(
	ctx context.Context, env action.Env, in UninstallInput, s *session, claims []ClaimOutput,
) error {
	var deleted, dying []string
	for _, c := range claims {
		if c.Fate == fateDeleted {
			deleted = append(deleted, c.Name)
		}
		if c.dies() {
			dying = append(dying, fmt.Sprintf("%s (volume %s, reclaim policy %s: %s)",
				c.Name, c.Volume, c.Policy, c.Why))
		}
	}
	if len(dying) > 0 {
		return refused(reasonClaimsWouldDie,
			"set the reclaim policy of these volumes to Retain, and give a proved backup",
			fmt.Errorf("uninstall %s: the data of these volume claims would be lost: %s", s, strings.Join(dying, ", ")))
	}
	if len(deleted) == 0 {
		return nil
	}
	needed := func(why string) error {
		return refused(reasonBackupNeeded, "give store and backup of one that is proved", fmt.Errorf(
			"uninstall %s: volume claims %s are deleted with it, and %s", s, strings.Join(deleted, ", "), why))
	}
	if in.Backup == "" {
		return needed("no backup is given")
	}
	store, err := w.Stores.Open(in.Store, env.Dir)
	if err != nil {
		return action.WithExtent(err, action.ExtentNone)
	}
	entry, err := backup.Find(ctx, store, in.Backup)
	if action.ReasonOf(err) == backup.ReasonBackupNotFound {
		return needed(fmt.Sprintf("the store has no backup %q", in.Backup))
	}
	if err == nil {
		err = entry.Ready()
	}
	if err != nil {
		return action.WithExtent(err, action.ExtentNone)
	}
	level := in.Level
	if level == 0 {
		level = backup.Parsed
	}
	if proof, ok := entry.Proof(); !ok || proof.Level < level {
		return needed(fmt.Sprintf("backup %q is not proved at level %d", in.Backup, level))
	}
	return nil
}

// uninstall lets Helm uninstall the release.
func (s *session) uninstall(ctx context.Context) error {
	limit, cancel := waiting(ctx)
	defer cancel()
	u := helmaction.NewUninstall(s.config)
	u.WaitStrategy = helmkube.StatusWatcherStrategy
	s.client.limit = limit
	u.Timeout = patience
	u.DeletionPropagation = "background"
	if _, err := u.Run(s.release); err != nil {
		return s.explain(ctx, "uninstall "+s.String(), err)
	}
	return nil
}
