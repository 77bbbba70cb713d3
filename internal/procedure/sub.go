package procedure

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/schema"
	"github.com/refitproject/refit/internal/yamldoc"
)

// subFile is a compiled sub-procedure.
type subFile struct {
	*file
	template *SubTemplate
	// inherits tells that its steps run in the phase of the step that uses it;
	// else span are the phases of its steps.
	inherits bool
	span     span
	// unsure tells that a mistake keeps inherits from being known.
	unsure bool
	// size is the number of its steps with those of the sub-procedures that it
	// uses.
	size int
}

// use returns the sub-procedure that a step of the file uses, nil when it
// cannot be loaded, which is reported.
func (f *file) use(name yamldoc.Text) *subFile {
	target, ok := f.resolve(f.name, name)
	if !ok {
		return nil
	}
	if i := slices.Index(f.chain, target); i >= 0 {
		f.ds.Errorf("UseCycle", name.Pos,
			"files use each other in a circle: %s", strings.Join(append(slices.Clone(f.chain[i:]), target), " → ")).
			Suggest("remove one of these uses")
		return nil
	}
	if sub, known := f.subs[target]; known {
		return sub
	}
	if len(f.chain) > MaxDepth {
		f.ds.Errorf("UseTooDeep", name.Pos, "more than %d sub-procedures use each other in a row", MaxDepth).
			Suggest("let the procedure use some of them itself")
		return nil
	}
	root := f.parse(target, name.Pos, "sub-procedure")
	if root == nil {
		f.subs[target] = nil
		return nil
	}
	return f.sub(target, root)
}

// sub compiles a sub-procedure. Its expressions see its inputs, the platform
// and its own steps only, so that it means the same wherever it is used.
func (l *loader) sub(name string, root *yamldoc.Node) *subFile {
	f := l.document(name, root, KindSubProcedure)
	if f == nil {
		l.subs[name] = nil
		return nil
	}
	l.chain = append(l.chain, name)
	env := f.newEnv(map[string]schema.Type{varInputs: f.inputs, varPlatform: PlatformType()})
	b := &body{file: f, kind: subBody, env: env, taken: []string{varInputs, varPlatform}}
	template := &SubTemplate{File: name, Document: f.doc, Inputs: f.inputs}
	template.Steps = b.compileBody(f.doc.Steps)
	for i := range f.doc.Outputs {
		out := &f.doc.Outputs[i]
		value := b.compileStep(b.envSteps, out.Value.Value, schema.Of(schema.Any))
		b.checkGuarded(value, nil)
		template.Outputs = append(template.Outputs, OutputTemplate{Name: out.Name, Value: value})
	}
	f.checkUnused()
	l.chain = l.chain[:len(l.chain)-1]
	sub := &subFile{
		file: f, template: template, inherits: b.inherits, unsure: b.unsure, span: b.wholeSpan(), size: b.size,
	}
	l.subs[name] = sub
	return sub
}

// wholeSpan returns the phases of all steps together.
func (b *body) wholeSpan() span {
	all := span{unknown, unknown}
	for _, t := range b.steps {
		s := b.phaseSpan(t)
		if !s.known() {
			return span{unknown, unknown}
		}
		if !all.known() {
			all = s
		}
		all = span{min(all.lo, s.lo), max(all.hi, s.hi)}
	}
	return all
}

// place is a target or a component as far as mapping goes.
type place struct{ name, kind string }

func targetPlaces(d *Document) []place {
	places := make([]place, len(d.Targets))
	for i, t := range d.Targets {
		places[i] = place{t.Name, t.Value.Kind.Value}
	}
	return places
}

func componentPlaces(d *Document) []place {
	places := make([]place, len(d.Components))
	for i, c := range d.Components {
		places[i] = place{c.Name, c.Value.Kind.Value}
	}
	return places
}

// mapping is how the targets or components of a sub-procedure become those of
// the file that uses it.
type mapping struct {
	what         string // Target or Component
	key          string // targets or components
	written      map[string]yamldoc.Text
	inner, outer []place
	used         map[string]bool
}

// mapPlaces maps the targets and components of a sub-procedure to those of the
// file that uses it: to the one of the same name unless the step says
// otherwise.
func (b *body) mapPlaces(t *StepTemplate, sub *subFile) {
	t.Targets = b.mapNames(t, sub, mapping{
		what: "Target", key: "targets", written: t.Source.Targets,
		inner: targetPlaces(sub.doc), outer: targetPlaces(b.doc), used: b.used.targets,
	})
	t.Components = b.mapNames(t, sub, mapping{
		what: "Component", key: "components", written: t.Source.Components,
		inner: componentPlaces(sub.doc), outer: componentPlaces(b.doc), used: b.used.components,
	})
}

func (b *body) mapNames(t *StepTemplate, sub *subFile, m mapping) map[string]string {
	word := strings.ToLower(m.what)
	b.checkMapping(t, m)
	out := make(map[string]string, len(m.inner))
	for _, inner := range m.inner {
		name, pos := inner.name, t.Source.Use.Pos
		if written, ok := m.written[inner.name]; ok {
			name, pos = written.Value, written.Pos
		}
		out[inner.name] = name
		m.used[name] = true
		i := slices.IndexFunc(m.outer, func(p place) bool { return p.name == name })
		switch {
		case i < 0:
			b.ds.Errorf("Unknown"+m.what, pos,
				"step %q needs a %s for %q of %s, and %q is not declared", t.ID, word, inner.name, sub.name, name).
				Suggest("%s", mapSuggestion(m.key, inner.name, m.outer))
		case m.outer[i].kind != "" && inner.kind != "" && m.outer[i].kind != inner.kind:
			b.ds.Errorf(m.what+"Kind", pos,
				"%s %q is of kind %s, but %q of %s is of kind %s",
				word, name, m.outer[i].kind, inner.name, sub.name, inner.kind).
				Suggest("name a %s of kind %s", word, inner.kind)
		}
	}
	return out
}

