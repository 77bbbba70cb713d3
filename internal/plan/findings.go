package plan

import (
	"fmt"
	"maps"
	"slices"

	"github.com/refitproject/refit/internal/versions"
)

// hopFindings judges the requirements and risks of the stage's hop with the
// facts that the stage starts from.
func (s *stageBuilder) hopFindings(hop *versions.Hop) {
	for _, r := range hop.Requires {
		required := Requirement{
			Name: r.Name, Fact: r.Fact, Constraint: r.Constraint, Scheme: r.Scheme, Owner: r.Owner,
		}
		s.stage.Requires = append(s.stage.Requires, required)
		s.requirement(required)
	}
	for _, r := range hop.Risks {
		s.risk(r)
	}
}

// requirement judges one requirement. One that an earlier stage cannot meet by
// itself is met by somebody outside in between: a gate that names them.
func (s *stageBuilder) requirement(required Requirement) {
	f := required.Judge(s.now())
	f.Stage = s.stage.ID
	// Two requirements of one name are two findings: who accepts one does not
	// accept the other.
	for n := 2; s.hasFinding(f.Name); n++ {
		f.Name = fmt.Sprintf("%s%s#%d", requirementPrefix, required.Name, n)
	}
	if f.Outcome == Fail && s != s.first {
		value, _ := lookupText(s.now(), required.Fact)
		now := show(value, false)
		f.Outcome, f.Reason, f.Remedy = Warn, "RequirementInBetween", ""
		f.Message = fmt.Sprintf("%s is %s now, needed is %s before this stage", required.Name, now, required.Constraint)
		s.stage.Gates = append(s.stage.Gates, Gate{
			Kind: "person", Name: f.Name, Requirement: &required,
			Reason: fmt.Sprintf("%s before this stage (it is %s now)", required.upgrade(), now),
		})
	}
	s.plan.Findings = append(s.plan.Findings, f)
}

// requirementPrefix begins the names of findings about requirements.
const requirementPrefix = "requirement/"

// hasFinding tells whether the stage has a finding of this name already.
func (s *stageBuilder) hasFinding(name string) bool {
	return slices.ContainsFunc(s.plan.Findings, func(f Finding) bool { return f.Stage == s.stage.ID && f.Name == name })
}

// Judge tells whether the facts meet the requirement. What cannot be judged is
// unknown, which blocks like a failure.
func (r Requirement) Judge(facts map[string]any) Finding {
	f := Finding{
		Name: requirementPrefix + r.Name, Outcome: UnknownOutcome, Reason: "RequirementNotKnown",
		Remedy: "observe the fact, or accept that it is not known",
	}
	value, there := lookupText(facts, r.Fact)
	if !there {
		f.Message = fmt.Sprintf("needs %s %s, but the fact %s is not there", r.Name, r.Constraint, r.Fact)
		return f
	}
	met, err := versions.Requirement{
		Name: r.Name, Fact: r.Fact, Constraint: r.Constraint, Scheme: r.Scheme, Owner: r.Owner,
	}.Met(value)
	if err != nil {
		f.Message = fmt.Sprintf("needs %s %s, which cannot be judged: %s", r.Name, r.Constraint, err)
		return f
	}
	f.Message = fmt.Sprintf("%s is %s, needed is %s", r.Name, show(value, false), r.Constraint)
	if met {
		f.Outcome, f.Reason, f.Remedy = Pass, "RequirementMet", ""
		return f
	}
	f.Outcome, f.Reason, f.Remedy = Fail, "RequirementNotMet", r.upgrade()+" first"
	return f
}

// upgrade words who has to upgrade what.
func (r Requirement) upgrade() string {
	if r.Owner == "" {
		return fmt.Sprintf("upgrade %s to %s", r.Name, r.Constraint)
	}
	return fmt.Sprintf("ask %s to upgrade %s to %s", r.Owner, r.Name, r.Constraint)
}

// risk judges one risk. What it rests on becomes an expected fact.
func (s *stageBuilder) risk(r *versions.Risk) {
	s.rests(r.References())
	s.plan.Findings = append(s.plan.Findings, riskFinding(r, s.scope, s.stage.ID))
}

