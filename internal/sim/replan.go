package sim

import (
	"encoding/json"
	"fmt"

	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// source finds the plans of the run.
func (s *sim) source(digest string) (*plan.Plan, error) {
	if p := s.plans[digest]; p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("plan %s is not kept", digest)
}

// replan asks for another plan of the stages that are left: those of the other
// plan of the case, or, later, again those of the first.
func (s *sim) replan() error {
	from := s.c.Other
	if from == nil {
		return nil
	}
	if s.state.Digest != s.first.Digest && s.d.oneIn(2) {
		from = s.first
	}
	e := &run.Replanned{Who: s.who()}
	cut := s.state.Stage
	for _, at := range s.state.Order {
		if at.Stage == s.state.Stage {
			cut = at.Stage + 1
			break
		}
	}
	if n := len(s.c.Plan.Stages); cut+1 < n && s.d.oneIn(4) {
		cut++
		e.From = s.c.Plan.Stages[cut].ID
	}
	p := rest(from, cut)
	if p == nil {
		return nil
	}
	if s.plans[p.Digest] == nil { // As hosts do: what is outside of the digest stays as it was first.
		s.plans[p.Digest] = p
	}
	e.Digest = p.Digest
	return s.ask(e)
}

// rest makes a plan of the stages of another one from cut on, or nil when the
// planner would refuse it.
func rest(p *plan.Plan, cut int) *plan.Plan {
	data, err := json.Marshal(p)
	if err != nil {
		return nil
	}
	var r plan.Plan
	if err := json.Unmarshal(data, &r); err != nil {
		return nil
	}
	r.Stages = r.Stages[min(cut, len(r.Stages)):]
	there := map[string]bool{"": true}
	for i := range r.Stages {
		there[r.Stages[i].ID] = true
	}
	var findings []plan.Finding
	for i := range r.Findings {
		if there[r.Findings[i].Stage] {
			findings = append(findings, r.Findings[i])
		}
	}
	r.Findings = findings
	if plan.Freeze(&r) != nil {
		return nil
	}
	return &r
}

// replanned brings the world and the account in line with a new plan.
func (s *sim) replanned() {
	was := s.c.Plan
	s.c.Plan = s.state.Plan()
	parts := s.state.Plans
	first := parts[len(parts)-1].From
	w := s.world
	w.plan, w.infos = s.c.Plan, map[string]*info{}
	w.learnAll()
	for i := first; i < len(s.c.Plan.Stages); i++ {
		s.extra += len(s.c.Plan.Stages[i].Steps)
	}
	s.judge.replanned(was, first)
}

// replanned drops the account of the stages that were replaced. What people
// approved counts on where the stage is the same.
func (j *judge) replanned(was *plan.Plan, first int) {
	old := j.stages
	j.stages = append([]account{}, old[:first]...)
	for i := range j.stages {
		switch j.s.state.Stages[i].Part {
		case run.PartAhead, run.PartChecking, run.PartGated:
		case run.PartWorking, run.PartReleasing, run.PartSoaking, run.PartOver:
			j.stages[i].passed = true
		}
	}
	for i := first; i < len(j.s.c.Plan.Stages); i++ {
		st := &j.s.c.Plan.Stages[i]
		a := newAccount()
		for name := range old[0].accepted {
			a.accepted[name] = true
		}
		for k := range was.Stages {
			if was.Stages[k].ID == st.ID && was.Stages[k].Digest == st.Digest {
				a.facts, a.votes = old[k].facts, old[k].votes
			}
		}
		a.changed = true // Until it is checked.
		j.stages = append(j.stages, a)
	}
	for i := first; i < len(was.Stages); i++ {
		for k := range was.Stages[i].Steps {
			ref := run.Ref{What: run.Do, Stage: was.Stages[i].ID, Step: was.Stages[i].Steps[k].ID}
			for _, ref.Member = range []string{"", "x", "y", "z", "w"} {
				delete(j.clear, keyOf(ref))
				delete(j.partial, keyOf(ref))
			}
		}
	}
}

// gone tells whether a command is about what the plan no longer has.
func (s *sim) gone(c run.Command) bool {
	//nolint:gochecksumtype // The others need nothing of the plan.
	switch c := c.(type) {
	case run.CheckStage:
		return s.judge.account(c.Stage) == nil
	case run.AskWindow:
		for i := range s.c.Plan.Stages {
			if st := &s.c.Plan.Stages[i]; st.ID == c.Stage {
				return len(st.Windows) == 0
			}
		}
		return true
	case run.Resolve:
		return s.world.infos[c.Stage+"/"+c.Step] == nil
	case run.ObserveOperation:
		return s.world.info(c.Op) == nil
	case run.MatchIssues:
		return s.world.info(c.Op) == nil
	}
	return false
}
