package helm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"helm.sh/helm/v4/pkg/release/common"
	release "helm.sh/helm/v4/pkg/release/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
)

// ReleaseInput is the input of helm.release.
type ReleaseInput struct {
	Release    string `json:"release" doc:"Name of the release."`
	Namespace  string `json:"namespace,omitempty" doc:"Namespace of the release; default the one that has a release of this name, which must be the only one."`
	ValuesFile string `json:"valuesFile,omitempty" doc:"File with values, relative to the platform file, that those of the release must be the same as; its newest revision has to be deployed then."`
	Storage    string `json:"storage,omitempty" enum:"secrets,configmaps" doc:"Where Helm keeps its records; default secrets."`
}

// FactOutput is the output of helm.release.
type FactOutput struct {
	Release     string         `json:"release" doc:"Name of the release."`
	Namespace   string         `json:"namespace" doc:"Namespace of the release."`
	Chart       ChartOutput    `json:"chart" doc:"Chart of the newest revision."`
	Revision    int            `json:"revision" doc:"Number of the newest revision."`
	Status      string         `json:"status" doc:"Status of the newest revision, as helm shows it: deployed, failed, pending-upgrade and so on."`
	Deployed    int            `json:"deployed" doc:"Number of the revision that is deployed, 0 for none."`
	Description string         `json:"description" doc:"What Helm has written about the newest revision."`
	Updated     string         `json:"updated" doc:"When the newest revision was made, in RFC 3339."`
	ApplyMethod string         `json:"applyMethod" doc:"How its objects are applied: client-side or server-side."`
	Values      map[string]any `json:"values" refit:"sensitive" doc:"Values that were given to the newest revision; secrets may be among them."`
	Secret      []string       `json:"secretKeys,omitempty" doc:"Paths of values whose names look like those of secrets."`
}

// Release returns the action helm.release.
func Release(w World) action.Action {
	return action.Define(action.Definition[ReleaseInput, FactOutput]{
		Name:    "helm.release",
		Version: 1,
		Summary: "Read what Helm has on record of a release.",
		Effect:  action.ReadOnly,
		Targets: kinds(),
		Check: func(in ReleaseInput) error {
			p := place{in.Release, in.Namespace, in.Storage}
			if p.namespace == "" {
				p.namespace = metav1.NamespaceDefault
			}
			return p.check()
		},
		Preview: func(_ context.Context, _ action.Env, in ReleaseInput) (action.Preview, error) {
			text := fmt.Sprintf("read release %q", in.Release)
			if in.Namespace != "" {
				text += fmt.Sprintf(" in namespace %q", in.Namespace)
			}
			if in.ValuesFile != "" {
				text += fmt.Sprintf(" and compare its values with %q", in.ValuesFile)
			}
			return action.Preview{Summary: text}, nil
		},
		Observe: w.observeRelease,
		Access:  w.accessRelease,
	})
}

func (w World) observeRelease(
	ctx context.Context, env action.Env, in ReleaseInput,
) (action.Observed[FactOutput], error) {
	p := place{in.Release, in.Namespace, in.Storage}
	if p.namespace == "" {
		var err error
		if p.namespace, err = w.find(ctx, env, p); err != nil {
			return action.Observed[FactOutput]{}, err
		}
	}
	var seen action.Observed[FactOutput]
	err := w.named(ctx, env, p, func(s *session, st standing) error {
		out, err := s.fact(st)
		if err != nil {
			return err
		}
		seen = action.Saw(out)
		if in.ValuesFile == "" {
			return nil
		}
		if why := unsettled(s, st.last()); why != "" {
			seen = action.Observed[FactOutput]{Status: action.Failed, Reason: why}
			return nil
		}
		want, err := readValues(env, in.ValuesFile)
		if err != nil {
			return err
		}
		if want, err = plainMap(want); err != nil {
			return err
		}
		if paths := differences(want, out.Values); len(paths) > 0 {
			seen = action.Observed[FactOutput]{Status: action.Failed, Reason: fmt.Sprintf(
				"the values of %s differ from %q at %s: somebody has changed one of them since; "+
					"compare with helm get values", s, in.ValuesFile, some(paths))}
		}
		return nil
	})
	return seen, err
}

