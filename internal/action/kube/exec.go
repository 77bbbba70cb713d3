package kube

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
	utilexec "k8s.io/client-go/util/exec"
	"k8s.io/streaming/pkg/httpstream"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/exec"
	"github.com/refitproject/refit/internal/kube"
	"github.com/refitproject/refit/internal/secret"
)

// The reasons of errors of kube.exec, which are those of exec.command.
const (
	reasonCommandFailed   = "CommandFailed"
	reasonCommandNotFound = "CommandNotFound"
	reasonObserveUnclear  = "ObserveUnclear"
	reasonUndoFailed      = "UndoFailed"
)

// ExecInput is the input of kube.exec.
type ExecInput struct {
	Namespace      string                      `json:"namespace" doc:"Namespace of the pod."`
	Pod            string                      `json:"pod,omitempty" doc:"Name of the pod; this or selector is given."`
	Selector       string                      `json:"selector,omitempty" doc:"Labels of the pod, such as app=hub; of several the first by name that is ready."`
	Container      string                      `json:"container,omitempty" doc:"Container of the pod; default the one that the pod itself names as its default, else its first."`
	Command        []string                    `json:"command" doc:"Program in the container and its arguments; no shell."`
	SecretEnv      map[string]action.SecretRef `json:"secretEnv,omitempty" refit:"secret" doc:"Environment variables from secrets, for observe and undo too; the container needs sh and dd for them, and their values are removed from all output."`
	Stdin          string                      `json:"stdin,omitempty" doc:"Text for the standard input of command; default empty."`
	SecretStdin    action.SecretRef            `json:"secretStdin,omitempty" refit:"secret" doc:"Standard input of command from a secret."`
	OkExits        []int                       `json:"okExits,omitempty" doc:"Exit codes of command that mean success; default 0 only."`
	UnchangedExits []int                       `json:"unchangedExits,omitempty" doc:"Exit codes of command that mean that it failed and changed nothing."`
	Observe        *exec.ObserveCommand        `json:"observe,omitempty" doc:"How to see, in the same container, whether the effect has happened; without it a lost attempt puts the step in doubt."`
	Undo           *exec.UndoCommand           `json:"undo,omitempty" doc:"How to take the effect back, in the same container; what observe printed before the effect is its standard input. Without it the step has no inverse."`
}

// ExecOutput is the output of kube.exec.
type ExecOutput struct {
	Pod       string `json:"pod" doc:"Name of the pod."`
	Container string `json:"container" doc:"Name of the container."`
	Observed  bool   `json:"observed" doc:"Tells that the effect was seen by observe instead of the end of command; stdout and stderr are then those of observe."`
	ExitCode  int    `json:"exitCode" doc:"Exit code."`
	Stdout    string `json:"stdout" doc:"End of standard output without white space around it, at most 24 KiB."`
	Stderr    string `json:"stderr" doc:"End of standard error without white space around it, at most 8 KiB."`
	Truncated bool   `json:"truncated" doc:"Tells that stdout is not all of it."`
}

// beforeStdout is the entry of Before with what observe printed, of which keepBefore
// bytes are kept.
const (
	beforeStdout = "stdout"
	keepBefore   = 16 << 10
)

// Exec returns the action kube.exec.
func Exec(connector *kube.Connector) action.Action {
	x := executor{connector}
	return action.Define(action.Definition[ExecInput, ExecOutput]{
		Name:         "kube.exec",
		Version:      1,
		Summary:      "Run a command in a container of a pod.",
		Effect:       action.Mutating,
		Targets:      []string{kube.KindTarget},
		UndoField:    "undo",
		ObserveField: "observe",
		NoUndo:       "no undo command is given",
		Resumable:    true, // with partialExits; else nothing is ever seen half done
		Check:        checkExec,
		Preview: func(_ context.Context, _ action.Env, in ExecInput) (action.Preview, error) {
			return action.Preview{Summary: fmt.Sprintf("run in %s: %s", in.choice(), exec.Quote(in.Command))}, nil
		},
		Observe: x.observe,
		Run:     x.run,
		Undo:    x.undo,
		Access: func(_ context.Context, _ action.Env, in ExecInput) ([]action.Access, error) {
			pods := action.Access{Resource: "pods", Namespace: in.Namespace, Verbs: []string{"list"}}
			shell := action.Access{Resource: "pods/exec", Namespace: in.Namespace, Verbs: []string{"create", "get"}}
			if in.Pod != "" {
				pods.Verbs, pods.Names, shell.Names = []string{"get"}, []string{in.Pod}, []string{in.Pod}
			}
			return []action.Access{pods, shell}, nil
		},
	})
}

func (in ExecInput) choice() podChoice {
	return podChoice{in.Namespace, in.Pod, in.Selector, in.Container}
}

