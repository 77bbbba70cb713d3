package archtest

import (
	"go/ast"
	"maps"
	"path"
	"slices"
	"strings"
)

// packageDocs checks that every package has its comment, beginning with its
// name, where people look for it: in doc.go, in main.go of a command, or in the
// only file of the package.
func packageDocs(t *Tree) []Problem {
	var problems []Problem
	documented, files := map[string]bool{}, map[string]int{}
	for _, f := range t.Go {
		if !f.Test() {
			files[f.Dir()]++
		}
	}
	for _, f := range t.Go {
		if f.Test() || f.AST.Doc == nil {
			continue
		}
		documented[f.Dir()] = true
		home, want := "doc.go", "Package "+f.AST.Name.Name+" "
		if f.AST.Name.Name == "main" {
			home, want = "main.go", "Command "+path.Base(f.Dir())+" "
		}
		if base := path.Base(f.Path); base != "doc.go" && base != home && files[f.Dir()] > 1 {
			problems = append(problems, t.problem(f, f.AST.Doc.Pos(),
				"has a package comment: it belongs into %s", home))
		}
		if !strings.HasPrefix(f.AST.Doc.Text(), want) {
			problems = append(problems, t.problem(f, f.AST.Doc.Pos(), "package comment does not begin with %q", want))
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(files)) {
		if !documented[dir] {
			problems = append(problems, at(dir, 0, "has no package comment: write doc.go"))
		}
	}
	return problems
}

// The longest file and interface that can be read in one go. Functions are
// measured by the linters.
const (
	maxLines   = 500
	maxMethods = 7
)

// fileSize checks the budgets of size that no linter knows or that a nolint
// would lift.
func fileSize(t *Tree) []Problem {
	var problems []Problem
	for _, f := range t.Go {
		if f.Test() {
			continue
		}
		if n := len(t.lines(f.Path)); n > maxLines {
			problems = append(problems, at(f.Path, 0,
				"has %d lines, at most %d are permitted: split it by what it is about", n, maxLines))
		}
		ast.Inspect(f.AST, func(n ast.Node) bool {
			it, ok := n.(*ast.InterfaceType)
			if ok && it.Methods.NumFields() > maxMethods {
				problems = append(problems, t.problem(f, it.Pos(), "interface has %d methods, at most %d are permitted",
					it.Methods.NumFields(), maxMethods))
			}
			return true
		})
	}
	return problems
}
