package helm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"helm.sh/helm/v4/pkg/release/common"
	release "helm.sh/helm/v4/pkg/release/v1"
	"helm.sh/helm/v4/pkg/storage/driver"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
)

// standing is what Helm has on record of a release.
type standing struct {
	// revisions are ordered, the oldest first.
	revisions []*release.Release
	// stamp and undoStamp tell which revisions are those of the step, and those of
	// what takes it back.
	stamp, undoStamp string
}

// standing reads the records.
func (s *session) standing() (standing, error) {
	st := standing{stamp: stampOf(s.env), undoStamp: stampOfUndo(s.env)}
	list, err := s.config.Releases.History(s.release)
	if errors.Is(err, driver.ErrReleaseNotFound) {
		return st, nil
	}
	if err != nil {
		return st, kube.Failure("read the records of "+s.String(), err, action.ExtentNone)
	}
	for _, r := range list {
		if rel, ok := r.(*release.Release); ok && rel.Info != nil && rel.Chart != nil && rel.Chart.Metadata != nil {
			st.revisions = append(st.revisions, rel)
		}
	}
	slices.SortFunc(st.revisions, func(a, b *release.Release) int { return a.Version - b.Version })
	return st, nil
}

// last returns the newest revision, nil for none.
func (st standing) last() *release.Release {
	if len(st.revisions) == 0 {
		return nil
	}
	return st.revisions[len(st.revisions)-1]
}

func (st standing) ours(r *release.Release) bool   { return carries(r, st.stamp) }
func (st standing) undoes(r *release.Release) bool { return carries(r, st.undoStamp) }

// pending tells whether an operation on the release has begun and not ended.
func pending(r *release.Release) bool {
	return r != nil && (r.Info.Status.IsPending() || r.Info.Status == common.StatusUninstalling)
}

// revision returns the one of a number, nil for none.
func (st standing) revision(number int) *release.Release {
	for _, r := range st.revisions {
		if r.Version == number {
			return r
		}
	}
	return nil
}

// beforeOurs returns the revision that was there when the step began, nil when the
// step has recorded nothing.
func (st standing) beforeOurs() (before *release.Release, begun bool) {
	for i, r := range st.revisions {
		if !st.ours(r) {
			continue
		}
		if i > 0 {
			return st.revisions[i-1], true
		}
		return nil, true
	}
	return nil, false
}

// origin returns the revision whose content r has: rolling back makes new revisions of
// old content.
func (st standing) origin(r *release.Release) int {
	number := r.Version
	for r != nil && r.Info.RollbackRevision > 0 && r.Info.RollbackRevision < r.Version {
		number = r.Info.RollbackRevision
		r = st.revision(number)
	}
	return number
}

// state is what a release is, as Observe reports it before an effect: the same again
// after it was taken back.
func (st standing) state(r *release.Release) map[string]any {
	if r == nil {
		return map[string]any{}
	}
	return map[string]any{
		"revision": int64(st.origin(r)), "chart": chartID(r), "content": content(r),
	}
}

// target finds the revision that state was taken of: by its number, or, where that is
// no longer on record, one of the same content.
func (st standing) target(state map[string]any) *release.Release {
	want, _ := state["content"].(string)
	if r := st.revision(wholeNumber(state["revision"])); r != nil && content(r) == want {
		return r
	}
	for _, r := range slices.Backward(st.revisions) {
		if content(r) == want && r.Info.Status != common.StatusFailed && !r.Info.Status.IsPending() {
			return r
		}
	}
	return nil
}

// wholeNumber reads a number that may have come out of a record.
func wholeNumber(v any) int {
	switch n := v.(type) {
	case int64:
		return int(n)
	case float64:
		return int(n)
	case int:
		return n
	default:
		return 0
	}
}

// content is a digest of what a revision puts into the cluster.
func content(r *release.Release) string {
	config, err := json.Marshal(r.Config)
	if err != nil {
		config = []byte(err.Error())
	}
	sum := sha256.New()
	_, _ = fmt.Fprintf(sum, "%s\x00%s\x00%s", chartID(r), config, r.Manifest) // a hash never fails to write
	return hex.EncodeToString(sum.Sum(nil))[:32]
}

func chartID(r *release.Release) string {
	return r.Chart.Metadata.Name + "-" + r.Chart.Metadata.Version
}

// defaultPatience is how old the operation of somebody else may be before a person is
// asked what has become of it.
const defaultPatience = 30 * time.Minute

// foreign tells of an operation of somebody else that has not ended: it is waited for
// while it may still go on, and then nobody but a person can know.
func (s *session) foreign(r *release.Release, patience time.Duration) (action.Status, string) {
	began := r.Info.LastDeployed
	if r.Info.Status == common.StatusUninstalling {
		began = r.Info.Deleted
	}
	text := fmt.Sprintf("%s is %s since %s (revision %d), which is not of this step",
		s, r.Info.Status, began.UTC().Format(time.RFC3339), r.Version)
	if patience == 0 {
		patience = defaultPatience
	}
	if s.env.Now().Sub(began) < patience {
		return action.InProgress, text + ": waiting for its end"
	}
	return action.Unknown, text + ": find out who works on it; when nobody does, roll the release back with helm, " +
		"then retry the step"
}

// missing says that there is no such release.
func (s *session) missing(ctx context.Context) error {
	// Who may not read the namespace gets less of an explanation.
	at, err := s.cluster.Typed.CoreV1().Namespaces().Get(ctx, s.namespace, metav1.GetOptions{})
	if err == nil && at.DeletionTimestamp != nil {
		return refused(reasonReleaseNotFound,
			"ask who deleted the namespace; what holds it stands in its status.conditions",
			fmt.Errorf("find %s: the namespace is being deleted since %s, and the release is gone", s,
				at.DeletionTimestamp.UTC().Format(time.RFC3339)))
	}
	return refused(reasonReleaseNotFound, "correct release and namespace: helm list --all-namespaces shows all of them",
		fmt.Errorf("find %s: there is none in %s", s, s.cluster.Name))
}

// progress tells what is being done.
func (s *session) progress(note string, objects int) {
	p := action.Progress{Note: note}
	if objects > 0 {
		p.Note = fmt.Sprintf("%s (%d)", note, objects)
	}
	s.env.Report(p)
}

// named runs f on a session of a release that is there.
func (w World) named(
	ctx context.Context, env action.Env, p place, f func(s *session, st standing) error,
) error {
	s, err := w.open(ctx, env, p)
	if err != nil {
		return err
	}
	defer s.close()
	st, err := s.standing()
	if err != nil {
		return err
	}
	if st.last() == nil {
		return s.missing(ctx)
	}
	return f(s, st)
}
