package worker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/refitproject/refit/internal/engine/observe"
	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
	"github.com/refitproject/refit/internal/schema"
)

// look is what was seen of the facts and targets of a stage.
type look struct {
	facts   map[string]any
	targets []plan.Target
	changed []run.Change
}

// checkStage observes what a stage rests on and compares it with what the plan
// expects: when the stage starts, and at the end of a rollback to its start.
func (j *job) checkStage(ctx context.Context, c run.CheckStage) (run.Body, error) {
	s, err := j.scene(c.Stage)
	if err != nil {
		return nil, err
	}
	l := look{facts: map[string]any{}}
	if err := j.lookAround(ctx, s.stage, &l); err != nil {
		return &run.StageAskFailed{
			Stage: c.Stage, Turn: c.Turn, Back: c.Back, Cause: causeOf(err), Message: oneLine(err.Error()),
		}, nil
	}
	j.compare(s.stage, &l)
	e := &run.StageChecked{Stage: c.Stage, Turn: c.Turn, Back: c.Back, Changed: atMost(l.changed)}
	if e.Facts, err = j.digest(s.stage, &l); err != nil {
		return nil, err
	}
	if !c.Back {
		e.Findings = j.judge(s.stage, l.facts)
	}
	return e, nil
}

// lookAround reads the identities of all targets, and the facts that the stage
// expects or requires. The error is about something that cannot be asked now.
func (j *job) lookAround(ctx context.Context, stage *plan.Stage, l *look) error {
	for _, t := range j.Plan.Targets {
		var identity string
		err := guarded(func() (err error) {
			identity, err = j.world.Identify(ctx, t)
			return err
		})
		switch {
		case err == nil:
			t.Identity = identity
			l.targets = append(l.targets, t)
		case lasting(err):
			l.changed = append(l.changed, run.Change{
				Name: "target/" + t.Name, Want: show(t.Identity), Got: oneLine(err.Error()),
			})
		default:
			return err
		}
	}
	names := factsOf(stage)
	for _, o := range j.Plan.Observe {
		if !slices.Contains(names, o.Name) {
			continue
		}
		var fact map[string]any
		err := guarded(func() (err error) {
			fact, err = j.world.Fact(ctx, o)
			return err
		})
		switch {
		case err == nil:
			l.facts[o.Name] = fact
		case lasting(err):
			l.changed = append(l.changed, run.Change{
				Name: "fact/" + o.Name, Want: "to be observed", Got: oneLine(err.Error()),
			})
		default:
			return err
		}
	}
	return nil
}

// factsOf returns the names of the facts that a stage rests on.
func factsOf(stage *plan.Stage) []string {
	var names []string
	add := func(path string) {
		if ref, err := expr.ParsePath(path); err == nil && len(ref) > 0 {
			names = append(names, ref[0])
		}
	}
	for _, e := range stage.Expects {
		add(e.Fact)
	}
	for _, r := range stage.Requires {
		add(r.Fact)
	}
	return names
}

// compare lists what is not as the plan expects. Facts that could not be seen
// are listed already.
func (j *job) compare(stage *plan.Stage, l *look) {
	listed := make(map[string]bool, len(l.changed))
	for _, c := range l.changed {
		listed[c.Name] = true
	}
	for _, c := range plan.CompareTargets(j.Plan, l.targets) {
		if name := "target/" + c.Target; !listed[name] {
			l.changed = append(l.changed, run.Change{Name: name, Want: show(c.Expected), Got: show(c.Observed)})
		}
	}
	for _, c := range plan.CompareFacts(stage, l.facts) {
		ref, err := expr.ParsePath(c.Fact)
		if err == nil && listed["fact/"+ref[0]] {
			continue
		}
		change := run.Change{Name: "fact/" + c.Fact, Want: show(c.Expected), Got: show(c.Observed)}
		if c.ExpectedAbsent {
			change.Want = "nothing"
		}
		if c.ObservedAbsent {
			change.Got = "nothing"
		}
		if why := observe.OtherKey(c); why != "" {
			change.Got += " (" + why + ")"
		}
		l.changed = append(l.changed, change)
	}
}

// mostChanges is how many changes are recorded: one is enough to stop, and an
// event has a limit.
const mostChanges = 50

func atMost(changes []run.Change) []run.Change {
	if len(changes) <= mostChanges {
		return changes
	}
	more := run.Change{Name: "more", Want: "no further changes", Got: fmt.Sprintf("%d more", len(changes)-mostChanges)}
	return append(slices.Clip(changes[:mostChanges]), more)
}

// digest is over what the approvals of a stage rest on: the facts that it
// expects, and the identities of the targets.
func (j *job) digest(stage *plan.Stage, l *look) (string, error) {
	facts := map[string]any{}
	for _, e := range stage.Expects {
		ref, err := expr.ParsePath(e.Fact)
		if err != nil {
			return "", fmt.Errorf("read the fact %q of the plan: %w", e.Fact, err)
		}
		if value, there := lookup(l.facts, ref); there {
			facts[e.Fact] = value
		}
	}
	targets := map[string]any{}
	for _, t := range l.targets {
		targets[t.Name] = t.Identity
	}
	text, err := schema.CanonicalJSON(map[string]any{"facts": facts, "targets": targets})
	if err != nil {
		return "", fmt.Errorf("compute the digest of the facts: %w", err)
	}
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

// mostFinding is how much of a finding's message is recorded, and mostFindings
// how many bytes all of them have.
const (
	mostFinding  = 1 << 10
	mostFindings = 32 << 10
)

// judge returns the findings of the plan about a stage, as they count now, and
// what its requirements come to. What the planner found to be in order stays so
// and is left out; a requirement that is met replaces one that was not.
func (j *job) judge(stage *plan.Stage, facts map[string]any) []plan.Finding {
	now := j.w.o.Now()
	var out []plan.Finding
	for _, f := range observe.PlanFindings(j.Plan, stage.ID, now) {
		if f.Outcome != plan.Pass {
			out = append(out, f)
		}
	}
	out = append(out, observe.Requirements(j.Plan, stage, facts, now)...)
	size := 0
	// What blocks comes first, so that it is never what is left out.
	slices.SortStableFunc(out, func(a, b plan.Finding) int {
		return rankOf(a) - rankOf(b)
	})
	for i := range out {
		out[i].Message = shorten(oneLine(out[i].Message), mostFinding)
		size += len(out[i].Name) + len(out[i].Message) + len(out[i].Remedy) + findingFrame
		if size > mostFindings && !out[i].Blocks() {
			return out[:i]
		}
	}
	return out
}

// findingFrame is about what a finding takes beside its texts.
const findingFrame = 200

func rankOf(f plan.Finding) int {
	if f.Blocks() {
		return 0
	}
	return 1
}