// unsettled says why a release is not as its newest revision wants it, "" when it is.
func unsettled(s *session, last *release.Release) string {
	at := last.Info.LastDeployed.UTC().Format(time.RFC3339)
	switch {
	case last.Info.Status == common.StatusDeployed:
		return ""
	case pending(last):
		return fmt.Sprintf("revision %d of %s is %s since %s: somebody is at it, or was ended in the middle: "+
			"wait for them, or take it back with helm rollback", last.Version, s, last.Info.Status, at)
	}
	return fmt.Sprintf("revision %d of %s is %s since %s, not deployed: %s: upgrade or roll back first, "+
		"so that the release is what its values say", last.Version, s, last.Info.Status, at,
		squeeze(last.Info.Description))
}

// some lists the first of many names.
func some(names []string) string {
	const most = 10
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// fact tells what is on record.
func (s *session) fact(st standing) (FactOutput, error) {
	last := st.last()
	values, err := plainMap(last.Config)
	if err != nil {
		return FactOutput{}, err
	}
	out := FactOutput{
		Release: s.release, Namespace: s.namespace, Chart: chartOutput(last), Revision: last.Version,
		Status: string(last.Info.Status), Description: squeeze(last.Info.Description),
		Updated: last.Info.LastDeployed.UTC().Format(time.RFC3339), ApplyMethod: "client-side",
		Values: values, Secret: secretPaths(values, nil),
	}
	if last.ApplyMethod == string(release.ApplyMethodServerSideApply) {
		out.ApplyMethod = "server-side"
	}
	for _, r := range st.revisions {
		if r.Info.Status == common.StatusDeployed {
			out.Deployed = r.Version
		}
	}
	return out, nil
}

// secretPaths returns the paths of values whose names look like those of secrets.
func secretPaths(values map[string]any, at action.Path) []string {
	var out []string
	for key, value := range values {
		path := append(slices.Clone(at), key)
		if table, ok := value.(map[string]any); ok {
			out = append(out, secretPaths(table, path)...)
			continue
		}
		name := strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(key))
		if slices.ContainsFunc([]string{
			"password", "passwd", "secret", "token", "apikey", "credential", "privatekey", "accesskey",
		}, func(word string) bool { return strings.Contains(name, word) }) {
			out = append(out, path.String())
		}
	}
	slices.Sort(out)
	return out
}

// find returns the only namespace that has a release of a name.
func (w World) find(ctx context.Context, env action.Env, p place) (string, error) {
	cluster, err := w.Clusters.Connect(env)
	if err != nil {
		return "", err
	}
	options := metav1.ListOptions{LabelSelector: "owner=helm,name=" + p.release}
	var namespaces []string
	if p.storage == storageConfigMaps {
		list, err := cluster.Typed.CoreV1().ConfigMaps("").List(ctx, options)
		if err != nil {
			return "", kube.Failure("look for releases called "+p.release+" in all namespaces", err, action.ExtentNone)
		}
		for i := range list.Items {
			namespaces = append(namespaces, list.Items[i].Namespace)
		}
	} else {
		list, err := cluster.Typed.CoreV1().Secrets("").List(ctx, options)
		if err != nil {
			return "", kube.Failure("look for releases called "+p.release+" in all namespaces", err, action.ExtentNone)
		}
		for i := range list.Items {
			namespaces = append(namespaces, list.Items[i].Namespace)
		}
	}
	slices.Sort(namespaces)
	namespaces = slices.Compact(namespaces)
	switch len(namespaces) {
	case 1:
		return namespaces[0], nil
	case 0:
		return "", refused(reasonReleaseNotFound, "correct the name: helm list --all-namespaces shows all of them",
			fmt.Errorf("find release %q: there is none in %s", p.release, cluster.Name))
	default:
		return "", refused(reasonReleaseAmbiguous, "say which with namespace",
			errors.New("find release \""+p.release+"\": namespaces "+some(namespaces)+" have one each"))
	}
}
