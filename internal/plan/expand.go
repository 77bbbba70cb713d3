package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/procedure"
	"github.com/refitproject/refit/internal/yamldoc"
)

// expansion turns step templates into steps: forEach into one step per member,
// use into the steps of the sub-procedure.
type expansion struct {
	*stageBuilder
	out []Step
	// ids maps the id of a template at this level to the ids of its steps.
	ids map[string][]string

	// What follows is set below a use.
	prefix              string // "drain/"
	group               string // "drain"
	phase               string // default phase
	onFailure           string // default of the using step
	skip                string // why the whole group is skipped
	targets, components map[string]string
	// deferredInputs are inputs of the group that are known only when the
	// stage runs.
	deferredInputs map[string]bool
}

// expand expands templates in the order of the file and then resolves their
// needs.
func (x *expansion) expand(templates []*procedure.StepTemplate) {
	for _, t := range templates {
		before := len(x.out)
		x.template(t)
		for i := before; i < len(x.out); i++ {
			x.ids[t.ID] = append(x.ids[t.ID], x.out[i].ID)
			x.positions[x.out[i].ID] = t.Pos
		}
	}
	at := stepIndex(x.out)
	for _, t := range templates {
		var needs []string
		for _, need := range t.Source.Needs {
			needs = append(needs, x.ids[need.Value]...)
		}
		for _, id := range x.ids[t.ID] {
			step := &x.out[at[id]]
			step.Needs = append(step.Needs, needs...)
			slices.Sort(step.Needs)
			step.Needs = slices.Compact(step.Needs)
		}
	}
	x.leaseSteps(at)
}

// leaseSteps turns "step:ID" of leases into the id of the step in the plan.
func (x *expansion) leaseSteps(at map[string]int) {
	for _, i := range at {
		lease := x.out[i].Lease
		if lease == nil {
			continue
		}
		id, isStep := strings.CutPrefix(lease.Until, "step:")
		if ids := x.ids[id]; isStep && len(ids) > 0 {
			lease.Until = "step:" + ids[len(ids)-1]
		}
	}
}

// template expands one template.
func (x *expansion) template(t *procedure.StepTemplate) {
	when, skip := x.when(t)
	if skip != "" || t.ForEach == nil {
		x.member(t, x.scope, "", when, skip, nil)
		return
	}
	if x.deferred(t.ForEach) {
		x.uses(t.ForEach)
		dynamic := &ForEach{Expr: sourceText(t.ForEach), As: t.As, Max: t.Source.Max}
		if t.Key != nil {
			dynamic.Key = sourceText(t.Key)
		}
		x.member(t, x.scope, "", when, "", dynamic)
		return
	}
	list, _ := x.eval(t.ForEach, x.scope, "forEach of step "+x.prefix+t.ID).([]any)
	for i, value := range list {
		scope := maps.Clone(x.scope)
		scope[t.As] = value
		key := fmt.Sprint(i)
		if t.Key != nil {
			key = x.text(t.Key, scope, "key of step "+x.prefix+t.ID)
		}
		x.member(t, scope, "["+key+"]", when, "", nil)
	}
}

// when evaluates the condition of a step: to nothing when it is true, to the
// reason of a skip when it is false, to its text when it is known only when
// the stage runs.
func (x *expansion) when(t *procedure.StepTemplate) (text, skip string) {
	switch {
	case x.skip != "":
		return "", x.skip
	case t.When == nil:
		return "", ""
	case x.deferred(t.When):
		x.uses(t.When)
		return sourceText(t.When), ""
	case x.eval(t.When, x.scope, "when of step "+x.prefix+t.ID) == false:
		return "", "not needed: " + sourceText(t.When) + " is false"
	}
	return "", ""
}

// deferred tells whether a template can be evaluated only when the stage runs.
func (x *expansion) deferred(t *expr.Template) bool {
	return slices.ContainsFunc(t.References(), func(ref expr.Reference) bool {
		if ref[0] == "steps" {
			return true
		}
		if ref[0] != "inputs" || len(x.deferredInputs) == 0 {
			return false
		}
		return len(ref) == 1 || x.deferredInputs[ref[1]]
	})
}

