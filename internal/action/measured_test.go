package action_test

import (
	"testing"
	"time"

	"github.com/refitproject/refit/internal/action"
)

func TestMeasured(t *testing.T) {
	t.Parallel()
	type heard struct {
		after       int // seconds
		done, total int64
		unit        string
	}
	cases := map[string]struct {
		reason string
		heard  []heard
		rate   float64
		left   time.Duration
		known  bool
	}{
		"Nothing":    {"Nobody has heard of anything.", nil, 0, 0, false},
		"Once":       {"One look is no rate.", []heard{{0, 5, 10, ""}}, 0, 0, false},
		"Steady":     {"Two a second.", []heard{{0, 0, 100, ""}, {10, 20, 100, ""}}, 2, 40 * time.Second, true},
		"GoesOn":     {"What was there at the beginning was not done meanwhile.", []heard{{0, 80, 100, ""}, {10, 90, 100, ""}}, 1, 10 * time.Second, true},
		"Stalled":    {"While nothing is heard the rate goes down.", []heard{{0, 0, 100, ""}, {5, 20, 100, ""}}, 2, 40 * time.Second, true},
		"NoTotal":    {"A rate without an end.", []heard{{0, 0, 0, ""}, {10, 20, 0, ""}}, 2, 0, false},
		"OtherUnit":  {"Another count begins anew.", []heard{{0, 0, 100, "files"}, {10, 20, 100, "rows"}}, 0, 0, false},
		"OtherTotal": {"So does another whole.", []heard{{0, 0, 100, ""}, {10, 20, 200, ""}}, 0, 0, false},
		"Back":       {"And less than before.", []heard{{0, 50, 100, ""}, {10, 20, 100, ""}}, 0, 0, false},
		"Done":       {"All is done.", []heard{{0, 0, 20, ""}, {10, 20, 20, ""}}, 2, 0, true},
		"TooMuch":    {"More than all is no measure.", []heard{{0, 0, 10, ""}, {10, 20, 10, ""}}, 2, 0, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			begin := time.Unix(1000, 0)
			var m action.Measured
			for _, h := range tc.heard {
				m = m.Measure(action.Progress{Done: h.done, Total: h.total, Unit: h.unit}, begin.Add(time.Duration(h.after)*time.Second))
			}
			now := begin.Add(10 * time.Second)
			left, known := m.Left(now)
			if got := m.Rate(now); got != tc.rate || left != tc.left || known != tc.known {
				t.Errorf("%s got %v/s, %s, %v", tc.reason, got, left, known)
			}
		})
	}
}
