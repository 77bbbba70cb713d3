package expr

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/schema"
	"github.com/refitproject/refit/internal/yamldoc"
)

// CompileTemplate checks the YAML value n against the type want, and the
// expressions in it against the variables of e. A nil n is null. The Template
// is nil when one of the Diagnostics, which are sorted, is an Error.
func (e *Env) CompileTemplate(n *yamldoc.Node, want schema.Type) (*Template, diag.Diagnostics) {
	c := &templateCompiler{env: e}
	root, typ := c.node(n, want, "")
	c.ds.Sort()
	if c.ds.HasErrors() {
		return nil, c.ds
	}
	return &Template{
		node: n, root: root, typ: typ, refs: sortReferences(c.refs), tested: sortReferences(c.tested),
		sensitive: c.sensitive, vars: e.vars,
	}, c.ds
}

// templateCompiler is the work on one Template.
type templateCompiler struct {
	env          *Env
	ds           diag.Diagnostics
	refs, tested []Reference
	// sensitive are the places where hidden values are used.
	sensitive []SensitiveUse
}

// node compiles one value; name is its name in messages, "" at the root. Where
// something is wrong the part is of no use, but the work goes on, so that all
// mistakes are found.
func (c *templateCompiler) node(n *yamldoc.Node, want schema.Type, name string) (part, schema.Type) {
	if n == nil {
		n = &yamldoc.Node{Kind: yamldoc.Null}
	}
	switch n.Kind {
	case yamldoc.Sequence:
		return c.sequence(n, want, name)
	case yamldoc.Mapping:
		return c.mapping(n, want, name)
	case yamldoc.Scalar:
		if s, isString := n.Value.(string); isString {
			return c.text(n, s, want, name)
		}
		c.scalar(n, want, name)
		return literal{n.Value}, literalType(n.Value)
	case yamldoc.Null:
		if !want.IsAny() {
			c.mismatch(n, name, "null", want)
		}
	case yamldoc.Invalid: // reported when it was read
	}
	return literal{nil}, schema.Of(schema.Any)
}

func literalType(value any) schema.Type {
	switch value.(type) {
	case string:
		return schema.Of(schema.String)
	case int64:
		return schema.Of(schema.Int)
	case float64:
		return schema.Of(schema.Number)
	case bool:
		return schema.Of(schema.Bool)
	default:
		return schema.Of(schema.Any)
	}
}

// mismatch reports a value of another type than is needed.
func (c *templateCompiler) mismatch(n *yamldoc.Node, name, is string, want schema.Type) *diag.Diagnostic {
	if name == "" {
		name = "the value"
	}
	d := c.ds.Errorf(CodeTypeMismatch, n.Pos, "%s is %s, needs %s", name, is, typeWords(want))
	if want.Kind == schema.Secret {
		d.Suggest("%s", schema.SecretExample)
	}
	return d
}

// scalar checks a number or bool.
func (c *templateCompiler) scalar(n *yamldoc.Node, want schema.Type, name string) {
	got := literalType(n.Value)
	if f, isFloat := n.Value.(float64); isFloat && want.Kind == schema.Int && len(schema.Check(want, f)) == 0 {
		return
	}
	if compare(got, want) != misfits {
		return
	}
	d := c.mismatch(n, name, typeWords(got), want)
	switch want.Kind {
	case schema.String:
		d.Suggest("put it in quotes")
	case schema.Duration:
		d.Suggest("write it with a unit, such as 90s, 20m, 1h30m or 7d")
	default:
	}
}

func (c *templateCompiler) sequence(n *yamldoc.Node, want schema.Type, name string) (part, schema.Type) {
	elem := schema.Of(schema.Any)
	switch {
	case want.Kind == schema.List:
		elem = want.ElemType()
	case !want.IsAny():
		c.mismatch(n, name, "a list", want)
	}
	out := make(list, len(n.Items))
	var common schema.Type
	for i, item := range n.Items {
		value, t := c.node(item, elem, memberName(name, strconv.Itoa(i)))
		out[i] = value
		switch {
		case i == 0:
			common = t
		case !sameType(common, t):
			common = schema.Of(schema.Any)
		}
	}
	return out, schema.ListOf(common)
}

