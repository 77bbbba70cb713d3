package run

import (
	"encoding/json"
	"slices"
	"time"
)

// gate finds the gate that ref names, and the place of its step, when it is one.
func (s *State) gate(ref GateRef) (*GateState, Place, error) {
	i, ok := s.ix.byID[ref.Stage]
	if !ok {
		return nil, Place{}, s.unknown("the plan has no stage %q", ref.Stage)
	}
	if i != s.Stage || s.ending() {
		return nil, Place{}, ErrStale
	}
	st := &s.Stages[i]
	if ref.Step != "" {
		at, err := s.place(ref.Stage, ref.Step)
		if err != nil {
			return nil, Place{}, err
		}
		if g := st.Steps[at.Step].Gate; g != nil && st.Steps[at.Step].Status == StepWaiting {
			return g, at, nil
		}
		return nil, Place{}, ErrStale
	}
	if st.Soak != nil && ref.Name == st.Soak.Name {
		if st.Part != PartSoaking {
			return nil, Place{}, ErrStale
		}
		return st.Soak, Place{}, nil
	}
	g := slices.IndexFunc(st.Gates, func(g GateState) bool { return g.Name == ref.Name })
	if g < 0 {
		return nil, Place{}, refused("stage %q has no gate %q", ref.Stage, ref.Name)
	}
	return &st.Gates[g], Place{}, nil
}

// passed ends the step of a gate that has passed, or lets the members begin
// that were approved.
func (s *State) passed(at Place, ref GateRef) {
	if ref.Step == "" {
		return
	}
	if st, _ := s.stepAt(at); len(st.Ops) > 0 {
		st.Status, st.Wait = StepReady, "" // It begins, or goes on, when there is room.
		s.touch(at)
		if op := &st.Ops[st.Op]; op.Life != Asleep { // It has picked, and is to pick again.
			op.SelectionBy = st.Gate.By[0]
			s.putBack(at)
		}
		return
	}
	s.endStep(at, StepSucceeded, "", "")
	if s.byHand(at) {
		st, step := s.stepAt(at)
		s.noteStart(spot{at: at, state: st, step: step})
	}
}

// admits checks that a person may pass a gate.
func (g *GateState) admits(w Who, kind Wait) error {
	switch {
	case g.Kind != kind:
		return refused("the gate waits for %s, not for %s", g.Kind, kind)
	case g.Passed:
		return refused("the gate is passed already")
	case w.By == "":
		return refused("nobody is named")
	case len(g.From) == 0 || slices.Contains(g.From, w.By):
		return nil
	}
	if slices.ContainsFunc(w.Groups, func(group string) bool { return slices.Contains(g.From, group) }) {
		return nil
	}
	return refused("%s is not one of those who may: %v", w.By, g.From)
}

// vote adds a person and tells whether there are enough of them.
func (g *GateState) vote(by string) bool {
	if !slices.Contains(g.By, by) {
		g.By = append(g.By, by)
	}
	g.Rejected = ""
	g.Passed = len(g.By) >= max(g.Count, 1)
	return g.Passed
}

// waits tells whether a gate that looks by itself is due for a look.
func (g *GateState) waits() bool {
	return !g.Passed && (g.Kind == WaitCondition || g.Kind == WaitSoak)
}

// watch returns the command of a gate that looks by itself.
func (s *State) watch(g *GateState, ref GateRef) Command {
	switch {
	case g.Next != (time.Time{}):
		return Timer{Timer: TimerRef{Kind: TimerGate, Gate: ref, Turn: g.Turn}, At: g.Next}
	case g.Kind == WaitSoak:
		return s.soakChecks(ObserveSoak{Gate: ref, Turn: g.Turn}, g.Checks)
	default:
		return EvaluateCondition{Gate: ref, Turn: g.Turn, With: g.With}
	}
}

// soakChecks adds the checks that a soak repeats, with their inputs.
func (s *State) soakChecks(c ObserveSoak, ids []string) ObserveSoak {
	st, v := &s.Stages[s.Stage], &s.ix.stages[s.Stage]
	for _, id := range ids {
		j, ok := v.byID[id]
		if !ok || st.Steps[j].Status == StepSkipped || st.Steps[j].Status == StepFailed {
			continue
		}
		c.Checks = append(c.Checks, id)
		for i := range st.Steps[j].Ops {
			op := &st.Steps[j].Ops[i]
			if op.With == nil {
				continue
			}
			if c.With == nil {
				c.With = map[string]json.RawMessage{}
			}
			c.With[op.named()] = op.With
		}
	}
	return c
}
