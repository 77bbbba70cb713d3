package kube

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
)

// Times of kube.wait.
const (
	defaultWait      = 5 * time.Minute
	defaultWaitEvery = 2 * time.Second
	leastEvery       = 100 * time.Millisecond
)

// What kube.wait waits for.
const (
	untilReady = "ready"
	untilGone  = "gone"
)

// WaitInput is the input of kube.wait.
type WaitInput struct {
	APIVersion string        `json:"apiVersion" doc:"API group and version of the kind, such as apps/v1."`
	Kind       string        `json:"kind" doc:"Kind, such as Deployment."`
	Namespace  string        `json:"namespace,omitempty" doc:"Namespace; left out for kinds that have none."`
	Name       string        `json:"name,omitempty" doc:"Name of the object; one of name and selector is given."`
	Selector   string        `json:"selector,omitempty" doc:"Labels of the objects, such as app=hub; all of them are waited for, and at least one must be there."`
	Until      string        `json:"until,omitempty" enum:"ready,gone" doc:"What is waited for; default ready: the object is as its spec says, by the rules of kstatus."`
	Condition  string        `json:"condition,omitempty" doc:"Expression that must be true instead, with object for each object or objects for the list, written without the signs around it."`
	For        time.Duration `json:"for,omitempty" doc:"How long is waited; default 5m."`
	Every      time.Duration `json:"every,omitempty" doc:"Time between two looks; default 2s."`
}

// WaitOutput is the output of kube.wait.
type WaitOutput struct {
	Count  int           `json:"count" doc:"How many objects there are."`
	Names  []string      `json:"names" doc:"Their names, at most 100."`
	Waited time.Duration `json:"waited" doc:"How long was waited."`
}

// Wait returns the action kube.wait, which reaches clusters through connector.
func Wait(connector *kube.Connector) action.Action {
	w := waiter{connector}
	return action.Define(action.Definition[WaitInput, WaitOutput]{
		Name:    "kube.wait",
		Version: 1,
		Summary: "Wait until objects of a cluster are ready, gone or as a condition says.",
		Effect:  action.ReadOnly,
		Targets: []string{kube.KindTarget},
		Typical: 30 * time.Second,
		Worst:   5 * time.Minute,
		Check:   checkWait,
		Preview: func(_ context.Context, _ action.Env, in WaitInput) (action.Preview, error) {
			return action.Preview{Summary: fmt.Sprintf("%s, for %s", in.what(), cmp.Or(in.For, defaultWait))}, nil
		},
		Observe: w.observe,
		Access:  w.access,
	})
}

func (in WaitInput) subject() subject {
	return subject{id{in.APIVersion, in.Kind, in.Namespace, in.Name}, in.Selector}
}

func (in WaitInput) what() string {
	text := fmt.Sprintf("wait for %s to be %s", in.subject(), cmp.Or(in.Until, untilReady))
	if in.Condition != "" {
		text = fmt.Sprintf("wait for %s to have %s", in.subject(), in.Condition)
	}
	return text
}

func checkWait(in WaitInput) error {
	if err := in.subject().check(); err != nil {
		return err
	}
	switch {
	case in.For < 0:
		return errors.New("field \"for\" must not be negative")
	case in.Every != 0 && in.Every < leastEvery:
		return fmt.Errorf("field \"every\" is %s, needs at least %s", in.Every, leastEvery)
	case in.Condition != "" && in.Until != "":
		return errors.New("give one of the fields \"until\" and \"condition\"")
	case in.Condition == "":
		return nil
	}
	_, err := compileConditions("condition", []string{in.Condition})
	return err
}

// waiter carries out kube.wait.
type waiter struct{ connector *kube.Connector }

func (w waiter) observe(ctx context.Context, env action.Env, in WaitInput) (action.Observed[WaitOutput], error) {
	var conditions []celCondition
	if in.Condition != "" {
		var err error
		if conditions, err = compileConditions("condition", []string{in.Condition}); err != nil {
			return action.Observed[WaitOutput]{}, err
		}
	}
	began := env.Now()
	var out WaitOutput
	loop := polling{what: in.what(), limit: cmp.Or(in.For, defaultWait), every: cmp.Or(in.Every, defaultWaitEvery)}
	_, why, err := loop.poll(ctx, env, func(ctx context.Context) (string, bool, error) {
		p, objects, missing, err := in.subject().look(ctx, w.connector, env)
		if err != nil {
			return "", false, err
		}
		out.Count, out.Names = len(objects), namesOf(objects)
		switch {
		case in.Until == untilGone:
			return stillThere(objects), false, nil
		case len(objects) == 0:
			return missing, false, nil
		case len(conditions) > 0:
			return whyNotTrue(ctx, p, conditions[0], objects), false, nil
		}
		why, final := whyNotCurrent(ctx, p, objects)
		return why, final, nil
	})
	if err != nil {
		return action.Observed[WaitOutput]{}, err
	}
	out.Waited = env.Now().Sub(began).Round(time.Millisecond)
	if why != "" {
		return action.Observed[WaitOutput]{
			Status: action.Failed,
			Reason: fmt.Sprintf("%s: after %s: %s", in.what(), out.Waited.Round(time.Second), why),
		}, nil
	}
	return action.Saw(out), nil
}

// stillThere says what holds objects that are to be gone.
func stillThere(objects []*unstructured.Unstructured) string {
	if len(objects) == 0 {
		return ""
	}
	return fmt.Sprintf("%d are there; %s: %s", len(objects), idOf(objects[0]), whyThere(objects[0]))
}

// whyNotTrue says of which objects a condition is not true, and what the cluster tells
// of the first of them.
func whyNotTrue(ctx context.Context, p place, c celCondition, objects []*unstructured.Unstructured) string {
	list := plainObjects(objects)
	if !c.each {
		return c.differs(nil, list)
	}
	for _, o := range objects {
		why := c.differs(o.Object, list)
		if why == "" {
			continue
		}
		text := fmt.Sprintf("%s: %s", idOf(o), why)
		if trouble := troubleOf(ctx, p, o); trouble != "" {
			text += "; " + trouble
		}
		return text
	}
	return ""
}

func plainObjects(objects []*unstructured.Unstructured) []any {
	list := make([]any, len(objects))
	for i, o := range objects {
		list[i] = o.Object
	}
	return list
}

// whyNotCurrent says which objects are not as their spec says, by kstatus, and what
// the cluster tells of the first of them. final tells that none will get better: a Job
// or a pod that has failed does not run again.
func whyNotCurrent(ctx context.Context, p place, objects []*unstructured.Unstructured) (why string, final bool) {
	var rest []string
	for _, o := range objects {
		text, ends := stateOf(o)
		if text == "" {
			continue
		}
		rest = append(rest, fmt.Sprintf("%s: %s", idOf(o), text))
		if len(rest) == 1 {
			if trouble := troubleOf(ctx, p, o); trouble != "" {
				rest[0] += "; " + trouble
			}
		}
		final = final || ends
	}
	return listed(rest), final
}

func stateOf(o *unstructured.Unstructured) (why string, final bool) {
	result, err := status.Compute(o)
	if err != nil {
		return "its status cannot be read: " + err.Error(), false
	}
	switch result.Status {
	case status.CurrentStatus:
		return "", false
	case status.TerminatingStatus:
		return whyThere(o), false
	case status.FailedStatus:
		kind := o.GetKind()
		return "it has failed: " + result.Message, kind == "Job" || kind == "Pod"
	case status.InProgressStatus, status.UnknownStatus, status.NotFoundStatus:
	}
	return cmp.Or(result.Message, "it is not ready yet"), false
}
