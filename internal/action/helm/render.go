package helm

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	helmaction "helm.sh/helm/v4/pkg/action"
	"sigs.k8s.io/yaml"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/values"
)

// Renderer renders charts as helm template does: without a cluster, so what a chart
// looks up there is empty, and it thinks that it is installed anew.
type Renderer struct{}

var _ values.Renderer = Renderer{}

// Render implements values.Renderer.
func (Renderer) Render(ctx context.Context, env action.Env, r values.Rendering) error {
	w := wanted{version: r.Version}
	data, err := json.Marshal(r.Chart)
	if err == nil {
		err = json.Unmarshal(data, &w.source)
	}
	if err == nil {
		err = w.check()
	}
	if err != nil {
		return refused(reasonChartInvalid, "correct chart", fmt.Errorf("render the chart: %w", err))
	}
	loaded, err := w.load(ctx, env)
	if err != nil {
		return err
	}
	given := map[string]any{}
	if err := yaml.Unmarshal(r.Values, &given); err != nil {
		return refused(reasonValuesInvalid, "correct the values", fmt.Errorf("render %s: read the values: %w", w, err))
	}
	install := helmaction.NewInstall(helmaction.NewConfiguration())
	install.DryRunStrategy = helmaction.DryRunClient
	install.ReleaseName = cmp.Or(r.Release, "release")
	install.Namespace = cmp.Or(r.Namespace, "default")
	install.SkipCRDs = true
	if _, err = install.RunWithContext(ctx, loaded, given); err == nil {
		return nil
	}
	if said := rendering("render "+w.String(), err); said != nil {
		if said.Reason != reasonChartInvalid && said.Reason != reasonChartRefuses &&
			said.Reason != reasonValuesRefused {
			return said
		}
		return fmt.Errorf("%w: %w", values.ErrRefused, said)
	}
	return refused(reasonChartInvalid, "correct the values or the chart", fmt.Errorf("render %s: %w", w, err))
}
