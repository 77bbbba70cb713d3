package plan

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/platform"
	"github.com/refitproject/refit/internal/procedure"
	"github.com/refitproject/refit/internal/versions"
)

// Input is everything that a plan is built from. Build changes none of it.
type Input struct {
	Procedure *procedure.Procedure
	Platform  *platform.Platform
	// PlatformFile is where the platform file was, for messages.
	PlatformFile string
	// Inputs are the values of the procedure's inputs, complete and checked.
	Inputs map[string]any
	// Targets are the targets of the procedure with their observed identities.
	Targets []Target
	// Facts are the outputs of the observe block by name. Sensitive members
	// are keyed hashes already.
	Facts map[string]any
	// Path is the chosen version path; nil for procedures without a graph.
	Path *versions.Path
	// Accept lets findings pass by name.
	Accept []Accept
	// Now is the time of planning: acceptances expire by it.
	Now time.Time
	// Refit is the version of the program.
	Refit string
	// Done are the ids of stages that were carried out already and are left
	// out: a replan names them.
	Done []string
	// Quiesced are the components that the stages that are done hold still
	// until the end of the run.
	Quiesced []string
	// Experience is what earlier runs tell of how long steps take; nil for none.
	Experience *Experience
}

// Build makes the plan. Problems of the procedure that show only with real
// values and facts are Diagnostics, and then there is no plan. A plan that is
// blocked by findings is returned: people want to read it.
func Build(in Input) (*Plan, diag.Diagnostics) {
	b := newBuilder(in)
	b.stages()
	b.checkNumbers()
	if b.ds.HasErrors() {
		b.ds.Sort()
		return nil, b.ds
	}
	b.summarize()
	b.accept()
	if err := seal(b.plan); err != nil {
		b.ds.Errorf("NotEncodable", diag.Position{File: in.Procedure.File}, "%s", err)
		return nil, b.ds
	}
	b.ds.Sort()
	return b.plan, b.ds
}

// builder carries the state of one Build.
type builder struct {
	in   Input
	plan *Plan
	ds   diag.Diagnostics
	// scope holds the variables that are the same in all stages.
	scope expr.Scope
	// facts are the predicted facts: as observed, then as each stage leaves
	// them.
	facts map[string]any
	// promised are the fact paths that an earlier stage promised to leave, with
	// the stage.
	promised map[string]string
	stateful map[string]bool
	proofs   map[string]int
	// quiesced are the components that an earlier stage holds still until the
	// end of the run.
	quiesced map[string]bool
	// used are the facts that decide which stages there are. The first stage
	// expects them.
	used map[string]bool
	// first is the first stage, which answers for what belongs to none.
	first *stageBuilder
	// steps counts the steps of all stages.
	steps int
}

func newBuilder(in Input) *builder {
	p := &Plan{
		APIVersion: APIVersion, Kind: Kind, Created: in.Now.UTC(), Refit: in.Refit,
		Platform: in.Platform.Metadata.Name.Value, PlatformFile: in.PlatformFile,
		Procedure: ProcedureRef{
			Name: in.Procedure.Document.Metadata.Name.Value, File: in.Procedure.File, Digest: in.Procedure.Digest,
		},
		Targets: in.Targets, Inputs: in.Inputs, Facts: in.Facts, AllowScratch: in.Platform.AllowScratch,
		Issues: in.Procedure.Issues.List(), Done: in.Done,
	}
	b := &builder{
		in: in, plan: p, facts: in.Facts,
		promised: map[string]string{}, stateful: map[string]bool{}, proofs: map[string]int{},
		quiesced: map[string]bool{}, used: map[string]bool{},
		scope: expr.Scope{"inputs": in.Inputs, "platform": platformValue(in.Platform)},
	}
	for _, c := range in.Procedure.Document.Components {
		p.Components = append(p.Components, Component{Name: c.Name, Kind: c.Value.Kind.Value})
		b.stateful[c.Name] = c.Value.Stateful()
		b.proofs[c.Name] = c.Value.DefaultProof()
	}
	p.Quiesced = in.Quiesced
	for _, c := range in.Quiesced {
		b.quiesced[c] = true
	}
	if in.Path != nil {
		p.Path = pathOf(in.Path)
		b.scope["path"] = pathValue(in.Path, p)
	}
	p.Channels = ChannelsOf(in.Platform)
	b.observes()
	b.probes()
	return b
}

// pathOf copies the version path into the plan.
func pathOf(path *versions.Path) *Path {
	out := &Path{From: path.From, To: path.To}
	for _, h := range path.Hops {
		out.Hops = append(out.Hops, Hop{From: h.From, To: h.To, Kind: string(h.Kind), Properties: h.Properties})
	}
	return out
}

// pathValue is the variable path in expressions.
func pathValue(path *versions.Path, p *Plan) map[string]any {
	hops := make([]any, len(path.Hops))
	for i := range path.Hops {
		hops[i] = path.Hops[i].Value()
	}
	rehearsal, _ := rehearsalDigest(p) // What it is over can be written as JSON.
	return map[string]any{"from": path.From, "to": path.To, "hops": hops, "rehearsal": rehearsal}
}

// platformValue is the variable platform in expressions.
func platformValue(p *platform.Platform) map[string]any {
	store := ""
	if p.Backup != nil {
		store = p.Backup.Store.Value
	}
	return map[string]any{
		"name": p.Metadata.Name.Value, "windows": WindowValues(p), "backup": map[string]any{"store": store},
	}
}

