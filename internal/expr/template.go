package expr

import (
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/schema"
	"github.com/refitproject/refit/internal/yamldoc"
)

// Template is a YAML value in which strings may hold ${…}. It never changes
// and is safe for concurrent use.
type Template struct {
	node *yamldoc.Node
	root part
	typ  schema.Type
	refs []Reference
	// tested are those of refs that has() asks for.
	tested []Reference
	// sensitive are the places where hidden values are used.
	sensitive []SensitiveUse
	vars      map[string]schema.Type
}

// Type returns what is known of the values of t without evaluating.
func (t *Template) Type() schema.Type { return t.typ }

// Pos returns the place of t in its file.
func (t *Template) Pos() diag.Position {
	if t.node == nil {
		return diag.Position{}
	}
	return t.node.Pos
}

// References returns the static selections of all expressions of t, sorted
// and without repetitions. The result belongs to the caller.
func (t *Template) References() []Reference { return cloneReferences(t.refs) }

// Tested returns those of References that t asks for with has(): it may be
// evaluated although they are not there. The result belongs to the caller.
func (t *Template) Tested() []Reference { return cloneReferences(t.tested) }

func cloneReferences(refs []Reference) []Reference {
	out := make([]Reference, len(refs))
	for i, ref := range refs {
		out[i] = slices.Clone(ref)
	}
	return out
}

// Source returns t as plain values with its ${…} as they were written. The
// result is fresh and belongs to the caller.
func (t *Template) Source() any { return t.node.Plain() }

// Eval returns the value of t as fresh plain values. The error is an
// *EvalError.
func (t *Template) Eval(scope Scope) (any, error) {
	value, _, err := t.EvalDeferred(scope)
	return value, err
}

// Deferred is a string of a Template that was left as it is.
type Deferred struct {
	// Path is an RFC 6901 JSON pointer to the string in the value; "" is the
	// whole value.
	Path string
	// Text is the string as it was written, to be compiled later.
	Text string
}

// EvalDeferred is Eval, except that strings with an expression that refers to
// one of the variables roots are not evaluated: they stay in the value as they
// were written, and are listed in the order of the value.
func (t *Template) EvalDeferred(scope Scope, roots ...string) (any, []Deferred, error) {
	e := &evaluation{budget: newBudget(), activation: newActivation(scope, t.vars), roots: roots}
	value, err := t.root.eval(e, nil)
	if err != nil {
		if _, placed := PositionOf(err); !placed {
			err = &EvalError{Pos: t.Pos(), Err: err}
		}
		return nil, nil, err
	}
	return value, e.deferred, nil
}

// evaluation is the state of one call of Eval or EvalDeferred.
type evaluation struct {
	budget     *budget
	activation *activation
	roots      []string
	deferred   []Deferred
}

// step returns the way to a member. It is kept only where strings may have to
// be listed.
func (e *evaluation) step(path *pathTo, token string, index int) *pathTo {
	if len(e.roots) == 0 {
		return nil
	}
	return &pathTo{above: path, token: token, index: index}
}

// part is a compiled value of a Template. path leads to it from the root.
type part interface {
	eval(e *evaluation, path *pathTo) (any, error)
}

// pathTo is the way to a part: a list from the last step to the first.
type pathTo struct {
	above *pathTo
	token string
	index int // in a list; -1 in a mapping
}

func (p *pathTo) pointer() string {
	var tokens []string
	for ; p != nil; p = p.above {
		if p.index >= 0 {
			tokens = append(tokens, strconv.Itoa(p.index))
		} else {
			tokens = append(tokens, p.token)
		}
	}
	var out jsontext.Pointer
	for _, token := range slices.Backward(tokens) {
		out = out.AppendToken(token)
	}
	return string(out)
}

// literal is a value without expressions that is not a list or mapping.
type literal struct{ value any }

func (l literal) eval(e *evaluation, _ *pathTo) (any, error) { return e.budget.value(l.value) }

// list is a YAML list.
type list []part

func (l list) eval(e *evaluation, path *pathTo) (any, error) {
	if err := e.budget.spend(0); err != nil {
		return nil, err
	}
	out := make([]any, len(l))
	for i, item := range l {
		value, err := item.eval(e, e.step(path, "", i))
		if err != nil {
			return nil, err
		}
		out[i] = value
	}
	return out, nil
}

// mapping is a YAML mapping in the order of the file.
type mapping []entry

type entry struct {
	key   string
	value part
}

func (m mapping) eval(e *evaluation, path *pathTo) (any, error) {
	if err := e.budget.spend(0); err != nil {
		return nil, err
	}
	out := make(map[string]any, len(m))
	for i := range m {
		e.budget.bytes -= len(m[i].key)
		value, err := m[i].value.eval(e, e.step(path, m[i].key, -1))
		if err != nil {
			return nil, err
		}
		out[m[i].key] = value
	}
	return out, nil
}
