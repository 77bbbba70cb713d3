package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/procedure"
	"github.com/refitproject/refit/internal/yamldoc"
)

// member adds the steps of one member of a template.
func (x *expansion) member(
	t *procedure.StepTemplate, scope expr.Scope, suffix, when, skip string, dynamic *ForEach,
) {
	if t.Sub != nil {
		x.sub(t, scope, suffix, when, skip)
		return
	}
	if x.builder.steps++; x.builder.steps > maxSteps {
		if x.builder.steps == maxSteps+1 {
			x.ds.Errorf("TooManySteps", t.Pos, "the plan has more than %d steps", maxSteps).
				Suggest("let one step handle many members, or split the procedure")
		}
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
	step.Selection = selectionOf(source)
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
	if step.Phase == Preflight {
		// A failed check blocks until it is accepted by name.
		step.OnFailure = "halt"
	}
	step.Reversible, step.Irreversibly = reversibleOf(t, step.With)
	if dynamic != nil {
		x.dynamic(&step)
	}
	x.in.Experience.learn(x.stage.TemplateID(), &step)
	if s := step.Selection; s != nil && !source.Select.Approve.IsSet() {
		s.Approve = x.loses(&step)
	}
	x.out = append(x.out, step)
}

// dynamic adjusts a step whose members are known only when it starts: it may
// take as long as all of them, and where they decide what is lost, a person
// sees the list first.
func (x *expansion) dynamic(step *Step) {
	step.Estimate.Known = false
	step.Estimate.Worst *= Duration(max(1, step.ForEach.Max))
	step.ForEach.Approve = x.loses(step)
}

// loses tells whether something may be lost by what a step acts on, so that a
// person has to see the list when the plan does not have it.
func (x *expansion) loses(step *Step) bool {
	damages := slices.ContainsFunc(step.Changes, func(c string) bool { return x.stateful[c] })
	return damages || step.Reversible == ReversibleNo
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

// attempts is how many attempts there are in all.
func (r Retry) attempts() int { return max(1, r.Attempts) }

// waits is how long the waits between all attempts take together.
func (r Retry) waits() Duration {
	var sum Duration
	wait := r.Backoff
	for range r.attempts() - 1 {
		sum += wait
		wait = min(2*wait, r.MaxBackoff)
	}
	return sum
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

// selectionOf takes over how much an action may pick out, and whether the list is
// approved where the procedure says it.
func selectionOf(source *procedure.Step) *Selection {
	s := source.Select
	if s == nil {
		return nil
	}
	return &Selection{Max: s.Max, Empty: s.Empty.Value, Approve: s.Approve.Value == "always"}
}

// estimateOf predicts the duration of a step. What nobody estimated may last
// until its timeout. People's time is not predicted.
func estimateOf(t *procedure.StepTemplate) Estimate {
	timeout := t.Source.Timeout.Or(defaultTimeout)
	retry := retryOf(t.Source.Retry)
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
		return Estimate{Worst: Duration(timeout)*Duration(retry.attempts()) + retry.waits()}
	}
	out := Estimate{Typical: Duration(typical), Worst: Duration(worst), Known: true, Source: SourceAuthor}
	if worst == 0 {
		out.Worst = worstBy(out.Typical, Duration(timeout))
	}
	return out
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
// highest that one of its components needs. That the action reaches it was
// checked when the procedure was read, as a component of a sub-procedure is of
// the same kind as the one that it stands for.
func (x *expansion) proof(t *procedure.StepTemplate, covers []string) int {
	if t.Source.Proof > 0 || len(covers) == 0 {
		return t.Source.Proof
	}
	level := 0
	for _, c := range covers {
		level = max(level, x.proofs[c])
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
