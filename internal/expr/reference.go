package expr

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"cel.dev/cel-go/common/ast"

	"github.com/refitproject/refit/internal/schema"
)

// Reference is a static selection that starts at a declared variable, as far
// as it can be told without evaluating: observe.release.chart.version is
// {"observe", "release", "chart", "version"}.
type Reference []string

// String writes r as an expression would: parts that are identifiers behind a
// dot, others as an index: observe.values["hub.db.upgrade"]. ParsePath reads it
// back.
func (r Reference) String() string {
	var out strings.Builder
	for i, part := range r {
		switch {
		case !isName(part):
			out.WriteString("[" + strconv.Quote(part) + "]")
		case i > 0:
			out.WriteString("." + part)
		default:
			out.WriteString(part)
		}
	}
	return out.String()
}

// ParsePath reads what String writes: parts behind dots, or quoted in brackets
// when they are not identifiers.
func ParsePath(text string) (Reference, error) {
	var out Reference
	rest := text
	for rest != "" {
		if quoted, isIndex := strings.CutPrefix(rest, "["); isIndex {
			literal, err := strconv.QuotedPrefix(quoted)
			if err != nil || !strings.HasPrefix(quoted[len(literal):], "]") {
				return nil, fmt.Errorf("path %q: after [ comes a part in double quotes and ]", text)
			}
			part, err := strconv.Unquote(literal)
			if err != nil {
				return nil, fmt.Errorf("path %q: read %s: %w", text, literal, err)
			}
			out, rest = append(out, part), quoted[len(literal)+1:]
			continue
		}
		if len(out) > 0 {
			if !strings.HasPrefix(rest, ".") {
				return nil, fmt.Errorf("path %q: parts are separated by dots", text)
			}
			rest = rest[1:]
		}
		end := strings.IndexAny(rest, ".[")
		if end < 0 {
			end = len(rest)
		}
		if !isName(rest[:end]) {
			return nil, fmt.Errorf("path %q: %q has to be written as [%q]", text, rest[:end], rest[:end])
		}
		out, rest = append(out, rest[:end]), rest[end:]
	}
	if len(out) == 0 {
		return nil, errors.New("the path is empty")
	}
	return out, nil
}

// isName tells whether part can stand behind a dot; unlike a variable it may be
// a word that CEL keeps for itself.
func isName(part string) bool {
	for i := range len(part) {
		if !isNameByte(part[i]) || i == 0 && part[0] >= '0' && part[0] <= '9' {
			return false
		}
	}
	return part != ""
}

// references returns the greatest static selections in e, and those of them
// that has() asks for.
func references(e ast.Expr, vars map[string]schema.Type) (found, tested []Reference) {
	w := &referenceWalk{vars: vars, bound: map[string]int{}}
	w.walk(e)
	return sortReferences(w.found), sortReferences(w.tested)
}

// referenceWalk collects references. Variables that a loop binds hide declared
// ones of the same name.
type referenceWalk struct {
	vars  map[string]schema.Type
	bound map[string]int
	found []Reference
	// tested are those of found that has() asks for.
	tested []Reference
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
		if path = append(path, s.FieldName()); w.add(path) {
			w.tested = append(w.tested, path)
		}
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

// add keeps a path that begins at a declared variable.
func (w *referenceWalk) add(path []string) bool {
	root, isGlobal := strings.CutPrefix(path[0], ".")
	if _, declared := w.vars[root]; !declared || w.bound[root] > 0 && !isGlobal {
		return false
	}
	path[0] = root
	w.found = append(w.found, path)
	return true
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
