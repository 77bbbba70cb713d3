package expr

import (
	"fmt"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/schema"
)

// whole is a string that is exactly one expression: it keeps its type.
type whole struct {
	expression *expression
	text       string
	// want is what the value is compared with, because its type was not known
	// well enough when it was compiled; any when that is not needed.
	want schema.Type
}

func (w *whole) eval(e *evaluation, path *pathTo) (any, error) {
	if e.defers(w.text, path, w.expression) {
		return w.text, nil
	}
	value, err := w.expression.eval(e.budget, e.activation)
	if err != nil {
		return nil, err
	}
	if problem := conform(w.want, value); problem != nil {
		return nil, &EvalError{Pos: w.expression.pos, Expr: w.expression.source, Err: problem}
	}
	return value, nil
}

// joined is a string of texts and expressions.
type joined struct {
	pos      diag.Position
	text     string
	segments []joint
	want     schema.Type
}

// joint is a text, or an expression.
type joint struct {
	text       string
	expression *expression
}

func (j *joined) eval(e *evaluation, path *pathTo) (any, error) {
	if e.defers(j.text, path, j.expressions()...) {
		return j.text, nil
	}
	var b strings.Builder
	for i := range j.segments {
		s := &j.segments[i]
		if s.expression == nil {
			b.WriteString(s.text)
			continue
		}
		value, err := s.expression.eval(e.budget, e.activation)
		if err != nil {
			return nil, err
		}
		text, err := textOf(value)
		if err != nil {
			return nil, &EvalError{Pos: s.expression.pos, Expr: s.expression.source, Err: err}
		}
		b.WriteString(text)
	}
	if err := conform(j.want, b.String()); err != nil {
		return nil, &EvalError{Pos: j.pos, Expr: j.expressions()[0].source, Err: err}
	}
	return b.String(), e.budget.spend(0)
}

func (j *joined) expressions() []*expression {
	var found []*expression
	for _, s := range j.segments {
		if s.expression != nil {
			found = append(found, s.expression)
		}
	}
	return found
}

// defers tells whether a string has to wait for a variable, and lists it.
func (e *evaluation) defers(text string, path *pathTo, expressions ...*expression) bool {
	if len(e.roots) == 0 {
		return false
	}
	waits := slices.ContainsFunc(expressions, func(x *expression) bool {
		return slices.ContainsFunc(x.refs, func(r Reference) bool { return slices.Contains(e.roots, r[0]) })
	})
	if waits {
		d := Deferred{Text: text}
		if path != nil {
			d.Path = path.pointer()
		}
		e.deferred = append(e.deferred, d)
	}
	return waits
}

// conform compares a value with the type that is wanted.
func conform(want schema.Type, value any) error {
	if want.IsAny() {
		return nil
	}
	problems := schema.Check(want, value)
	if len(problems) == 0 {
		return nil
	}
	return fmt.Errorf("%s", problems[0])
}
