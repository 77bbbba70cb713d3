package procedure

import (
	"cmp"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/schema"
	"github.com/refitproject/refit/internal/yamldoc"
)

// factsType is the type of the variable observe: each fact by its name.
func (f *file) factsType() schema.Type {
	fields := make(map[string]schema.Field, len(f.doc.Observe))
	for i := range f.doc.Observe {
		o := &f.doc.Observe[i]
		t := schema.Of(schema.Any)
		if spec, ok := f.catalog.Spec(o.Value.Action.Value); ok {
			t = spec.Output
		}
		fields[o.Name] = schema.Field{Type: t, Required: o.Value.When == nil, Doc: o.Value.Description}
	}
	return schema.ObjectOf(fields)
}

// facts compiles the observe block. Its expressions may use inputs, platform
// and the facts above them.
func (f *file) facts(env *expr.Env) []Fact {
	place := make(map[string]int, len(f.doc.Observe))
	for i := range f.doc.Observe {
		place[f.doc.Observe[i].Name] = i
	}
	facts := make([]Fact, 0, len(f.doc.Observe))
	for i := range f.doc.Observe {
		o := &f.doc.Observe[i]
		f.checkIdent("fact", o.Name, o.Pos)
		spec, known := f.action(o.Value.Action, o.Pos)
		if known && (spec.Effect != action.ReadOnly || spec.Gate != "") {
			f.ds.Errorf("NotReadOnly", o.Value.Action.Pos,
				"fact %q is observed with %s, which %s", o.Name, spec.Name, doesWhat(spec)).
				Suggest("use a read-only action such as file.read or http.get")
		}
		fact := Fact{Name: o.Name, Pos: o.Pos, Spec: spec, Source: o.Value}
		if known {
			fact.Target = f.target(o.Value.Target, spec, o.Pos)
		}
		fact.With = f.compile(env, withNode(o.Value.With, o.Pos), spec.Input)
		fact.When = f.compile(env, o.Value.When, schema.Of(schema.Bool))
		for _, t := range []*expr.Template{fact.With, fact.When} {
			f.checkEarlier(o.Name, t, i, place)
		}
		facts = append(facts, fact)
	}
	return facts
}

// checkEarlier refuses facts that use themselves or facts below them.
func (f *file) checkEarlier(name string, t *expr.Template, i int, place map[string]int) {
	if t == nil {
		return
	}
	for _, ref := range t.References() {
		if ref[0] != varObserve {
			continue
		}
		if len(ref) == 1 {
			f.ds.Errorf("FactOrder", t.Pos(), "fact %q uses all facts", name).Suggest("name the facts that it needs")
			continue
		}
		if j, ok := place[ref[1]]; ok && j >= i {
			f.ds.Errorf("FactOrder", t.Pos(), "fact %q uses %q, which is not observed before it", name, ref[1]).
				Suggest("facts are observed in the order of the file; move %q above", ref[1])
		}
	}
}

// doesWhat says why an action is not a plain read-only one.
func doesWhat(spec action.Spec) string {
	switch {
	case spec.Gate != "":
		return "waits"
	case spec.Effect == action.Scratch:
		return "creates objects of its own"
	default:
		return "changes things"
	}
}

// withNode returns the input of an action, an empty mapping when none is
// written, so that missing members are reported at the name.
func withNode(n *yamldoc.Node, pos diag.Position) *yamldoc.Node {
	if n == nil || n.Kind == yamldoc.Null {
		return &yamldoc.Node{Kind: yamldoc.Mapping, Pos: pos}
	}
	return n
}

// factTemplates compiles expects or leaves: paths below observe with values.
func (f *file) factTemplates(env *expr.Env, what string, entries yamldoc.Ordered[*yamldoc.Node]) []FactTemplate {
	out := make([]FactTemplate, 0, len(entries))
	for _, e := range entries {
		path, err := expr.ParsePath(e.Name)
		if err != nil {
			f.ds.Errorf("UnknownFact", e.Pos, "%s: %v", what, err).
				Suggest("write it like the end of an expression: release.values[\"hub.db.upgrade\"]")
			path = nil
		}
		want, ok := f.factPath(what, path, e.Pos)
		if !ok {
			want = schema.Of(schema.Any)
		}
		out = append(out, FactTemplate{Path: path.String(), Pos: e.Pos, Value: f.compile(env, e.Value, want)})
	}
	return out
}