// observes records how the facts are observed again.
func (b *builder) observes() {
	for i := range b.in.Procedure.Facts {
		f := &b.in.Procedure.Facts[i]
		o, skip, err := ResolveObserve(*f, b.in.Inputs, b.in.Facts, b.in.Platform)
		if err != nil {
			b.failed(err, f.Pos, fmt.Sprintf("fact %q", f.Name))
			continue
		}
		if !skip {
			b.plan.Observe = append(b.plan.Observe, o)
		}
	}
}

// ResolveObserve resolves one entry of the observe block to the call that
// observes it. facts are the facts observed so far. skip tells that its
// condition is false.
func ResolveObserve(
	f procedure.Fact, inputs, facts map[string]any, p *platform.Platform,
) (o Observe, skip bool, err error) {
	scope := expr.Scope{"inputs": inputs, "observe": facts, "platform": platformValue(p)}
	o = Observe{Name: f.Name, Action: f.Spec.ID(), Target: f.Target}
	if f.When != nil {
		value, err := f.When.Eval(scope)
		if err != nil {
			return o, false, fmt.Errorf("evaluate when: %w", err)
		}
		if value == false {
			return o, true, nil
		}
	}
	if f.With == nil {
		return o, false, nil
	}
	value, err := f.With.Eval(scope)
	if err != nil {
		return o, false, fmt.Errorf("evaluate with: %w", err)
	}
	o.With, _ = value.(map[string]any)
	return o, false, nil
}

// probes resolves the background measurements.
func (b *builder) probes() {
	for _, t := range b.in.Procedure.Probes {
		b.rests(t.Address.References())
		value, err := t.Address.Eval(b.with("observe", b.facts))
		if err != nil {
			b.failed(err, t.Address.Pos(), fmt.Sprintf("probe %q", t.Name))
			continue
		}
		b.plan.Probes = append(b.plan.Probes, Probe{
			Name: t.Name, Component: t.Component, Kind: t.Kind, Config: probeConfig(t, value),
		})
	}
}

// probeConfig is what the probe's process needs to know.
func probeConfig(t procedure.ProbeTemplate, address any) map[string]any {
	every, timeout, key := t.Source.Timing()
	config := map[string]any{key: address, "every": every.String(), "timeout": timeout.String()}
	if h := t.Source.HTTP; h != nil && len(h.Status) > 0 {
		status := make([]any, len(h.Status))
		for i, code := range h.Status {
			status[i] = int64(code)
		}
		config["status"] = status
	}
	return config
}

// with returns the common scope with one more variable.
func (b *builder) with(name string, value any) expr.Scope {
	scope := maps.Clone(b.scope)
	scope[name] = value
	return scope
}

// failed records an expression that could not be evaluated.
func (b *builder) failed(err error, pos diag.Position, what string) {
	text := err.Error()
	if at := new(expr.EvalError); errors.As(err, &at) {
		pos, text = at.Pos, at.Text()
	}
	b.ds.Errorf("EvalFailed", pos, "%s: %s", what, text).Suggest("%s", expr.Suggestion(err))
}

// accept marks the findings that a person lets pass, and keeps what is
// accepted ahead of a preflight check.
func (b *builder) accept() {
	for _, a := range b.in.Accept {
		matched := false
		for i := range b.plan.Findings {
			if f := &b.plan.Findings[i]; f.Name == a.Name {
				*f = a.LetPass(*f, b.in.Now)
				matched = true
			}
		}
		if b.isPreflight(a.Name) {
			b.plan.Accept = append(b.plan.Accept, a)
			matched = true
		}
		if !matched {
			b.plan.Findings = append(b.plan.Findings, Finding{
				Name: "accept/" + a.Name, Outcome: Warn, Reason: "AcceptsNothing",
				Message: fmt.Sprintf("%s accepts %q, which lets nothing pass: no finding is called so", a.By, a.Name),
				Remedy:  diag.DidYouMean(a.Name, b.findingNames()),
			})
		}
	}
}

// LetPass returns the finding with the acceptance noted, when it blocks and the
// acceptance has not expired.
func (a Accept) LetPass(f Finding, now time.Time) Finding {
	switch {
	case f.Outcome != Fail && f.Outcome != UnknownOutcome:
	case a.Expires < now.Format(time.DateOnly):
		f.Message += fmt.Sprintf(" (the acceptance by %s expired on %s)", a.By, a.Expires)
	default:
		f.Accepted = &Accepted{By: a.By, Reason: a.Reason, Expires: a.Expires}
	}
	return f
}

// PreflightPrefix begins the names of findings of preflight checks; the id of
// the step follows.
const PreflightPrefix = "preflight/"

// isPreflight tells whether name is that of a preflight check of the plan.
func (b *builder) isPreflight(name string) bool {
	id, ok := strings.CutPrefix(name, PreflightPrefix)
	return ok && slices.ContainsFunc(b.plan.Stages, func(s Stage) bool { return s.hasPreflight(id) })
}

// hasPreflight tells whether the stage has a preflight step of this id.
func (s *Stage) hasPreflight(id string) bool {
	return slices.ContainsFunc(s.Steps, func(step Step) bool { return step.ID == id && step.Phase == Preflight })
}

// findingNames returns the names of all findings so far.
func (b *builder) findingNames() []string {
	var names []string
	for _, f := range b.plan.Findings {
		if !strings.HasPrefix(f.Name, "accept/") {
			names = append(names, f.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Blocked returns the findings that block the plan from being applied, in the
// order of the stages.
func (p *Plan) Blocked() []Finding {
	var out []Finding
	for _, f := range p.Findings {
		if f.Blocks() {
			out = append(out, f)
		}
	}
	return out
}
