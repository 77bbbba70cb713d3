package archtest

import "go/ast"

// orderedFolders hold code whose result may not depend on the order of a map:
// it folds histories, and a fold gives the same state every time.
func orderedFolders() []string { return []string{"internal/run"} }

// mapRanges finds loops over maps in the ordered folders. It knows maps by the
// names of what the package declares as one, which is enough for code that
// hardly needs any.
func mapRanges(t *Tree) []Problem {
	var problems []Problem
	for _, dir := range orderedFolders() {
		names := map[string]bool{}
		var files []GoFile
		for _, f := range t.Go {
			if f.Dir() == dir && !f.Test() {
				files = append(files, f)
				mapNames(f.AST, names)
			}
		}
		for _, f := range files {
			ast.Inspect(f.AST, func(n ast.Node) bool {
				if loop, ok := n.(*ast.RangeStmt); ok && isMap(f, loop.X, names) {
					const text = "ranges over a map: its order is another each time"
					problems = append(problems, t.problem(f, loop.Pos(), text))
				}
				return true
			})
		}
	}
	return problems
}

// mapNames collects the names of fields, parameters and variables that are
// maps.
func mapNames(file *ast.File, names map[string]bool) {
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			collect(n.Names, n.Type, names)
		case *ast.ValueSpec:
			collect(n.Names, n.Type, names)
			for i, v := range n.Values {
				if i < len(n.Names) && makesMap(v) {
					names[n.Names[i].Name] = true
				}
			}
		case *ast.AssignStmt:
			for i, v := range n.Rhs {
				if id, ok := n.Lhs[min(i, len(n.Lhs)-1)].(*ast.Ident); ok && makesMap(v) {
					names[id.Name] = true
				}
			}
		}
		return true
	})
}

func collect(ids []*ast.Ident, typ ast.Expr, names map[string]bool) {
	if _, ok := typ.(*ast.MapType); !ok {
		return
	}
	for _, id := range ids {
		names[id.Name] = true
	}
}

// makesMap tells whether an expression is a map literal or makes one.
func makesMap(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.CompositeLit:
		_, ok := e.Type.(*ast.MapType)
		return ok
	case *ast.CallExpr:
		if fun, ok := e.Fun.(*ast.Ident); ok && fun.Name == "make" && len(e.Args) > 0 {
			_, ok := e.Args[0].(*ast.MapType)
			return ok
		}
	}
	return false
}

// isMap tells whether a loop goes over a map or over what package maps makes of
// one.
func isMap(f GoFile, e ast.Expr, names map[string]bool) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return names[e.Name]
	case *ast.SelectorExpr:
		return names[e.Sel.Name]
	case *ast.CallExpr:
		if sel, ok := e.Fun.(*ast.SelectorExpr); ok {
			pkg, ok := sel.X.(*ast.Ident)
			return ok && f.Imports[pkg.Name] == "maps"
		}
	}
	return makesMap(e)
}
