package image_test

import (
	"errors"
	"maps"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	"github.com/refitproject/refit/internal/action/image"
	"github.com/refitproject/refit/internal/kube/kubetest"
)

const box = "localhost/refit/busybox:1"

func TestClusterVersionSuite(t *testing.T) {
	t.Parallel()
	space := kubetest.New(t)
	actiontest.Run(t, actiontest.Suite{
		Permit:   kubetest.Permit,
		Action:   image.Version(space.Connector),
		Examples: "testdata/version/*.yaml",
		World:    kubetest.PodWorld,
		Slow:     map[string]any{"namespace": "-", "image": box, "command": []any{"sleep", "60"}},
	})
}

// TestClusterVersion looks into an image that prints one version or another; what
// is not as needed is told, and no pod is left.
//
//nolint:tparallel // what the cases leave is counted after them
func TestClusterVersion(t *testing.T) {
	t.Parallel()
	space := kubetest.New(t)
	space.Images("busybox")
	look := image.Version(space.Connector)
	cases := map[string]struct {
		prints, version, match string
		want                   string // the version, or a part of the error
	}{
		"Any":     {"4.1.6", "", "", "4.1.6"},
		"Exact":   {"4.1.6", "4.1.6", "", "4.1.6"},
		"Minor":   {"5.5.4", "5.5.0", "minor", "5.5.4"},
		"Major":   {"6.3.1", "6.0.0", "major", "6.3.1"},
		"Another": {"4.1.6", "5.5.0", "minor", "AnotherVersion: image " + box + " has 4.1.6, needed is the minor version of 5.5.0"},
		"None":    {"usage: x", "5.5.0", "", "NoVersion: sh -c 'echo usage: x' in image " + box + ` prints no version: "usage: x"`},
	}
	t.Run("Cases", func(t *testing.T) {
		for name, c := range cases {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				env := space.Env()
				env.Key = "run-1/" + name
				in := map[string]any{"namespace": space.Name, "image": box, "command": []any{"sh", "-c", "echo " + c.prints}}
				if c.version != "" {
					in["version"] = c.version
				}
				if c.match != "" {
					in["match"] = c.match
				}
				out, err := look.Run(t.Context(), env, in, nil)
				if err != nil {
					failed, ok := err.(*action.Error) //nolint:errorlint // actions return nothing else
					if !ok || failed.Effect != action.ExtentNone || !strings.Contains(failed.Reason+": "+err.Error(), c.want) {
						t.Errorf("got %v, want %s", err, c.want)
					}
				} else if out["version"] != c.want {
					t.Errorf("got %v, want %s", out, c.want)
				}
			})
		}
	})
	pods, err1 := space.Cluster.Typed.CoreV1().Pods(space.Name).List(t.Context(), metav1.ListOptions{})
	kept, err2 := space.Cluster.Typed.CoreV1().ConfigMaps(space.Name).List(t.Context(),
		metav1.ListOptions{LabelSelector: "refit.dev/result=image"})
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	if len(pods.Items) != 0 || len(kept.Items) != 4 {
		t.Errorf("%d pods and %d results are left, want none and those of 4 that went well", len(pods.Items), len(kept.Items))
	}
}

func TestVersionInput(t *testing.T) {
	t.Parallel()
	good := map[string]any{"namespace": "jhub", "image": box, "command": []any{"x", "--version"}, "version": "5.5.0"}
	checker, ok := image.Version(nil).(action.Checker)
	if !ok {
		t.Fatal("the action checks nothing")
	}
	if err := checker.Check(good); err != nil {
		t.Fatalf("the good input is refused: %v", err)
	}
	for name, tc := range map[string]struct {
		change map[string]any
		want   string
	}{
		"Command":   {map[string]any{"command": []any{}}, `field "command" is empty`},
		"Image":     {map[string]any{"image": "a b"}, `"a b" is no image`},
		"Version":   {map[string]any{"version": "newest"}, `field "version" is "newest"`},
		"Match":     {map[string]any{"match": "patch"}, "match"},
		"Alone":     {map[string]any{"match": "minor", "version": ""}, `field "match" goes with "version"`},
		"Namespace": {map[string]any{"namespace": "a/b"}, `field "namespace" is "a/b"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := maps.Clone(good)
			maps.Copy(in, tc.change)
			err := checker.Check(in)
			if action.ReasonOf(err) != action.ReasonInvalidInput || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
}
