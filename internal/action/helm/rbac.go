package helm

import (
	"context"
	"fmt"

	"github.com/refitproject/refit/internal/action"
	kubeaction "github.com/refitproject/refit/internal/action/kube"
)

// RBACInput is the input of helm.rbac.
type RBACInput struct {
	Release       string           `json:"release" doc:"Name of the release; it must be there."`
	Namespace     string           `json:"namespace" doc:"Namespace of the release."`
	Chart         ChartSource      `json:"chart" doc:"Where the chart comes from: path, or repo and name, or oci."`
	Version       string           `json:"version,omitempty" doc:"Version of the chart; needed for repo and oci."`
	ChartUser     string           `json:"chartUser,omitempty" doc:"User name at the server of the chart."`
	ChartPassword action.SecretRef `json:"chartPassword,omitempty" refit:"secret" doc:"Password at the server of the chart."`
	ValuesFile    string           `json:"valuesFile,omitempty" doc:"File with values, relative to the platform file; default the values that the release has, and those of the chart where it does not take these."`
	Report        bool             `json:"report,omitempty" doc:"Hands the rights that are missing out instead of failing."`
	Storage       string           `json:"storage,omitempty" enum:"secrets,configmaps" doc:"Where Helm keeps its records; default secrets."`
}

// RBAC returns the action helm.rbac.
func RBAC(w World) action.Action {
	return action.Define(action.Definition[RBACInput, kubeaction.RBACOutput]{
		Name:    "helm.rbac",
		Version: 1,
		Summary: "Check that the account of Refit may upgrade a release to a chart, and go back.",
		Effect:  action.ReadOnly,
		Targets: kinds(),
		Check:   func(in RBACInput) error { return checkUpgrade(in.upgrade()) },
		Preview: func(_ context.Context, _ action.Env, in RBACInput) (action.Preview, error) {
			return action.Preview{Summary: fmt.Sprintf("ask whether %s may be upgraded to %s",
				in.upgrade().place(), in.upgrade().wanted())}, nil
		},
		Observe: w.observeRBAC,
		Access: func(_ context.Context, _ action.Env, in RBACInput) ([]action.Access, error) {
			return []action.Access{in.upgrade().place().records("list")}, nil
		},
	})
}

// upgrade is the upgrade that is asked about.
func (in RBACInput) upgrade() UpgradeInput {
	return UpgradeInput{
		Release: in.Release, Namespace: in.Namespace, Chart: in.Chart, Version: in.Version, ChartUser: in.ChartUser,
		ChartPassword: in.ChartPassword, ValuesFile: in.ValuesFile, Storage: in.Storage,
	}
}

func (w World) observeRBAC(
	ctx context.Context, env action.Env, in RBACInput,
) (action.Observed[kubeaction.RBACOutput], error) {
	var none action.Observed[kubeaction.RBACOutput]
	needs, err := w.accessUpgrade(ctx, env, in.upgrade())
	if err != nil {
		return none, err
	}
	cluster, err := w.Clusters.Connect(env)
	if err != nil {
		return none, err
	}
	out, err := kubeaction.MayI(ctx, cluster, needs)
	if err != nil {
		return none, err
	}
	if why := out.Refusal(cluster); why != "" && !in.Report {
		return action.Observed[kubeaction.RBACOutput]{Status: action.Failed, Reason: why}, nil
	}
	return action.Saw(out), nil
}
