package kube_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	"github.com/refitproject/refit/internal/action/kube"
	"github.com/refitproject/refit/internal/kube/kubetest"
)

// box is an image with a shell.
const box = "localhost/refit/busybox:1"

// shell is a pod in which commands run.
const shell = `
apiVersion: v1
kind: Pod
metadata: {name: shell, labels: {app: shell}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - {name: main, image: localhost/refit/busybox:1, command: [sleep, "3600"], volumeMounts: [{name: data, mountPath: /data}]}
  - {name: other, image: localhost/refit/busybox:1, command: [sleep, "3600"]}
  volumes: [{name: data, emptyDir: {}}]
`

// shellSpace is a namespace with the pod, which runs.
func shellSpace(t *testing.T) *kubetest.Space {
	t.Helper()
	space := kubetest.New(t)
	space.Images("busybox")
	space.Apply(shell)
	space.Within(2*time.Minute, "the pod", func(ctx context.Context) (bool, string) {
		pod, err := space.Cluster.Typed.CoreV1().Pods(space.Name).Get(ctx, "shell", metav1.GetOptions{})
		if err != nil {
			return false, err.Error()
		}
		for _, c := range pod.Status.Conditions {
			if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
				return true, ""
			}
		}
		return false, string(pod.Status.Phase)
	})
	return space
}

// inNamespace puts the namespace of a test into the input of an example.
func inNamespace(space *kubetest.Space) func(map[string]any) {
	return func(in map[string]any) { in["namespace"] = space.Name }
}

