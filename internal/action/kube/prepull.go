package kube

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
	"github.com/refitproject/refit/internal/wait"
)

// reasonNotPulled: an image could not be pulled.
const reasonNotPulled = "ImageNotPulled"

const (
	// maxImages is how many images one step pulls.
	maxImages = 20
	// defaultGiveUp is for how long an image is tried that cannot be pulled.
	defaultGiveUp = 2 * time.Minute
)

// PrepullInput is the input of kube.prepull.
type PrepullInput struct {
	Namespace        string            `json:"namespace" doc:"Namespace of the pods that pull."`
	Images           []string          `json:"images" doc:"Images to pull, at most 20."`
	NodeSelector     map[string]string `json:"nodeSelector,omitempty" doc:"Labels of the nodes; default all that pods may run on."`
	Tolerations      []map[string]any  `json:"tolerations,omitempty" doc:"Taints of nodes that are pulled to all the same, as Kubernetes writes tolerations."`
	ImagePullSecrets []string          `json:"imagePullSecrets,omitempty" doc:"Secrets of the namespace with credentials of registries."`
	GiveUp           time.Duration     `json:"giveUp,omitempty" doc:"For how long an image is tried that cannot be pulled; default 2m."`
}

// NodeImages is what came of pulling to a node.
type NodeImages struct {
	Node   string   `json:"node" doc:"Name of the node."`
	Pulled []string `json:"pulled" doc:"Images that are there."`
}

// PrepullOutput is the output of kube.prepull.
type PrepullOutput struct {
	Nodes []NodeImages `json:"nodes" doc:"Nodes and the images that are on them."`
}

// Prepull returns the action kube.prepull.
func Prepull(connector *kube.Connector) action.Action {
	p := puller{connector}
	return action.Define(action.Definition[PrepullInput, PrepullOutput]{
		Name:      "kube.prepull",
		Version:   1,
		Summary:   "Pull images to the nodes before they are needed.",
		Effect:    action.Scratch,
		Targets:   []string{kube.KindTarget},
		Resumable: true,
		Check:     checkPrepull,
		Preview: func(_ context.Context, _ action.Env, in PrepullInput) (action.Preview, error) {
			return action.Preview{Summary: "pull to the nodes: " + strings.Join(in.Images, ", ")}, nil
		},
		Observe: p.observe,
		Run:     p.run,
		Undo: func(ctx context.Context, env action.Env, in PrepullInput, _ map[string]any) error {
			o, err := p.of(env, in)
			if err != nil {
				return err
			}
			return o.clean(ctx, true)
		},
		Access: func(_ context.Context, _ action.Env, in PrepullInput) ([]action.Access, error) {
			return []action.Access{
				{
					Group: "apps", Resource: "daemonsets", Namespace: in.Namespace,
					Verbs: []string{"create", "delete", "get"},
				},
				{Resource: "pods", Namespace: in.Namespace, Verbs: []string{"list"}},
				{Resource: "configmaps", Namespace: in.Namespace, Verbs: []string{"create", "delete", "get", "list"}},
			}, nil
		},
	})
}

func checkPrepull(in PrepullInput) error {
	if err := checkNamespace(in.Namespace); err != nil {
		return err
	}
	switch {
	case len(in.Images) == 0 || len(in.Images) > maxImages:
		return fmt.Errorf("field \"images\" has %d entries, needs 1 to %d", len(in.Images), maxImages)
	case in.GiveUp < 0:
		return errors.New("field \"giveUp\" must not be negative")
	}
	for i, image := range in.Images {
		if image == "" || strings.ContainsAny(image, " \t\n") {
			return fmt.Errorf("field \"images\": %q is no image", image)
		}
		if slices.Contains(in.Images[:i], image) {
			return fmt.Errorf("field \"images\" names %q twice", image)
		}
	}
	_, err := in.tolerations()
	return err
}

