package procedure

import (
	"regexp"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/schema"
	"github.com/refitproject/refit/internal/yamldoc"
)

// InputsType returns the closed Object of the declared inputs. An input is
// required when it has no default and is not optional.
func (d *Document) InputsType() schema.Type {
	fields := make(map[string]schema.Field, len(d.Inputs))
	for i := range d.Inputs {
		fields[d.Inputs[i].Name] = d.Inputs[i].Value.field()
	}
	return schema.ObjectOf(fields)
}

// field returns the input as a member of the variable inputs.
func (in *Input) field() schema.Field {
	return schema.Field{
		Type:      in.ValueType(),
		Required:  in.Required(),
		Sensitive: in.Type.Value == string(schema.Secret),
		Doc:       in.Description,
	}
}

// Required tells whether the platform file has to give the input.
func (in *Input) Required() bool { return in.Default == nil && !in.Optional }

// ValueType returns the type of the input's values.
func (in *Input) ValueType() schema.Type {
	kind := schema.Kind(in.Type.Value)
	switch {
	case !slices.Contains(schema.Kinds(), string(kind)):
		return schema.Of(schema.Any) // reported when it was decoded
	case kind == schema.List || kind == schema.Map:
		elem := schema.Of(schema.Any)
		if in.Items.IsSet() {
			elem = schema.Of(schema.Kind(in.Items.Value))
		}
		return schema.Type{Kind: kind, Elem: &elem}
	case kind == schema.Object && len(in.Fields) > 0:
		fields := make(map[string]schema.Field, len(in.Fields))
		for _, member := range in.Fields {
			if member.Value != nil {
				fields[member.Name] = member.Value.field()
			}
		}
		return schema.ObjectOf(fields)
	case kind == schema.String:
		t := schema.Of(kind)
		for _, v := range in.Enum {
			t.Enum = append(t.Enum, v.Value)
		}
		return t
	default:
		return schema.Of(kind)
	}
}

// Regexp returns the compiled pattern of the input, which the whole string
// must match; nil when there is none.
func (in *Input) Regexp() (*regexp.Regexp, error) {
	if !in.Pattern.IsSet() {
		return nil, nil
	}
	return regexp.Compile(`\A(?:` + in.Pattern.Value + `)\z`)
}

// checkInputs checks the declarations of inputs and outputs.
func (f *file) checkInputs() {
	for i := range f.doc.Inputs {
		in := &f.doc.Inputs[i]
		f.checkIdent("input", in.Name, in.Pos)
		f.checkInput(in.Name, &in.Value)
	}
	for _, out := range f.doc.Outputs {
		f.checkIdent("output", out.Name, out.Pos)
	}
}

func (f *file) checkInput(name string, in *Input) {
	kind := schema.Kind(in.Type.Value)
	for _, rule := range []struct {
		key   string
		given bool
		text  yamldoc.Text
		kinds []schema.Kind
	}{
		{"enum", len(in.Enum) > 0, in.Type, []schema.Kind{schema.String}},
		{"pattern", in.Pattern.IsSet(), in.Pattern, []schema.Kind{schema.String}},
		{"items", in.Items.IsSet(), in.Items, []schema.Kind{schema.List, schema.Map}},
		{"fields", len(in.Fields) > 0, in.Type, []schema.Kind{schema.Object}},
	} {
		if rule.given && in.Type.IsSet() && !slices.Contains(rule.kinds, kind) {
			f.ds.Errorf("KeyNotPermitted", rule.text.Pos, "input %q of type %s cannot have %s", name, kind, rule.key).
				Suggest("%s is for inputs of type %s", rule.key, joinKinds(rule.kinds))
		}
	}
	if in.Optional && in.Default != nil {
		f.ds.Errorf("KeyNotPermitted", in.Default.Pos, "input %q is optional and has a default", name).
			Suggest("remove optional: an input with a default is always there")
	}
	f.checkPattern(name, in)
	f.checkDefault(name, in)
	for _, member := range in.Fields {
		if member.Value != nil {
			f.checkIdent("input", member.Name, member.Pos)
			f.checkInput(name+"."+member.Name, member.Value)
		}
	}
}

func joinKinds(kinds []schema.Kind) string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = string(k)
	}
	return strings.Join(names, " or ")
}

// checkPattern checks that the pattern compiles and that the permitted values
// and the default match it.
func (f *file) checkPattern(name string, in *Input) {
	re, err := in.Regexp()
	if err != nil {
		f.ds.Errorf("BadPattern", in.Pattern.Pos,
			"pattern %q of input %q is not a regular expression", in.Pattern.Value, name).
			Suggest("write it in the RE2 syntax of Go")
		return
	}
	if re == nil {
		return
	}
	if text := textOf(in.Default); in.Default != nil && text != "" && !re.MatchString(text) {
		f.ds.Errorf("PatternMismatch", in.Default.Pos, "default %q of input %q does not match its pattern", text, name).
			Suggest("the whole value must match %s", in.Pattern.Value)
	}
	for _, v := range in.Enum {
		if !re.MatchString(v.Value) {
			f.ds.Errorf("PatternMismatch", v.Pos, "value %q of input %q does not match its pattern", v.Value, name).
				Suggest("the whole value must match %s", in.Pattern.Value)
		}
	}
}

// checkDefault checks that the default is a literal value of the right type.
func (f *file) checkDefault(name string, in *Input) {
	n := in.Default
	switch {
	case n == nil:
		return
	case n.Kind == yamldoc.Null:
		f.ds.Errorf("EmptyDefault", n.Pos, "the default of input %q is empty", name).
			Suggest("write a value, or optional: true")
		return
	case in.Type.Value == string(schema.Secret) && n.Kind != yamldoc.Mapping:
		f.ds.Errorf("SecretDefault", n.Pos, "input %q is a secret and has a literal default", name).
			Suggest("remove it: the platform file names the secret by env, file, command or kubernetes")
		return
	}
	if at := firstExpression(n); at != nil {
		f.ds.Errorf("DefaultNotLiteral", at.Pos, "the default of input %q holds an expression", name).
			Suggest("write a literal value; defaults are known before anything is observed")
		return
	}
	env, err := expr.NewEnv(nil)
	if err != nil {
		f.ds.Errorf("Internal", n.Pos, "prepare expressions: %v", err)
		return
	}
	_, ds := env.CompileTemplate(n, in.ValueType())
	f.ds = append(f.ds, ds...)
}

// firstExpression returns the first string of n that holds ${…}.
func firstExpression(n *yamldoc.Node) *yamldoc.Node {
	if strings.Contains(textOf(n), "${") {
		return n
	}
	if n == nil {
		return nil
	}
	for _, item := range n.Items {
		if at := firstExpression(item); at != nil {
			return at
		}
	}
	for i := range n.Pairs {
		if at := firstExpression(n.Pairs[i].Value); at != nil {
			return at
		}
	}
	return nil
}
