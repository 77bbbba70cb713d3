package kube

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/exec"
	"github.com/refitproject/refit/internal/kube"
	"github.com/refitproject/refit/internal/secret"
)

// The reasons of errors of kube.job.
const (
	reasonJobFailed     = "JobFailed"
	reasonJobNotStarted = "JobNotStarted"
	reasonJobLost       = "JobLost"
)

// jobContainer is the container of a Job that is not given as a whole pod.
const jobContainer = "main"

// jobEvery is how often a Job is looked at.
const jobEvery = 500 * time.Millisecond

// defaultStart is how long the pod of a Job may take until its container runs.
const defaultStart = 5 * time.Minute

// JobInput is the input of kube.job.
type JobInput struct {
	Namespace      string                      `json:"namespace" doc:"Namespace of the job."`
	Name           string                      `json:"name,omitempty" doc:"What the name of the job begins with, at most 30 characters; default refit."`
	Image          string                      `json:"image,omitempty" doc:"Image of the container; this or pod is given."`
	Command        []string                    `json:"command,omitempty" doc:"Program in the container and its arguments, with image; default that of the image."`
	Env            map[string]string           `json:"env,omitempty" doc:"Environment variables of the containers."`
	SecretEnv      map[string]action.SecretRef `json:"secretEnv,omitempty" refit:"secret" doc:"Environment variables from secrets; they reach the containers by a Secret that belongs to the job, and their values are removed from all output."`
	ServiceAccount string                      `json:"serviceAccount,omitempty" doc:"Account of the pod, with image; default that of the namespace without a token."`
	Pod            map[string]any              `json:"pod,omitempty" doc:"Whole PodSpec instead of image, as Kubernetes writes it; restartPolicy is Never unless it says OnFailure."`
	BackoffLimit   int                         `json:"backoffLimit,omitempty" doc:"How often Kubernetes tries again; default never."`
	Deadline       time.Duration               `json:"deadline,omitempty" doc:"How long the job may run before Kubernetes ends it; default without end."`
	Start          time.Duration               `json:"start,omitempty" doc:"How long the pod may take until its container runs, such as while an image cannot be pulled; then the job is removed; default 5m."`
	UnchangedExits []int                       `json:"unchangedExits,omitempty" doc:"Exit codes that mean that it failed and changed nothing, so that it may be tried again."`
	TTL            time.Duration               `json:"ttl,omitempty" doc:"How long after its end Kubernetes removes the job; default never, because a lost attempt is seen by it."`
}

// JobOutput is the output of kube.job.
type JobOutput struct {
	Job       string `json:"job" doc:"Name of the job."`
	Pod       string `json:"pod,omitempty" doc:"Name of its last pod; missing when that is gone."`
	ExitCode  int    `json:"exitCode" doc:"Exit code of its container."`
	Stdout    string `json:"stdout" doc:"End of the log without white space around it, at most 24 KiB."`
	Truncated bool   `json:"truncated" doc:"Tells that stdout is not all of it."`
}

// Job returns the action kube.job.
func Job(connector *kube.Connector) action.Action {
	j := jobs{connector}
	return action.Define(action.Definition[JobInput, JobOutput]{
		Name:      "kube.job",
		Version:   1,
		Summary:   "Run a job in the cluster and wait for its end.",
		Effect:    action.Mutating,
		Targets:   []string{kube.KindTarget},
		NoUndo:    "what the job has done is not known to Refit",
		Resumable: true,
		Check:     JobInput.Check,
		Preview: func(_ context.Context, _ action.Env, in JobInput) (action.Preview, error) {
			what := "a pod of its own"
			if in.Image != "" {
				what = "image " + in.Image
			}
			if len(in.Command) > 0 {
				what += ": " + exec.Quote(in.Command)
			}
			return action.Preview{Summary: fmt.Sprintf("run a job in namespace %s with %s", in.Namespace, what)}, nil
		},
		Observe: j.observe,
		Run:     j.run,
		Access: func(_ context.Context, _ action.Env, in JobInput) ([]action.Access, error) {
			list := JobAccess(in.Namespace)
			if len(in.SecretEnv) > 0 {
				list = append(list, action.Access{
					Resource: "secrets", Namespace: in.Namespace, Verbs: []string{"create", "delete"},
				})
			}
			return list, nil
		},
	})
}

