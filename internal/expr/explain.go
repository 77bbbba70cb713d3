package expr

import (
	"slices"
	"strings"

	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"

	"github.com/refitproject/refit/internal/diag"
)

// The errors of CEL are written for programmers and hold what an author has
// never seen, such as _+_. So they are told anew from the node that CEL names
// and the types that it found.

// syntaxError reports the first of the syntax errors.
func (c *compilation) syntaxError(errs []*common.Error, opening diag.Position) {
	e := errs[0]
	// What stops the parser early has no place.
	stopped := slices.IndexFunc(errs, func(e *common.Error) bool {
		return strings.Contains(e.Message, "limit exceeded") || strings.Contains(e.Message, "depth exceeded")
	})
	if stopped >= 0 {
		e = errs[stopped]
	}
	pos := c.at(e)
	if e.Location.Line() < 1 {
		pos = opening
	}
	code, summary, suggestion := syntax(e.Message)
	c.ds.Errorf(code, pos, "%s", summary).Suggest("%s", suggestion)
}

// syntax tells a message of the parser in plain words.
func syntax(message string) (code, summary, suggestion string) {
	message = strings.TrimPrefix(message, "Syntax error: ")
	head, _, _ := strings.Cut(message, " expecting ")
	_, after, _ := strings.Cut(head, "'")
	token := strings.TrimSuffix(after, "'")
	switch {
	case strings.Contains(message, "recursion"):
		return CodeTooComplex, "the expression is nested too deeply", "take it apart"
	case strings.Contains(message, "node count exceeds"), strings.Contains(message, "size exceeds"),
		strings.Contains(message, "lookahead token limit"), strings.Contains(message, "recovery limit"):
		return CodeTooComplex, "the expression is too long or too broken to be read", "take it apart"
	case strings.Contains(head, "<EOF>"):
		return CodeInvalidExpression, "the expression ends too early", ""
	case strings.HasPrefix(message, "token recognition error") && strings.ContainsAny(token[:min(1, len(token))], `"'`):
		return CodeInvalidExpression, "the string literal in the expression is not closed", ""
	case strings.HasPrefix(message, "token recognition error"), strings.HasPrefix(head, "mismatched input"),
		strings.HasPrefix(head, "extraneous input"), strings.HasPrefix(head, "no viable alternative"):
		return CodeInvalidExpression, "unexpected " + short(token) + " in the expression", ""
	case strings.Contains(message, "invalid argument to has() macro"):
		return CodeInvalidExpression, "has() asks for a field, as in has(inputs.name)", ""
	case strings.Contains(message, "reserved identifier"):
		_, word, _ := strings.Cut(message, "reserved identifier: ")
		return CodeInvalidExpression, short(word) + " is a reserved word", ""
	default:
		return CodeInvalidExpression, compact(message), ""
	}
}

// typeErrors reports the errors of the check. An unknown function of a library
// is two errors for CEL, because maths in maths.abs(1) could be a variable.
func (c *compilation) typeErrors(errs []*common.Error) {
	told := map[int64]bool{}
	for _, e := range errs {
		node, known := c.nodes[e.ExprID]
		if !known || node.Kind() != ast.CallKind || !strings.HasPrefix(e.Message, "undeclared reference") {
			continue
		}
		if _, qualified := c.libraryName(node.AsCall()); qualified {
			ast.PostOrderVisit(node.AsCall().Target(), ast.NewExprVisitor(func(n ast.Expr) { told[n.ID()] = true }))
		}
	}
	for _, e := range errs {
		if !told[e.ExprID] {
			c.typeError(e)
		}
	}
}

// typeError reports one error of the check.
func (c *compilation) typeError(e *common.Error) {
	node, known := c.nodes[e.ExprID]
	switch {
	case !known:
		c.ds.Errorf(CodeInvalidExpression, c.at(e), "%s", compact(e.Message))
	case strings.HasPrefix(e.Message, "undefined field"):
		c.unknownField(node)
	case strings.HasPrefix(e.Message, "undeclared reference"):
		c.unknownName(node)
	case strings.HasPrefix(e.Message, "found no matching overload"):
		c.mismatchedCall(node)
	case strings.HasSuffix(e.Message, "does not support field selection"):
		c.notSelectable(node)
	case strings.Contains(e.Message, "cannot be range of a comprehension"):
		c.ds.Errorf(CodeTypeMismatch, c.position(node), "%s is %s, only lists and maps can be gone through",
			render(node), words(c.typeOf(node))).Suggest("name the members one by one")
	case strings.HasPrefix(e.Message, "expected type 'bool'"):
		c.ds.Errorf(CodeTypeMismatch, c.position(node), "%s is %s, needs a bool", render(node), words(c.typeOf(node)))
	default:
		c.ds.Errorf(CodeTypeMismatch, c.at(e), "%s", compact(e.Message))
	}
}

