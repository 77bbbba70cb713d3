package helm

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	helmkube "helm.sh/helm/v4/pkg/kube"
	release "helm.sh/helm/v4/pkg/release/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/resource"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
)

// ClaimOutput is a volume claim that an uninstall concerns.
type ClaimOutput struct {
	Name   string `json:"name" doc:"Name of the claim, in the namespace of the release."`
	Volume string `json:"volume" doc:"Volume that it is bound to; empty for none."`
	Policy string `json:"policy" doc:"Reclaim policy of the volume: Delete takes the data with the claim, Retain keeps it."`
	Fate   string `json:"fate" doc:"What becomes of it: deleted, or kept."`
	Why    string `json:"why" doc:"Why that becomes of it."`
}

// dies tells whether data is lost with the claim.
func (c ClaimOutput) dies() bool {
	return c.Fate == fateDeleted && c.Volume != "" && c.Policy != string(corev1.PersistentVolumeReclaimRetain)
}

const (
	fateDeleted = "deleted"
	fateKept    = "kept"
)

// claims lists the volume claims of a release and what becomes of them when it is
// uninstalled: those of the chart, and those that its stateful sets have made.
func (s *session) claims(ctx context.Context, rel *release.Release) ([]ClaimOutput, error) {
	list, err := s.build(rel)
	if err != nil {
		return nil, err
	}
	var out []ClaimOutput
	for _, info := range list {
		switch info.Object.GetObjectKind().GroupVersionKind().Kind {
		case "PersistentVolumeClaim":
			claim, err := s.claimOfChart(ctx, info)
			if err != nil {
				return nil, err
			}
			if claim != nil {
				out = append(out, *claim)
			}
		case "StatefulSet":
			claims, err := s.claimsOfSet(ctx, info)
			if err != nil {
				return nil, err
			}
			out = append(out, claims...)
		}
	}
	slices.SortFunc(out, func(a, b ClaimOutput) int { return cmp.Compare(a.Name, b.Name) })
	return slices.CompactFunc(out, func(a, b ClaimOutput) bool { return a.Name == b.Name }), nil
}

func (s *session) claimOfChart(ctx context.Context, info *resource.Info) (*ClaimOutput, error) {
	claim, err := s.typed.CoreV1().PersistentVolumeClaims(info.Namespace).Get(ctx, info.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // it is gone already
	}
	if err != nil {
		return nil, kube.Failure("read "+objectName(info)+" of "+s.String(), err, action.ExtentNone)
	}
	fate, why := fateDeleted, "the chart has it"
	// Helm goes by the manifest: what was written onto the object later does not count.
	if object, ok := info.Object.(metav1.Object); ok {
		policy := strings.TrimSpace(object.GetAnnotations()[helmkube.ResourcePolicyAnno])
		if strings.EqualFold(policy, helmkube.KeepPolicy) {
			fate, why = fateKept, "the chart says helm.sh/resource-policy: keep"
		}
	}
	return s.claim(ctx, claim, fate, why)
}

// claimsOfSet returns the claims that a stateful set has made. They stay, unless the
// set says otherwise.
func (s *session) claimsOfSet(ctx context.Context, info *resource.Info) ([]ClaimOutput, error) {
	set, err := s.typed.AppsV1().StatefulSets(info.Namespace).Get(ctx, info.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, kube.Failure("read "+objectName(info)+" of "+s.String(), err, action.ExtentNone)
	}
	list, err := s.typed.CoreV1().PersistentVolumeClaims(info.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, kube.Failure("list the volume claims in namespace "+info.Namespace, err, action.ExtentNone)
	}
	fate, why := fateKept, fmt.Sprintf("stateful set %s leaves its claims", set.Name)
	if p := set.Spec.PersistentVolumeClaimRetentionPolicy; p != nil &&
		p.WhenDeleted == appsv1.DeletePersistentVolumeClaimRetentionPolicyType {
		fate, why = fateDeleted, fmt.Sprintf("stateful set %s deletes its claims with itself", set.Name)
	}
	var out []ClaimOutput
	for _, template := range set.Spec.VolumeClaimTemplates {
		name := regexp.MustCompile("^" + regexp.QuoteMeta(template.Name+"-"+set.Name+"-") + "[0-9]+$")
		for i := range list.Items {
			if !name.MatchString(list.Items[i].Name) {
				continue
			}
			claim, err := s.claim(ctx, &list.Items[i], fate, why)
			if err != nil {
				return nil, err
			}
			out = append(out, *claim)
		}
	}
	return out, nil
}

func (s *session) claim(
	ctx context.Context, claim *corev1.PersistentVolumeClaim, fate, why string,
) (*ClaimOutput, error) {
	out := &ClaimOutput{Name: claim.Name, Volume: claim.Spec.VolumeName, Fate: fate, Why: why}
	if out.Volume == "" {
		return out, nil
	}
	volume, err := s.typed.CoreV1().PersistentVolumes().Get(ctx, out.Volume, metav1.GetOptions{})
	if err != nil {
		return nil, kube.Failure("read volume "+out.Volume+" of claim "+claim.Name, err, action.ExtentNone)
	}
	out.Policy = string(volume.Spec.PersistentVolumeReclaimPolicy)
	return out, nil
}