// JobAccess is what whoever runs a Job in a namespace has to be permitted.
func JobAccess(namespace string) []action.Access {
	return []action.Access{
		{Group: "batch", Resource: "jobs", Namespace: namespace, Verbs: []string{"create", "delete", "get"}},
		{Resource: "pods", Namespace: namespace, Verbs: []string{"list"}},
		{Resource: "pods/log", Namespace: namespace, Verbs: []string{"get"}},
		{Resource: "events", Namespace: namespace, Verbs: []string{"list"}},
	}
}

// Check refuses an input that no Job can be made of.
func (in JobInput) Check() error {
	if err := checkNamespace(in.Namespace); err != nil {
		return err
	}
	const longest = 30
	switch {
	case (in.Image == "") == (len(in.Pod) == 0):
		return errors.New("one of the fields \"image\" and \"pod\" is needed")
	case len(in.Pod) > 0 && (len(in.Command) > 0 || in.ServiceAccount != ""):
		return errors.New("fields \"command\" and \"serviceAccount\" go with \"image\": write them into pod")
	case in.Name != "" && (len(in.Name) > longest || len(validation.IsDNS1123Label(in.Name)) > 0):
		return fmt.Errorf("field \"name\" is %q, needs up to %d of a-z, 0-9 and dash", in.Name, longest)
	case in.BackoffLimit < 0 || in.BackoffLimit > 100:
		return fmt.Errorf("field \"backoffLimit\" is %d, needs 0 to 100", in.BackoffLimit)
	case in.Deadline < 0 || in.Deadline > 0 && in.Deadline < time.Second:
		return errors.New("field \"deadline\" is shorter than a second")
	case in.TTL < 0 || in.TTL > 0 && in.TTL < time.Minute:
		return errors.New("field \"ttl\" is shorter than a minute: a lost attempt could not be seen")
	case in.Start < 0:
		return errors.New("field \"start\" must not be negative")
	}
	if err := in.checkVariables(); err != nil {
		return err
	}
	_, err := in.podSpec("")
	return err
}

// checkVariables checks the names of the environment variables.
func (in JobInput) checkVariables() error {
	for _, names := range [][]string{slices.Sorted(maps.Keys(in.Env)), slices.Sorted(maps.Keys(in.SecretEnv))} {
		for _, name := range names {
			if _, twice := in.SecretEnv[name]; twice && in.Env[name] != "" {
				return fmt.Errorf("environment variable %q stands in env and in secretEnv: name it once", name)
			}
			if len(validation.IsEnvVarName(name)) > 0 {
				return fmt.Errorf("%q cannot be the name of an environment variable", name)
			}
		}
	}
	return nil
}

// podSpec returns what the pod is made of. Its variables from secrets come from the
// Secret called secretName.
func (in JobInput) podSpec(secretName string) (corev1.PodSpec, error) {
	spec := corev1.PodSpec{}
	if in.Image != "" {
		spec.Containers = []corev1.Container{{Name: jobContainer, Image: in.Image, Command: in.Command}}
		spec.ServiceAccountName = in.ServiceAccount
		spec.AutomountServiceAccountToken = new(in.ServiceAccount != "")
	} else {
		data, err := json.Marshal(in.Pod)
		if err != nil {
			return spec, fmt.Errorf("field \"pod\": %w", err)
		}
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&spec); err != nil {
			return spec, fmt.Errorf("field \"pod\" is no PodSpec: %s", strings.TrimPrefix(err.Error(), "json: "))
		}
	}
	if len(spec.Containers) == 0 {
		return spec, errors.New("field \"pod\" has no containers")
	}
	switch spec.RestartPolicy {
	case "":
		spec.RestartPolicy = corev1.RestartPolicyNever
	case corev1.RestartPolicyNever, corev1.RestartPolicyOnFailure:
	default:
		return spec, fmt.Errorf("field \"pod\": its restartPolicy is %s, needs Never or OnFailure", spec.RestartPolicy)
	}
	for i := range spec.Containers {
		c := &spec.Containers[i]
		for _, name := range slices.Sorted(maps.Keys(in.Env)) {
			c.Env = append(c.Env, corev1.EnvVar{Name: name, Value: in.Env[name]})
		}
		if len(in.SecretEnv) > 0 {
			c.EnvFrom = append(c.EnvFrom, corev1.EnvFromSource{SecretRef: &corev1.SecretEnvSource{
				LocalObjectReference: corev1.LocalObjectReference{Name: secretName},
			}})
		}
	}
	return spec, nil
}