// riskFinding judges a risk: it applies (fail), it does not (pass), or that
// cannot be known (unknown, which blocks like fail).
func riskFinding(r *versions.Risk, scope map[string]any, stage string) Finding {
	outcome, reason := r.Evaluate(scope)
	f := Finding{Name: "risk/" + r.Name, Stage: stage, Remedy: r.Remedy, Message: r.Summary}
	switch outcome {
	case versions.RiskClear:
		f.Outcome, f.Reason, f.Remedy = Pass, "RiskClear", ""
	case versions.RiskApplies:
		f.Outcome, f.Reason = Fail, "RiskApplies"
	default:
		f.Outcome, f.Reason = UnknownOutcome, "RiskNotKnown"
		f.Message += ": " + reason
	}
	return f
}

// unstaged returns the hops that no stage stands for.
func (b *builder) unstaged(staged map[*versions.Hop]bool) []*versions.Hop {
	if b.in.Path == nil {
		return nil
	}
	var out []*versions.Hop
	for i := range b.in.Path.Hops {
		if hop := &b.in.Path.Hops[i]; !staged[hop] {
			out = append(out, hop)
		}
	}
	return out
}

// answerForAll lets the first stage answer for the requirements and risks of
// hops without a stage, and expect the facts that decided which stages there
// are.
func (s *stageBuilder) answerForAll(hops []*versions.Hop) Stage {
	for _, hop := range hops {
		s.hopFindings(hop)
	}
	maps.Copy(s.used, s.builder.used)
	s.expectUsed()
	return *s.stage
}

const (
	// gateNoReturn is the name of the approval of a point of no return.
	gateNoReturn = "point-of-no-return"
	// reasonAsked is the reason of an approval whose author gives none.
	reasonAsked = "the procedure asks for it"
)

// gates adds the approvals that the stage needs: the author's, and one for the
// point of no return.
func (s *stageBuilder) gates() {
	if a := s.template.Source.Approval; a != nil {
		s.stage.Gates = append(s.stage.Gates, Gate{
			Kind: "approval", Name: "approval", By: a.By, Count: max(1, a.Count),
			Reason: orElse(s.text(s.template.Reason, s.scope, "reason of the approval"), reasonAsked),
		})
	}
	s.noReturn()
}

// noReturn adds the approval of a point of no return.
func (s *stageBuilder) noReturn() {
	if p := pointOfNoReturn(s.stage); p != nil {
		s.stage.Gates = append(s.stage.Gates, Gate{
			Kind: "approval", Name: gateNoReturn, Count: 1,
			Reason: fmt.Sprintf("after step %q there is no way back: %s", p.Step, p.Why),
		})
	}
}

// summarize predicts what the plan takes.
func (b *builder) summarize() {
	p := b.plan
	p.Summary.Duration.Known, p.Summary.Rollback.Known = true, true
	total := map[string]*Downtime{}
	var components []string
	var down []string
	for i := range p.Stages {
		s := &p.Stages[i]
		summary, carried := estimateStage(s, down)
		down = carried
		if f := windowFinding(s, &summary); f != nil {
			p.Findings = append(p.Findings, *f)
		}
		s.Estimate = summary.Duration
		for _, d := range summary.Downtime {
			if total[d.Component] == nil {
				total[d.Component] = &Downtime{Component: d.Component, Known: true}
				components = append(components, d.Component)
			}
			sum := total[d.Component]
			sum.Typical, sum.Worst, sum.Known = sum.Typical+d.Typical, sum.Worst+d.Worst, sum.Known && d.Known
		}
		for _, id := range summary.CriticalPath {
			p.Summary.CriticalPath = append(p.Summary.CriticalPath, s.ID+"/"+id)
		}
		if p.Summary.PointOfNoReturn == nil {
			p.Summary.PointOfNoReturn = summary.PointOfNoReturn
		}
		p.Summary.add(summary)
	}
	for _, c := range components {
		p.Summary.Downtime = append(p.Summary.Downtime, *total[c])
	}
}

// add adds the prediction for one stage.
func (s *Summary) add(stage StageSummary) {
	s.Stages = append(s.Stages, stage)
	s.Steps += stage.Steps
	s.Duration.include(stage.Duration)
	s.Duration.Typical += stage.Duration.Typical
	s.Duration.Worst += stage.Duration.Worst
	if stage.Rollback.Worst > s.Rollback.Worst {
		s.Rollback = stage.Rollback
	}
}
