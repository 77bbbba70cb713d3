package service

import (
	"context"
	"os"
	"time"

	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/plan"
)

// How many earlier runs predictions rest on, and for how long a plan waits for them.
const (
	earlierRuns     = 20
	earlierPatience = 5 * time.Second
)

// experience returns what earlier runs of a procedure tell of how long its steps
// take; nil when there are none, or when they cannot be asked: predictions are a
// convenience and must not hold up a plan.
func (s *Service) experience(ctx context.Context, procedure, platform string) *plan.Experience {
	if s.o.Engine == nil || s.o.StateDir == "" {
		return nil
	}
	if _, err := os.Stat(s.o.StateDir); err != nil {
		return nil // A plan makes no state.
	}
	e, err := s.host(ctx)
	if err != nil {
		s.o.Progress(Note{Text: "earlier runs cannot be asked for durations: " + err.Error()})
		return nil
	}
	keeper, ok := e.(engine.Timekeeper)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, earlierPatience)
	defer cancel()
	tooks, err := keeper.Tooks(ctx, procedure, platform, earlierRuns)
	if err != nil {
		s.o.Progress(Note{Text: "earlier runs cannot be asked for durations: " + err.Error()})
		return nil
	}
	return plan.NewExperience(platform, tooks)
}
