package platform

import (
	"slices"
	"strconv"
	"strings"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/procedure"
	"github.com/refitproject/refit/internal/schema"
	"github.com/refitproject/refit/internal/yamldoc"
)

// Target is a target of the procedure as the platform file describes it.
type Target struct {
	Name string
	Kind string
	// Identity is what the owner expects the identity to be; empty when the
	// file does not say.
	Identity string
	// Config is the rest of the entry.
	Config map[string]any
	Pos    diag.Position
}

// Check returns everything that does not fit between a platform file and the
// procedure that was loaded for it, sorted. What Load has found wrong is not
// said again.
func Check(p *Platform, proc *procedure.Procedure) diag.Diagnostics {
	var ds diag.Diagnostics
	name := proc.Document.Metadata.Name.Value
	if p.Procedure.IsSet() && !p.ProcedureIsFile() && p.Procedure.Value != name {
		ds.Errorf("OtherProcedure", p.Procedure.Pos,
			"the platform file is for procedure %q, not for %q", p.Procedure.Value, name).
			Suggest("give the platform file of this procedure, or write procedure: %s", name)
	}
	_, inputs := ResolveInputs(p, proc)
	_, targets := ResolveTargets(p, proc)
	ds = append(append(ds, inputs...), targets...)
	ds.Sort()
	return ds
}

// ProcedureIsFile tells whether the platform file names its procedure by a
// path relative to itself and not by the name of one that Refit ships.
func (p *Platform) ProcedureIsFile() bool {
	name := p.Procedure.Value
	return strings.Contains(name, "/") || strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")
}

// ResolveInputs returns the values of all inputs of the procedure, with
// defaults put in; optional inputs that are not given are left out. The values
// are fresh plain JSON values and nil when there is an Error.
func ResolveInputs(p *Platform, proc *procedure.Procedure) (map[string]any, diag.Diagnostics) {
	var ds diag.Diagnostics
	declared := proc.Document.Inputs
	values := make(map[string]any, len(declared))
	given := p.Inputs
	if given != nil && given.Kind != yamldoc.Mapping {
		return nil, ds // Load has said so
	}
	if given != nil {
		for i := range given.Pairs {
			pair := &given.Pairs[i]
			in, ok := declared.Get(pair.Key)
			if !ok {
				ds.Errorf("UnknownInput", pair.KeyPos,
					"procedure %q has no input %q", proc.Document.Metadata.Name.Value, pair.Key).
					Suggest("%s", diag.DidYouMean(pair.Key, declared.Names()))
				continue
			}
			values[pair.Key] = resolveInput(pair.Key, &in, pair.Value, &ds)
		}
	}
	for i := range declared {
		in := &declared[i]
		if given.Get(in.Name) != nil {
			continue
		}
		switch {
		case in.Value.Default != nil:
			values[in.Name] = withDefaults(&in.Value, in.Value.Default.Plain())
		case in.Value.Required():
			missing(p, in.Name, &in.Value, &ds)
		}
	}
	ds.Sort()
	if ds.HasErrors() {
		return nil, ds
	}
	return values, ds
}

// missing reports an input that has to be given.
func missing(p *Platform, name string, in *procedure.Input, ds *diag.Diagnostics) {
	pos := p.Pos
	if p.Inputs != nil {
		pos = p.Inputs.Pos
	}
	d := ds.Errorf("InputMissing", pos, "input %q of type %s is missing", name, in.ValueType())
	if in.Description != "" {
		d.Suggest("add %s below inputs (%s)", name, strings.TrimSuffix(in.Description, "."))
	} else {
		d.Suggest("add %s below inputs", name)
	}
}

// resolveInput checks one value and returns it with defaults put in.
func resolveInput(name string, in *procedure.Input, n *yamldoc.Node, ds *diag.Diagnostics) any {
	t := in.ValueType()
	value := n.Plain()
	for _, problem := range schema.Check(t, value) {
		d := ds.Errorf("InvalidInput", locate(n, problem.Path),
			"input %q: %s", inputName(name, problem.Path), problem.Message)
		if problem.Suggestion != "" {
			d.Suggest("%s", problem.Suggestion)
		}
	}
	checkPatterns(name, in, n, ds)
	return withDefaults(in, value)
}

// inputName names the member of an input at a JSON pointer.
func inputName(name, pointer string) string {
	return name + strings.NewReplacer("/", ".", "~1", "/", "~0", "~").Replace(pointer)
}

