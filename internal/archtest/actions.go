package archtest

import (
	"go/ast"
	"go/token"
	"path"
	"strings"
)

const (
	familiesDir = "internal/action"
	listFile    = "internal/action/all/all.go"
	pagesDir    = "docs/reference/actions"
)

// definition is one action as its source defines it.
type definition struct {
	// Name is the action's name, such as "helm.upgrade"; Func is the exported
	// function that returns it.
	Name, Func string
	File       GoFile
	Pos        token.Pos
}

// actions checks that every action is in the one list, has a page, and goes
// through the suite of package actiontest. Pages of actions that do not exist are
// problems too.
func actions(t *Tree) []Problem {
	var problems []Problem
	pages := map[string]bool{"README": true}
	for _, d := range t.definitions() {
		pages[d.Name] = true
		problems = append(problems, t.judgeAction(d)...)
	}
	for _, name := range t.paths() {
		if path.Dir(name) == pagesDir && !pages[strings.TrimSuffix(path.Base(name), ".md")] {
			problems = append(problems, at(name, 0, "is the page of an action that does not exist"))
		}
	}
	return problems
}

// definitions finds the composite literals action.Definition{Name: "…"}.
func (t *Tree) definitions() []definition {
	var found []definition
	for _, f := range t.Go {
		if f.Test() || path.Dir(f.Dir()) != familiesDir || strings.HasSuffix(f.Dir(), "test") {
			continue
		}
		for _, decl := range f.AST.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(fn, func(n ast.Node) bool {
				if lit, ok := n.(*ast.CompositeLit); ok && isDefinition(lit.Type) {
					found = append(found, definition{Name: nameField(lit), Func: fn.Name.Name, File: f, Pos: lit.Pos()})
				}
				return true
			})
		}
	}
	return found
}

// isDefinition recognises action.Definition[In, Out].
func isDefinition(typ ast.Expr) bool {
	index, ok := typ.(*ast.IndexListExpr)
	if !ok {
		return false
	}
	sel, ok := index.X.(*ast.SelectorExpr)
	return ok && sel.Sel.Name == "Definition"
}

func nameField(lit *ast.CompositeLit) string {
	for _, element := range lit.Elts {
		kv, ok := element.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		if key, ok := kv.Key.(*ast.Ident); ok && key.Name == "Name" {
			name, _ := literal([]ast.Expr{kv.Value}, 0)
			return name
		}
	}
	return ""
}

func (t *Tree) judgeAction(d definition) []Problem {
	var problems []Problem
	add := func(format string, args ...any) {
		problems = append(problems, t.problem(d.File, d.Pos, format, args...))
	}
	if d.Name == "" {
		add("defines an action whose name is no string literal")
		return problems
	}
	family := path.Base(d.File.Dir())
	if !t.mentions(listFile, family, d.Func) {
		add("action %s is not in %s", d.Name, listFile)
	}
	page := pagesDir + "/" + d.Name + ".md"
	if _, ok := t.Files[page]; !ok {
		add("action %s has no page: write %s", d.Name, page)
	}
	if !t.hasSuite(d) {
		add("action %s has no suite: call actiontest.Run with %s in a test of its package", d.Name, d.Func)
	}
	return problems
}

// mentions tells whether a file holds family.Func as code, under whatever name
// it imports the family.
func (t *Tree) mentions(name, family, fn string) bool {
	found := false
	for _, f := range t.Go {
		if f.Path != name {
			continue
		}
		ast.Inspect(f.AST, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok || sel.Sel.Name != fn {
				return true
			}
			if pkg, ok := sel.X.(*ast.Ident); ok && f.Imports[pkg.Name] == path.Join(Module, familiesDir, family) {
				found = true
			}
			return true
		})
	}
	return found
}

// hasSuite tells whether a test file next to the action calls actiontest.Run
// and uses the function that returns the action.
func (t *Tree) hasSuite(d definition) bool {
	for _, f := range t.Go {
		if !f.Test() || f.Dir() != d.File.Dir() {
			continue
		}
		runs, uses := false, false
		ast.Inspect(f.AST, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				pkg, ok := n.X.(*ast.Ident)
				runs = runs || ok && pkg.Name == "actiontest" && n.Sel.Name == "Run"
				uses = uses || n.Sel.Name == d.Func
			case *ast.Ident:
				uses = uses || n.Name == d.Func
			}
			return true
		})
		if runs && uses {
			return true
		}
	}
	return false
}

// exitCodes checks that the exit codes of the command line and the table of
// their page, "code | …", are the same.
func exitCodes(t *Tree) []Problem {
	const page = "docs/reference/exit-codes.md"
	documented := map[string]int{}
	for _, r := range t.tables(page, "code") {
		documented[strings.Trim(r.Cells[0], "`")] = r.Line
	}
	var problems []Problem
	for _, c := range t.exitCodeConstants() {
		if _, ok := documented[c.Value]; !ok {
			problems = append(problems, t.problem(c.File, c.Pos, "exit code %s is not in %s", c.Value, page))
		}
		delete(documented, c.Value)
	}
	for code, line := range documented {
		problems = append(problems, at(page, line, "exit code %s is not in internal/ui/cli", code))
	}
	return problems
}

// exitCode is one constant of type ExitCode.
type exitCode struct {
	Value string
	File  GoFile
	Pos   token.Pos
}

func (t *Tree) exitCodeConstants() []exitCode {
	var found []exitCode
	for _, f := range t.Go {
		if f.Test() || f.Dir() != "internal/ui/cli" {
			continue
		}
		ast.Inspect(f.AST, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || !isExitCode(spec.Type) {
				return true
			}
			for _, value := range spec.Values {
				if lit, ok := value.(*ast.BasicLit); ok {
					found = append(found, exitCode{Value: lit.Value, File: f, Pos: lit.Pos()})
				}
			}
			return true
		})
	}
	return found
}

func isExitCode(typ ast.Expr) bool {
	id, ok := typ.(*ast.Ident)
	return ok && id.Name == "ExitCode"
}
