package expr

import (
	"strings"
	"unicode/utf8"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/yamldoc"
)

// place maps offsets in the value of a YAML string to positions in its file.
// Strings of several lines are located by their start only, because their
// value does not tell how they were indented and folded.
type place struct {
	start diag.Position
	exact bool
}

func placeOf(n *yamldoc.Node) place {
	value, _ := n.Value.(string)
	p := place{start: n.Pos, exact: n.Pos.Column > 0 && !strings.Contains(value, "\n")}
	if p.exact && n.Quoted {
		p.start.Column++
		return p
	}
	return p
}

// at returns the position of the byte at offset.
func (p place) at(offset int) diag.Position {
	if !p.exact {
		return p.start
	}
	pos := p.start
	pos.Column += offset
	return pos
}

// within returns the place of a part of the string that starts at offset.
func (p place) within(offset int) place { return place{start: p.at(offset), exact: p.exact} }

// byteOffset turns an offset in characters, as CEL counts, into bytes.
func byteOffset(s string, characters int) int {
	offset := 0
	for range characters {
		if offset >= len(s) {
			break
		}
		_, size := utf8.DecodeRuneInString(s[offset:])
		offset += size
	}
	return offset
}
