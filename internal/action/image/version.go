package image

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/exec"
	kubeaction "github.com/refitproject/refit/internal/action/kube"
	"github.com/refitproject/refit/internal/kube"
)

// The reasons of errors of image.version.
const (
	reasonAnotherVersion = "AnotherVersion"
	reasonNoVersion      = "NoVersion"
)

// How much of a version has to be the same.
const (
	matchExact = "exact"
	matchMinor = "minor"
	matchMajor = "major"
)

// deadline is how long a program may take that prints its version.
const deadline = 2 * time.Minute

// VersionInput is the input of image.version.
type VersionInput struct {
	Namespace        string        `json:"namespace" doc:"Namespace of the pod that runs the program."`
	Image            string        `json:"image" doc:"Image that is looked into."`
	Command          []string      `json:"command" doc:"Program of the image that prints its version, and its arguments."`
	Version          string        `json:"version,omitempty" doc:"Version that it needs; without it, whatever it has is fine."`
	Match            string        `json:"match,omitempty" enum:"exact,minor,major" doc:"How much has to be the same: all of it (exact, the default), major and minor version (minor), or the major version (major)."`
	ImagePullSecrets []string      `json:"imagePullSecrets,omitempty" doc:"Secrets of the namespace with credentials of registries."`
	Start            time.Duration `json:"start,omitempty" doc:"How long the pod may take until the program runs, such as while the image is pulled; default 5m."`
}

// VersionOutput is the output of image.version.
type VersionOutput struct {
	Version string `json:"version" doc:"Version that the program prints: the first word that begins with a number and has a dot."`
}

// Version returns the action image.version.
func Version(connector *kube.Connector) action.Action {
	i := images{connector}
	return action.Define(action.Definition[VersionInput, VersionOutput]{
		Name:      "image.version",
		Version:   1,
		Summary:   "Look which version of a program an image has, before it is used.",
		Effect:    action.Scratch,
		Targets:   []string{kube.KindTarget},
		Resumable: true,
		Check:     checkVersion,
		Preview: func(_ context.Context, _ action.Env, in VersionInput) (action.Preview, error) {
			text := fmt.Sprintf("run %s in a pod with image %s", exec.Quote(in.Command), in.Image)
			if in.Version != "" {
				text += ", which needs " + in.needed()
			}
			return action.Preview{Summary: text}, nil
		},
		Observe: i.observe,
		Run:     i.run,
		Undo: func(ctx context.Context, env action.Env, in VersionInput, _ map[string]any) error {
			q, err := i.of(ctx, env, in)
			if err != nil {
				return err
			}
			return q.Drop(ctx)
		},
		Access: func(_ context.Context, _ action.Env, in VersionInput) ([]action.Access, error) {
			return append(kubeaction.JobAccess(in.Namespace), action.Access{
				Resource: "configmaps", Namespace: in.Namespace, Verbs: []string{"create", "delete", "get", "list"},
			}), nil
		},
	})
}

func (in VersionInput) match() string { return cmp.Or(in.Match, matchExact) }

func checkVersion(in VersionInput) error {
	switch {
	case len(in.Command) == 0:
		return errors.New("field \"command\" is empty, needs the program that prints the version")
	case in.Image == "" || strings.ContainsAny(in.Image, " \t\n"):
		return fmt.Errorf("field \"image\": %q is no image", in.Image)
	case in.Version != "" && versionIn(in.Version) != in.Version:
		return fmt.Errorf("field \"version\" is %q, needs a version such as 5.5.0", in.Version)
	case in.Version == "" && in.Match != "":
		return errors.New("field \"match\" goes with \"version\"")
	}
	return in.job().Check()
}

// job is what runs the program.
func (in VersionInput) job() kubeaction.JobInput {
	pod := map[string]any{
		"automountServiceAccountToken": false,
		// Whoever it is otherwise: the strictest Pod Security level lets it run.
		"securityContext": map[string]any{
			"runAsNonRoot": true, "runAsUser": kubeaction.Nobody,
			"seccompProfile": map[string]any{"type": "RuntimeDefault"},
		},
		"containers": []any{map[string]any{
			"name": "main", "image": in.Image, "command": in.Command,
			"env": []any{map[string]any{"name": "HOME", "value": "/tmp"}},
			"securityContext": map[string]any{
				"allowPrivilegeEscalation": false, "capabilities": map[string]any{"drop": []any{"ALL"}},
			},
		}},
	}
	var secrets []any
	for _, name := range in.ImagePullSecrets {
		secrets = append(secrets, map[string]any{"name": name})
	}
	if len(secrets) > 0 {
		pod["imagePullSecrets"] = secrets
	}
	return kubeaction.JobInput{
		Namespace: in.Namespace, Name: "refit-image", Pod: pod, Deadline: deadline, Start: in.Start,
	}
}

