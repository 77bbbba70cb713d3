package expr

import (
	"slices"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"

	"github.com/refitproject/refit/internal/diag"
)

// SensitiveUse is a place where an expression uses a value of which only a
// keyed hash is known: a Sensitive field, or something that holds one.
type SensitiveUse struct {
	// Pos is the place of the value in the file.
	Pos diag.Position
	// Text is the value as messages name it: "observe.login.password".
	Text string
	// Whole tells that Text is not sensitive itself and has members that are.
	Whole bool
	// Result tells that Text is the value of the whole expression, so that
	// whoever evaluates it decides what becomes of the members.
	Result bool
}

// SensitiveUses returns the places of t where hidden values are used, in the
// order of the file. Asking with has() whether one is there is no use, nor is
// a list whose members are selected from one by one. The result belongs to the
// caller.
func (t *Template) SensitiveUses() []SensitiveUse { return slices.Clone(t.sensitive) }

// sensitiveUses finds the hidden values that the checked expression uses. Types
// tell: a value that holds hidden members may be passed through indexes,
// filters and outcomes of ?: as long as the type of the result still says so.
func (c *compilation) sensitiveUses() []SensitiveUse {
	var uses []SensitiveUse
	add := func(e ast.Expr, isWhole, isResult bool) {
		uses = append(uses, SensitiveUse{Pos: c.position(e), Text: render(e), Whole: isWhole, Result: isResult})
	}
	root := c.checked.Expr()
	ast.PostOrderVisit(root, ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() == ast.SelectKind {
			if s := e.AsSelect(); !s.IsTestOnly() && c.isHidden(s) {
				add(e, false, false)
			}
			return
		}
		for _, operand := range operands(e) {
			if c.holdsHidden(operand) && !c.holdsHidden(e) {
				add(operand, true, false)
			}
		}
	}))
	if len(uses) == 0 && c.holdsHidden(root) {
		add(root, true, true)
	}
	return uses
}

// isHidden tells whether a selection selects a hidden field.
func (c *compilation) isHidden(s ast.SelectExpr) bool {
	t := c.typeOf(s.Operand())
	if t.Kind() != types.StructKind {
		return false
	}
	object, _ := c.language.object(t.TypeName())
	return object.Fields[s.FieldName()].Hidden()
}

// holdsHidden tells whether the value of e has hidden members.
func (c *compilation) holdsHidden(e ast.Expr) bool {
	switch t := c.typeOf(e); t.Kind() {
	case types.StructKind, types.ListKind, types.MapKind:
		return c.language.schemaType(t).HoldsSensitive()
	default:
		return false
	}
}

// operands returns the values that a call, a list or a map takes in. That of
// size() tells nothing but a number.
func operands(e ast.Expr) []ast.Expr {
	switch e.Kind() {
	case ast.CallKind:
		call := e.AsCall()
		if call.FunctionName() == "size" {
			return nil
		}
		if call.IsMemberFunction() {
			return append([]ast.Expr{call.Target()}, call.Args()...)
		}
		return call.Args()
	case ast.ListKind:
		return e.AsList().Elements()
	case ast.MapKind:
		var values []ast.Expr
		for _, entry := range e.AsMap().Entries() {
			values = append(values, entry.AsMapEntry().Value())
		}
		return values
	default:
		return nil
	}
}
