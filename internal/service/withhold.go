package service

import (
	"regexp"

	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/procedure"
	"github.com/refitproject/refit/internal/secret"
)

// variablePattern finds references to variables in the text of a procedure or platform
// file. Something else that looks like one withholds a variable too many, which a
// step that needs it can be given by name.
var variablePattern = regexp.MustCompile(`\benv["']?:\s*["']?([A-Za-z_][A-Za-z0-9_]*)`)

// withholdText keeps the variables that a file refers to as secrets from the
// programs that actions start. It is done before any is started.
func (s *Service) withholdText(text []byte) {
	var names []string
	for _, match := range variablePattern.FindAllSubmatch(text, -1) {
		names = append(names, string(match[1]))
	}
	s.o.Secrets.Withhold(names...)
}

// withholdPlan is withholdText for a plan, whose references are resolved.
func (s *Service) withholdPlan(p *plan.Plan) {
	values := []any{p.Inputs}
	steps := func(list []plan.Step, groups []plan.Group) {
		for i := range list {
			values = append(values, list[i].With)
		}
		for i := range groups {
			values = append(values, groups[i].Inputs)
		}
	}
	for i := range p.Observe {
		values = append(values, p.Observe[i].With)
	}
	for i := range p.Channels {
		values = append(values, p.Channels[i].Address)
	}
	for i := range p.Stages {
		st := &p.Stages[i]
		steps(st.Steps, st.Groups)
		if st.Abort != nil {
			steps(st.Abort.Steps, st.Abort.Groups)
		}
	}
	s.o.Secrets.Withhold(secret.VariablesOf(values...)...)
}

// noting notes the references in the files of a procedure as they are read.
type noting struct {
	procedure.Files
	s *Service
}

// ReadFile implements procedure.Files.
func (n noting) ReadFile(name string) ([]byte, error) {
	data, err := n.Files.ReadFile(name)
	n.s.withholdText(data)
	return data, err
}
