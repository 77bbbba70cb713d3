package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/procedure"
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
	// broken tells that two steps share an id, so that they cannot be ordered.
	broken bool
	// edges counts the needs of the steps of this level.
	edges int
	// deferredInputs are inputs of the group that are known only when the
	// stage runs.
	deferredInputs map[string]bool
}

// ordered returns the steps in an order in which they could be carried out.
func (x *expansion) ordered() ([]Step, error) {
	if x.broken {
		return x.out, nil // reported already
	}
	return order(x.out)
}

// expand expands templates in the order of the file and then resolves their
// needs and leases.
func (x *expansion) expand(templates []*procedure.StepTemplate) {
	first := len(x.out)
	for _, t := range templates {
		before := len(x.out)
		x.template(t)
		for i := before; i < len(x.out); i++ {
			x.ids[t.ID] = append(x.ids[t.ID], x.out[i].ID)
			x.positions[x.out[i].ID] = t.Pos
		}
	}
	x.broken = !x.unique(first) || x.broken
	at := stepIndex(x.out)
	skipped := slices.ContainsFunc(x.out[first:], func(s Step) bool { return s.Skip != "" })
	named := map[string]*procedure.StepTemplate{}
	for _, t := range templates {
		named[t.ID] = t
	}
	known := map[string][]string{}
	for _, t := range templates {
		needs := x.needed(t, named, known)
		x.edges += len(needs) * len(x.ids[t.ID])
		if x.edges > maxNeeds {
			x.ds.Errorf("TooManyNeeds", t.Pos, "step %q: %d members need %d steps each, more than a plan can hold",
				x.prefix+t.ID, len(x.ids[t.ID]), len(needs)).Suggest("put the two in different phases instead")
			return
		}
		if skipped {
			x.reads(t, named, at)
		}
		for _, id := range x.ids[t.ID] {
			step := &x.out[at[id]]
			step.Needs = append(step.Needs, needs...)
			slices.Sort(step.Needs)
			step.Needs = slices.Compact(step.Needs)
			if t.Sub == nil {
				x.leaseSteps(t, step)
			}
		}
	}
}

// reads finds steps that read the output of a step that will not run: they can
// only fail, in the middle of the stage.
func (x *expansion) reads(t *procedure.StepTemplate, named map[string]*procedure.StepTemplate, at map[string]int) {
	readers := x.ids[t.ID]
	if x.skip != "" || len(readers) == 0 || x.out[at[readers[0]]].Skip != "" {
		return
	}
	for _, template := range []*expr.Template{t.With, t.When, t.ForEach} {
		if template == nil {
			continue
		}
		for _, ref := range template.References() {
			if len(ref) < 2 || ref[0] != "steps" || named[ref[1]] == nil {
				continue
			}
			sources := x.ids[ref[1]]
			if len(sources) == 0 || x.out[at[sources[0]]].Skip == "" || guarded(template, ref[1]) {
				continue
			}
			x.plan.Findings = append(x.plan.Findings, Finding{
				Name: "output/" + readers[0], Stage: x.stage.ID, Step: readers[0],
				Outcome: Fail, Reason: "OutputOfSkippedStep",
				Message: fmt.Sprintf("step %q reads the output of step %q, which is skipped", readers[0], sources[0]),
				Remedy:  fmt.Sprintf("guard it with has(%s.output), or skip both", ref[:2]),
			})
		}
	}
}

// guarded tells whether an expression asks whether the output of a step is
// there before it reads it.
func guarded(t *expr.Template, step string) bool {
	return slices.ContainsFunc(t.Tested(), func(ref expr.Reference) bool {
		return len(ref) > 1 && ref[0] == "steps" && ref[1] == step
	})
}

// Limits of a plan. They stop a mistake, not an author.
const (
	// maxSteps is how many steps a plan may have.
	maxSteps = 200_000
	// maxNeeds is how many needs the steps of one expansion may have together.
	maxNeeds = 1_000_000
)

