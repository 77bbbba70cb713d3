package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Freeze completes a plan whose stages were made without a procedure, as the
// simulator makes them, by the code with which Build completes its own: order,
// coverage, approvals of lists and points of no return, predictions, digests. It
// refuses what Build refuses: an order that is not possible, and a change that no
// backup covers. Whatever it derives replaces what stood there.
func Freeze(p *Plan) error {
	stateful, quiesced := map[string]bool{}, map[string]bool{}
	for _, c := range p.Components {
		stateful[c.Name] = c.Kind != "service"
	}
	p.Findings = slices.DeleteFunc(p.Findings, func(f Finding) bool { return strings.HasPrefix(f.Name, windowPrefix) })
	for i := range p.Stages {
		if err := freezeStage(&p.Stages[i], stateful, quiesced); err != nil {
			return err
		}
	}
	p.Summary = Summary{}
	(&builder{plan: p}).summarize()
	return seal(p)
}

func freezeStage(s *Stage, stateful, quiesced map[string]bool) error {
	var err error
	if s.Steps, err = order(s.Steps); err != nil {
		return fmt.Errorf("order stage %q: %w", s.ID, err)
	}
	if s.Abort != nil {
		if s.Abort.Steps, err = order(s.Abort.Steps); err != nil {
			return fmt.Errorf("order the way back of stage %q: %w", s.ID, err)
		}
	}
	for i := range s.Steps {
		if step := &s.Steps[i]; step.ForEach != nil {
			step.ForEach.Approve = step.Reversible == ReversibleNo ||
				slices.ContainsFunc(step.Changes, func(c string) bool { return stateful[c] })
		}
	}
	b := &stageBuilder{stage: s}
	s.Leases, s.Coverage = nil, nil
	b.leases()
	if problems := cover(s, stateful, quiesced); len(problems) > 0 {
		return fmt.Errorf("cover stage %q: %w", s.ID, errors.New(problems[0].message))
	}
	s.Gates = slices.DeleteFunc(s.Gates, func(g Gate) bool { return g.Name == gateNoReturn })
	b.noReturn()
	for _, c := range s.HeldToEnd() {
		quiesced[c] = true
	}
	return nil
}