func sameType(a, b schema.Type) bool {
	var left, right strings.Builder
	encode(&left, a)
	encode(&right, b)
	return left.String() == right.String()
}

func (c *templateCompiler) mapping(n *yamldoc.Node, want schema.Type, name string) (part, schema.Type) {
	switch {
	case want.Kind == schema.Secret:
		c.secret(n, name)
	case !want.IsAny() && want.Kind != schema.Map && want.Kind != schema.Object:
		c.mismatch(n, name, "an object", want)
	}
	closed := want.Kind == schema.Object && !want.Open()
	forms := secretFields(want)
	out := make(mapping, len(n.Pairs))
	fields := make(map[string]schema.Field, len(n.Pairs))
	for i, p := range n.Pairs {
		if strings.Contains(p.Key, opener) {
			c.ds.Warnf(CodeExpressionInKey, p.KeyPos, "the key %s stays as it is, keys are not evaluated", short(p.Key))
		}
		member := forms[p.Key] // anything, where no secret is wanted
		switch {
		case closed:
			member = c.field(p, want, name)
		case want.Kind == schema.Map:
			member = want.ElemType()
		}
		value, t := c.node(p.Value, member, memberName(name, p.Key))
		out[i] = entry{key: p.Key, value: value}
		fields[p.Key] = schema.Field{Type: t, Required: true}
	}
	if closed {
		c.missing(n, want, name)
	}
	if want.Kind == schema.Secret {
		return out, want
	}
	return out, schema.ObjectOf(fields)
}

// field returns the type of a member of a closed object.
func (c *templateCompiler) field(p yamldoc.Pair, want schema.Type, name string) schema.Type {
	if f, known := want.Fields[p.Key]; known {
		return f.Type
	}
	summary := "unknown field " + short(p.Key)
	if name != "" {
		summary = name + " has no field " + short(p.Key)
	}
	c.ds.Errorf(CodeUnknownField, p.KeyPos, "%s", summary).Suggest("%s", diag.DidYouMean(p.Key, want.FieldNames()))
	return schema.Of(schema.Any)
}

// missing reports the required fields that are not given.
func (c *templateCompiler) missing(n *yamldoc.Node, want schema.Type, name string) {
	for _, field := range slices.Sorted(maps.Keys(want.Fields)) {
		f := want.Fields[field]
		if !f.Required || slices.ContainsFunc(n.Pairs, func(p yamldoc.Pair) bool { return p.Key == field }) {
			continue
		}
		d := c.ds.Errorf(CodeMissingField, n.Pos, "%s is missing", memberName(name, field))
		if f.Doc != "" {
			d.Suggest("add it: %s", f.Doc)
		}
	}
}

// secret checks a mapping that stands for a secret.
func (c *templateCompiler) secret(n *yamldoc.Node, name string) {
	forms, fields := schema.SecretForms(), schema.SecretFields()
	given, known := 0, true
	for _, p := range n.Pairs {
		if _, isForm := forms[p.Key]; isForm {
			given++
		}
		_, isField := fields[p.Key]
		known = known && isField
	}
	if given == 1 && known {
		return
	}
	c.mismatch(n, name, "an object", schema.Of(schema.Secret)).
		Suggest("write exactly one of: %s", strings.Join(slices.Sorted(maps.Keys(forms)), ", "))
}

// secretFields returns the types of the members of a reference to a secret,
// when one is wanted.
func secretFields(want schema.Type) map[string]schema.Type {
	if want.Kind != schema.Secret {
		return nil
	}
	return schema.SecretFields()
}

// memberName names a member in messages.
func memberName(name, member string) string {
	if name == "" {
		return renderPath([]string{member})
	}
	return renderPath([]string{name, member})
}
