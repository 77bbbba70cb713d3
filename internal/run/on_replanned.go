package run

import (
	"slices"

	"github.com/refitproject/refit/internal/plan"
)

// onReplanned puts the stages of a new plan in the place of those of which
// nothing was started.
func (s *State) onReplanned(e *Replanned) error {
	first, err := s.replacedFrom(e)
	if err != nil {
		return err
	}
	p, err := find(s.source, e.Digest)
	if err != nil {
		return refused("%v", err)
	}
	if err := s.fitting(p, first); err != nil {
		return err
	}
	s.replace(p, first)
	return nil
}

// replacedFrom finds the first stage that is replaced.
func (s *State) replacedFrom(e *Replanned) (int, error) {
	switch {
	case s.Status.Final():
		return 0, refused("the run is %s", s.Status)
	case s.Back != nil || s.Cancelling || s.Aborting || s.ix.stages[s.Stage].abort:
		return 0, refused("the run is ending")
	case e.By == "":
		return 0, refused("nobody is named")
	case e.Digest == s.Digest:
		return 0, refused("the run carries out plan %s already", e.Digest)
	}
	left := s.firstLeft()
	first := left
	if e.From != "" {
		i, ok := s.ix.byID[e.From]
		if !ok || i >= len(s.ix.plan.Stages) {
			return 0, refused("the plan has no stage %q", e.From)
		}
		first = i
	}
	switch {
	case left >= len(s.ix.plan.Stages):
		return 0, refused("every stage was started: nothing is left to replace")
	case first < left:
		return 0, refused("stage %q was started: replace the stages from %q on",
			s.ix.stages[first].id, s.ix.stages[left].id)
	}
	return first, nil
}

// fitting checks that a plan may go on where the stages before first end.
func (s *State) fitting(p *plan.Plan, first int) error {
	old := s.ix.plan
	switch {
	case p.Platform != old.Platform:
		return refused("plan %s is for platform %q, the run upgrades %q", p.Digest, p.Platform, old.Platform)
	case p.Procedure.Name != old.Procedure.Name:
		return refused("plan %s is of procedure %q, the run is of %q", p.Digest, p.Procedure.Name, old.Procedure.Name)
	}
	if first == 0 && len(p.Stages) == 0 {
		return refused("plan %s has no stages: cancel the run", p.Digest)
	}
	if s.Until != "" && s.ix.byID[s.Until] >= first &&
		!slices.ContainsFunc(p.Stages, func(st plan.Stage) bool { return st.ID == s.Until }) {
		return refused("plan %s has no stage %q, before which the run stops: move that first", p.Digest, s.Until)
	}
	same := func(a, b plan.Target) bool { return a.Name == b.Name && a.Kind == b.Kind && a.Identity == b.Identity }
	if !slices.EqualFunc(byName(p.Targets), byName(old.Targets), same) {
		return refused("plan %s has other targets than the run: start a new run", p.Digest)
	}
	for i := range first {
		id := old.Stages[i].ID
		if slices.ContainsFunc(p.Stages, func(st plan.Stage) bool { return st.ID == id }) {
			return refused("plan %s has stage %q, which the run keeps: make the plan without it", p.Digest, id)
		}
	}
	return nil
}

func byName(targets []plan.Target) []plan.Target {
	return slices.SortedFunc(slices.Values(targets), func(a, b plan.Target) int {
		switch {
		case a.Name < b.Name:
			return -1
		case a.Name > b.Name:
			return 1
		}
		return 0
	})
}

// replace binds the run to p from stage first on.
func (s *State) replace(p *plan.Plan, first int) {
	was := s.ix
	whole, origins := join(was.plan, was.origins, first, p)
	s.ix = newIndex(whole, origins)
	n := len(was.plan.Stages)
	s.drop(was, first)
	stages := make([]StageState, len(s.ix.stages))
	for i := range whole.Stages {
		switch j, known := was.byID[whole.Stages[i].ID]; {
		case i < first:
			stages[i] = s.Stages[i]
		case known && j < n:
			stages[i] = s.Stages[j].leftAs(&was.stages[j], &s.ix.stages[i], s.Gone)
		default:
			stages[i] = newStage(&s.ix.stages[i])
			stages[i].countFrom(s.Gone)
		}
		stages[len(whole.Stages)+i] = newStage(&s.ix.stages[len(whole.Stages)+i])
	}
	s.Stages = stages
	s.forget()
	if s.Plans == nil {
		s.Plans = []PlanPart{{Digest: s.Digest}}
	}
	s.Plans = append(s.Plans, PlanPart{Digest: p.Digest, From: first})
	s.Digest = p.Digest
	s.refind(was.plan, p, first)
	if first == len(whole.Stages) && first == s.Stage {
		s.Stage-- // Nothing is left: what was carried out is the end.
	}
	if st := &s.Stages[s.Stage]; s.Stage == len(whole.Stages)-1 && (st.Part == PartSoaking || st.Part == PartOver) {
		st.Part = PartReleasing // It has become the last one, which gives back what is held to the end.
		if st.Soak != nil {
			st.Soak.Turn++ // It goes on behind that, and what was asked before does not count.
		}
	}
}

// drop remembers the numbers of what the stages that are replaced were asked for.
func (s *State) drop(was *index, first int) {
	for i := first; i < len(was.plan.Stages); i++ {
		st := &s.Stages[i]
		s.Gone = max(s.Gone, st.Checks, st.Window.Turn+1)
		for j := range st.Steps {
			used := st.Steps[j].fresh()
			s.Gone = max(s.Gone, used.Resolved, used.Earlier.Turn)
		}
	}
}

// countFrom lets a stage that is new to the run count from a number on.
func (st *StageState) countFrom(n int) {
	st.Checks, st.Window.Turn = n, n
	for j := range st.Steps {
		st.Steps[j].countFrom(n)
	}
}

func (st *StepState) countFrom(n int) { st.Resolved, st.Earlier.Turn = n, n }

// refind replaces the findings of the stages that were replaced, and those of
// the old plan as a whole. What a person accepted stays so until its day.
func (s *State) refind(old, p *plan.Plan, first int) {
	replaced := map[string]bool{}
	for i := first; i < len(old.Stages); i++ {
		replaced[old.Stages[i].ID] = true
	}
	there := map[string]bool{}
	for i := range p.Stages {
		there[p.Stages[i].ID] = true
	}
	ofPlan := map[string]bool{}
	for i := range old.Findings {
		ofPlan[old.Findings[i].Stage+"\n"+old.Findings[i].Name] = true
	}
	s.Findings = slices.DeleteFunc(s.Findings, func(f plan.Finding) bool {
		if f.Stage == "" {
			return ofPlan["\n"+f.Name] && f.Accepted == nil
		}
		return replaced[f.Stage] && (f.Accepted == nil || !there[f.Stage])
	})
	for i := range p.Findings {
		s.find(ofStage(p.Findings[i]))
	}
}