func (in PrepullInput) tolerations() ([]corev1.Toleration, error) {
	data, err := json.Marshal(in.Tolerations)
	var list []corev1.Toleration
	if err == nil {
		dec := json.NewDecoder(strings.NewReader(string(data)))
		dec.DisallowUnknownFields()
		err = dec.Decode(&list)
	}
	if err != nil {
		return nil, fmt.Errorf("field \"tolerations\": %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	return list, nil
}

type puller struct{ connector *kube.Connector }

// pull is one step that pulls.
type pull struct {
	cluster *kube.Cluster
	in      PrepullInput
	name    string
}

func (p puller) of(env action.Env, in PrepullInput) (pull, error) {
	cluster, err := p.connector.Connect(env)
	return pull{cluster, in, ownName(env, "refit-prepull")}, err
}

func (o pull) String() string {
	return fmt.Sprintf("daemonset %s in namespace %s", o.name, o.in.Namespace)
}

func (p puller) observe(ctx context.Context, env action.Env, in PrepullInput) (action.Observed[PrepullOutput], error) {
	none := action.Observed[PrepullOutput]{}
	o, err := p.of(env, in)
	if err != nil {
		return none, err
	}
	set, err := o.set(ctx)
	if err != nil {
		return none, err
	}
	if set != nil {
		return action.Observed[PrepullOutput]{Status: action.Partial, Reason: o.String() + " is there still"}, nil
	}
	out, err := o.result(ctx)
	if err != nil {
		return none, err
	}
	if out == nil {
		return action.Observed[PrepullOutput]{
			Status: action.NotStarted, Reason: "this step has pulled nothing yet",
		}, nil
	}
	return action.Observed[PrepullOutput]{Status: action.Done, Output: out, Reason: "the images are on the nodes"}, nil
}

// set returns the DaemonSet, nil when there is none.
func (o pull) set(ctx context.Context) (*appsv1.DaemonSet, error) {
	set, err := o.cluster.Typed.AppsV1().DaemonSets(o.in.Namespace).Get(ctx, o.name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // that it is not there is an answer
	}
	if err != nil {
		return nil, failed(ctx, "read "+o.String(), err, action.ExtentNone)
	}
	return set, nil
}

// kept is the result of the step.
func (o pull) kept() finding {
	return finding{cluster: o.cluster, namespace: o.in.Namespace, name: o.name, of: "prepull"}
}

// result returns what an earlier attempt has put down, nil for nothing.
func (o pull) result(ctx context.Context) (*PrepullOutput, error) {
	out := &PrepullOutput{}
	if found, err := o.kept().read(ctx, out); err != nil || !found {
		return nil, err
	}
	return out, nil
}

func (p puller) run(ctx context.Context, env action.Env, in PrepullInput, _ map[string]any) (PrepullOutput, error) {
	o, err := p.of(env, in)
	if err != nil {
		return PrepullOutput{}, err
	}
	out, err := o.result(ctx)
	if err == nil && out == nil {
		out, err = o.pull(ctx, env)
	}
	if err != nil {
		return PrepullOutput{}, err
	}
	if err := o.clean(ctx, false); err != nil {
		return PrepullOutput{}, action.WithExtent(err, action.ExtentPartial)
	}
	return *out, nil
}

// pull pulls and puts the result down.
func (o pull) pull(ctx context.Context, env action.Env) (*PrepullOutput, error) {
	if err := o.kept().forget(ctx, env.Now()); err != nil {
		return nil, err
	}
	set, err := o.manifest(env)
	if err != nil {
		return nil, err
	}
	made, err := o.cluster.Typed.AppsV1().DaemonSets(o.in.Namespace).Create(ctx, set,
		metav1.CreateOptions{FieldManager: kube.FieldOwner})
	if apierrors.IsAlreadyExists(err) {
		made, err = o.set(ctx)
	}
	if err != nil {
		return nil, failed(ctx, "make "+o.String(), err, action.ExtentUnknown)
	}
	out, err := o.wait(ctx, env, made)
	if err != nil {
		return nil, err
	}
	if err := o.kept().write(ctx, env, out); err != nil {
		return nil, err
	}
	return out, nil
}

// manifest is a DaemonSet with a container of each image. What a container runs does
// not matter: once it could be started, or failed to because the image has no shell,
// the image is there.
func (o pull) manifest(env action.Env) (*appsv1.DaemonSet, error) {
	tolerations, err := o.in.tolerations()
	if err != nil {
		return nil, err
	}
	labels := ownLabels(env)
	pod := corev1.PodSpec{
		NodeSelector: o.in.NodeSelector, Tolerations: tolerations,
		AutomountServiceAccountToken: new(false), TerminationGracePeriodSeconds: new(int64(0)),
		SecurityContext: &corev1.PodSecurityContext{
			RunAsNonRoot: new(true), RunAsUser: new(int64(Nobody)),
			SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
	}
	for _, name := range o.in.ImagePullSecrets {
		pod.ImagePullSecrets = append(pod.ImagePullSecrets, corev1.LocalObjectReference{Name: name})
	}
	for i, image := range o.in.Images {
		pod.Containers = append(pod.Containers, corev1.Container{
			Name: fmt.Sprintf("image-%d", i), Image: image, ImagePullPolicy: corev1.PullIfNotPresent,
			Command: []string{"sh", "-c", "while :; do sleep 3600; done"},
			Resources: corev1.ResourceRequirements{
				Requests: corev1.ResourceList{
					corev1.ResourceCPU: resource.MustParse("1m"), corev1.ResourceMemory: resource.MustParse("4Mi"),
				},
				Limits: corev1.ResourceList{
					corev1.ResourceCPU: resource.MustParse("50m"), corev1.ResourceMemory: resource.MustParse("32Mi"),
				},
			},
			SecurityContext: &corev1.SecurityContext{
				AllowPrivilegeEscalation: new(false),
				Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
			},
		})
	}
	return &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{
			Name: o.name, Labels: labels, Annotations: map[string]string{kube.KeyAnnotation: env.Key},
		},
		Spec: appsv1.DaemonSetSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: pod},
		},
	}, nil
}

