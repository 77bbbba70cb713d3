package run

import "time"

// lookEvery is how often a condition is looked at when its gate says nothing.
const lookEvery = 30 * time.Second

func (s *State) onConditionAnswered(e *ConditionAnswered) error {
	g, at, err := s.gate(e.Gate)
	if err != nil {
		return err
	}
	if g.Kind != WaitCondition || g.Passed || !g.Next.IsZero() || e.Turn != g.Turn {
		return ErrStale
	}
	g.Turn++
	g.Message = e.Message
	if !e.Holds {
		g.Next = s.At.Add(orDefault(time.Duration(g.Every), lookEvery))
		return nil
	}
	g.Passed, g.Evidence = true, e.Output
	s.passed(at, e.Gate)
	return nil
}

func orDefault(d, other time.Duration) time.Duration {
	if d <= 0 {
		return other
	}
	return d
}
