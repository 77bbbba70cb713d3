package detect_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/release/common"
	releasev1 "helm.sh/helm/v4/pkg/release/v1"
	"helm.sh/helm/v4/pkg/storage"
	"helm.sh/helm/v4/pkg/storage/driver"

	"github.com/refitproject/refit/internal/detect"
	"github.com/refitproject/refit/internal/kube/kubetest"
)

// Of several revisions the newest counts, of other charts none, and what the values do
// not tell stays open.
func TestClusterFind(t *testing.T) {
	space := kubetest.New(t)
	records := storage.Init(driver.NewSecrets(space.Cluster.Typed.CoreV1().Secrets(space.Name)))
	put := func(name, of, version string, revision int, status common.Status, values map[string]any) {
		t.Helper()
		err := records.Create(&releasev1.Release{
			Name: name, Namespace: space.Name, Version: revision, Config: values, Info: &releasev1.Info{Status: status},
			Chart: &chart.Chart{
				Metadata: &chart.Metadata{APIVersion: "v2", Name: of, Version: version, AppVersion: "5.5.4"},
				Values:   map[string]any{"db": map[string]any{"type": "sqlite-pvc", "host": ""}},
			},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	name := "hub-" + space.Name // The namespace of another test may have one too.
	put("a", name, "1.0.0", 9, common.StatusSuperseded, nil)
	put("a", name, "2.0.0", 10, common.StatusDeployed, nil)
	put("b", name, "2.0.0", 1, common.StatusPendingUpgrade, map[string]any{"db": map[string]any{"type": "postgres"}})
	put("c", "another", "2.0.0", 1, common.StatusDeployed, nil)
	space.Apply("apiVersion: v1\nkind: Service\nmetadata: {name: public, labels: {app: hub}}\nspec: {externalName: hub.example.org, type: ExternalName}\n")

	rules, ds := detect.Load("detect.yaml", []byte(`
apiVersion: refit.dev/v1alpha1
kind: Detection
helm: {chart: `+name+`}
lists:
  services: {apiVersion: v1, kind: Service, selector: app=hub}
  things: {apiVersion: nobody.example.org/v1, kind: Thing}
inputs:
  release: {value: "${release.name}"}
  url: {value: "https://${services[0].spec.externalName}"}
  database.kind: {value: "${values.db.type}"}
  database.host: {value: "${values.db.host}", otherwise: Name the server.}
  token: {otherwise: Make one.}
`), asked())
	if rules == nil {
		t.Fatal(ds)
	}
	found, err := rules.Find(t.Context(), space.Cluster)
	if err != nil {
		t.Fatal(err)
	}
	inputs := func(release, database string) []detect.Input {
		return []detect.Input{
			{Name: "release", Value: release},
			{Name: "url", Value: "https://hub.example.org"},
			{Name: "database.kind", Value: database},
			{Name: "database.host", Otherwise: "Name the server."},
			{Name: "token", Otherwise: "Make one."},
		}
	}
	want := []detect.Found{
		{
			Release: detect.Release{Name: "a", Namespace: space.Name, Version: "2.0.0", AppVersion: "5.5.4", Status: "deployed"},
			Inputs:  inputs("a", "sqlite-pvc"),
		},
		{
			Release: detect.Release{Name: "b", Namespace: space.Name, Version: "2.0.0", AppVersion: "5.5.4", Status: "pending-upgrade"},
			Inputs:  inputs("b", "postgres"),
		},
	}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
