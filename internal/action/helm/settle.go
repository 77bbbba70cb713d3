package helm

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"helm.sh/helm/v4/pkg/release/common"
	release "helm.sh/helm/v4/pkg/release/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/refitproject/refit/internal/action"
)

// brokenOff tells of a revision of this step that has begun and not ended: a hook of
// it may still run; else nothing works on it, because whoever drove it has gone.
func (s *session) brokenOff(ctx context.Context, st standing, rel *release.Release) (action.Status, string, error) {
	hooks, err := s.hooks(ctx, rel)
	if err != nil {
		return "", "", err
	}
	for _, h := range hooks {
		if h.running {
			return action.InProgress, fmt.Sprintf("hook %s of revision %d, which was broken off, still runs; "+
				"it is waited for: delete its %s to go on without it", h.hook.Name, rel.Version, h.hook.Kind), nil
		}
	}
	h, err := s.holds(ctx, rel, st.served(rel))
	if err != nil {
		return "", "", err
	}
	return action.Partial, fmt.Sprintf("revision %d was broken off (%s): %s", rel.Version, rel.Info.Status, h), nil
}

// served returns the revision that r was to take the place of.
func (st standing) served(r *release.Release) *release.Release {
	var out *release.Release
	for _, other := range st.revisions {
		if other.Version < r.Version && (other.Info.Status == common.StatusDeployed ||
			other.Info.Status == common.StatusSuperseded || out == nil) {
			out = other
		}
	}
	return out
}

// has tells whether a revision has a hook of one of the events.
func has(rel *release.Release, events ...release.HookEvent) bool {
	return slices.ContainsFunc(rel.Hooks, func(h *release.Hook) bool {
		return slices.ContainsFunc(h.Events, func(e release.HookEvent) bool { return slices.Contains(events, e) })
	})
}

// adoptable tells whether all that is left of a revision can be told from its objects.
// Hooks that come after them may not have run; those before them have when objects are
// new, because Helm applies none before.
func adoptable(rel, earlier *release.Release) bool {
	if has(rel, release.HookPostUpgrade, release.HookPostRollback) {
		return false
	}
	return !has(rel, release.HookPreUpgrade, release.HookPreRollback) ||
		earlier != nil && !maps.Equal(objects(rel.Manifest), objects(earlier.Manifest))
}

// adopt ends a revision whose objects were all applied, when nothing is left to be done
// but to wait for them and to say so. It answers false when more is left.
func (s *session) adopt(ctx context.Context, st standing, rel *release.Release, jobs bool) (bool, error) {
	if !adoptable(rel, st.served(rel)) {
		return false, nil
	}
	h, err := s.holds(ctx, rel, st.served(rel))
	if err != nil || !h.complete() {
		return false, err
	}
	list, err := s.build(rel)
	if err != nil {
		return false, err
	}
	limit, cancel := waiting(ctx)
	defer cancel()
	w, err := s.client.waiter(limit)
	if err != nil {
		return false, err
	}
	wait := w.Wait
	if jobs {
		wait = w.WaitWithJobs
	}
	if err := wait(list, patience); err != nil {
		rel.SetStatus(common.StatusFailed, squeeze(err.Error()))
		return false, errors.Join(err, s.config.Releases.Update(rel))
	}
	for _, other := range st.revisions {
		if other.Version != rel.Version && other.Info.Status == common.StatusDeployed {
			other.Info.Status = common.StatusSuperseded
			if err := s.config.Releases.Update(other); err != nil {
				return false, err
			}
		}
	}
	rel.SetStatus(common.StatusDeployed, "Upgrade complete")
	return true, s.config.Releases.Update(rel)
}

// bury marks a revision that was broken off as failed, so that Helm goes on from it;
// the record of a rollback that is to be begun again is removed.
// What its hooks left is removed where Helm would have, and always what still runs.
func (s *session) bury(ctx context.Context, rel *release.Release, again bool) error {
	hooks, err := s.hooks(ctx, rel)
	if err != nil {
		return err
	}
	for _, h := range hooks {
		ends := slices.Contains(h.hook.DeletePolicies, release.HookFailed) ||
			slices.Contains(h.hook.DeletePolicies, release.HookSucceeded)
		if !h.running && !ends {
			continue
		}
		if _, errs := s.client.Delete(h.list, metav1.DeletePropagationBackground); len(errs) > 0 {
			return errors.Join(errs...)
		}
		limit, cancel := waiting(ctx)
		w, err := s.client.waiter(limit)
		if err == nil {
			err = w.WaitForDelete(h.list, patience)
		}
		cancel()
		if err != nil {
			return err
		}
	}
	if again && rel.Info.RollbackRevision > 0 {
		// What a rollback removes is what the newest record has and the old one has not.
		// This one would hide the record of what it was to take the place of.
		_, err := s.config.Releases.Delete(rel.Name, rel.Version)
		return err
	}
	if !pending(rel) {
		return nil
	}
	rel.SetStatus(common.StatusFailed, "Broken off: who carried it out has ended (Refit)")
	return s.config.Releases.Update(rel)
}
