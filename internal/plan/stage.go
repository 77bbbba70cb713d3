package plan

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/procedure"
)

// stageBuilder carries the state of one stage.
type stageBuilder struct {
	*builder
	template *procedure.StageTemplate
	scope    expr.Scope // with the stage's member and its predicted facts
	stage    *Stage
	// used are the facts that expressions of the stage refer to.
	used map[string]bool
	// positions are those of the steps by id, for messages.
	positions map[string]diag.Position
}

// stage builds one stage and moves the predicted facts on to what it leaves.
func (b *builder) stage(id string, t *procedure.StageTemplate, m member) Stage {
	s := &stageBuilder{
		builder: b, template: t, scope: maps.Clone(m.scope),
		stage: &Stage{ID: id, OnFailure: orElse(t.Source.OnFailure.Value, "halt")},
		used:  map[string]bool{}, positions: map[string]diag.Position{},
	}
	if b.first == nil {
		b.first = s
	}
	if template := sourceText(t.ID); template != id {
		s.stage.Template = template
	}
	if m.name != "" {
		s.stage.Scope = map[string]any{m.name: m.value}
	}
	if hop := m.hop; hop != nil {
		s.stage.Hop = &Hop{From: hop.From, To: hop.To, Kind: string(hop.Kind), Properties: hop.Properties}
	}
	s.scope["observe"] = b.facts
	s.expects()
	s.texts()
	s.steps()
	s.leases()
	report(cover(s.stage, b.stateful, b.quiesced), s.position, &b.ds)
	b.plan.Findings = append(b.plan.Findings, lowProof(s.stage, b.proofs)...)
	if m.hop != nil {
		s.hopFindings(m.hop)
	}
	s.gates()
	s.expectUsed()
	s.leaves()
	for _, c := range s.stage.HeldToEnd() {
		b.quiesced[c] = true
	}
	return *s.stage
}

// orElse returns value, or def when it is empty.
func orElse(value, def string) string {
	if value == "" {
		return def
	}
	return value
}

// position returns where a step was written.
func (s *stageBuilder) position(step string) diag.Position {
	if pos, ok := s.positions[step]; ok {
		return pos
	}
	return s.template.Source.Pos
}

// now returns the facts as the stage finds them.
func (s *stageBuilder) now() map[string]any {
	facts, _ := s.scope["observe"].(map[string]any)
	return facts
}

// uses remembers the facts that a template refers to.
func (s *stageBuilder) uses(templates ...*expr.Template) {
	for _, t := range templates {
		if t != nil {
			s.rests(t.References())
		}
	}
}

// rests remembers the facts among references.
func (s *stageBuilder) rests(references []expr.Reference) { restsOn(s.used, references) }

// eval evaluates a template of the stage that must be known when planning.
func (s *stageBuilder) eval(t *expr.Template, scope expr.Scope, what string) any {
	if t == nil {
		return nil
	}
	s.uses(t)
	value, err := t.Eval(scope)
	if err != nil {
		s.failed(err, t.Pos(), fmt.Sprintf("stage %q: %s", s.stage.ID, what))
	}
	return value
}

// text evaluates a template to a string.
func (s *stageBuilder) text(t *expr.Template, scope expr.Scope, what string) string {
	value := s.eval(t, scope, what)
	if value == nil {
		return ""
	}
	if text, ok := value.(string); ok {
		return text
	}
	return fmt.Sprint(value)
}

// expects settles what the facts must be when the stage starts. For the first
// stage they must be so now. For a later one the author states what the stages
// before it leave; where one of those promised something else, the procedure
// contradicts itself.
func (s *stageBuilder) expects() {
	facts := s.facts
	for _, e := range s.template.Expects {
		value := s.eval(e.Value, s.scope, "expects "+e.Path)
		path, err := expr.ParsePath(e.Path)
		if err != nil {
			s.failed(err, e.Pos, "expects")
			continue
		}
		predicted, there := lookup(s.facts, path)
		switch promise, promised := s.promised[e.Path]; {
		case there && sameValue(predicted, value):
		case s == s.first:
			s.ds.Errorf("FactNotExpected", e.Pos, "stage %q expects %s to be %s, but it is %s",
				s.stage.ID, e.Path, show(value, false), show(predicted, !there)).
				Suggest("upgrade from the version that is installed, or mend the platform first")
		case promised:
			s.ds.Errorf("LeavesContradictsExpects", e.Pos, "stage %q expects %s to be %s, but stage %q leaves it at %s",
				s.stage.ID, e.Path, show(value, false), promise, show(predicted, !there))
		}
		facts = overlay(facts, path, value)
		expected := expectation(e.Path, value, true)
		expected.Declared = true
		s.stage.Expects = append(s.stage.Expects, expected)
	}
	s.facts = facts
	s.scope["observe"] = facts
}

// expectUsed adds the facts that expressions of the stage rest on, with the
// values that the stage was planned with.
func (s *stageBuilder) expectUsed() {
	declared := map[string]bool{}
	for _, e := range s.stage.Expects {
		declared[e.Fact] = true
	}
	if s == s.first {
		// Where the path begins is a fact too.
		s.uses(s.in.Procedure.From)
	}
	s.sources(s.used)
	s.requirementSources()
	paths := slices.Sorted(maps.Keys(s.used))
	for _, path := range paths {
		if declared[path] || hasAncestor(path, s.used) {
			continue
		}
		value, there := lookupText(s.now(), path)
		s.stage.Expects = append(s.stage.Expects, expectation(path, value, there))
	}
}