// inShell runs a script in the pod and returns what it printed.
func inShell(t *testing.T, space *kubetest.Space, script string) string {
	t.Helper()
	out, err := kube.Exec(space.Connector).Run(t.Context(), space.Env(), map[string]any{
		"namespace": space.Name, "pod": "shell", "command": []any{"sh", "-c", script},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := out["stdout"].(string)
	return text
}

func TestClusterExecSuite(t *testing.T) {
	t.Parallel()
	space := kubetest.New(t)
	actiontest.Run(t, actiontest.Suite{
		Permit:   kubetest.Permit,
		Action:   kube.Exec(space.Connector),
		Examples: "testdata/exec/*.yaml",
		World: func(t *testing.T) actiontest.World {
			t.Helper()
			space := shellSpace(t)
			return actiontest.World{
				Env: space.Env(), Adapt: inNamespace(space),
				State: func(t *testing.T) string {
					t.Helper()
					return inShell(t, space, `cd /data && for f in *; do echo "$f: $(cat "$f" 2>/dev/null)"; done`)
				},
			}
		},
		Slow: map[string]any{"namespace": "-", "pod": "shell", "command": []any{"sleep", "60"}},
	})
}

func TestClusterExec(t *testing.T) {
	t.Parallel()
	space := shellSpace(t)
	run := kube.Exec(space.Connector).Run
	cases := map[string]struct {
		reason string
		in     map[string]any
		want   string // the output, or the reason of the error and a part of its text
	}{
		"Streams":   {"Both streams are kept.", map[string]any{"command": []any{"sh", "-c", "echo out; echo err >&2"}}, "main out/err"},
		"Stdin":     {"The input is given as it is.", map[string]any{"command": []any{"cat"}, "stdin": "a\nb"}, "main a\nb/"},
		"Container": {"Another container is asked.", map[string]any{"container": "other", "command": []any{"sh", "-c", "ls -d /data || true"}}, "other /ls: /data: No such file or directory"},
		"Secrets": {"Secrets are there, and nowhere in what is printed.", map[string]any{
			"command":   []any{"sh", "-c", `read -r x; echo "${#TOKEN} ${#x} $TOKEN $x" "$(cat /proc/*/cmdline | tr '\0' ' ' | grep -c 'plante[d]-')"`},
			"secretEnv": map[string]any{"TOKEN": map[string]any{"env": "T"}}, "secretStdin": map[string]any{"file": "f"},
		}, "main 18 18 *** *** 0/"},
		"Exit":     {"An exit code is told with the last line.", map[string]any{"command": []any{"sh", "-c", "echo no room >&2; exit 3"}}, "CommandFailed unknown ended with exit code 3: no room"},
		"Nothing":  {"A code that means that nothing was changed.", map[string]any{"command": []any{"sh", "-c", "exit 3"}, "unchangedExits": []any{int64(3)}}, "CommandFailed none ended with exit code 3"},
		"NoFile":   {"What is not there did not start.", map[string]any{"command": []any{"upgrade-db"}}, "CommandNotFound none "},
		"NoPod":    {"A pod that is not there.", map[string]any{"pod": "shel", "command": []any{"true"}}, `NotFound none pods "shel" not found`},
		"NoneSuch": {"Labels that nothing has.", map[string]any{"pod": nil, "selector": "app=hub", "command": []any{"true"}}, "NoPod none a pod with app=hub"},
		"NoName":   {"A container that is not there.", map[string]any{"container": "mian", "command": []any{"true"}}, "NoContainer none name one of main, other"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := map[string]any{"namespace": space.Name, "pod": "shell"}
			for key, value := range tc.in {
				in[key] = value
				if value == nil {
					delete(in, key)
				}
			}
			out, err := run(t.Context(), space.Env(), in, nil)
			if err != nil {
				failed, ok := errors.AsType[*action.Error](err)
				if !ok {
					t.Fatalf("%s: got %v", tc.reason, err)
				}
				got := failed.Reason + " " + string(failed.Effect)
				if !strings.HasPrefix(tc.want, got+" ") || !strings.Contains(err.Error(), tc.want[len(got)+1:]) {
					t.Errorf("%s: got %s: %v, want %s", tc.reason, got, err, tc.want)
				}
				return
			}
			got := out["container"].(string) + " " + out["stdout"].(string) + "/" + out["stderr"].(string)
			if got != tc.want {
				t.Errorf("%s: got %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
}

func TestExecInput(t *testing.T) {
	t.Parallel()
	checkInputs(t, kube.Exec(nil), map[string]any{
		"namespace": "jhub", "pod": "hub", "command": []any{"true"},
	}, map[string]struct {
		change map[string]any
		want   string
	}{
		"Both":      {map[string]any{"selector": "app=hub"}, `one of the fields "pod" and "selector" is needed`},
		"Neither":   {map[string]any{"pod": nil}, `one of the fields "pod" and "selector" is needed`},
		"Path":      {map[string]any{"pod": "hub/log"}, `field "pod" is "hub/log"`},
		"Namespace": {map[string]any{"namespace": ""}, `field "namespace" is ""`},
		"Selector":  {map[string]any{"pod": nil, "selector": "=="}, `field "selector" is "=="`},
		"Command":   {map[string]any{"command": []any{}}, `field "command" is empty`},
		"Variable":  {map[string]any{"secretEnv": map[string]any{"A-B": map[string]any{"env": "X"}}}, `a shell cannot set the variable "A-B"`},
		"Codes":     {map[string]any{"unchangedExits": []any{int64(0)}}, "exit code 0 of command means two things"},
	})
}

// checkInputs checks inputs, each a good one with a change.
func checkInputs(t *testing.T, a action.Action, good map[string]any, cases map[string]struct {
	change map[string]any
	want   string
},
) {
	t.Helper()
	checker, ok := a.(action.Checker)
	if !ok {
		t.Fatal("the action checks nothing")
	}
	if err := checker.Check(good); err != nil {
		t.Fatalf("the good input is refused: %v", err)
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := map[string]any{}
			maps.Copy(in, good)
			for key, value := range tc.change {
				in[key] = value
				if value == nil {
					delete(in, key)
				}
			}
			err := checker.Check(in)
			if action.ReasonOf(err) != action.ReasonInvalidInput || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
}
