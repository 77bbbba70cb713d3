package procedure

import (
	"cmp"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/yamldoc"
)

// typo is an unknown key that was reported, and the key that was most likely
// meant. What follows from its absence is not reported as well.
type typo struct {
	pos   diag.Position
	meant string
}

// typosOf finds the typos among the problems of a document.
func typosOf(ds diag.Diagnostics) []typo {
	var out []typo
	for _, d := range ds {
		quoted, isNear := strings.CutPrefix(d.Suggestion, `did you mean "`)
		if d.Code == yamldoc.CodeUnknownKey && isNear {
			out = append(out, typo{pos: d.Position, meant: strings.TrimSuffix(quoted, `"?`)})
		}
	}
	return out
}

// misspeltAt tells whether one of the keys was misspelt in the given column.
func (f *file) misspeltAt(column int, keys ...string) bool {
	return slices.ContainsFunc(f.typos, func(t typo) bool {
		return slices.Contains(keys, t.meant) && t.pos.Column == column
	})
}

// misspelt tells whether one of the keys was misspelt in a step.
func (b *body) misspelt(t *StepTemplate, keys ...string) bool {
	if len(b.typos) == 0 {
		return false
	}
	end := b.end
	if i := b.index[t.ID] + 1; i < len(b.steps) {
		end = b.steps[i].Pos
	}
	return slices.ContainsFunc(b.typos, func(at typo) bool {
		return slices.Contains(keys, at.meant) && behind(at.pos, t.Pos) && (end.Line == 0 || behind(end, at.pos)) &&
			(at.pos.Line == t.Pos.Line || at.pos.Column > t.Pos.Column)
	})
}

// behind tells whether a stands behind b in the same file.
func behind(a, b diag.Position) bool {
	return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column)) > 0
}
