package detect

import (
	"context"
	"encoding/json"
	"strconv"

	"helm.sh/helm/v4/pkg/chart/common/util"
	releasev1 "helm.sh/helm/v4/pkg/release/v1"
	"helm.sh/helm/v4/pkg/storage/driver"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/metadata"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
)

// Release is a release of Helm.
type Release struct {
	Name, Namespace     string
	Version, AppVersion string
	Status              string
}

func (r Release) plain() map[string]any {
	return map[string]any{
		"name": r.Name, "namespace": r.Namespace, "version": r.Version, "appVersion": r.AppVersion, "status": r.Status,
	}
}

// record is a release with the values that its chart was rendered with.
type record struct {
	Release
	values map[string]any
}

// releases returns the newest revisions of the releases of a chart, in all namespaces.
// Helm keeps a revision in a Secret; only those that are needed are read whole.
func releases(ctx context.Context, cluster *kube.Cluster, chart string) ([]record, error) {
	const doing = "look for releases of Helm"
	client, err := metadata.NewForConfig(cluster.Rest)
	if err != nil {
		return nil, kube.Failure(doing, err, action.ExtentNone)
	}
	secrets := schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
	newest := map[[2]string]int{}
	names := map[[2]string]string{}
	options := metav1.ListOptions{LabelSelector: "owner=helm", Limit: maxObjects}
	for {
		page, err := client.Resource(secrets).List(ctx, options)
		if err != nil {
			return nil, kube.Failure(doing+" in all namespaces", err, action.ExtentNone)
		}
		for i := range page.Items {
			item := &page.Items[i]
			key := [2]string{item.Namespace, item.Labels["name"]}
			revision, err := strconv.Atoi(item.Labels["version"])
			if err == nil && revision > newest[key] {
				newest[key], names[key] = revision, item.Name
			}
		}
		if options.Continue = page.Continue; options.Continue == "" {
			break
		}
	}
	var out []record
	for key, name := range names {
		r, ok, err := readRelease(cluster, key[0], name, chart)
		if err != nil {
			return nil, kube.Failure(doing+": read "+name+" in namespace "+key[0], err, action.ExtentNone)
		}
		if ok {
			out = append(out, r)
		}
	}
	return out, nil
}

// readRelease reads a revision; false when it is of another chart.
func readRelease(cluster *kube.Cluster, namespace, name, chart string) (record, bool, error) {
	found, err := driver.NewSecrets(cluster.Typed.CoreV1().Secrets(namespace)).Get(name)
	if err != nil {
		return record{}, false, err
	}
	rel, ok := found.(*releasev1.Release)
	if !ok || rel.Chart == nil || rel.Chart.Metadata == nil || rel.Chart.Metadata.Name != chart {
		return record{}, false, nil
	}
	values, err := util.CoalesceValues(rel.Chart, rel.Config)
	if err != nil {
		values = rel.Config // Defaults that cannot be merged tell less, and are no reason to see nothing.
	}
	data, err := json.Marshal(values)
	if err != nil {
		return record{}, false, err
	}
	parsed, err := action.ParseJSON(data)
	if err != nil {
		return record{}, false, err
	}
	plain, _ := parsed.(map[string]any) // A release without values has none.
	return record{
		Release: Release{
			Name: rel.Name, Namespace: namespace, Version: rel.Chart.Metadata.Version,
			AppVersion: rel.Chart.Metadata.AppVersion, Status: string(rel.Info.Status),
		},
		values: plain,
	}, true, nil
}
