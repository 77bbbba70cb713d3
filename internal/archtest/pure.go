package archtest

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// pureFolders hold the path of the data. What they compute depends on their
// arguments only.
func pureFolders() []string {
	return []string{
		"internal/diag",
		"internal/yamldoc",
		"internal/schema",
		"internal/expr",
		"internal/issues",
		"internal/action",
		"internal/versions",
		"internal/procedure",
		"internal/platform",
		"internal/runbook",
		"internal/plan",
		"internal/run",
		"internal/report",
	}
}

// impureImports maps packages that touch the world to the reason why the data
// path has no use for them. Packages below them count as well.
func impureImports() map[string]string {
	const input = "the data path does no I/O; let the caller hand in what was read"
	const random = "randomness is an event that the host records"
	return map[string]string{
		"os": input, "net": input, "syscall": input, "io/ioutil": input, "golang.org/x/sys": input,
		"database/sql": "storage belongs to an engine",
		"log":          "the data path returns values; hosts log",
		"math/rand":    random, "crypto/rand": random, "hash/maphash": random,
		"unsafe": "the data path has no need to bypass the type system",
	}
}

// harmless packages lie below impure ones and only parse.
func harmless() []string { return []string{"net/url", "net/netip"} }

// impureNames maps packages to those of their functions that read a clock or a
// file system.
func impureNames() map[string][]string {
	return map[string][]string{
		"time": {
			"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick", "Local",
		},
		"path/filepath": {"Abs", "EvalSymlinks", "Glob", "Walk", "WalkDir"},
		"runtime":       {"GC", "NumGoroutine", "NumCPU", "GOMAXPROCS", "ReadMemStats"},
	}
}

// purity checks the pure folders for I/O, clocks, randomness, goroutines and
// channels, and the core for loops over maps.
func purity(t *Tree) []Problem {
	var problems []Problem
	for _, f := range t.Go {
		if f.Test() || !slices.Contains(pureFolders(), f.Dir()) {
			continue
		}
		for _, spec := range f.AST.Imports {
			if why := impure(strings.Trim(spec.Path.Value, `"`)); why != "" {
				problems = append(problems, t.problem(f, spec.Pos(), "imports %s: %s", spec.Path.Value, why))
			}
		}
		ast.Inspect(f.AST, func(n ast.Node) bool {
			if text := impureNode(f, n); text != "" {
				problems = append(problems, t.problem(f, n.Pos(), "%s", text))
			}
			return true
		})
	}
	return append(problems, mapRanges(t)...)
}

// impure says why a package may not be imported, or nothing.
func impure(target string) string {
	if slices.Contains(harmless(), target) {
		return ""
	}
	for prefix, why := range impureImports() {
		if target == prefix || strings.HasPrefix(target, prefix+"/") {
			return why
		}
	}
	return ""
}

// impureNode says why a piece of syntax has no place in the data path, or
// nothing.
func impureNode(f GoFile, n ast.Node) string {
	switch n := n.(type) {
	case *ast.GoStmt:
		return "starts a goroutine: hosts have goroutines, the data path has values"
	case *ast.SelectStmt:
		return "waits in a select: hosts wait, the data path has values"
	case *ast.ChanType:
		return "uses a channel: hosts have channels, the data path has values"
	case *ast.UnaryExpr:
		if n.Op == token.ARROW {
			return "receives from a channel: hosts have channels, the data path has values"
		}
	case *ast.SelectorExpr:
		pkg, ok := n.X.(*ast.Ident)
		if ok && slices.Contains(impureNames()[f.Imports[pkg.Name]], n.Sel.Name) {
			return "uses " + pkg.Name + "." + n.Sel.Name + ": time and files enter as values"
		}
	}
	return ""
}

// lintAgrees checks that .golangci.yml names the same pure folders, so that an
// editor says the same as this package.
func lintAgrees(t *Tree) []Problem {
	const name = ".golangci.yml"
	config := string(t.Files[name])
	var problems []Problem
	for _, dir := range pureFolders() {
		if !strings.Contains(config, `"**/`+dir+`/*.go"`) {
			problems = append(problems, at(name, 0, "depguard's rule pure does not name %s", dir))
		}
	}
	return problems
}