// wait waits until the images are on all nodes, or one of them could not be pulled for
// too long.
func (o pull) wait(ctx context.Context, env action.Env, set *appsv1.DaemonSet) (*PrepullOutput, error) {
	giveUp := cmp.Or(o.in.GiveUp, defaultGiveUp)
	good := env.Now()
	for {
		now, err := o.set(ctx)
		if err == nil && now == nil {
			err = &action.Error{
				Reason: kube.ReasonNotFound, Retryable: true, Err: errors.New("it was removed meanwhile"),
			}
		}
		var pods []corev1.Pod
		if err == nil {
			pods, err = o.pods(ctx, set.UID)
		}
		if err != nil {
			err = failed(ctx, "wait for "+o.String(), err, action.ExtentPartial)
			return nil, action.WithExtent(err, action.ExtentPartial)
		}
		state := o.judge(pods)
		want := int(now.Status.DesiredNumberScheduled)
		seen := now.Status.ObservedGeneration == now.Generation && now.Generation > 0
		env.Report(action.Progress{
			Done: int64(len(state.nodes)), Total: int64(want), Unit: "nodes", Note: state.text(),
		})
		switch {
		case seen && len(state.nodes) >= want && len(state.bad) == 0 && len(pods) >= want:
			return &PrepullOutput{Nodes: state.nodes}, nil
		case len(state.bad) == 0:
			good = env.Now()
		case env.Now().Sub(good) > giveUp:
			return nil, o.notPulled(ctx, state)
		}
		if err := wait.For(ctx, jobEvery); err != nil {
			return nil, failed(ctx, "wait for "+o.String(), err, action.ExtentPartial)
		}
	}
}

// pods returns the pods of the DaemonSet.
func (o pull) pods(ctx context.Context, owner types.UID) ([]corev1.Pod, error) {
	set, err := o.set(ctx)
	if err != nil || set == nil {
		return nil, err
	}
	list, err := o.cluster.Typed.CoreV1().Pods(o.in.Namespace).List(ctx, metav1.ListOptions{
		LabelSelector: metav1.FormatLabelSelector(set.Spec.Selector),
	})
	if err != nil {
		return nil, failed(ctx, "look for the pods of "+o.String(), err, action.ExtentPartial)
	}
	return slices.DeleteFunc(list.Items, func(p corev1.Pod) bool {
		by := metav1.GetControllerOf(&p)
		return by == nil || by.UID != owner || p.DeletionTimestamp != nil
	}), nil
}