// needed returns the ids of the steps that the steps of a template need. A
// template that yields no steps, such as a forEach over nothing, hands on what
// it needs itself, so that the order behind it is kept.
// known holds the answers for other templates.
func (x *expansion) needed(
	t *procedure.StepTemplate, named map[string]*procedure.StepTemplate, known map[string][]string,
) []string {
	if ids, ok := known[t.ID]; ok {
		return ids
	}
	known[t.ID] = nil // a circle, which order reports, ends here
	var out []string
	for _, need := range t.Source.Needs {
		ids := x.ids[need.Value]
		if other := named[need.Value]; len(ids) == 0 && other != nil {
			ids = x.needed(other, named, known)
		}
		out = append(out, ids...)
	}
	slices.Sort(out)
	known[t.ID] = slices.Compact(out)
	return known[t.ID]
}

// unique refuses two steps of one id: history, needs and people name steps by
// it.
func (x *expansion) unique(first int) bool {
	seen := map[string]bool{}
	for i := first; i < len(x.out); i++ {
		id := x.out[i].ID
		if seen[id] {
			x.ds.Errorf("DuplicateKey", x.positions[id], "two members of forEach make the step %q", id).
				Suggest("write a key that differs for every member")
			return false
		}
		seen[id] = true
	}
	return true
}

// leaseSteps turns step:ID of a lease into the ids of the steps in the plan.
func (x *expansion) leaseSteps(t *procedure.StepTemplate, step *Step) {
	if step.Lease == nil {
		return
	}
	id, isStep := strings.CutPrefix(step.Lease.Until, "step:")
	if !isStep {
		return
	}
	step.Lease.Until, step.Lease.Steps = untilSteps, x.ids[id]
	if len(x.ids[id]) == 0 && step.Skip == "" {
		x.ds.Errorf("LeaseUntilNothing", t.Pos, "the lease of step %q ends after step %q, which has no members",
			step.ID, x.prefix+id).Suggest("write until: stage")
	}
}

// template expands one template.
func (x *expansion) template(t *procedure.StepTemplate) {
	if x.prefix == "" && (t.ID == "abort" || t.ID == "remedy") {
		x.ds.Errorf("ReservedName", t.Pos,
			"a step cannot be called %q, as the steps of the way back and of remedies are", t.ID).
			Suggest("give the step another id")
	}
	when, skip := x.when(t)
	if skip != "" || t.ForEach == nil {
		x.member(t, x.scope, "", when, skip, nil)
		return
	}
	if x.deferred(t.ForEach) {
		x.uses(t.ForEach)
		x.keeps(t.ForEach)
		dynamic := &ForEach{Expr: sourceText(t.ForEach), As: t.As, Max: t.Source.Max}
		if t.Key != nil {
			x.uses(t.Key)
			x.keeps(t.Key)
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
			if !ValidKey(key) {
				x.ds.Errorf("InvalidKey", t.Key.Pos(), "%q cannot be the key of a member of step %q",
					key, x.prefix+t.ID).Suggest("use 1 to 63 letters, digits and . _ - @ : +")
				return
			}
		}
		x.member(t, scope, "["+key+"]", when, "", nil)
	}
}

// ValidKey tells whether a key can stand in the id of a member of a step.
func ValidKey(key string) bool {
	const most = 63
	return key != "" && len(key) <= most && strings.Trim(key, keyLetters) == ""
}

// keyLetters are the letters of keys.
const keyLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-@:+"

// keeps puts the inputs and other values that a deferred template refers to
// into the scope of the stage: they are needed when it runs, and they decide
// what it does. Below a use, the inputs are those of the group.
func (x *expansion) keeps(t *expr.Template) {
	for _, ref := range t.References() {
		if ref[0] != "platform" && ref[0] != "path" && (ref[0] != "inputs" || x.group != "") {
			continue
		}
		value, there := lookup(x.scope, ref)
		if _, kept := lookup(x.stage.Scope, ref); kept || !there {
			continue
		}
		if x.stage.Scope == nil {
			x.stage.Scope = map[string]any{}
		}
		x.stage.Scope = overlay(x.stage.Scope, ref, value)
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
		x.keeps(t.When)
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
	if len(places) > 0 {
		x.keeps(t)
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
