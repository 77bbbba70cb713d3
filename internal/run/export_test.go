package run

import (
	"fmt"
	"slices"
)

// LiveWrong says how what is derived from a state differs from what is derived
// anew. More open steps than necessary do no harm.
func LiveWrong(s State) string {
	if s.live == nil || s.live.stage != s.Stage {
		return ""
	}
	want, got := s.derive(), s.live
	switch {
	case !slices.Equal(want.class, got.class):
		return fmt.Sprintf("classes are %v, want %v", got.class, want.class)
	case !slices.Equal(want.unmet, got.unmet):
		return fmt.Sprintf("unmet are %v, want %v", got.unmet, want.unmet)
	case want.unsettled != got.unsettled || !slices.Equal(want.byPhase, got.byPhase):
		return fmt.Sprintf("unsettled are %d %v, want %d %v", got.unsettled, got.byPhase, want.unsettled, want.byPhase)
	case !slices.Equal(want.leases, got.leases):
		return fmt.Sprintf("leases are %v, want %v", got.leases, want.leases)
	}
	for _, j := range want.open {
		if !slices.Contains(got.open, j) {
			return fmt.Sprintf("step %d is not open in %v", j, got.open)
		}
	}
	return ""
}
