package expr

import (
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// inspect finds what CEL lets pass: secrets that are compared or put into
// lists, and divisions by a zero that is written out.
func (c *compilation) inspect() bool {
	before := len(*c.ds)
	ast.PostOrderVisit(c.checked.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		switch e.Kind() {
		case ast.CallKind:
			c.inspectCall(e, e.AsCall())
		case ast.ListKind:
			for _, item := range e.AsList().Elements() {
				c.refuseSecret(item)
			}
		case ast.MapKind:
			for _, entry := range e.AsMap().Entries() {
				c.refuseSecret(entry.AsMapEntry().Value())
			}
		default:
		}
	}))
	return len(*c.ds) == before
}

func (c *compilation) inspectCall(node ast.Expr, call ast.CallExpr) {
	name := call.FunctionName()
	if name == operators.Conditional {
		return // cond ? a : b passes one of them on whole
	}
	if call.IsMemberFunction() {
		c.refuseSecret(call.Target())
	}
	for _, arg := range call.Args() {
		c.refuseSecret(arg)
	}
	if (name == operators.Divide || name == operators.Modulo) && len(call.Args()) == 2 && isZero(call.Args()[1]) {
		c.ds.Errorf(CodeDivisionByZero, c.position(node), "the expression divides by zero").Suggest(suggestDivision)
	}
}

func (c *compilation) refuseSecret(e ast.Expr) {
	if isSecret(c.typeOf(e)) {
		c.secretUsed(e)
	}
}

// isZero tells whether e is the literal 0. A float divided by zero is not an
// error by itself; its result is infinite and refused when it is used.
func isZero(e ast.Expr) bool {
	if e.Kind() != ast.LiteralKind {
		return false
	}
	switch v := e.AsLiteral().(type) {
	case types.Int:
		return v == 0
	case types.Uint:
		return v == 0
	default:
		return false
	}
}
