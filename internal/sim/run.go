package sim

import (
	"runtime/debug"
	"time"

	"github.com/refitproject/refit/internal/run"
)

// Result is how a simulation went.
type Result struct {
	Stats
	// Err is the violated invariant, or nil.
	Err error
	// History is what was recorded until then, one event in JSON each.
	History [][]byte
}

// Run simulates a case. What was seen is added to seen.
func Run(c Case, seen *Coverage) Result {
	s := newSim(c, seen)
	err := s.survive()
	s.stats.End, s.stats.Events, s.stats.Virtual = s.state.Status, len(s.history), s.now
	return Result{Stats: s.stats, Err: err, History: s.judge.encoded}
}

// survive drives, and takes a panic for a violated invariant.
func (s *sim) survive() (err error) {
	defer func() {
		if trouble := recover(); trouble != nil {
			err = breachf("panic", "%v\n%s", trouble, debug.Stack())
		}
	}()
	return s.drive()
}

// giveBack lets people release leases after the end of the run, with faults for
// a while, and waits for what is still given back.
func (s *sim) giveBack() error {
	// Faults come back, so that what is given back may be in doubt.
	if s.c.Meeting != nil || s.c.Faults.Untimely > 0 && s.d.oneIn(2) {
		s.calm = false
		s.f = &Faults{
			Refuse: 4, Unknown: 1, Lost: 2, Vanish: 3, Half: 6, Lie: 3, Crash: 6, Outlive: 2, Late: 8,
		}
	}
	for n := range 2000 {
		switch {
		case n > 40:
			s.calmDown()
		case !s.calm && s.d.oneIn(6):
			s.world.unreachable = s.now + s.d.span(time.Second, 5*time.Minute)
			s.world.cause = pick(s.d, run.WaitTarget, run.WaitCredentials)
		}
		next := run.Summarize(s.state).Next
		var err error
		switch {
		case len(next) > 0 && s.d.oneIn(3):
			err = s.person(next)
		case s.d.oneIn(s.f.Crash) && s.d.oneIn(4):
			err = s.crash()
		case len(s.queue) > 0:
			err = s.happen()
		case len(run.Pending(s.state)) > 0:
			return breachf("I8", "the run has ended, and nothing comes of what is pending")
		default:
			return nil
		}
		if err != nil {
			return err
		}
	}
	return breachf("I8", "the run has ended, and giving back does not")
}

// most is after how many events beyond the faults a run must have ended.
func (s *sim) most() int { return s.c.Wild + 60*(s.stats.Steps+s.extra) + 3000 }

func (s *sim) drive() error {
	if s.dies(true) {
		if err := s.crash(); err != nil {
			return err
		}
	} else if err := s.begin(); err != nil {
		return err
	}
	for !s.state.Status.Final() {
		if len(s.history) > s.most() {
			return breachf("I8", "the run does not end: it is %s", s.state.Status)
		}
		if !s.calm && len(s.history) >= s.c.Wild && !s.meets() {
			s.calmDown()
		}
		if err := s.turn(); err != nil {
			return err
		}
	}
	if err := s.giveBack(); err != nil {
		return err
	}
	for len(s.queue) > 0 { // Effects that outlive the run, and late answers.
		if err := s.happen(); err != nil {
			return err
		}
	}
	return s.judge.end()
}

// meets tells whether the meeting of the case is still to come, or its storm goes
// on: then it decides about the faults.
func (s *sim) meets() bool {
	return s.c.Meeting != nil && (s.f == &s.c.Meeting.Before || s.f == &s.c.Meeting.Storm) &&
		len(s.history) < s.c.Wild+60*s.stats.Steps
}

// calmDown ends all faults; what hangs goes on to its end.
func (s *sim) calmDown() {
	s.calm = true
	s.f = &Faults{}
	s.world.unreachable, s.world.factsOff = 0, false
}

