package worker

import (
	"fmt"
	"strings"

	"github.com/refitproject/refit/internal/plan"
)

// scene is a stage of the plan, or the author's way back from one, with its
// steps.
type scene struct {
	stage  *plan.Stage
	steps  []plan.Step
	groups []plan.Group
	// prefix is what the ids of the steps begin with that stand in no group.
	prefix string
}

// scene finds a stage by the name that the core gives it.
func (j *job) scene(name string) (scene, error) {
	for i := range j.Plan.Stages {
		st := &j.Plan.Stages[i]
		if st.ID == name {
			return scene{stage: st, steps: st.Steps, groups: st.Groups}, nil
		}
		if id, ok := strings.CutSuffix(name, plan.AbortSuffix); ok && id == st.ID && st.Abort != nil {
			return scene{stage: st, steps: st.Abort.Steps, groups: st.Abort.Groups, prefix: plan.AbortPrefix}, nil
		}
	}
	return scene{}, fmt.Errorf("the plan has no stage %q", name)
}

// step finds a step.
func (j *job) step(stage, id string) (scene, *plan.Step, error) {
	s, err := j.scene(stage)
	if err != nil {
		return s, nil, err
	}
	if step := s.step(id); step != nil {
		return s, step, nil
	}
	return s, nil, fmt.Errorf("stage %q has no step %q", stage, id)
}

func (s *scene) step(id string) *plan.Step {
	for i := range s.steps {
		if s.steps[i].ID == id {
			return &s.steps[i]
		}
	}
	return nil
}

func (s *scene) group(id string) *plan.Group {
	for i := range s.groups {
		if s.groups[i].ID == id {
			return &s.groups[i]
		}
	}
	return nil
}

// level returns what the ids of steps begin with that stand beside those of a
// group; the group "" is the stage itself.
func (s *scene) level(group string) string {
	if group == "" {
		return s.prefix
	}
	return group + "/"
}