// evalDeferred evaluates what can be evaluated of a value and lists the rest.
func (x *expansion) evalDeferred(
	t *expr.Template, scope expr.Scope, dynamic *ForEach, what string,
) (map[string]any, []Deferred) {
	if t == nil {
		return nil, nil
	}
	x.uses(t)
	roots := []string{"steps"}
	if dynamic != nil {
		roots = append(roots, dynamic.As)
	}
	if x.deferred(t) && len(x.deferredInputs) > 0 {
		roots = append(roots, "inputs")
	}
	value, places, err := t.EvalDeferred(scope, roots...)
	if err != nil {
		x.failed(err, t.Pos(), fmt.Sprintf("stage %q: %s", x.stage.ID, what))
		return nil, nil
	}
	if path, ok := hugeNumber(value); ok {
		x.ds.Errorf("NumberTooLarge", t.Pos(), "stage %q: %s: the number at %q cannot be held exactly in JSON",
			x.stage.ID, what, path).Suggest("write it as a string")
	}
	deferred := make([]Deferred, len(places))
	for i, p := range places {
		deferred[i] = Deferred{Path: p.Path, Text: p.Text}
	}
	m, _ := value.(map[string]any)
	if len(deferred) == 0 {
		deferred = nil
	}
	return m, deferred
}

// hugeNumber finds a whole number that canonical JSON (RFC 8785) cannot hold,
// and returns its place as a JSON pointer.
func hugeNumber(value any) (path string, huge bool) {
	const most = 1<<53 - 1
	switch v := value.(type) {
	case int64:
		return "", v > most || v < -most
	case []any:
		for i, member := range v {
			if below, huge := hugeNumber(member); huge {
				return fmt.Sprintf("/%d%s", i, below), true
			}
		}
	case map[string]any:
		for k, member := range v {
			if below, found := hugeNumber(member); found && (!huge || "/"+k+below < path) {
				path, huge = "/"+k+below, true
			}
		}
	}
	return path, huge
}

// sourceText is the text of a template as the author wrote it.
func sourceText(t *expr.Template) string {
	if text, ok := t.Source().(string); ok {
		return text
	}
	return fmt.Sprint(t.Source())
}

// member adds the steps of one member of a template.
func (x *expansion) member(
	t *procedure.StepTemplate, scope expr.Scope, suffix, when, skip string, dynamic *ForEach,
) {
	if t.Sub != nil {
		x.sub(t, scope, suffix, when, skip)
		return
	}
	source := t.Source
	step := Step{
		ID: x.prefix + t.ID + suffix, Phase: Phase(orElse(source.Phase.Value, x.phase)),
		Action: t.Spec.ID(), Effect: t.Spec.Effect, Gate: t.Spec.Gate,
		Target: mapped(x.targets, t.Target), Group: x.group, Free: source.Order.Value == "free",
		When: when, Skip: skip, ForEach: dynamic,
		Covers: x.names(source.Covers), Changes: x.names(source.Changes),
		Quiesces: x.names(source.Quiesces), Downtime: x.names(source.Downtime),
		Online:    source.Consistency.Value == "online",
		Timeout:   Duration(source.Timeout.Or(defaultTimeout)),
		Retry:     retryOf(source.Retry),
		OnFailure: orElse(orElse(source.OnFailure.Value, x.onFailure), x.stage.OnFailure),
	}
	step.Proof = x.proof(t, step.Covers)
	step.Lease = leaseOf(source)
	step.Estimate = estimateOf(t)
	if skip == "" {
		what := fmt.Sprintf("with of step %q", step.ID)
		step.With, step.Deferred = x.evalDeferred(t.With, scope, dynamic, what)
		step.Resource = x.text(t.Resource, scope, "resource of step "+step.ID)
		step.Scope = memberScope(t, scope, &step)
		if t.Description != nil && (dynamic == nil) && !x.deferred(t.Description) {
			step.Description = x.text(t.Description, scope, "description of step "+step.ID)
		}
	}
	step.Reversible, step.Irreversibly = reversibleOf(t, step.With)
	x.out = append(x.out, step)
}

