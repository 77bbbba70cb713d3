package run

import (
	"time"

	"github.com/refitproject/refit/internal/plan"
)

// onSoakObserved counts observed time: the time between two healthy looks that
// are at most MaxGap apart. A longer gap is not counted, a regression starts
// again. A look that could not ask is a gap.
func (s *State) onSoakObserved(e *SoakObserved) error {
	g, at, err := s.gate(e.Gate)
	if err != nil {
		return err
	}
	if g.Kind != WaitSoak || g.Passed || !g.Next.IsZero() || e.Turn != g.Turn {
		return ErrStale
	}
	g.Turn++
	g.Message = e.Message
	every := orDefault(time.Duration(g.Every), lookEvery)
	switch gap := s.At.Sub(g.Last); {
	case e.NotAsked:
	case !e.Healthy:
		g.Covered, g.Last = 0, time.Time{}
		g.Restarts++
	case g.Last.IsZero():
		g.Last = s.At
	default:
		if gap <= orDefault(time.Duration(g.MaxGap), 2*every) {
			g.Covered += plan.Duration(gap)
		}
		g.Last = s.At
	}
	if g.Covered < g.For {
		g.Next = s.At.Add(every)
		return nil
	}
	g.Passed = true
	s.passed(at, e.Gate)
	return nil
}
