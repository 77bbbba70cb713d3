package run

import (
	"encoding/json"
	"fmt"
	"time"
)

// named is how an operation is called among those of its stage.
func (r Ref) named() string {
	if r.Member == "" {
		return r.Step
	}
	return r.Step + "[" + r.Member + "]"
}

// outputsFor returns the outputs of which the expressions of a step may speak.
func (s *State) outputsFor(at Place) map[string]json.RawMessage {
	v := &s.ix.stages[at.Stage]
	var out map[string]json.RawMessage
	for _, j := range v.reads[at.Step] {
		output := s.output(Place{at.Stage, j})
		if output == nil {
			continue
		}
		if out == nil {
			out = make(map[string]json.RawMessage, len(v.reads[at.Step]))
		}
		out[v.steps[j].ID] = output
	}
	return out
}

// output returns what a step has handed back, or nil.
func (s *State) output(at Place) json.RawMessage {
	st, step := s.stepAt(at)
	switch {
	case st.Status != StepSucceeded:
		return nil
	case step.ForEach != nil:
		list := make([]json.RawMessage, len(st.Ops))
		for i := range st.Ops {
			list[i] = st.Ops[i].Output
		}
		return encoded(list)
	case step.Gate != "":
		return st.Gate.output()
	case len(st.Ops) == 1:
		return st.Ops[0].Output
	}
	return nil
}

// unreadable says why the expressions of a step cannot be evaluated: an output
// of which they speak is too large to be kept.
func (s *State) unreadable(at Place) string {
	v := &s.ix.stages[at.Stage]
	for _, j := range v.reads[at.Step] {
		st := &s.Stages[at.Stage].Steps[j]
		if st.Status != StepSucceeded {
			continue
		}
		for i := range st.Ops {
			if large := st.Ops[i].OutputArtefact; large != nil {
				return fmt.Sprintf("it reads the output of step %q, which has %d bytes, at most %d are kept: "+
					"see artefact %s", st.Ops[i].named(), large.Size, MaxOutput, large.Digest)
			}
		}
	}
	return ""
}

// output is that of the gate's action.
func (g *GateState) output() json.RawMessage {
	if g == nil {
		return nil
	}
	switch g.Kind {
	case WaitApproval:
		return encoded(struct {
			By []string `json:"by"`
		}{g.By})
	case WaitPerson:
		out := struct {
			By       string          `json:"by"`
			Evidence json.RawMessage `json:"evidence"`
		}{Evidence: g.Evidence}
		if len(g.By) > 0 {
			out.By = g.By[0]
		}
		if out.Evidence == nil {
			out.Evidence = json.RawMessage("{}")
		}
		return encoded(out)
	case WaitSoak:
		return encoded(struct {
			Observed string `json:"observed"`
			Restarts int    `json:"restarts"`
		}{time.Duration(g.Covered).String(), g.Restarts})
	case WaitCondition:
		return g.Evidence
	case WaitWindow, WaitCredentials, WaitTarget:
	}
	return nil
}

// encoded writes values of this package and JSON that was read from events:
// neither can fail.
func encoded(v any) json.RawMessage {
	data, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return data
}