// memberScope keeps the member of a forEach that was resolved when planning,
// for expressions that are evaluated later.
func memberScope(t *procedure.StepTemplate, scope expr.Scope, step *Step) map[string]any {
	if t.ForEach == nil || step.ForEach != nil || len(step.Deferred) == 0 && step.When == "" {
		return nil
	}
	return map[string]any{t.As: scope[t.As]}
}

// defaultTimeout is how long one attempt may take when the step does not say.
const defaultTimeout = 10 * time.Minute

// retryOf applies the defaults of retries.
func retryOf(r *procedure.Retry) Retry {
	if r == nil || r.Attempts <= 1 {
		return Retry{}
	}
	backoff := r.Backoff.Or(5 * time.Second)
	return Retry{
		Attempts: r.Attempts, Backoff: Duration(backoff),
		MaxBackoff: Duration(max(r.MaxBackoff.Or(5*time.Minute), backoff)),
	}
}

// leaseOf applies the defaults of leases: one that protects is held after a
// failure.
func leaseOf(source *procedure.Step) *StepLease {
	if source.Lease == nil {
		return nil
	}
	def := "release"
	if len(source.Quiesces) > 0 {
		def = "hold"
	}
	return &StepLease{Until: source.Lease.Until.Value, OnFailure: orElse(source.Lease.OnFailure.Value, def)}
}

// estimateOf predicts the duration of a step. What nobody estimated may last
// until its timeout. People's time is not predicted.
func estimateOf(t *procedure.StepTemplate) Estimate {
	timeout := t.Source.Timeout.Or(defaultTimeout)
	typical, worst := t.Spec.Typical, t.Spec.Worst
	if d := t.Source.Duration; d != nil {
		typical, worst = d.Typical.Value, d.Worst.Value
	}
	switch {
	case t.Spec.Gate == action.GateApproval || t.Spec.Gate == action.GatePerson:
		if t.Source.Duration == nil {
			return Estimate{Known: true}
		}
	case typical == 0:
		return Estimate{Worst: Duration(timeout)}
	}
	if worst == 0 {
		worst = min(3*typical, max(typical, timeout))
	}
	return Estimate{Typical: Duration(typical), Worst: Duration(worst), Known: true}
}

// reversibleOf says how a step is taken back.
func reversibleOf(t *procedure.StepTemplate, with map[string]any) (way Reversible, why string) {
	written := t.Source.Reversible.Value
	if reason, no := strings.CutPrefix(written, "no:"); no {
		return ReversibleNo, strings.TrimSpace(reason)
	}
	switch {
	case written != "":
		return Reversible(written), ""
	case t.Spec.Effect != action.Mutating:
		return ReversibleNone, ""
	}
	if can, whyNot := t.Spec.Undoable(with); !can {
		return ReversibleNo, orElse(whyNot, "the action has no inverse")
	}
	return ReversibleUndo, ""
}

// proof returns the level of proof of a backup step: what is written, or the
// highest that one of its components needs.
func (x *expansion) proof(t *procedure.StepTemplate, covers []string) int {
	if t.Source.Proof > 0 || len(covers) == 0 {
		return t.Source.Proof
	}
	level := 0
	for _, c := range covers {
		level = max(level, x.proofs[c])
	}
	if level > t.Spec.MaxProof {
		x.ds.Errorf("ProofTooHigh", t.Pos, "the backup of %q has to be proved at level %d, %s reaches %d",
			covers, level, t.Spec.ID(), t.Spec.MaxProof).
			Suggest("write proof: %d to be content with less", t.Spec.MaxProof)
	}
	return level
}

// names maps the names of components through the uses of sub-procedures.
func (x *expansion) names(texts []yamldoc.Text) []string {
	var out []string
	for _, t := range texts {
		out = append(out, mapped(x.components, t.Value))
	}
	return out
}

// mapped translates a name of a sub-procedure to the name in the procedure.
func mapped(names map[string]string, name string) string {
	if outer, ok := names[name]; ok {
		return outer
	}
	return name
}
