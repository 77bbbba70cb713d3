package procedure

import (
	"slices"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/schema"
	"github.com/refitproject/refit/internal/yamldoc"
)

// bodyKind says what a list of steps belongs to.
type bodyKind int

const (
	stageBody bodyKind = iota
	abortBody
	subBody
	// remedyBody holds the steps that are taken only when a known issue is met.
	remedyBody
)

// body is a list of steps that see each other: those of a stage, of its way
// back, or of a sub-procedure.
type body struct {
	*file
	kind bodyKind
	// env holds the variables that do not differ from step to step; envSteps
	// holds the outputs of the steps too.
	env, envSteps *expr.Env
	// taken are the names of the variables of env.
	taken []string
	// onFailure is what the stage says.
	onFailure string
	// end is where the steps end in the file, at the latest; zero at its end.
	end   diag.Position
	steps []*StepTemplate
	index map[string]int
	subs  map[string]*subFile // by step
	// late are the inputs of each sub-procedure that are known only when the
	// stage runs, by step.
	late  map[string]map[string]bool
	size  int // with the steps of sub-procedures
	order *order
	// inherits tells that the steps run in the phase of the step that uses
	// them.
	inherits bool
	// unsure tells that a mistake keeps inherits from being known.
	unsure bool
}

// compileBody compiles a list of steps. Steps with mistakes stay in it, so that
// nothing that refers to them is reported for no fault of its own.
func (b *body) compileBody(list yamldoc.Ordered[Step]) []*StepTemplate {
	if len(list) > MaxSteps {
		b.ds.Errorf("TooManySteps", list[MaxSteps].Pos,
			"%d steps are more than the %d that one list may hold", len(list), MaxSteps).
			Suggest("use forEach, or split the steps into stages")
		list = list[:MaxSteps]
	}
	b.index, b.subs = make(map[string]int, len(list)), map[string]*subFile{}
	b.late = map[string]map[string]bool{}
	b.steps = make([]*StepTemplate, len(list))
	for i := range list {
		b.index[list[i].Name] = i
		b.steps[i] = b.outline(list[i].Name, list[i].Pos, &list[i].Value)
	}
	b.checkSize()
	b.checkPhases()
	b.checkNeeds()
	b.envSteps = b.with(b.env, map[string]schema.Type{varSteps: b.stepsType()})
	for _, t := range b.steps {
		b.compileTemplates(t)
		b.checkStep(t)
	}
	return b.steps
}

// checkSize refuses lists that become too long when sub-procedures are put in
// their places, which few small files can do. It forgets these sub-procedures,
// so that everything behind it may walk through all steps.
func (b *body) checkSize() {
	for _, t := range b.steps {
		if sub := b.subs[t.ID]; sub != nil {
			b.size += sub.size
		} else {
			b.size++
		}
	}
	if b.size <= MaxSteps {
		return
	}
	b.ds.Errorf("TooManySteps", b.steps[0].Pos, "with their sub-procedures these are more than %d steps", MaxSteps).
		Suggest("split them into stages")
	for _, t := range b.steps {
		t.Sub = nil
	}
	clear(b.subs)
	b.size = len(b.steps)
}

// outline resolves what a step does, but not its expressions.
func (b *body) outline(id string, pos diag.Position, source *Step) *StepTemplate {
	t := &StepTemplate{ID: id, Pos: pos, Source: source, As: "item"}
	if !isName(id) {
		b.ds.Errorf("BadName", pos, "step %q has an id that is not permitted", id).Suggest(nameRule)
	}
	if source.As.IsSet() {
		t.As = source.As.Value
	}
	switch {
	case source.Action.IsSet() && source.Use.IsSet():
		b.ds.Errorf("ActionAndUse", source.Use.Pos, "step %q has both action and use", id).
			Suggest("keep action for one operation, or use for a sub-procedure")
	case !source.Action.IsSet() && !source.Use.IsSet() && b.clean:
		b.ds.Errorf("NoAction", pos, "step %q has neither action nor use", id).Suggest("add action: FAMILY.VERB")
	}
	if source.Action.IsSet() {
		if spec, ok := b.action(source.Action, pos); ok {
			t.Spec = spec
			t.Target = b.target(source.Target, spec, pos)
		}
		return t
	}
	if source.Use.IsSet() {
		if sub := b.use(source.Use); sub != nil {
			b.subs[id] = sub
			t.Sub = sub.template
			b.mapPlaces(t, sub)
		}
	}
	return t
}

