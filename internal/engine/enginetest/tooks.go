package enginetest

import (
	"slices"
	"testing"

	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/run"
)

// tooks has the scenario about how long steps took in earlier runs.
func tooks() map[string]func(*testing.T, *host) {
	return map[string]func(*testing.T, *host){"Tooks": tooksOfRuns}
}

// tooksOfRuns looks for earlier runs: those of the same procedure, the newest, those of
// the platform first.
func tooksOfRuns(t *testing.T, h *host) {
	b := h.bench(t)
	keeper, ok := b.Engine.(engine.Timekeeper)
	if !ok {
		b.lacks("it does not tell how long steps took")
	}
	const stages = "  - id: one\n    steps:\n      a: {phase: upgrade, action: test.do}\n" +
		"      r: {phase: verify, action: test.read}\n"
	var ids []string
	for _, of := range []struct{ procedure, platform string }{
		{"test", "here"}, {"test", "there"}, {"another", "here"}, {"test", "there"},
	} {
		id := b.create(PlanOf(t, of.procedure, of.platform, stages), 1)
		b.finish(id, run.Succeeded)
		ids = append(ids, id)
	}
	for name, tc := range map[string]struct {
		procedure, platform string
		most                int
		want                []int
	}{
		"PlatformFirst": {"test", "here", 2, []int{0, 3}},
		"NewestFirst":   {"test", "there", 2, []int{3, 1}},
		"Another":       {"another", "there", 9, []int{2}},
		"Unknown":       {"none", "here", 9, nil},
	} {
		got, err := keeper.Tooks(t.Context(), tc.procedure, tc.platform, tc.most)
		if err != nil {
			t.Fatal(err)
		}
		var want, runs []string
		for _, i := range tc.want {
			want = append(want, ids[i]+"/a", ids[i]+"/r")
		}
		for i := range got {
			if runs = append(runs, got[i].Run+"/"+got[i].Step); got[i].Took <= 0 || got[i].Back {
				t.Errorf("%s: %+v took no time", name, got[i])
			}
		}
		if !slices.Equal(runs, want) {
			t.Errorf("%s: got %v, want %v", name, runs, want)
		}
	}
}
