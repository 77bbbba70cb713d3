package expr

import (
	"strings"

	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"

	"github.com/refitproject/refit/internal/diag"
)

// at returns the position that CEL gives for an error.
func (c *compilation) at(e *common.Error) diag.Position {
	return c.where.at(c.offset(e.Location))
}

// position returns where a reader looks for what is wrong with node: the name
// of a field or function, the operator of a call, the start of anything else.
// CEL names the dot and the bracket instead.
func (c *compilation) position(node ast.Expr) diag.Position {
	offset := c.offset(c.checked.SourceInfo().GetStartLocation(node.ID()))
	switch node.Kind() {
	case ast.SelectKind:
		offset = c.fieldOffset(node.AsSelect(), offset)
	case ast.CallKind:
		offset = c.nameOffset(node.AsCall().FunctionName(), offset)
	default:
	}
	return c.where.at(offset)
}

// fieldOffset returns where the name of a selected field starts: behind the
// dot or bracket at offset, or at the end of what stands in the brackets of
// has( at offset.
func (c *compilation) fieldOffset(s ast.SelectExpr, offset int) int {
	if offset >= len(c.source) {
		return offset
	}
	after := c.source[offset+1:]
	if s.IsTestOnly() {
		inside, _, _ := strings.Cut(after, ")")
		return offset + 1 + max(strings.LastIndex(inside, s.FieldName()), 0)
	}
	return offset + 1 + len(after) - len(strings.TrimLeft(after, " \t\n"))
}

// nameOffset returns where the name of a function starts whose opening bracket
// stands at offset.
func (c *compilation) nameOffset(name string, offset int) int {
	before := strings.TrimRight(c.source[:offset], " \t\n")
	short := name[strings.LastIndexByte(name, '.')+1:]
	if strings.HasSuffix(before, short) {
		return len(before) - len(short)
	}
	return offset
}

// offset turns a location, which counts characters, into bytes from the start
// of the source.
func (c *compilation) offset(l common.Location) int {
	if l == nil || l.Line() < 1 {
		return 0
	}
	offset := 0
	for line := 1; line < l.Line(); line++ {
		end := strings.IndexByte(c.source[offset:], '\n')
		if end < 0 {
			break
		}
		offset += end + 1
	}
	return min(offset+byteOffset(c.source[offset:], l.Column()), len(c.source))
}

// render writes a node as an author would name it.
func render(node ast.Expr) string {
	if path, ok := selection(node); ok {
		return renderPath(path)
	}
	switch node.Kind() {
	case ast.SelectKind:
		return renderPath([]string{render(node.AsSelect().Operand()), node.AsSelect().FieldName()})
	case ast.CallKind:
		name := strings.TrimPrefix(node.AsCall().FunctionName(), "@")
		if strings.ContainsRune(name, '_') {
			return "the value"
		}
		return "the result of " + name + "()"
	case ast.LiteralKind:
		return "the literal"
	case ast.ListKind:
		return "the list"
	case ast.MapKind:
		return "the map"
	default:
		return "the value"
	}
}

// renderPath writes a selection, with names that are not identifiers as an
// index.
func renderPath(path []string) string {
	var b strings.Builder
	b.WriteString(strings.TrimPrefix(path[0], "."))
	for _, name := range path[1:] {
		if isPlainName(name) {
			b.WriteByte('.')
			b.WriteString(name)
		} else {
			b.WriteByte('[')
			b.WriteString(short(name))
			b.WriteByte(']')
		}
	}
	return b.String()
}

func isPlainName(name string) bool {
	for i := range len(name) {
		if !isNameByte(name[i]) {
			return false
		}
	}
	return name != "" && (name[0] < '0' || name[0] > '9')
}
