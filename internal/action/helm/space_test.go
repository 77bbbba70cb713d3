package helm_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	helmaction "helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/chart/loader"
	helmkube "helm.sh/helm/v4/pkg/kube"
	release "helm.sh/helm/v4/pkg/release/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	"github.com/refitproject/refit/internal/action/helm"
	"github.com/refitproject/refit/internal/kube/kubetest"
)

// space is a namespace with a release that somebody has installed with Helm.
type space struct {
	*kubetest.Space

	env action.Env
}

// firstValues are what the release was installed with.
const firstValues = "greeting: hello\npassword: first\n"

// newSpace copies the charts into the folder of the step and installs the first.
func newSpace(t *testing.T) *space {
	t.Helper()
	s := &space{Space: kubetest.New(t)}
	s.Images("pause", "busybox")
	s.env = s.Env()
	if err := os.CopyFS(filepath.Join(s.env.Dir, "charts"), os.DirFS("testdata/charts")); err != nil {
		t.Fatal(err)
	}
	s.write(t, "values-1.yaml", firstValues)
	s.write(t, "values.yaml", "greeting: good day\n")
	s.install(t, "shop-1.0.0", map[string]any{"greeting": "hello", "password": "first"})
	return s
}

func (s *space) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.env.Dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// config is that of Helm, as a person uses it.
func (s *space) config(t *testing.T) *helmaction.Configuration {
	t.Helper()
	config := helmaction.NewConfiguration(helmaction.ConfigurationSetLogger(slog.DiscardHandler))
	if err := config.Init(s.Cluster.Getter(s.Name), s.Name, "secrets"); err != nil {
		t.Fatal(err)
	}
	return config
}

func (s *space) install(t *testing.T, chart string, values map[string]any) {
	t.Helper()
	loaded, err := loader.Load(filepath.Join(s.env.Dir, "charts", chart))
	if err != nil {
		t.Fatal(err)
	}
	install := helmaction.NewInstall(s.config(t))
	install.ReleaseName, install.Namespace = "shop", s.Name
	install.WaitStrategy, install.Timeout = helmkube.StatusWatcherStrategy, kubetest.Patience
	install.ServerSideApply = false // as Helm 3 does
	if _, err := install.RunWithContext(t.Context(), loaded, values); err != nil {
		t.Fatal(err)
	}
}

// history returns the revisions on record, the oldest first.
func (s *space) history(t *testing.T) []*release.Release {
	t.Helper()
	list, err := s.config(t).Releases.History("shop")
	if err != nil {
		return nil
	}
	var out []*release.Release
	for _, r := range list {
		out = append(out, r.(*release.Release))
	}
	slices.SortFunc(out, func(a, b *release.Release) int { return a.Version - b.Version })
	return out
}

func (s *space) last(t *testing.T) *release.Release {
	t.Helper()
	all := s.history(t)
	if len(all) == 0 {
		t.Fatal("there is no release")
	}
	return all[len(all)-1]
}

// kindsOfChart are what the charts of the tests have. The whole of a namespace is asked
// for in too many requests, several times for each point at which an action may end.
func kindsOfChart() []schema.GroupVersionResource {
	return []schema.GroupVersionResource{
		{Group: "apps", Version: "v1", Resource: "deployments"},
		{Group: "apps", Version: "v1", Resource: "statefulsets"},
		{Group: "batch", Version: "v1", Resource: "jobs"},
		{Version: "v1", Resource: "services"},
		{Version: "v1", Resource: "configmaps"},
		{Version: "v1", Resource: "secrets"},
		{Version: "v1", Resource: "persistentvolumeclaims"},
	}
}

// state is what is in the namespace, and what Helm says is deployed. How many
// revisions it took is no part of it: going back makes new ones.
func (s *space) state(t *testing.T) string {
	t.Helper()
	var lines []string
	for _, kind := range kindsOfChart() {
		list, err := s.Cluster.Dynamic.Resource(kind).Namespace(s.Name).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, object := range list.Items {
			if strings.HasPrefix(object.GetName(), "sh.helm.release.") || object.GetName() == "kube-root-ca.crt" {
				continue
			}
			text := map[string]any{"kind": object.GetKind(), "name": object.GetName(), "labels": object.GetLabels()}
			for _, field := range []string{"spec", "data"} {
				text[field] = object.Object[field]
			}
			for _, field := range []string{"clusterIP", "clusterIPs", "volumeName"} {
				unstructured.RemoveNestedField(object.Object, "spec", field)
			}
			data, err := json.MarshalIndent(text, "", " ")
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, strings.ReplaceAll(string(data), s.Name, "NAMESPACE"))
		}
	}
	if all := s.history(t); len(all) > 0 {
		last := all[len(all)-1]
		config, err := json.Marshal(last.Config)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, fmt.Sprintf("%s %s %s %s", last.Chart.Metadata.Name, last.Chart.Metadata.Version,
			last.Info.Status, config))
	}
	return strings.Join(lines, "\n")
}

// world is the world of a suite.
func (s *space) world() actiontest.World {
	return actiontest.World{Env: s.env, State: s.state, Adapt: func(in map[string]any) {
		if _, given := in["namespace"]; given {
			in["namespace"] = s.Name
		}
	}}
}

// errKilled is what requests meet behind the point at which the process has ended.
var errKilled = errors.New("the process has ended")

// killer ends what an action does at a request: this one and all behind it never leave.
type killer struct {
	mu     sync.Mutex
	points map[string]*point // by namespace
}

type point struct {
	left    int
	reached bool
	end     context.CancelFunc
	seen    []string
}

func (k *killer) before(what string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	for namespace, p := range k.points {
		if !strings.Contains(what, "/namespaces/"+namespace+"/") {
			continue
		}
		if p.left == 0 {
			p.reached = true
			p.end()
			return errKilled
		}
		p.left--
		p.seen = append(p.seen, what)
	}
	return nil
}

// crash runs an action and ends it before its request number n that changes something.
func (k *killer) crash(t *testing.T, a action.Action, w actiontest.World, in, before map[string]any, n int) bool {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p := &point{left: n, end: cancel}
	namespace := in["namespace"].(string)
	k.mu.Lock()
	k.points[namespace] = p
	k.mu.Unlock()
	_, err := a.Run(ctx, w.Env, in, before)
	k.mu.Lock()
	delete(k.points, namespace)
	k.mu.Unlock()
	if !p.reached && err != nil {
		t.Errorf("at point %d Run failed by itself: %v", n, err)
	}
	if len(p.seen) > 0 {
		t.Logf("ended after %s", p.seen[len(p.seen)-1])
	}
	return p.reached
}

// family makes the world of the actions, in which killer ends what they do.
func family(t *testing.T) (helm.World, *killer) {
	t.Helper()
	k := &killer{points: map[string]*point{}}
	return helm.World{Clusters: connector(t), Before: k.before}, k
}

func within(t *testing.T, limit time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}
