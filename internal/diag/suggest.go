package diag

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// Nearest returns the candidate that a person most likely meant by got, or ""
// when none is close: about a third of the letters may differ. Two swapped
// letters count as two.
func Nearest(got string, candidates []string) string {
	best, bestDistance := "", 1+max(1, (len(got)+1)/3)
	for _, c := range slices.Sorted(slices.Values(candidates)) {
		d := levenshtein.ComputeDistance(strings.ToLower(got), strings.ToLower(c))
		if d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best
}

// DidYouMean returns a suggestion for a name that is not among candidates:
// the nearest one, or the list when it is short enough to read.
func DidYouMean(got string, candidates []string) string {
	if near := Nearest(got, candidates); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	if len(candidates) == 0 || len(candidates) > 24 {
		return ""
	}
	return "one of: " + strings.Join(slices.Sorted(slices.Values(candidates)), ", ")
}
