package run

import (
	"time"

	"github.com/refitproject/refit/internal/plan"
)

// working tells whether time counts for an operation: it is looked at, under way,
// or rests between attempts. What waits for a person, a window or a target that
// does not answer takes no time of its own.
func (o *Operation) working() bool {
	switch o.Life {
	case Observing, Active, Polling, Resting:
		return true
	case Asleep, Asking, Starting, Matching, Mending, Awaiting, InDoubt, Done, Broken, Dropped:
	}
	return false
}

// count adds the time since the operation was counted last, and goes on counting
// while it is worked on.
func (o *Operation) count(now time.Time) {
	if !o.Counted.IsZero() {
		o.Took += plan.Duration(now.Sub(o.Counted))
	}
	o.Counted = time.Time{}
	if o.working() {
		o.Counted = now
	}
}

// wake lets an operation begin with a look at the world.
func (o *Operation) wake(now time.Time) {
	o.observe()
	o.count(now)
}

// TookAt tells how long the operation was worked on by now.
func (o *Operation) TookAt(now time.Time) time.Duration {
	if o.Counted.IsZero() {
		return time.Duration(o.Took)
	}
	return time.Duration(o.Took) + max(0, now.Sub(o.Counted))
}

// unwatched notes that nobody watched the operation until now. How long an attempt
// took that went on meanwhile is not known; what had changed nothing begins again.
func (o *Operation) unwatched(now time.Time) {
	o.Counted = time.Time{}
	switch {
	case o.Life == Resting || !o.flying():
	case o.Attempted:
		o.Untimed = true
	default:
		o.Took = 0
	}
	if o.working() {
		o.Counted = now
	}
}

// timeAgain forgets what is not known of lost attempts, when one begins that does
// all of the work.
func (o *Operation) timeAgain() {
	if o.Untimed && !o.Half {
		o.Took, o.Untimed = 0, false
	}
}

// idle tells whether nothing of the run goes on because a person, a window or a
// target that does not answer is waited for. A soak and a condition are its own.
func (s *State) idle() bool {
	switch s.Status {
	case Paused, Halted:
		return true
	case Waiting:
	case RollingBack:
		item := s.backItem()
		return s.Back.waiting() || item != nil && !item.working()
	case Planned, Running, RolledBack, PartlyRolledBack, Cancelled, Succeeded, Failed:
		return false
	}
	st := &s.Stages[s.Stage]
	if st.Part == PartSoaking {
		return false
	}
	for _, j := range s.current().open {
		if st.Steps[j].Status == StepWaiting && st.Steps[j].Wait == WaitCondition {
			return false
		}
	}
	return true
}

// pass notes that time has passed up to the event that was handled: in stage, which
// was the current one, and idly or not.
func (s *State) pass(stage int, idle bool) {
	if idle {
		s.Stages[stage].Idle += plan.Duration(s.At.Sub(s.was))
	}
	if st := &s.Stages[s.Stage]; st.Began.IsZero() && st.Part != PartAhead {
		st.Began = s.At
	}
}

// IdleAt tells how long the run had waited in a stage for a person, a window, a
// target that did not answer, or somebody to drive it, by now.
func (s *State) IdleAt(stage int, now time.Time) time.Duration {
	d := time.Duration(s.Stages[stage].Idle)
	if stage == s.Stage && !s.Status.Final() && s.idle() {
		d += max(0, now.Sub(s.At))
	}
	return d
}