// requirementSources adds what the facts of requirements were observed with.
// The facts themselves may change as long as the requirement is met.
func (s *stageBuilder) requirementSources() {
	behind := map[string]bool{}
	for _, r := range s.stage.Requires {
		behind[r.Fact] = true
	}
	own := maps.Clone(behind)
	s.sources(behind)
	for path := range behind {
		if !own[path] {
			s.used[path] = true
		}
	}
}

// hasAncestor tells whether paths hold a path of which path is a part.
func hasAncestor(path string, paths map[string]bool) bool {
	ref, err := expr.ParsePath(path)
	if err != nil {
		return false
	}
	for i := 1; i < len(ref); i++ {
		if paths[ref[:i].String()] {
			return true
		}
	}
	return false
}

// leaves moves the predicted facts on to what the stage promises.
func (s *stageBuilder) leaves() {
	facts := s.facts
	for _, l := range s.template.Leaves {
		value := s.eval(l.Value, s.scope, "leaves "+l.Path)
		path, err := expr.ParsePath(l.Path)
		if err != nil {
			s.failed(err, l.Pos, "leaves")
			continue
		}
		facts = overlay(facts, path, value)
		s.promised[l.Path] = s.stage.ID
		left := expectation(l.Path, value, true)
		left.Declared = true
		s.stage.Leaves = append(s.stage.Leaves, left)
	}
	s.facts = facts
}

// texts resolves description, windows and soak.
func (s *stageBuilder) texts() {
	source := s.template.Source
	s.stage.Description = s.text(s.template.Description, s.scope, "description")
	if value := s.eval(s.template.Window, s.scope, "window"); value != nil {
		windows, err := windowsOf(value)
		if err != nil {
			s.ds.Errorf("InvalidWindow", s.template.Window.Pos(), "stage %q: %s", s.stage.ID, err).
				Suggest("use ${platform.windows} or a filter of it")
		}
		s.stage.Windows = windows
		if err == nil && len(windows) == 0 {
			s.plan.Findings = append(s.plan.Findings, s.noWindow())
		}
	}
	if source.Soak == nil {
		return
	}
	s.stage.Soak = &Soak{
		For:    Duration(source.Soak.For.Value),
		Every:  Duration(source.Soak.Every.Or(time.Minute)),
		MaxGap: Duration(source.Soak.MaxGap.Or(5 * time.Minute)),
	}
	for _, check := range source.Soak.Checks {
		s.stage.Soak.Checks = append(s.stage.Soak.Checks, check.Value)
	}
}

// steps expands and orders the steps of the stage and of its way back.
func (s *stageBuilder) steps() {
	x := &expansion{stageBuilder: s, ids: map[string][]string{}}
	x.expand(s.template.Steps)
	ordered, err := x.ordered()
	if err != nil {
		s.ds.Errorf("OrderImpossible", s.template.Source.Pos, "stage %q: %s", s.stage.ID, err).
			Suggest("mend needs, phase or order of these steps")
		ordered = x.out
	}
	s.stage.Steps = ordered
	s.soakChecks(x.ids)
	s.remedies()
	abort := s.template.Source.Abort
	if abort == nil {
		return
	}
	groups := s.stage.Groups
	s.stage.Groups = nil
	x = &expansion{stageBuilder: s, ids: map[string][]string{}, prefix: AbortPrefix}
	x.expand(s.template.Abort)
	s.stage.Groups, groups = groups, s.stage.Groups
	if ordered, err = x.ordered(); err != nil {
		s.ds.Errorf("OrderImpossible", s.template.Source.Pos, "abort of stage %q: %s", s.stage.ID, err).
			Suggest("mend needs, phase or order of these steps")
		ordered = x.out
	}
	s.stage.Abort = &Abort{Description: abort.Description, Steps: ordered, Groups: groups}
}

// soakChecks settles which checks the soak repeats: those that are named, or
// all that verify.
func (s *stageBuilder) soakChecks(ids map[string][]string) {
	if s.stage.Soak == nil {
		return
	}
	var checks []string
	for _, named := range s.stage.Soak.Checks {
		checks = append(checks, ids[named]...)
	}
	if len(s.stage.Soak.Checks) == 0 {
		for i := range s.stage.Steps {
			step := &s.stage.Steps[i]
			if step.Phase == Verify && step.Effect == "readOnly" && step.Gate == "" && step.Skip == "" {
				checks = append(checks, step.ID)
			}
		}
	}
	s.stage.Soak.Checks = checks
}

// leases lists the temporary changes of the stage.
func (s *stageBuilder) leases() {
	for i := range s.stage.Steps {
		step := &s.stage.Steps[i]
		if step.Lease == nil || step.Skip != "" {
			continue
		}
		s.stage.Leases = append(s.stage.Leases, Lease{Step: step.ID, StepLease: *step.Lease, Quiesces: step.Quiesces})
	}
}

// HeldToEnd returns the components that the stage is certain to hold still
// until the end of the run, also after a failure.
func (s *Stage) HeldToEnd() []string {
	c := newCoverer(s.Steps, s.Groups)
	var held []string
	for i := range s.Steps {
		step := &s.Steps[i]
		if l := step.Lease; l != nil && l.Until == untilRun && l.OnFailure == "hold" && c.certain(i) {
			held = append(held, step.Quiesces...)
		}
	}
	return held
}