// factPath returns the type of the fact at a path below observe; an empty path
// was reported.
func (f *file) factPath(what string, path expr.Reference, pos diag.Position) (schema.Type, bool) {
	at := f.observed
	for i, name := range path {
		field, ok := at.Fields[name]
		switch {
		case at.IsAny() || at.Open():
			f.used.facts[path[0]] = true
			return schema.Of(schema.Any), true
		case at.Kind == schema.Map:
			field.Type = at.ElemType()
		case at.Kind != schema.Object:
			f.ds.Errorf("UnknownFact", pos,
				"%s names %q, but %q is of type %s and has no members", what, path.String(), path[:i].String(), at).
				Suggest("end the path there")
			return schema.Type{}, false
		case !ok:
			parent := cmp.Or(path[:i].String(), varObserve)
			f.ds.Errorf("UnknownFact", pos, "%s names %q, but %s has no %q", what, path.String(), parent, name).
				Suggest("%s", diag.DidYouMean(name, at.FieldNames()))
			return schema.Type{}, false
		case field.Sensitive:
			f.ds.Errorf("SensitiveFact", pos,
				"%s names %q, whose value is sensitive and never known", what, path.String()).
				Suggest("expect another member of the fact")
			return schema.Type{}, false
		}
		at = field.Type
	}
	if len(path) == 0 {
		return schema.Type{}, false
	}
	if at.HoldsSensitive() {
		f.ds.Errorf("SensitiveFact", pos,
			"%s names %q, which has sensitive members that are never known", what, path.String()).
			Suggest("name one of its other members")
		return schema.Type{}, false
	}
	f.used.facts[path[0]] = true
	return at, true
}

// factExists tells whether path is a fact, for the requirements of the version
// graph. It marks the fact as used.
func (f *file) factExists(path string) bool {
	parts, err := expr.ParsePath(path)
	before := len(f.ds)
	_, ok := f.factPath("", parts, diag.Position{})
	f.ds = f.ds[:before]
	return err == nil && ok
}

// Default timing of probes.
const (
	defaultEvery   = time.Second
	defaultTimeout = 5 * time.Second
	minEvery       = 100 * time.Millisecond
)

// Timing returns the time between two samples and how long one may take, with
// defaults, and the key under which the probe names what it measures: url,
// address or command.
func (p Probe) Timing() (every, timeout time.Duration, key string) {
	var e, t yamldoc.Duration
	switch {
	case p.HTTP != nil:
		e, t, key = p.HTTP.Every, p.HTTP.Timeout, "url"
	case p.TCP != nil:
		e, t, key = p.TCP.Every, p.TCP.Timeout, "address"
	case p.Exec != nil:
		e, t, key = p.Exec.Every, p.Exec.Timeout, "command"
	}
	return e.Or(defaultEvery), t.Or(defaultTimeout), key
}

// probes compiles the background measurements.
func (f *file) probes(env *expr.Env) []ProbeTemplate {
	out := make([]ProbeTemplate, 0, len(f.doc.Probes))
	for i := range f.doc.Probes {
		p := &f.doc.Probes[i]
		f.checkName("probe", p.Name, p.Pos)
		f.component(p.Value.Component)
		t := ProbeTemplate{Name: p.Name, Component: p.Value.Component.Value, Source: p.Value}
		kinds := 0
		if h := p.Value.HTTP; h != nil {
			kinds, t.Kind, t.Address = kinds+1, "http", f.compileText(env, h.URL)
			f.checkStatus(p.Name, h.Status, p.Pos)
		}
		if tcp := p.Value.TCP; tcp != nil {
			kinds, t.Kind, t.Address = kinds+1, "tcp", f.compileText(env, tcp.Address)
		}
		if e := p.Value.Exec; e != nil {
			kinds, t.Kind, t.Address = kinds+1, "exec", f.compile(env, e.Command,
				schema.ListOf(schema.Of(schema.String)))
			if e.Command != nil && e.Command.Kind == yamldoc.Sequence && len(e.Command.Items) == 0 {
				f.ds.Errorf("EmptyCommand", e.Command.Pos, "probe %q has an empty command", p.Name).
					Suggest("name a program")
			}
		}
		if kinds != 1 {
			f.ds.Errorf("ProbeKind", p.Pos, "probe %q has %d of http, tcp and exec", p.Name, kinds).
				Suggest("write exactly one of them")
		}
		f.checkTiming(p.Name, p.Value, p.Pos)
		out = append(out, t)
	}
	return out
}

func (f *file) checkStatus(name string, status []int, pos diag.Position) {
	for _, code := range status {
		if code < 100 || code > 599 {
			f.ds.Errorf("OutOfRange", pos, "status %d of probe %q is not a status code of HTTP", code, name).
				Suggest("use 100 to 599")
		}
	}
}

func (f *file) checkTiming(name string, p Probe, pos diag.Position) {
	every, _, key := p.Timing()
	if key != "" && every > 0 && every < minEvery {
		f.ds.Errorf("OutOfRange", pos, "probe %q samples every %s", name, every).
			Suggest("use at least %s: a probe must not be a load", minEvery)
	}
}
