package expr

import (
	"strings"

	"cel.dev/cel-go/common/ast"

	"github.com/refitproject/refit/internal/schema"
)

// Reference is a static selection that starts at a declared variable, as far
// as it can be told without evaluating: observe.release.chart.version is
// {"observe", "release", "chart", "version"}.
type Reference []string

// String joins the parts of r with dots.
func (r Reference) String() string { return strings.Join(r, ".") }

// references returns the greatest static selections in e.
func references(e ast.Expr, vars map[string]schema.Type) []Reference {
	w := &referenceWalk{vars: vars, bound: map[string]int{}}
	w.walk(e)
	return sortReferences(w.found)
}

// referenceWalk collects references. Variables that a loop binds hide declared
// ones of the same name.
type referenceWalk struct {
	vars  map[string]schema.Type
	bound map[string]int
	found []Reference
}

func (w *referenceWalk) walk(e ast.Expr) {
	switch e.Kind() {
	case ast.IdentKind, ast.SelectKind:
		if path, isStatic := selection(e); isStatic {
			w.add(path)
		} else if e.Kind() == ast.SelectKind {
			w.walkSelect(e.AsSelect())
		}
	case ast.CallKind:
		if call := e.AsCall(); call.IsMemberFunction() {
			w.walk(call.Target())
		}
		for _, arg := range e.AsCall().Args() {
			w.walk(arg)
		}
	case ast.ListKind:
		for _, item := range e.AsList().Elements() {
			w.walk(item)
		}
	case ast.MapKind:
		for _, entry := range e.AsMap().Entries() {
			w.walk(entry.AsMapEntry().Key())
			w.walk(entry.AsMapEntry().Value())
		}
	case ast.ComprehensionKind:
		w.walkLoop(e.AsComprehension())
	default:
	}
}

// walkSelect handles has(a.b) and selections from computed values.
func (w *referenceWalk) walkSelect(s ast.SelectExpr) {
	if path, isStatic := selection(s.Operand()); isStatic && s.IsTestOnly() {
		w.add(append(path, s.FieldName()))
		return
	}
	w.walk(s.Operand())
}

func (w *referenceWalk) walkLoop(loop ast.ComprehensionExpr) {
	w.walk(loop.IterRange())
	w.walk(loop.AccuInit())
	w.bound[loop.AccuVar()]++
	w.bound[loop.IterVar()]++
	w.bound[loop.IterVar2()]++
	w.walk(loop.LoopCondition())
	w.walk(loop.LoopStep())
	w.bound[loop.IterVar()]--
	w.bound[loop.IterVar2()]--
	w.walk(loop.Result())
	w.bound[loop.AccuVar()]--
}

func (w *referenceWalk) add(path []string) {
	root, isGlobal := strings.CutPrefix(path[0], ".")
	if _, declared := w.vars[root]; !declared || w.bound[root] > 0 && !isGlobal {
		return
	}
	path[0] = root
	w.found = append(w.found, path)
}

// selection returns the path of an expression that is a variable or selects
// from one, and nothing else.
func selection(e ast.Expr) ([]string, bool) {
	switch e.Kind() {
	case ast.IdentKind:
		return []string{e.AsIdent()}, true
	case ast.SelectKind:
		s := e.AsSelect()
		if s.IsTestOnly() {
			return nil, false
		}
		path, ok := selection(s.Operand())
		return append(path, s.FieldName()), ok
	default:
		return nil, false
	}
}
