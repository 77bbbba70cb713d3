package run

import "time"

func (s *State) onTimerFired(e *TimerFired) error {
	switch e.Timer.Kind {
	case TimerOperation, TimerTimeout:
		return s.operationTimer(e.Timer)
	case TimerWindow:
		return s.windowTimer(e.Timer)
	case TimerGate:
		g, _, err := s.gate(e.Timer.Gate)
		if err != nil {
			return err
		}
		if g.Next.IsZero() || g.Turn != e.Timer.Turn {
			return ErrStale
		}
		g.Next = time.Time{}
		return nil
	case TimerCheck:
		return s.checkTimer(e.Timer)
	}
	return invalid("unknown kind of timer %q", e.Timer.Kind)
}

// checkTimer asks again for the facts of the current stage.
func (s *State) checkTimer(t TimerRef) error {
	i, ok := s.ix.byID[t.Gate.Stage]
	if !ok {
		return s.unknown("the plan has no stage %q", t.Gate.Stage)
	}
	st := &s.Stages[i]
	if i != s.Stage || s.ending() || st.Part != PartChecking || t.Turn != st.Checks ||
		st.Asking == nil || st.Asking.Next.IsZero() {
		return ErrStale
	}
	st.Asking.Next = time.Time{}
	return nil
}

func (s *State) operationTimer(t TimerRef) error {
	if t.Op.What == Check {
		item := s.backItem()
		if item == nil || item.Ref != t.Op || item.Turn != t.Turn || item.Life != Asking {
			return ErrStale
		}
		item.observe()
		return nil
	}
	f, err := s.locate(t.Op)
	if err != nil {
		return err
	}
	if f.op.Turn != t.Turn {
		return ErrStale
	}
	switch {
	case t.Kind == TimerTimeout && f.op.Life == Active && !f.op.Deadline.IsZero():
		f.op.expire(f.rules)
	case t.Kind == TimerOperation && f.op.Life == Polling,
		t.Kind == TimerOperation && f.op.Life == Asking, t.Kind == TimerOperation && f.op.Life == Resting:
		f.op.observe()
	default:
		return ErrStale
	}
	s.after(f)
	return nil
}

// windowTimer asks again when a window opens or closes. A stage that was begun
// in a window with onClose finish goes on past its end.
func (s *State) windowTimer(t TimerRef) error {
	i, ok := s.ix.byID[t.Gate.Stage]
	if !ok {
		return s.unknown("the plan has no stage %q", t.Gate.Stage)
	}
	st := &s.Stages[i]
	w := &st.Window
	if i != s.Stage || !s.watchesWindow() || !w.Asked || w.Turn != t.Turn {
		return ErrStale
	}
	switch {
	case w.Open && w.OnClose == "finish" && st.Entered:
		w.ClosesAt = time.Time{}
		w.Turn++
	case w.Open && w.OnClose == "abort" && st.Entered:
		*w = Opening{Turn: w.Turn + 1}
		s.Reason = "WindowClosed"
		if s.Paused = s.ix.stages[i].plan.Abort == nil; !s.Paused {
			s.abort()
		}
	default:
		*w = Opening{Turn: w.Turn + 1}
	}
	return nil
}