// asCommand is what the input has in common with that of exec.command.
func (in ExecInput) asCommand() exec.CommandInput {
	return exec.CommandInput{
		Command: in.Command, SecretEnv: in.SecretEnv, Stdin: in.Stdin, SecretStdin: in.SecretStdin,
		OkExits: in.OkExits, UnchangedExits: in.UnchangedExits, Observe: in.Observe, Undo: in.Undo,
	}
}

// variablePattern admits what a shell can export.
var variablePattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func checkExec(in ExecInput) error {
	if err := in.choice().check(); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(in.SecretEnv)) {
		if !variablePattern.MatchString(name) {
			return fmt.Errorf("field \"secretEnv\": a shell cannot set the variable %q", name)
		}
	}
	return exec.CheckInput(in.asCommand())
}

type executor struct{ connector *kube.Connector }

// container is where the commands of a step run.
type container struct {
	cluster              *kube.Cluster
	namespace, pod, name string
}

func (c container) String() string {
	return fmt.Sprintf("container %s of pod %s in namespace %s", c.name, c.pod, c.namespace)
}

func (x executor) find(ctx context.Context, env action.Env, in ExecInput) (container, error) {
	cluster, err := x.connector.Connect(env)
	if err != nil {
		return container{}, err
	}
	pod, name, err := in.choice().find(ctx, cluster)
	return container{cluster, in.Namespace, pod, name}, err
}

// command is one program with what it is given; secrets are resolved at the last
// moment.
type command struct {
	args        []string
	stdin       string
	secretStdin action.SecretRef
	secretEnv   map[string]action.SecretRef
}

// start runs a program in a container to its end. The error is an *action.Error:
// with ExtentNone when it was not started, else with ExtentUnknown.
func (c container) start(ctx context.Context, env action.Env, cmd command) (exec.Result, error) {
	env, known := secret.Recording(env)
	variables, err := env.ResolveSecrets(ctx, "secretEnv", cmd.secretEnv)
	if err != nil {
		return exec.Result{}, err
	}
	stdin := cmd.stdin
	if cmd.secretStdin != nil {
		one, err := env.ResolveSecrets(ctx, "secretStdin", map[string]action.SecretRef{"value": cmd.secretStdin})
		if err != nil {
			return exec.Result{}, err
		}
		stdin = one["value"]
	}
	args, stdin := withVariables(cmd.args, stdin, variables)
	capture := exec.NewCapture(known.Values(), env.Log)
	code, err := c.stream(ctx, args, stdin, capture)
	result := capture.End(code)
	if err != nil {
		return exec.Result{}, err
	}
	return result, nil
}

// withVariables lets a shell in the container set variables before it becomes the
// program. They come over its standard input: arguments can be seen by everybody who
// sees the processes of the container.
func withVariables(args []string, stdin string, variables map[string]string) ([]string, string) {
	if len(variables) == 0 {
		return args, stdin
	}
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		fmt.Fprintf(&text, "export %s='%s'\n", name, strings.ReplaceAll(variables[name], "'", `'\''`))
	}
	// One byte at a time: what stands behind belongs to the program.
	const script = `v=$(dd bs=1 count="$0" 2>/dev/null) && eval "$v" && unset v && exec "$@"`
	return append([]string{"sh", "-c", script, strconv.Itoa(text.Len())}, args...), text.String() + stdin
}

// stream starts a program and takes what it prints, until it has ended.
func (c container) stream(
	ctx context.Context, args []string, stdin string, capture *exec.Capture,
) (int, error) {
	doing := fmt.Sprintf("run %s in %s", exec.Quote(args[:1]), c)
	request := c.cluster.Typed.CoreV1().RESTClient().Post().Resource("pods").Namespace(c.namespace).Name(c.pod).
		SubResource("exec").VersionedParams(&corev1.PodExecOptions{
		Container: c.name, Command: args, Stdin: stdin != "", Stdout: true, Stderr: true,
	}, scheme.ParameterCodec)
	config := rest.CopyConfig(c.cluster.Rest)
	sockets, err := remotecommand.NewWebSocketExecutor(config, http.MethodGet, request.URL().String())
	if err != nil {
		return 0, failed(ctx, doing, err, action.ExtentNone)
	}
	spdy, err := remotecommand.NewSPDYExecutor(config, http.MethodPost, request.URL())
	if err != nil {
		return 0, failed(ctx, doing, err, action.ExtentNone)
	}
	// Servers before 1.31, and proxies before others, know no web sockets here. When
	// there is no connection nothing was started.
	either, err := remotecommand.NewFallbackExecutor(sockets, spdy, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	})
	if err != nil {
		return 0, failed(ctx, doing, err, action.ExtentNone)
	}
	streams := remotecommand.StreamOptions{Stdout: capture.Stdout, Stderr: capture.Stderr}
	if stdin != "" {
		streams.Stdin = bytes.NewReader([]byte(stdin))
	}
	return exitCode(ctx, doing, either.StreamWithContext(ctx, streams))
}

