package expr

import (
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/schema"
	"github.com/refitproject/refit/internal/yamldoc"
)

// text compiles a string.
func (c *templateCompiler) text(n *yamldoc.Node, s string, want schema.Type, name string) (part, schema.Type) {
	where := placeOf(n)
	segments, problem := scan(s)
	switch {
	case problem != nil:
		c.ds.Errorf(problem.code, where.at(problem.offset), "%s", problem.message).Suggest("%s", problem.suggestion)
		return literal{s}, schema.Of(schema.Any)
	case len(segments) == 1 && segments[0].isExpr:
		return c.whole(segments[0], s, where, want)
	case slices.ContainsFunc(segments, func(s segment) bool { return s.isExpr }):
		return c.joined(n, segments, s, want, name)
	}
	text := ""
	if len(segments) == 1 {
		text = segments[0].text
	}
	c.literalText(n, text, want, name)
	return literal{text}, schema.Of(schema.String)
}

// literalText checks a string without expressions.
func (c *templateCompiler) literalText(n *yamldoc.Node, s string, want schema.Type, name string) {
	switch {
	case want.IsAny():
	case want.Kind == schema.Duration:
		if _, err := schema.ParseDuration(s); err != nil {
			c.ds.Errorf(CodeInvalidDuration, n.Pos, "%v", err)
		}
	case want.Kind != schema.String:
		c.mismatch(n, name, "a string", want)
	case len(want.Enum) > 0 && !slices.Contains(want.Enum, s):
		if name == "" {
			name = "the value"
		}
		c.ds.Errorf(CodeUnknownValue, n.Pos, "%s cannot be %s", name, short(s)).
			Suggest("%s", diag.DidYouMean(s, want.Enum))
	}
}

func (c *templateCompiler) expression(s segment, where place) *expression {
	x := c.env.compile(s.source, where.within(s.start+len(opener)), where.at(s.start), &c.ds)
	if x != nil {
		c.refs = append(c.refs, x.refs...)
		c.tested = append(c.tested, x.tested...)
		c.sensitive = append(c.sensitive, x.sensitive...)
	}
	return x
}

// whole compiles a string that is exactly one expression.
func (c *templateCompiler) whole(s segment, text string, where place, want schema.Type) (part, schema.Type) {
	x := c.expression(s, where)
	if x == nil {
		return literal{text}, schema.Of(schema.Any)
	}
	w := &whole{expression: x, text: text, want: schema.Of(schema.Any)}
	switch compare(x.typ, want) {
	case fits:
	case mayFit:
		w.want = want
	case misfits:
		c.misfit(x, want)
	}
	return w, x.typ
}

// misfit reports an expression of another type than is needed.
func (c *templateCompiler) misfit(x *expression, want schema.Type) {
	d := c.ds.Errorf(CodeTypeMismatch, x.pos, "%s is %s, needs %s", quoted(x.source), typeWords(x.typ), typeWords(want))
	switch {
	case x.typ.Kind == schema.Object && want.Kind == schema.Object:
		d.Summary = quoted(x.source) + " is an object with other fields than are needed"
		d.Suggest("it has: %s; needed: %s", fieldList(x.typ), fieldList(want))
	case want.Kind == schema.String && len(want.Enum) == 0 && isScalar(x.typ):
		d.Suggest("write string(…) around the expression")
	case want.Kind == schema.Secret:
		d.Suggest("use an input of type secret, or %s", schema.SecretExample)
	}
}

func isScalar(t schema.Type) bool {
	return t.Kind == schema.Int || t.Kind == schema.Number || t.Kind == schema.Bool
}

// fieldList names the fields of an object, those that may be missing with a ?.
func fieldList(t schema.Type) string {
	names := t.FieldNames()
	for i, name := range names {
		if !t.Fields[name].Required {
			names[i] += "?"
		}
	}
	return strings.Join(names, ", ")
}

// joined compiles a string of several parts.
func (c *templateCompiler) joined(
	n *yamldoc.Node, segments []segment, text string, want schema.Type, name string,
) (part, schema.Type) {
	where := placeOf(n)
	j := &joined{pos: n.Pos, text: text, want: schema.Of(schema.Any)}
	for _, s := range segments {
		if !s.isExpr {
			j.segments = append(j.segments, joint{text: s.text})
			continue
		}
		x := c.expression(s, where)
		if x == nil {
			continue
		}
		if want.Kind != schema.Secret {
			c.checkJoint(x)
		}
		j.segments = append(j.segments, joint{expression: x})
	}
	switch compare(schema.Of(schema.String), want) {
	case fits:
	case mayFit:
		j.want = want
	case misfits:
		if want.Kind == schema.Secret {
			c.joinedSecret(n, name)
			break
		}
		c.mismatch(n, name, "a string", want).
			Suggest("a string that is exactly one ${…} keeps the type of the expression")
	}
	return j, schema.Of(schema.String)
}

// joinedSecret reports a string in the place of a secret that has more in it
// than one expression. What stands beside it may be a secret and is not quoted.
func (c *templateCompiler) joinedSecret(n *yamldoc.Node, name string) {
	c.mismatch(n, name, "a string of several parts", schema.Of(schema.Secret)).
		Suggest("pass the secret on whole; a text before it, such as \"Bearer \", is the prefix of its reference: " +
			"{env: NAME, prefix: \"Bearer \"}")
}

// checkJoint reports an expression whose value has no text.
func (c *templateCompiler) checkJoint(x *expression) {
	switch x.typ.Kind {
	case schema.List, schema.Map, schema.Object, schema.Secret:
		d := c.ds.Errorf(CodeTypeMismatch, x.pos, "%s is %s, which cannot stand inside a string",
			quoted(x.source), typeWords(x.typ))
		if x.typ.Kind == schema.Secret {
			d.Suggest("a secret can only be the whole value")
		} else {
			d.Suggest("select one of its members, or write json.encode(…) around it")
		}
	default:
	}
}
