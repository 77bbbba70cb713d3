package service

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/refitproject/refit/internal/expr"
)

// later stands in a text for an expression, whose value is only known later.
const later = "REFIT_LATER"

// builtins are the commands that a shell has itself.
const builtins = " . : [ alias bg break builtin caller cd command compgen complete continue declare dirs disown echo " +
	"enable eval exec exit export false fc fg getopts hash help history jobs kill let local logout mapfile popd " +
	"printf pushd pwd read readarray readonly return set shift shopt source suspend test times trap true type " +
	"typeset ulimit umask unalias unset wait "

// scriptPrograms returns the programs that a script starts by literal names: none of the
// shell itself, of functions, and of those that it only starts where it finds them. A
// script that cannot be read names none.
func scriptPrograms(script string) []string {
	text := expr.Fill(script, later)
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(text), "")
	if err != nil {
		return nil
	}
	w := scriptWalk{skip: map[string]bool{}}
	syntax.Walk(file, w.visit)
	var out []string
	for _, name := range w.names {
		path := strings.Contains(name, "/")
		switch {
		case w.skip[name] || strings.Contains(name, later) || strings.Contains(builtins, " "+name+" "):
		case w.moves && path && !strings.HasPrefix(name, "/"): // Nobody knows where it is by then.
		case w.searches && !path: // It is searched elsewhere.
		default:
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// scriptWalk collects what a script starts.
type scriptWalk struct {
	names []string
	// skip are functions, and programs that are only started where they are there.
	skip map[string]bool
	// moves tells that the folder is changed, searches that the PATH is.
	moves, searches bool
}

func (w *scriptWalk) visit(n syntax.Node) bool {
	switch n := n.(type) {
	case *syntax.FuncDecl:
		w.skip[n.Name.Value] = true
	case *syntax.IfClause:
		for _, s := range n.Cond {
			w.guarded(s)
		}
	case *syntax.BinaryCmd:
		if n.Op == syntax.AndStmt {
			w.guarded(n.X)
		}
	case *syntax.Assign:
		w.searches = w.searches || n.Name != nil && n.Name.Value == "PATH"
	case *syntax.CallExpr:
		w.call(n)
	}
	return true
}

func (w *scriptWalk) call(n *syntax.CallExpr) {
	words := literals(n)
	for len(words) > 1 && (words[0] == "command" || words[0] == "exec") && !strings.HasPrefix(words[1], "-") {
		words = words[1:]
	}
	if len(words) == 0 || words[0] == "" {
		return
	}
	w.moves = w.moves || words[0] == "cd" || words[0] == "pushd"
	w.names = append(w.names, words[0])
}

// guarded notes the programs that a condition looks for: what stands behind it is only
// carried out where they are there.
func (w *scriptWalk) guarded(s *syntax.Stmt) {
	if s.Negated {
		return
	}
	switch n := s.Cmd.(type) {
	case *syntax.BinaryCmd:
		if n.Op == syntax.AndStmt {
			w.guarded(n.X)
			w.guarded(n.Y)
		}
	case *syntax.CallExpr:
		words := literals(n)
		if len(words) == 0 || !slices.Contains([]string{"command", "type", "hash", "which"}, words[0]) {
			return
		}
		for _, name := range words[1:] {
			w.skip[name] = true
		}
	}
}

// literals returns the words of a command; "" for those that are only known when the
// script is carried out.
func literals(n *syntax.CallExpr) []string {
	out := make([]string, len(n.Args))
	for i, word := range n.Args {
		out[i] = literal(word.Parts)
	}
	return out
}

func literal(parts []syntax.WordPart) string {
	var b strings.Builder
	for _, part := range parts {
		switch part := part.(type) {
		case *syntax.Lit:
			if strings.ContainsAny(part.Value, `\*?[~`) && part.Value != "[" {
				return ""
			}
			b.WriteString(part.Value)
		case *syntax.SglQuoted:
			b.WriteString(part.Value)
		case *syntax.DblQuoted:
			inner := literal(part.Parts)
			if inner == "" {
				return ""
			}
			b.WriteString(inner)
		default:
			return ""
		}
	}
	return b.String()
}
