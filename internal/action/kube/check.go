package kube

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
)

// defaultCheckEvery is the pause between two tries of kube.check.
const defaultCheckEvery = 5 * time.Second

// CheckInput is the input of kube.check.
type CheckInput struct {
	APIVersion string           `json:"apiVersion" doc:"API group and version of the kind, such as apps/v1."`
	Kind       string           `json:"kind" doc:"Kind, such as Deployment."`
	Namespace  string           `json:"namespace,omitempty" doc:"Namespace; left out for kinds that have none."`
	Name       string           `json:"name,omitempty" doc:"Name of the object; one of name and selector is given."`
	Selector   string           `json:"selector,omitempty" doc:"Labels of the objects, such as app=hub."`
	Conditions []CheckCondition `json:"conditions" doc:"What must be true."`
	For        time.Duration    `json:"for,omitempty" doc:"How long is tried until all of it is true; default once."`
	Every      time.Duration    `json:"every,omitempty" doc:"Time between two tries; default 5s."`
}

// CheckCondition is one condition of kube.check.
type CheckCondition struct {
	That    string `json:"that" doc:"Expression that must be true, written without the signs around it: object is each of the objects in turn, objects the list of them, which may be empty."`
	Message string `json:"message,omitempty" doc:"What it means when it is not true, for people; default the expression."`
}

// CheckOutput is the output of kube.check.
type CheckOutput struct {
	Count int      `json:"count" doc:"How many objects there are."`
	Names []string `json:"names" doc:"Their names, at most 100."`
	Tries int      `json:"tries" doc:"How often was tried."`
}

// Check returns the action kube.check, which reaches clusters through connector.
func Check(connector *kube.Connector) action.Action {
	c := checker{connector}
	return action.Define(action.Definition[CheckInput, CheckOutput]{
		Name:    "kube.check",
		Version: 1,
		Summary: "Check that objects of a cluster are as conditions say.",
		Effect:  action.ReadOnly,
		Targets: []string{kube.KindTarget},
		Typical: time.Second,
		Worst:   30 * time.Second,
		Check:   checkCheck,
		Preview: func(_ context.Context, _ action.Env, in CheckInput) (action.Preview, error) {
			text := fmt.Sprintf("check %d conditions of %s", len(in.Conditions), in.subject())
			if in.For > 0 {
				text += fmt.Sprintf(" within %s", in.For)
			}
			return action.Preview{Summary: text}, nil
		},
		Observe: c.observe,
		Access:  c.access,
	})
}

func (in CheckInput) subject() subject {
	return subject{id{in.APIVersion, in.Kind, in.Namespace, in.Name}, in.Selector}
}

func (in CheckInput) compile() ([]celCondition, error) {
	texts := make([]string, len(in.Conditions))
	for i, c := range in.Conditions {
		texts[i] = c.That
	}
	return compileConditions("conditions", texts)
}

func checkCheck(in CheckInput) error {
	if err := in.subject().check(); err != nil {
		return err
	}
	switch {
	case len(in.Conditions) == 0:
		return errors.New("field \"conditions\" is empty: say what must be true")
	case in.For < 0:
		return errors.New("field \"for\" must not be negative")
	case in.Every != 0 && in.Every < leastEvery:
		return fmt.Errorf("field \"every\" is %s, needs at least %s", in.Every, leastEvery)
	case in.Every != 0 && in.For == 0:
		return errors.New("field \"every\" says nothing without \"for\"")
	}
	_, err := in.compile()
	return err
}

// checker carries out kube.check.
type checker struct{ connector *kube.Connector }

func (c checker) observe(ctx context.Context, env action.Env, in CheckInput) (action.Observed[CheckOutput], error) {
	conditions, err := in.compile()
	if err != nil {
		return action.Observed[CheckOutput]{}, err
	}
	var out CheckOutput
	loop := polling{
		what: "check " + in.subject().String(), limit: in.For, every: cmp.Or(in.Every, defaultCheckEvery),
	}
	tries, why, err := loop.poll(ctx, env, func(ctx context.Context) (string, bool, error) {
		_, objects, missing, err := in.subject().look(ctx, c.connector, env)
		if err != nil {
			return "", false, err
		}
		out.Count, out.Names = len(objects), namesOf(objects)
		return in.judge(conditions, objects, missing), false, nil
	})
	if err != nil {
		return action.Observed[CheckOutput]{}, err
	}
	if why != "" {
		return action.Observed[CheckOutput]{
			Status: action.Failed, Reason: fmt.Sprintf("%s: %s (tries: %d)", in.subject(), why, tries),
		}, nil
	}
	out.Tries = tries
	return action.Saw(out), nil
}

// judge says which conditions are not true, and of which objects. Of none nothing can
// be said: a condition of each object needs one.
func (in CheckInput) judge(conditions []celCondition, objects []*unstructured.Unstructured, missing string) string {
	list := plainObjects(objects)
	var found []string
	for i, c := range conditions {
		message := in.Conditions[i].Message
		add := func(where, why string) {
			switch {
			case why == "":
				return
			case message != "":
				why = fmt.Sprintf("%s (%s)", message, why)
			}
			found = append(found, where+why)
		}
		if !c.each {
			add("", c.differs(nil, list))
			continue
		}
		if len(objects) == 0 {
			add("", missing)
			continue
		}
		for _, o := range objects {
			where := ""
			if in.Name == "" {
				where = o.GetName() + ": "
			}
			add(where, c.differs(o.Object, list))
		}
	}
	const most = 10
	if len(found) > most {
		found = append(found[:most], fmt.Sprintf("%d more", len(found)-most))
	}
	return strings.Join(found, "; ")
}
