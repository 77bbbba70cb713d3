package expr

import (
	"errors"
	"fmt"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/interpreter"

	"github.com/refitproject/refit/internal/diag"
)

// EvalError is an expression that could not be evaluated with the values of a
// Scope.
type EvalError struct {
	// Pos is the place of the expression.
	Pos diag.Position
	// Expr is its text, without ${ and }; empty when the whole Template is at
	// fault, because its value is too large.
	Expr string
	// Err says in one line what was wrong.
	Err error
}

// Error returns one line with the place, the expression and the reason:
// "file:3:7: ${observe.release.name}: observe.release is not there".
func (e *EvalError) Error() string { return fmt.Sprintf("%s: %s", e.Pos, e.Text()) }

// Text returns the expression and the reason without the place, for messages
// that have it already.
func (e *EvalError) Text() string {
	if e.Expr == "" {
		return e.Err.Error()
	}
	return fmt.Sprintf("%s: %v", quoted(e.Expr), e.Err)
}

// Unwrap returns the reason.
func (e *EvalError) Unwrap() error { return e.Err }

// PositionOf returns the place of the expression that an error is about, false
// when err does not come from an expression.
func PositionOf(err error) (diag.Position, bool) {
	failed := new(EvalError)
	if !errors.As(err, &failed) {
		return diag.Position{}, false
	}
	return failed.Pos, true
}

// What is wrong with expressions of which it can be said what to do.
var (
	errCost     = fmt.Errorf("costs too much: more than %d steps", MaxCost)
	errDivision = errors.New("divides by zero")
)

const (
	suggestCost     = "use fewer or shorter values, or let an action compute the result"
	suggestDivision = "test the divisor before: x == 0 ? … : y / x"
)

// Suggestion says in one line what to do about an error of this package, ""
// when the error says all there is.
func Suggestion(err error) string {
	limit := new(limitError)
	switch {
	case errors.Is(err, errCost), errors.As(err, &limit):
		return suggestCost
	case errors.Is(err, errDivision):
		return suggestDivision
	default:
		return ""
	}
}

// unknownError is a variable that is declared but has no value yet.
type unknownError struct{ name string }

func (e *unknownError) Error() string { return e.name + " is not known here" }

// explain tells an error of CEL in plain words.
func (x *expression) explain(err error) error {
	var unknown *unknownError
	var limit *limitError
	switch {
	case errors.As(err, &unknown):
		return unknown
	case errors.As(err, &limit):
		return limit
	}
	if cancelled := (interpreter.EvalCancelledError{}); errors.As(err, &cancelled) {
		return errCost
	}
	node := x.failedNode(err)
	if absent := new(absentError); errors.As(err, &absent) {
		return fmt.Errorf("%s is not there", selectionOf(node, absent.field))
	}
	message := compact(err.Error())
	switch {
	case strings.Contains(message, "no such key: "):
		_, key, _ := strings.Cut(message, "no such key: ")
		return fmt.Errorf("%s is not there", selectionOf(node, key))
	case strings.Contains(message, "division by zero"), strings.Contains(message, "modulus by zero"):
		return errDivision
	case strings.Contains(message, "overflow"):
		return errors.New("a number is too large or too small")
	case strings.Contains(message, "out of range in list"), strings.Contains(message, "index out of bounds"):
		return errors.New(strings.ReplaceAll(message, "'", ""))
	case strings.Contains(message, "no such overload"):
		return x.misfit(node)
	default:
		return errors.New(message)
	}
}

// failedNode returns the node that an error of CEL names, nil when it names
// none.
func (x *expression) failedNode(err error) ast.Expr {
	failed := new(types.Err)
	if !errors.As(err, &failed) {
		return nil
	}
	return x.nodes[failed.NodeID()]
}

// selectionOf returns the part of the selection node that ends with field, or
// the field alone.
func selectionOf(node ast.Expr, field string) string {
	found := short(field)
	for node != nil && node.Kind() == ast.SelectKind {
		s := node.AsSelect()
		if s.FieldName() == field {
			found = render(node) // the one nearest to the variable wins
		}
		node = s.Operand()
	}
	return found
}

// misfit says that the values of an operation do not have the types that it is
// made for.
func (x *expression) misfit(node ast.Expr) error {
	if node != nil && node.Kind() == ast.CallKind {
		name := strings.Trim(node.AsCall().FunctionName(), "_@")
		return fmt.Errorf("the types of the values do not fit %s", name)
	}
	if node != nil && node.Kind() == ast.SelectKind {
		return fmt.Errorf("%s has no members to select", render(node.AsSelect().Operand()))
	}
	return errors.New("the types of the values do not fit the operation")
}