// unknownField reports a selection of a field that the object does not have.
func (c *compilation) unknownField(node ast.Expr) {
	if node.Kind() != ast.SelectKind {
		c.ds.Errorf(CodeUnknownField, c.position(node), "there is no such field")
		return
	}
	s := node.AsSelect()
	what := "field"
	if s.Operand().Kind() == ast.IdentKind {
		what = "member" // of a variable: steps has no member "confg"
	}
	owner, _ := c.language.object(c.typeOf(s.Operand()).TypeName())
	c.ds.Errorf(CodeUnknownField, c.position(node), "%s has no %s %s",
		render(s.Operand()), what, short(s.FieldName())).
		Suggest("%s", diag.DidYouMean(s.FieldName(), owner.FieldNames()))
}

// unknownName reports a variable, function or type that does not exist.
func (c *compilation) unknownName(node ast.Expr) {
	switch node.Kind() {
	case ast.IdentKind:
		name := strings.TrimPrefix(node.AsIdent(), ".")
		c.ds.Errorf(CodeUnknownReference, c.position(node), "there is no variable %s", short(name)).
			Suggest("%s", diag.DidYouMean(name, c.env.names()))
	case ast.CallKind:
		c.unknownFunction(node, node.AsCall())
	case ast.StructKind:
		c.ds.Errorf(CodeInvalidExpression, c.position(node), "there is no type %s to make a value of",
			short(node.AsStruct().TypeName())).Suggest(`write a map, as in {"name": "value"}`)
	default:
		c.ds.Errorf(CodeUnknownReference, c.position(node), "%s does not exist", render(node))
	}
}

func (c *compilation) unknownFunction(node ast.Expr, call ast.CallExpr) {
	name, _ := c.libraryName(call)
	d := c.ds.Errorf(CodeUnknownFunction, c.position(node), "there is no function %s", short(name))
	switch lower := strings.ToLower(name); {
	case lower == "now" || lower == "today":
		d.Suggest("expressions cannot read a clock; give the time as an input")
	case lower == "len" || lower == "count" || diag.Nearest(lower, []string{"length"}) != "":
		d.Suggest("did you mean %q?", "size")
	default:
		d.Suggest("%s", diag.DidYouMean(name, c.language.names))
	}
}

// libraryName returns the name that an author meant by an unknown function:
// maths.abs when there is something like it, else abs.
func (c *compilation) libraryName(call ast.CallExpr) (name string, qualified bool) {
	name = call.FunctionName()
	if !call.IsMemberFunction() {
		return name, false
	}
	path, isStatic := selection(call.Target())
	if !isStatic {
		return name, false
	}
	full := strings.Join(append(path, name), ".")
	if _, isVariable := c.env.vars[path[0]]; isVariable || diag.Nearest(full, c.language.names) == "" {
		return name, false
	}
	return full, true
}

// notSelectable reports a selection from a value that has no fields.
func (c *compilation) notSelectable(node ast.Expr) {
	if node.Kind() != ast.SelectKind {
		c.ds.Errorf(CodeTypeMismatch, c.position(node), "the value has no fields")
		return
	}
	s := node.AsSelect()
	t := c.typeOf(s.Operand())
	if isSecret(t) {
		c.secretUsed(s.Operand())
		return
	}
	c.ds.Errorf(CodeTypeMismatch, c.position(node), "%s is %s, it has no field %s",
		render(s.Operand()), words(t), short(s.FieldName()))
}

func isSecret(t *types.Type) bool { return t.Kind() == types.OpaqueKind && t.TypeName() == secretName }

// secretUsed reports a secret that is not passed on whole.
func (c *compilation) secretUsed(node ast.Expr) {
	c.ds.Errorf(CodeTypeMismatch, c.position(node), "%s is a secret, it can only be passed on whole", render(node)).
		Suggest("write it as the whole value: %s", quoted(render(node)))
}
