package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/version"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
)

// reasonNotKubernetes is the reason when what answers is no API server.
const reasonNotKubernetes = "NotKubernetes"

// VersionInput is the input of kube.version.
type VersionInput struct{}

// VersionOutput is the output of kube.version.
type VersionOutput struct {
	Version  string `json:"version" doc:"Version of the API server, as it says it: v1.34.4, with what a vendor has added."`
	Platform string `json:"platform" doc:"System and machine that the API server was built for: linux/amd64."`
}

// Version returns the action kube.version, which reaches clusters through connector.
func Version(connector *kube.Connector) action.Action {
	return action.Define(action.Definition[VersionInput, VersionOutput]{
		Name:    "kube.version",
		Version: 1,
		Summary: "Tell the version of a Kubernetes cluster.",
		Effect:  action.ReadOnly,
		Targets: []string{kube.KindTarget},
		Typical: time.Second,
		Worst:   30 * time.Second,
		Preview: func(context.Context, action.Env, VersionInput) (action.Preview, error) {
			return action.Preview{Summary: "ask the API server for its version"}, nil
		},
		Observe: func(ctx context.Context, env action.Env, _ VersionInput) (action.Observed[VersionOutput], error) {
			cluster, err := connector.Connect(env)
			if err != nil {
				return action.Observed[VersionOutput]{}, err
			}
			// Not by discovery.ServerVersion, which cannot be ended.
			data, err := cluster.Typed.Discovery().RESTClient().Get().AbsPath("/version").Do(ctx).Raw()
			if err != nil {
				doing := "ask for the version of cluster " + cluster.Name
				return action.Observed[VersionOutput]{}, kube.Failure(doing, err, action.ExtentNone)
			}
			out, err := versionOf(data)
			if err != nil {
				return action.Observed[VersionOutput]{}, &action.Error{
					Reason: reasonNotKubernetes, Effect: action.ExtentNone, Remedy: "check the server of the context",
					Err: fmt.Errorf("ask for the version of cluster %s: %w", cluster.Name, err),
				}
			}
			return action.Saw(out), nil
		},
		// Whoever has an account may ask for the version: role system:public-info-viewer.
		Access: action.NoAccess[VersionInput],
	})
}

// versionOf reads the answer of an API server.
func versionOf(data []byte) (VersionOutput, error) {
	var info version.Info
	if err := json.Unmarshal(data, &info); err != nil || info.GitVersion == "" {
		return VersionOutput{}, errors.New("what answers is no Kubernetes API server")
	}
	return VersionOutput{Version: info.GitVersion, Platform: info.Platform}, nil
}
