package expr

import (
	"strings"

	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
)

// parseChain reads the commonest expression, a variable with selections behind
// dots, which is many times quicker than the parser of CEL and gives the same.
// It returns nil for everything else, mistakes too.
func parseChain(source string) *ast.AST {
	const longest = 16
	trimmed := strings.TrimSpace(source)
	parts := strings.Split(trimmed, ".")
	if len(parts) > longest {
		return nil
	}
	for _, part := range parts {
		if !isIdentifier(part) {
			return nil
		}
	}
	info := ast.NewSourceInfo(common.NewTextSource(source))
	factory := ast.NewExprFactory()
	at := int32(strings.Index(source, trimmed)) //nolint:gosec // G115: a source has at most MaxSource bytes.
	place := func(id int64, length int) {
		end := at + int32(length) //nolint:gosec // G115: as above.
		info.SetOffsetRange(id, ast.OffsetRange{Start: at, Stop: end})
		at = end
	}
	root := factory.NewIdent(1, parts[0])
	place(1, len(parts[0]))
	for i, part := range parts[1:] {
		id := int64(i) + 2 //nolint:mnd // 1 is the variable.
		root = factory.NewSelect(id, root, part)
		place(id, 1)           // a selection stands where its dot is
		at += int32(len(part)) //nolint:gosec // G115: as above.
	}
	return ast.NewAST(root, info)
}
