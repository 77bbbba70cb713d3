package expr

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// verb says what an operator does to its two operands.
func verb(operator string) (words string, known bool) {
	switch operator {
	case operators.Add:
		return "cannot add %s and %s", true
	case operators.Subtract:
		return "cannot subtract from %s %s", true
	case operators.Multiply:
		return "cannot multiply %s and %s", true
	case operators.Divide:
		return "cannot divide %s by %s", true
	case operators.Modulo:
		return "cannot take the remainder of %s by %s", true
	case operators.Equals, operators.NotEquals, operators.Less, operators.LessEquals,
		operators.Greater, operators.GreaterEquals:
		return "cannot compare %s and %s", true
	case operators.In:
		return "cannot look for %s in %s", true
	case operators.Index:
		return "cannot index %s with %s", true
	default:
		return "", false
	}
}

// mismatchedCall reports an operator or function whose operands have types
// that it is not made for.
func (c *compilation) mismatchedCall(node ast.Expr) {
	if node.Kind() != ast.CallKind {
		c.ds.Errorf(CodeTypeMismatch, c.position(node), "the types of the values do not fit together")
		return
	}
	call := node.AsCall()
	var args []ast.Expr
	if call.IsMemberFunction() {
		args = append(args, call.Target())
	}
	args = append(args, call.Args()...)
	for _, arg := range args {
		if isSecret(c.typeOf(arg)) {
			c.secretUsed(arg)
			return
		}
	}
	kinds := make([]*types.Type, len(args))
	for i, arg := range args {
		kinds[i] = c.typeOf(arg)
	}
	summary, suggestion := c.mismatch(call, kinds)
	c.ds.Errorf(CodeTypeMismatch, c.position(node), "%s", summary).Suggest("%s", suggestion)
}

func (c *compilation) mismatch(call ast.CallExpr, kinds []*types.Type) (summary, suggestion string) {
	name := call.FunctionName()
	if form, known := verb(name); known && len(kinds) == 2 {
		first, second := bare(kinds[0]), bare(kinds[1])
		if first == second {
			first = compact(c.language.schemaType(kinds[0]).String())
			second = compact(c.language.schemaType(kinds[1]).String())
		}
		return fmt.Sprintf(form, first, second), advice(name, kinds)
	}
	switch {
	case name == operators.Conditional && len(kinds) == 3 && kinds[0].Kind() != types.BoolKind:
		return "the condition before ? is " + words(kinds[0]) + ", needs a bool", ""
	case name == operators.Conditional && len(kinds) == 3:
		return fmt.Sprintf("the two outcomes of ?: are %s and %s, they must be of one type",
			words(kinds[1]), words(kinds[2])), "write dyn(…) around one of them to allow both"
	case name == operators.LogicalNot && len(kinds) == 1:
		return "! is for a bool, not for " + words(kinds[0]), ""
	case name == operators.Negate && len(kinds) == 1:
		return "- is for a number, not for " + words(kinds[0]), ""
	}
	given := make([]string, len(kinds))
	for i, t := range kinds {
		given[i] = bare(t)
	}
	if call.IsMemberFunction() {
		return fmt.Sprintf("the function %q of %s does not take (%s)", name, words(kinds[0]),
			strings.Join(given[1:], ", ")), c.forms(call)
	}
	return fmt.Sprintf("the function %q does not take (%s)", strings.TrimPrefix(name, "@"),
		strings.Join(given, ", ")), c.forms(call)
}

// advice says how to make the operands of an operator fit.
func advice(operator string, kinds []*types.Type) string {
	has := func(kind types.Kind) bool {
		return slices.ContainsFunc(kinds, func(t *types.Type) bool { return t.Kind() == kind })
	}
	comparison := operator == operators.Equals || operator == operators.NotEquals
	switch {
	case comparison && has(types.NullTypeKind):
		return "write has(…) to ask whether a field is there"
	case operator == operators.Add && has(types.StringKind) && (has(types.IntKind) || has(types.DoubleKind)):
		return "write string(…) around the number"
	case has(types.IntKind) && has(types.DoubleKind):
		return "write double(…) around the int"
	case has(types.StringKind) && (has(types.DurationKind) || has(types.TimestampKind)):
		return "write duration(…) or timestamp(…) around the string"
	case comparison && kinds[0].Kind() == types.StructKind && kinds[1].Kind() == types.StructKind:
		return "they have different fields; compare the fields one by one"
	case operator == operators.Index && kinds[0].Kind() == types.StructKind:
		return `select the fields of an object with names that are written out, as in x["name"]`
	default:
		return ""
	}
}

// forms lists what the function takes, when that is short.
func (c *compilation) forms(call ast.CallExpr) string {
	fn, found := c.language.env.Functions()[call.FunctionName()]
	if !found {
		return ""
	}
	var forms []string
	for _, o := range fn.OverloadDecls() {
		if o.IsMemberFunction() != call.IsMemberFunction() {
			continue
		}
		args := make([]string, len(o.ArgTypes()))
		for i, t := range o.ArgTypes() {
			args[i] = bare(t)
		}
		form := "(" + strings.Join(args, ", ") + ")"
		if o.IsMemberFunction() {
			form = args[0] + "." + call.FunctionName() + "(" + strings.Join(args[1:], ", ") + ")"
		}
		if !slices.Contains(forms, form) {
			forms = append(forms, form)
		}
	}
	if len(forms) == 0 || len(forms) > 6 {
		return ""
	}
	return "it takes " + strings.Join(forms, " or ")
}

// compact puts a message of CEL on one line of bounded length.
func compact(message string) string {
	const longest = 200
	message = strings.Join(strings.Fields(message), " ")
	if len(message) > longest {
		message = strings.ToValidUTF8(message[:longest], "") + "…"
	}
	return message
}

// short quotes a name that an author wrote.
func short(name string) string {
	const longest = 60
	if len(name) > longest {
		name = strings.ToValidUTF8(name[:longest], "") + "…"
	}
	return strconv.Quote(name)
}
