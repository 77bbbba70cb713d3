//go:build linux

package main

import (
	"errors"
	"testing"

	"github.com/refitproject/refit/hack/bench-peers/internal/sheet"
)

func TestRunRounds(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason   string
		failures int
		ok       bool
	}{
		"None":    {"three rounds, the fastest counts", 0, true},
		"Some":    {"rounds that failed are repeated", spareRounds, true},
		"TooMany": {"what fails always fails the measurement", spareRounds + 1, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ran := 0
			got, err := runRounds(t.Context(), 3, func() (sheet.Rate, error) {
				if ran++; ran <= tc.failures {
					return sheet.Rate{}, errors.New("lost")
				}
				return sheet.Rate{PerSecond: float64(ran)}, nil
			})
			if (err == nil) != tc.ok || (tc.ok && got.PerSecond != float64(tc.failures+3)) {
				t.Errorf("%s: got %v, error %v", tc.reason, got, err)
			}
		})
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	good := settings{temporal: "t", steps: 300, chains: 64, chainSteps: 10, rounds: 3}
	if err := good.check(nil); err != nil {
		t.Errorf("good settings: %v", err)
	}
	for name, bad := range map[string]settings{
		"NoServer":  {steps: 300, chains: 64, chainSteps: 10, rounds: 3},
		"OneStep":   {temporal: "t", steps: 1, chains: 64, chainSteps: 10, rounds: 3},
		"NoChain":   {temporal: "t", steps: 300, chainSteps: 10, rounds: 3},
		"NoRounds":  {temporal: "t", steps: 300, chains: 64, chainSteps: 10},
		"ShortMany": {temporal: "t", steps: 300, chains: 64, chainSteps: 1, rounds: 3},
	} {
		if err := bad.check(nil); err == nil {
			t.Errorf("%s: settings are taken", name)
		}
	}
	if err := good.check([]string{"more"}); err == nil {
		t.Error("an argument too many is taken")
	}
}