// locate returns the position of the value at a JSON pointer below n, or of
// the nearest value around it.
func locate(n *yamldoc.Node, pointer string) diag.Position {
	pos := n.Pos
	for _, token := range strings.Split(pointer, "/")[1:] {
		key := strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		switch n.Kind {
		case yamldoc.Mapping:
			n = n.Get(key)
		case yamldoc.Sequence:
			i, err := strconv.Atoi(key)
			if err != nil || i < 0 || i >= len(n.Items) {
				return pos
			}
			n = n.Items[i]
		default:
			return pos
		}
		if n == nil {
			return pos
		}
		pos = n.Pos
	}
	return pos
}

// checkPatterns checks strings against the patterns of inputs and their
// members.
func checkPatterns(name string, in *procedure.Input, n *yamldoc.Node, ds *diag.Diagnostics) {
	re, err := in.Regexp()
	if err == nil && re != nil && n.Kind == yamldoc.Scalar && text(n) != "" && !re.MatchString(text(n)) {
		ds.Errorf("PatternMismatch", n.Pos, "%q does not match the pattern of input %q", text(n), name).
			Suggest("the whole value must match %s", in.Pattern.Value)
	}
	if in.Type.Value == string(schema.String) && strings.Contains(text(n), "${") {
		ds.Warnf("ExpressionNotEvaluated", n.Pos,
			"input %q holds ${…}, which is not evaluated in a platform file", name).
			Suggest("write the value itself")
	}
	for _, member := range in.Fields {
		if at := n.Get(member.Name); at != nil && member.Value != nil {
			checkPatterns(name+"."+member.Name, member.Value, at, ds)
		}
	}
}

// withDefaults returns value with the defaults of missing members, and numbers
// in the form that the type of the input has.
func withDefaults(in *procedure.Input, value any) any {
	switch v := value.(type) {
	case int64:
		if in.Type.Value == string(schema.Number) {
			return float64(v)
		}
	case float64:
		if in.Type.Value == string(schema.Int) {
			return int64(v)
		}
	case map[string]any:
		for _, member := range in.Fields {
			if member.Value == nil {
				continue
			}
			if got, ok := v[member.Name]; ok {
				v[member.Name] = withDefaults(member.Value, got)
			} else if member.Value.Default != nil {
				v[member.Name] = withDefaults(member.Value, member.Value.Default.Plain())
			}
		}
	}
	return value
}

// ResolveTargets returns the targets of the procedure in its order, as the
// platform file describes them; nil when there is an Error.
func ResolveTargets(p *Platform, proc *procedure.Procedure) ([]Target, diag.Diagnostics) {
	var ds diag.Diagnostics
	declared := proc.Document.Targets
	for _, t := range p.Targets {
		if _, ok := declared.Get(t.Name); !ok {
			ds.Errorf("UnknownTarget", t.Pos,
				"procedure %q has no target %q", proc.Document.Metadata.Name.Value, t.Name).
				Suggest("%s", diag.DidYouMean(t.Name, declared.Names()))
		}
	}
	targets := make([]Target, 0, len(declared))
	refused := false
	for _, want := range declared {
		n, ok := p.Targets.Get(want.Name)
		if !ok {
			ds.Errorf("TargetMissing", p.Pos, "target %q of kind %s is missing", want.Name, want.Value.Kind.Value).
				Suggest("add targets: {%s: {kind: %s, …}}", want.Name, want.Value.Kind.Value)
			continue
		}
		got := text(n.Get(keyKind))
		if !slices.Contains(targetKinds(), got) {
			refused = true // Load has said so
			continue
		}
		if got != want.Value.Kind.Value {
			ds.Errorf("TargetKind", n.Pos,
				"target %q is of kind %s, the procedure needs %s", want.Name, got, want.Value.Kind.Value).
				Suggest("name a target of kind %s", want.Value.Kind.Value)
			continue
		}
		t := Target{Name: want.Name, Kind: want.Value.Kind.Value, Identity: text(n.Get(keyIdentity)), Pos: n.Pos}
		t.Config, _ = n.Plain().(map[string]any)
		delete(t.Config, keyKind)
		delete(t.Config, keyIdentity)
		targets = append(targets, t)
	}
	ds.Sort()
	if refused || ds.HasErrors() {
		return nil, ds
	}
	return targets, ds
}