type jobs struct{ connector *kube.Connector }

// ownName is the name of an object of a step: the same for every attempt, and for no
// other run.
func ownName(env action.Env, prefix string) string {
	return prefix + "-" + kube.LabelValue(env.Key+"\x00"+env.Origin)
}

// ownLabels mark objects of a step.
func ownLabels(env action.Env) map[string]string {
	run, _, _ := strings.Cut(env.Key, "/")
	return map[string]string{
		kube.RunLabel:  kube.LabelValue(run + "\x00" + env.Origin),
		kube.StepLabel: kube.LabelValue(env.Key + "\x00" + env.Origin),
	}
}

// oneJob is the Job of a step.
type oneJob struct {
	cluster *kube.Cluster
	in      JobInput
	name    string
	// variables are the values of SecretEnv, secrets all that is not to be seen.
	variables map[string]string
	secrets   []string
}

func (j jobs) of(ctx context.Context, env action.Env, in JobInput) (oneJob, error) {
	o := oneJob{in: in, name: ownName(env, cmp.Or(in.Name, "refit"))}
	var err error
	if o.cluster, err = j.connector.Connect(env); err != nil {
		return o, err
	}
	env, known := secret.Recording(env)
	o.variables, err = env.ResolveSecrets(ctx, "secretEnv", in.SecretEnv)
	o.secrets = known.Values()
	return o, err
}

// capture takes a log; out may be nil.
func (o oneJob) capture(out io.Writer) *exec.Capture { return exec.NewCapture(o.secrets, out) }

func (o oneJob) String() string { return fmt.Sprintf("job %s in namespace %s", o.name, o.in.Namespace) }

func (o oneJob) get(ctx context.Context) (*batchv1.Job, error) {
	job, err := o.cluster.Typed.BatchV1().Jobs(o.in.Namespace).Get(ctx, o.name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // that it is not there is an answer
	}
	if err != nil {
		return nil, failed(ctx, "read "+o.String(), err, action.ExtentNone)
	}
	return job, nil
}

func (j jobs) observe(ctx context.Context, env action.Env, in JobInput) (action.Observed[JobOutput], error) {
	none := action.Observed[JobOutput]{}
	o, err := j.of(ctx, env, in)
	if err != nil {
		return none, err
	}
	job, err := o.get(ctx)
	switch {
	case err != nil:
		return none, err
	case job == nil && env.Attempted && in.TTL > 0:
		return action.Observed[JobOutput]{
			Status: action.Unknown,
			Reason: fmt.Sprintf("%s is not there: it was never made, or Kubernetes has removed it after its end", o),
		}, nil
	case job == nil:
		return action.Observed[JobOutput]{Status: action.NotStarted, Reason: o.String() + " is not there"}, nil
	case job.Annotations[kube.KeyAnnotation] != env.Key:
		return none, &action.Error{
			Reason: kube.ReasonConflict, Effect: action.ExtentNone, Remedy: "remove it, or give another name",
			Err: fmt.Errorf("observe %s: somebody else has made it", o),
		}
	}
	return o.seen(ctx, job)
}