// stepsType is the type of the variable steps: the outputs of each step. A
// step that may be skipped may have none.
func (b *body) stepsType() schema.Type {
	fields := make(map[string]schema.Field, len(b.steps))
	for _, t := range b.steps {
		output := schema.Of(schema.Any)
		switch {
		case t.Sub != nil:
			output = outputsType(t.Sub)
		case t.Spec.Name != "":
			output = t.Spec.Output
		}
		name := "output"
		if t.Source.ForEach != nil {
			name, output = "outputs", schema.ListOf(output)
		}
		fields[t.ID] = schema.Field{Required: true, Type: schema.ObjectOf(map[string]schema.Field{
			name: {Type: output, Required: t.Source.When == nil},
		})}
	}
	return schema.ObjectOf(fields)
}

// outputsType is the type of what a sub-procedure hands back.
func outputsType(sub *SubTemplate) schema.Type {
	fields := make(map[string]schema.Field, len(sub.Outputs))
	for _, o := range sub.Outputs {
		t := schema.Of(schema.Any)
		if o.Value != nil {
			t = o.Value.Type()
		}
		fields[o.Name] = schema.Field{Type: t, Required: true}
	}
	return schema.ObjectOf(fields)
}

// compileTemplates compiles the expressions of a step. Outputs of steps may be
// used where the value is needed only when the step starts.
func (b *body) compileTemplates(t *StepTemplate) {
	s := t.Source
	env := b.envSteps
	before := len(b.ds)
	t.When = b.compileStep(b.envSteps, s.When, schema.Of(schema.Bool))
	if s.ForEach != nil {
		b.hint(before, t.As, "when decides about all members at once; leave single ones out with filter in forEach")
	}
	t.ForEach = b.explained(s.ForEach, func() *expr.Template { return b.compileForEach(b.envSteps, s.ForEach) })
	if s.ForEach != nil {
		env = b.with(env, b.member(t))
	}
	t.Description = b.compileStep(env, s.Description, schema.Of(schema.String))
	t.Key = b.planned(t, "key", s.Key, env)
	t.Resource = b.planned(t, "resource", s.Resource, env)
	switch {
	case t.Sub != nil:
		t.With = b.compileStep(env, withNode(s.With, t.Pos), t.Sub.Inputs)
		b.checkPatterns(t)
		b.late[t.ID] = b.lateInputs(env, t)
		b.judge(t, t.Sub, b.late[t.ID])
	case t.Spec.Name != "":
		t.With = b.compileStep(env, withNode(s.With, t.Pos), t.Spec.Input)
	default: // what it does is not known: check the expressions alone
		t.With = b.compileStep(env, s.With, schema.Of(schema.Any))
	}
	b.checkReferences(t)
	b.checkSkipped(t)
}

// planned compiles a value that must be known when planning. Outputs of steps
// are not, nor is the member of a forEach over them.
func (b *body) planned(t *StepTemplate, key string, n *yamldoc.Node, env *expr.Env) *expr.Template {
	if n == nil {
		return nil
	}
	before := len(b.ds)
	template := b.compileName(env, n)
	if len(b.ds) > before {
		b.explainDashes(n, before)
	}
	late := refersTo(template, varSteps)
	if key != "key" && refersTo(t.ForEach, varSteps) {
		late = late || refersTo(template, t.As)
	}
	if late {
		b.ds.Errorf("NotKnownWhenPlanning", n.Pos, "%s of step %q uses outputs of steps", key, t.ID).
			Suggest("use inputs or facts: %s must be known when planning", key)
	}
	return template
}

// member returns the variable of a step's forEach.
func (b *body) member(t *StepTemplate) map[string]schema.Type {
	pos := t.Source.ForEach.Pos
	if t.Source.As.IsSet() {
		pos = t.Source.As.Pos
	}
	if !b.checkMember(t.As, pos, b.taken) {
		return nil
	}
	return map[string]schema.Type{t.As: memberType(t.ForEach)}
}

// memberType is the type of the members of a forEach.
func memberType(forEach *expr.Template) schema.Type {
	if forEach == nil || forEach.Type().Kind != schema.List {
		return schema.Of(schema.Any)
	}
	return forEach.Type().ElemType()
}

// checkMember checks the name of a forEach member against the variables that
// are there already.
func (f *file) checkMember(name string, pos diag.Position, taken []string) bool {
	switch {
	case !isVariable(name):
		f.ds.Errorf("BadName", pos, "%q cannot be the name of a member", name).Suggest(identRule)
		return false
	case name == varSteps || slices.Contains(taken, name):
		f.ds.Errorf("Shadowed", pos, "the member is called %q like a variable around it", name).
			Suggest("choose another name with as:")
		return false
	}
	return true
}
