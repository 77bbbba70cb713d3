package helm

import (
	"fmt"
	"maps"
	"strconv"

	releasei "helm.sh/helm/v4/pkg/release"
	"helm.sh/helm/v4/pkg/release/common"
	release "helm.sh/helm/v4/pkg/release/v1"
	"helm.sh/helm/v4/pkg/storage/driver"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
)

// revisionLabel is the label on a release record for the revision that the label of
// the step is about. Helm hands labels on from one revision to the next, so that the
// step alone would claim what somebody else does later.
const revisionLabel = "refit.dev/revision"

// undoSuffix is behind the key of a step for what takes its effect back.
const undoSuffix = "/undo"

// stampOf is the value of the label on the records of a step.
func stampOf(env action.Env) string { return kube.LabelValue(env.Origin + "\x00" + env.Key) }

// stampOfUndo is the value of the label on the records of what takes a step back.
func stampOfUndo(env action.Env) string {
	env.Key += undoSuffix
	return stampOf(env)
}

// carries tells whether a revision carries a stamp of its own.
func carries(r *release.Release, stamp string) bool {
	return r != nil && r.Labels[kube.StepLabel] == stamp && r.Labels[revisionLabel] == strconv.Itoa(r.Version)
}

// stamper puts the stamp of a step on all that Helm records for it.
type stamper struct {
	driver.Driver

	stamp string
	// created tells that a revision was recorded: from then on something has happened.
	created bool
}

// Create implements driver.Driver.
func (s *stamper) Create(key string, r releasei.Releaser) error {
	if err := s.mark(r); err != nil {
		return err
	}
	s.created = true // also when the answer is lost
	return s.Driver.Create(key, r)
}

// Update implements driver.Driver.
func (s *stamper) Update(key string, r releasei.Releaser) error {
	if rel, ok := r.(*release.Release); ok && rel.Info.Status == common.StatusUninstalling {
		if err := s.mark(r); err != nil {
			return err
		}
		s.created = true
	}
	return s.Driver.Update(key, r)
}

func (s *stamper) mark(r releasei.Releaser) error {
	rel, ok := r.(*release.Release)
	if !ok {
		return fmt.Errorf("a release of type %T is not known", r)
	}
	labels := maps.Clone(rel.Labels) // it may be that of the revision before
	if labels == nil {
		labels = map[string]string{}
	}
	labels[kube.StepLabel], labels[revisionLabel] = s.stamp, strconv.Itoa(rel.Version)
	rel.Labels = labels
	return nil
}