// turn lets one thing happen.
func (s *sim) turn() error {
	if err := s.meet(); err != nil || s.state.Status.Final() {
		return err
	}
	if !s.calm {
		if done, err := s.weather(); done || err != nil {
			return err
		}
	}
	n := uint64(len(s.history))
	if s.c.AbortAt > 0 && n >= s.c.AbortAt && !s.judge.aborted && s.d.oneIn(3) {
		if err := s.ask(&run.AbortRequested{Who: s.who()}); err != nil {
			return err
		}
	}
	if s.c.RollbackAt > 0 && n >= s.c.RollbackAt && s.state.Back == nil && s.d.oneIn(3) {
		if err := s.ask(&run.RollbackRequested{Who: s.who(), Partly: true}); err != nil {
			return err
		}
	}
	if len(s.queue) > 0 && !s.d.oneIn(12) {
		return s.happen()
	}
	next := run.Summarize(s.state).Next
	switch {
	case len(next) > 0 && s.f.Untimely > 0 && s.d.oneIn(s.tempted()):
		return s.untimely()
	case len(next) > 0:
		return s.person(next)
	case len(s.queue) == 0 && !s.state.Status.Final():
		return breachf("I8", "the run is %s, nothing will happen, and nobody is asked", s.state.Status)
	case len(s.queue) == 0:
		return nil
	}
	return s.happen()
}

// tempted is once in how many times a person does something else than what is
// named: between stages, in a pause and before a rollback begins there is time.
func (s *sim) tempted() int {
	st := &s.state
	if st.Paused || st.Stages[st.Stage].Part == run.PartAhead || st.Back != nil {
		return 2
	}
	return 8
}

// weather lets faults strike. It tells whether it took the turn.
func (s *sim) weather() (bool, error) {
	f, w := s.f, s.world
	switch {
	case s.d.oneIn(f.Crash):
		return true, s.crash()
	case s.d.oneIn(f.Whim):
		return true, s.whim()
	case s.d.oneIn(f.Untimely):
		return true, s.untimely()
	case s.d.oneIn(f.Nonsense):
		return true, s.nonsense()
	case s.d.oneIn(f.Unreachable):
		w.unreachable = s.now + s.d.span(time.Minute, 2*time.Hour)
		w.cause = pick(s.d, run.WaitTarget, run.WaitCredentials)
	case s.d.oneIn(f.Foreign):
		s.meddle()
	case s.d.oneIn(f.Facts):
		w.factsOff = !w.factsOff
		w.factsTurn++
	case s.d.oneIn(f.Clock):
		s.skew += s.d.span(-5*time.Hour, 5*time.Hour)
	}
	return false, nil
}

// meddle lets somebody else change a target that nobody is at.
func (s *sim) meddle() {
	o := s.world.object(s.anyStep().object)
	if o.effect != nil {
		return
	}
	for _, f := range s.flying {
		var ref run.Ref
		//nolint:gochecksumtype // The others are not about this.
		switch c := f.c.(type) {
		case run.ObserveOperation:
			ref = c.Op
		case run.StartOperation:
			ref = c.Op
		case run.PerformOperation:
			ref = c.Op
		case run.Timer:
			ref = c.Timer.Op
		default:
			continue
		}
		if ref.What != "" && ref.What != run.Check {
			if at, _ := s.world.of(ref); at == o {
				return
			}
		}
	}
	s.stats.Foreign++
	s.world.meddle(o, s.doubted(o))
}

// doubted tells whether something of ours was begun at an object that has not come
// to its end: what is there then may be of it.
func (s *sim) doubted(o *object) bool {
	unclear := func(op *run.Operation) bool {
		if op.What == "" || op.What == run.Check || !op.Attempted || op.Life == run.Done {
			return false
		}
		at, _ := s.world.of(op.Ref)
		return at == o
	}
	for i := range s.state.Stages {
		for j := range s.state.Stages[i].Steps {
			st := &s.state.Stages[i].Steps[j]
			for k := range st.Ops {
				if unclear(&st.Ops[k]) {
					return true
				}
			}
			if st.Lease != nil && unclear(&st.Lease.Op) {
				return true
			}
		}
	}
	b := s.state.Back
	return b != nil && b.Next < len(b.Items) && unclear(&b.Items[b.Next])
}