// checkMapping refuses names that the sub-procedure does not declare.
func (b *body) checkMapping(t *StepTemplate, m mapping) {
	declared := placeNames(m.inner)
	for _, name := range slices.Sorted(maps.Keys(m.written)) {
		if !slices.Contains(declared, name) {
			b.ds.Errorf("UnknownKey", m.written[name].Pos,
				"%s of step %q name %q, which the sub-procedure does not declare", m.key, t.ID, name).
				Suggest("%s", diag.DidYouMean(name, declared))
		}
	}
}

func placeNames(places []place) []string {
	names := make([]string, len(places))
	for i, p := range places {
		names[i] = p.name
	}
	return names
}

func mapSuggestion(key, inner string, declared []place) string {
	if len(declared) == 0 {
		return fmt.Sprintf("declare it below %s", key)
	}
	return fmt.Sprintf("add %s: {%s: NAME} with one of: %s", key, inner, strings.Join(placeNames(declared), ", "))
}

// lateInputs returns the inputs of a sub-procedure that the step t makes of
// outputs of steps. They are known only when the stage runs.
func (b *body) lateInputs(env *expr.Env, t *StepTemplate) map[string]bool {
	if t.With == nil || !refersTo(t.With, varSteps) {
		return nil
	}
	late := map[string]bool{}
	for _, p := range t.Source.With.Pairs {
		// The whole compiled, so its members do.
		part, _ := env.CompileTemplate(p.Value, schema.Of(schema.Any))
		if refersTo(part, varSteps) {
			late[p.Key] = true
		}
	}
	return late
}

// judge checks the steps of a sub-procedure for what depends on where it is
// used: user is the step that uses it, late are the inputs that are known only
// when the stage runs.
func (b *body) judge(user *StepTemplate, sub *SubTemplate, late map[string]bool) {
	for _, t := range sub.Steps {
		if usesLate(t.Key, late) || usesLate(t.Resource, late) {
			b.ds.Errorf("NotKnownWhenPlanning", user.Source.Use.Pos,
				"step %q gives outputs of steps to step %q of %s, which names itself or its resource with them",
				user.ID, t.ID, sub.File).
				Suggest("give it a value that is known when planning")
		}
		b.judgeForEach(user, t, sub, usesLate(t.ForEach, late))
		if t.Sub != nil {
			b.judge(user, t.Sub, passedOn(t, late))
		}
	}
}

// judgeForEach checks a step of a sub-procedure that may have members which
// are known only when it starts.
func (b *body) judgeForEach(user, t *StepTemplate, sub *SubTemplate, late bool) {
	pos := user.Source.Use.Pos
	if late && t.Source.Max == 0 {
		b.ds.Errorf("MaxMissing", pos,
			"step %q gives outputs of steps to the forEach of step %q of %s, which has no max",
			user.ID, t.ID, sub.File).
			Suggest("add max to that step, or give it a list that is known when planning")
	}
	if late && t.Sub != nil {
		b.ds.Errorf("DynamicUse", pos,
			"step %q gives outputs of steps to the forEach of step %q of %s, which repeats a sub-procedure",
			user.ID, t.ID, sub.File).
			Suggest("give it a list that is known when planning")
	}
}

// usesLate tells whether a template uses one of the late inputs.
func usesLate(t *expr.Template, late map[string]bool) bool {
	return t != nil && len(late) > 0 && slices.ContainsFunc(t.References(), func(ref expr.Reference) bool {
		return ref[0] == varInputs && (len(ref) == 1 || late[ref[1]])
	})
}

// passedOn returns the inputs of the sub-procedure that t uses which are made
// of late inputs of the one around it.
func passedOn(t *StepTemplate, late map[string]bool) map[string]bool {
	passed := map[string]bool{}
	if len(late) == 0 || t.Source.With == nil {
		return passed
	}
	for _, p := range t.Source.With.Pairs {
		walkStrings(p.Value, func(_ *yamldoc.Node, s string) {
			for _, m := range selection.FindAllStringSubmatch(s, -1) {
				if m[1] == varInputs && late[m[2]] {
					passed[p.Key] = true
				}
			}
		})
	}
	return passed
}

// checkPatterns checks literal inputs of a sub-procedure against its patterns.
func (b *body) checkPatterns(t *StepTemplate) {
	if t.Source.With == nil {
		return
	}
	for _, in := range t.Sub.Document.Inputs {
		n := t.Source.With.Get(in.Name)
		if n == nil || firstExpression(n) != nil {
			continue
		}
		re, err := in.Value.Regexp()
		if err == nil && re != nil && n.Kind == yamldoc.Scalar && !re.MatchString(textOf(n)) {
			b.ds.Errorf("PatternMismatch", n.Pos, "%q does not match the pattern of input %q", textOf(n), in.Name).
				Suggest("the whole value must match %s", in.Value.Pattern.Value)
		}
	}
}
