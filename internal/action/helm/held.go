package helm

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	helmkube "helm.sh/helm/v4/pkg/kube"
	release "helm.sh/helm/v4/pkg/release/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/jsonmergepatch"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/cli-runtime/pkg/resource"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
)

// held is how much of a revision the cluster holds.
type held struct {
	total, same int
	// open are objects that are not as the revision says, or not there; left those
	// that it would have removed.
	open, left []string
}

// complete tells whether all was applied.
func (h held) complete() bool { return len(h.open) == 0 && len(h.left) == 0 }

func (h held) String() string {
	text := fmt.Sprintf("%d of %d objects are as it says", h.same, h.total)
	const most = 3
	if n := len(h.open); n > 0 {
		text += ", not yet " + strings.Join(h.open[:min(n, most)], ", ")
	}
	if n := len(h.left); n > 0 {
		text += ", not yet removed " + strings.Join(h.left[:min(n, most)], ", ")
	}
	return text
}

// holds compares a revision with what is in the cluster; earlier is the revision that
// it was to take the place of, nil for none.
func (s *session) holds(ctx context.Context, rel, earlier *release.Release) (held, error) {
	var h held
	targets, err := s.build(rel)
	if err != nil && strings.Contains(err.Error(), "no matches for kind") {
		h.open = []string{"objects of a kind that the cluster does not know"}
		return h, nil
	}
	if err != nil {
		return h, err
	}
	h.total = len(targets)
	for _, info := range targets {
		live, err := s.live(ctx, info)
		if err != nil {
			return h, err
		}
		if live != nil && conforms(info, live) {
			h.same++
			continue
		}
		h.open = append(h.open, objectName(info))
	}
	if earlier == nil {
		return h, nil
	}
	before, err := s.build(earlier)
	if err != nil {
		return h, err
	}
	for _, info := range before.Difference(targets) {
		live, err := s.live(ctx, info)
		if err != nil {
			return h, err
		}
		if live != nil && live.GetAnnotations()[helmkube.ResourcePolicyAnno] != helmkube.KeepPolicy {
			h.left = append(h.left, objectName(info))
		}
	}
	return h, nil
}

// build reads the objects of a revision.
func (s *session) build(rel *release.Release) (helmkube.ResourceList, error) {
	list, err := s.client.Build(strings.NewReader(rel.Manifest), false)
	if err != nil {
		return nil, kube.Failure(fmt.Sprintf("read the objects of revision %d of %s", rel.Version, s), err,
			action.ExtentNone)
	}
	return list, nil
}

// liveObject is an object of the cluster.
type liveObject interface {
	metav1.Object
	runtime.Object
}

// live reads an object, nil when there is none.
func (s *session) live(ctx context.Context, info *resource.Info) (liveObject, error) {
	object, err := s.cluster.For(info.Mapping, info.Namespace).Get(ctx, info.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // it is not there, which is an answer
	}
	if err != nil {
		return nil, kube.Failure("read "+objectName(info)+" of "+s.String(), err, action.ExtentNone)
	}
	return object, nil
}

// conforms tells whether applying a manifest to an object would change nothing. Where
// that cannot be told it would.
func conforms(info *resource.Info, live runtime.Object) bool {
	want, err := json.Marshal(info.Object)
	if err != nil {
		return false
	}
	kind := info.Mapping.GroupVersionKind
	if kind.Group == "" && kind.Kind == "Secret" {
		want = inData(want)
	}
	have, err := json.Marshal(live)
	if err != nil {
		return false
	}
	var patch []byte
	if typed, unknown := scheme.Scheme.New(kind); unknown == nil {
		meta, err := strategicpatch.NewPatchMetaFromStruct(typed)
		if err != nil {
			return false
		}
		patch, err = strategicpatch.CreateThreeWayMergePatch(want, want, have, meta, true)
		if err != nil {
			return false
		}
	} else if patch, err = jsonmergepatch.CreateThreeWayJSONMergePatch(want, want, have); err != nil {
		return false
	}
	var change map[string]any
	return json.Unmarshal(patch, &change) == nil && !changes(change)
}

// changes tells whether a patch does more than to order lists, to which others have
// added something.
func changes(patch map[string]any) bool {
	for key, value := range patch {
		if strings.HasPrefix(key, "$setElementOrder/") {
			continue
		}
		switch value := value.(type) {
		case map[string]any:
			if changes(value) {
				return true
			}
		default:
			return true
		}
	}
	return false
}

// inData moves what a manifest of a Secret says in clear to where the cluster keeps it.
func inData(manifest []byte) []byte {
	var secret corev1.Secret
	if json.Unmarshal(manifest, &secret) != nil {
		return manifest
	}
	for key, value := range secret.StringData {
		if secret.Data == nil {
			secret.Data = map[string][]byte{}
		}
		secret.Data[key] = []byte(value)
	}
	secret.StringData = nil
	if out, err := json.Marshal(&secret); err == nil {
		return out
	}
	return manifest
}