// notStarted are the words of container runtimes about a program that is not there.
var notStarted = regexp.MustCompile(`executable file not found|no such file or directory|permission denied: unknown`)

// exitCode tells a program that has ended by itself from one of which nobody knows.
func exitCode(ctx context.Context, doing string, err error) (int, error) {
	if err == nil {
		return 0, nil
	}
	if ended, ok := errors.AsType[utilexec.CodeExitError](err); ok {
		return ended.Code, nil
	}
	if text := err.Error(); ctx.Err() == nil && notStarted.MatchString(text) {
		return 0, &action.Error{
			Reason: reasonCommandNotFound, Effect: action.ExtentNone,
			Remedy: "name a program that the image of the container has", Err: fmt.Errorf("%s: %w", doing, err),
		}
	}
	return 0, failed(ctx, doing, err, action.ExtentUnknown)
}

func (x executor) observe(
	ctx context.Context, env action.Env, in ExecInput,
) (action.Observed[ExecOutput], error) {
	switch {
	case in.Observe != nil:
		return x.ask(ctx, env, in)
	case env.Attempted:
		return action.Observed[ExecOutput]{
			Status: action.Unknown,
			Reason: "the command was started before, and no observe command tells what it did",
		}, nil
	default:
		return action.Observed[ExecOutput]{Status: action.NotStarted, Reason: "the command was never started"}, nil
	}
}

// ask starts the observe command and reads its exit code.
func (x executor) ask(ctx context.Context, env action.Env, in ExecInput) (action.Observed[ExecOutput], error) {
	none := action.Observed[ExecOutput]{}
	where, err := x.find(ctx, env, in)
	if err != nil {
		return none, err
	}
	result, err := where.start(ctx, env, command{args: in.Observe.Command, secretEnv: in.SecretEnv})
	if err != nil {
		return none, action.WithExtent(err, action.ExtentNone)
	}
	seen := action.Observed[ExecOutput]{Reason: fmt.Sprintf("observe ended with exit code %d", result.ExitCode)}
	var known bool
	if seen.Status, known = in.Observe.Meaning(result.ExitCode); !known {
		return none, &action.Error{
			Reason: reasonObserveUnclear, Retryable: true, Effect: action.ExtentNone,
			Remedy: "give the code a meaning in doneExits, notStartedExits, inProgressExits or partialExits, " +
				"or mend the command",
			Err: fmt.Errorf("observe the effect: %w", where.ended(in.Observe.Command, result)),
		}
	}
	if seen.Status == action.Done {
		out := where.output(result)
		out.Observed = true
		seen.Output = &out
	}
	before := result.Output().Stdout
	seen.Before = map[string]any{beforeStdout: before[max(0, len(before)-keepBefore):]}
	return seen, nil
}

// ended says how a program has ended that should have ended otherwise.
func (c container) ended(args []string, result exec.Result) error {
	text := fmt.Sprintf("command %s in %s ended with exit code %d", exec.Quote(args), c, result.ExitCode)
	if line := result.LastLine(); line != "" {
		text += ": " + line
	}
	return errors.New(text)
}

func (c container) output(result exec.Result) ExecOutput {
	out := result.Output()
	return ExecOutput{
		Pod: c.pod, Container: c.name, ExitCode: out.ExitCode, Stdout: out.Stdout, Stderr: out.Stderr,
		Truncated: out.Truncated,
	}
}

func (x executor) run(ctx context.Context, env action.Env, in ExecInput, _ map[string]any) (ExecOutput, error) {
	where, err := x.find(ctx, env, in)
	if err != nil {
		return ExecOutput{}, err
	}
	result, err := where.start(ctx, env, command{in.Command, in.Stdin, in.SecretStdin, in.SecretEnv})
	if err != nil {
		return ExecOutput{}, err
	}
	meaning := in.asCommand()
	if meaning.Ok(result.ExitCode) {
		return where.output(result), nil
	}
	out := &action.Error{
		Reason: reasonCommandFailed, Effect: action.ExtentUnknown, Err: where.ended(in.Command, result),
	}
	if meaning.Unchanged(result.ExitCode) {
		out.Effect, out.Retryable = action.ExtentNone, true
	}
	return ExecOutput{}, out
}

func (x executor) undo(ctx context.Context, env action.Env, in ExecInput, before map[string]any) error {
	where, err := x.find(ctx, env, in)
	if err != nil {
		return err
	}
	stdin, _ := before[beforeStdout].(string)
	result, err := where.start(ctx, env, command{
		args: in.Undo.Command, stdin: stdin, secretEnv: in.SecretEnv,
	})
	if err != nil {
		return err
	}
	if result.ExitCode != 0 {
		return &action.Error{
			Reason: reasonUndoFailed, Retryable: true, Effect: action.ExtentUnknown,
			Err: fmt.Errorf("take back the effect: %w", where.ended(in.Undo.Command, result)),
		}
	}
	return nil
}