type images struct{ connector *kube.Connector }

func (i images) of(ctx context.Context, env action.Env, in VersionInput) (kubeaction.Question, error) {
	return kubeaction.NewQuestion(ctx, i.connector, env, in.job(), "image")
}

func (i images) observe(ctx context.Context, env action.Env, in VersionInput) (action.Observed[VersionOutput], error) {
	none := action.Observed[VersionOutput]{}
	q, err := i.of(ctx, env, in)
	if err != nil {
		return none, err
	}
	out := VersionOutput{}
	open, err := q.Open(ctx)
	known := false
	if err == nil && !open {
		known, err = q.Answer(ctx, &out)
	}
	switch {
	case err != nil:
		return none, err
	case open:
		return action.Observed[VersionOutput]{Status: action.Partial, Reason: q.String() + " is there still"}, nil
	case !known:
		return action.Observed[VersionOutput]{
			Status: action.NotStarted, Reason: "this step has not looked into the image yet",
		}, nil
	}
	return action.Observed[VersionOutput]{
		Status: action.Done, Output: &out, Reason: fmt.Sprintf("image %s has %s", in.Image, out.Version),
	}, nil
}

func (i images) run(ctx context.Context, env action.Env, in VersionInput, _ map[string]any) (VersionOutput, error) {
	out := VersionOutput{}
	q, err := i.of(ctx, env, in)
	if err != nil {
		return out, err
	}
	known, err := q.Answer(ctx, &out)
	if err == nil && !known {
		out.Version, err = ask(ctx, env, q, in)
		if err == nil {
			err = q.Keep(ctx, env, out)
		}
	}
	// The pod has said what it had to say, also when that was not what is needed.
	if ctx.Err() == nil {
		if closed := q.Close(ctx); err == nil {
			err = closed
		}
	}
	return out, err
}

// ask runs the program and judges what it prints.
func ask(ctx context.Context, env action.Env, q kubeaction.Question, in VersionInput) (string, error) {
	printed, err := q.Ask(ctx, env)
	if err != nil {
		return "", err
	}
	has := versionIn(printed)
	switch {
	case has == "":
		first, _, _ := strings.Cut(printed, "\n")
		return "", &action.Error{
			Reason: reasonNoVersion, Effect: action.ExtentNone, Remedy: "name a command that prints the version",
			Err: fmt.Errorf("%s in image %s prints no version: %q",
				exec.Quote(in.Command), in.Image, first),
		}
	case in.Version != "" && !sameVersion(has, in.Version, in.match()):
		return "", &action.Error{
			Reason: reasonAnotherVersion, Effect: action.ExtentNone, Retryable: true,
			Remedy: "build the image anew, under another tag where nodes have this one, or name another image",
			Err:    fmt.Errorf("image %s has %s, needed is %s", in.Image, has, in.needed()),
		}
	}
	return has, nil
}

// needed says which version is needed.
func (in VersionInput) needed() string {
	switch in.match() {
	case matchMinor:
		return "the minor version of " + in.Version
	case matchMajor:
		return "the major version of " + in.Version
	}
	return in.Version
}

// aVersion is a word that begins with a number and has a dot, such as 5.5.0 or
// 3.0.0b1.dev2; a v before it does not belong to it.
var aVersion = regexp.MustCompile(`(?:^|[\s(=@/:,"'])v?(\d+\.[0-9A-Za-z.+_-]*[0-9A-Za-z])`)

// versionIn returns the first version that stands in a text, "" for none.
func versionIn(text string) string {
	m := aVersion.FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	return m[1]
}

// sameVersion tells whether two versions are the same as far as match says.
func sameVersion(a, b, match string) bool {
	parts := map[string]int{matchMinor: 2, matchMajor: 1}[match]
	if parts == 0 {
		return a == b
	}
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range parts {
		if i >= len(x) || i >= len(y) || x[i] != y[i] {
			return false
		}
	}
	return true
}