// pulled is how far it has come.
type pulled struct {
	// nodes have all images.
	nodes []NodeImages
	// bad says by node and image why it could not be pulled.
	bad map[string]string
}

func (s pulled) text() string {
	for _, where := range slices.Sorted(maps.Keys(s.bad)) {
		return where + ": " + s.bad[where]
	}
	return "pull images"
}

// judge looks at the containers of the pods.
func (o pull) judge(pods []corev1.Pod) pulled {
	state := pulled{nodes: []NodeImages{}, bad: map[string]string{}}
	for i := range pods {
		pod := &pods[i]
		node := NodeImages{Node: pod.Spec.NodeName, Pulled: []string{}}
		for _, c := range pod.Status.ContainerStatuses {
			var n int
			if _, err := fmt.Sscanf(c.Name, "image-%d", &n); err != nil || n >= len(o.in.Images) {
				continue
			}
			there, why := isPulled(c)
			switch {
			case there:
				node.Pulled = append(node.Pulled, o.in.Images[n])
			case why != "":
				state.bad[fmt.Sprintf("image %s on node %s", o.in.Images[n], node.Node)] = why
			}
		}
		if len(node.Pulled) == len(o.in.Images) {
			slices.Sort(node.Pulled)
			state.nodes = append(state.nodes, node)
		}
	}
	slices.SortFunc(state.nodes, func(a, b NodeImages) int { return cmp.Compare(a.Node, b.Node) })
	return state
}

// isPulled tells by the state of a container whether its image is there; why says what
// keeps it away, nothing while it comes.
func isPulled(c corev1.ContainerStatus) (there bool, why string) {
	switch w := c.State.Waiting; {
	case w == nil:
		return c.State.Running != nil || c.State.Terminated != nil, ""
	case slices.Contains([]string{
		"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable",
		"ImageInspectError", "SignatureValidationFailed",
	}, w.Reason):
		return false, waitingText(w)
	case w.Reason == "" || w.Reason == "ContainerCreating" || w.Reason == "PodInitializing":
		return false, ""
	default: // It could not be started, for which the image had to be there.
		return c.ImageID != "" || w.Reason == "CrashLoopBackOff" || w.Reason == "RunContainerError", ""
	}
}

// notPulled ends what pulls and says what could not be pulled, and why.
func (o pull) notPulled(ctx context.Context, state pulled) error {
	var parts []string
	for _, where := range slices.Sorted(maps.Keys(state.bad)) {
		parts = append(parts, where+": "+state.bad[where])
	}
	const most = 3
	if len(parts) > most {
		parts = append(parts[:most], fmt.Sprintf("and %d more", len(parts)-most))
	}
	if err := o.clean(ctx, true); err != nil {
		return err
	}
	return &action.Error{
		Reason: reasonNotPulled, Retryable: true, Effect: action.ExtentNone,
		Remedy: "correct the image, the credentials (imagePullSecrets) or the way to the registry, then refit retry",
		Err:    errors.New("pull " + strings.Join(parts, "; ")),
	}
}

// clean removes the DaemonSet, waits until its pods are gone, and removes the result
// too where it is not needed.
func (o pull) clean(ctx context.Context, all bool) error {
	sets := o.cluster.Typed.AppsV1().DaemonSets(o.in.Namespace)
	err := sets.Delete(ctx, o.name, metav1.DeleteOptions{PropagationPolicy: new(metav1.DeletePropagationForeground)})
	if err != nil && !apierrors.IsNotFound(err) {
		return failed(ctx, "remove "+o.String(), err, action.ExtentUnknown)
	}
	for {
		set, err := o.set(ctx)
		if err != nil {
			return err
		}
		if set == nil {
			break
		}
		if err := wait.For(ctx, jobEvery); err != nil {
			return failed(ctx, "wait until "+o.String()+" is gone", err, action.ExtentUnknown)
		}
	}
	if !all {
		return nil
	}
	return o.kept().remove(ctx)
}
