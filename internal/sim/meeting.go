package sim

import (
	"time"

	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// Meeting is something rare that a case aims at: what a person does when the run
// first comes to a part of a stage, and the faults that follow.
type Meeting struct {
	Stage int      `json:"stage"`
	Part  run.Part `json:"part"`
	Do    Deed     `json:"do"`
	// Before are the faults until then, Storm those of the events after it, Lasts
	// how many these are.
	Before Faults `json:"before"`
	Storm  Faults `json:"storm"`
	Lasts  int    `json:"lasts"`
}

// Deed is what is done at a meeting.
type Deed string

// The deeds. Shut lets no window open any more, Abort takes the way back as soon
// as the rollback that was asked for has stopped at a lease.
const (
	Back    Deed = "back"
	Abort   Deed = "abort"
	Pause   Deed = "pause"
	Release Deed = "release"
	Accept  Deed = "accept"
	Replan  Deed = "replan"
	Stop    Deed = "stop"
	Cancel  Deed = "cancel"
	Shut    Deed = "shut"
)

// newMeeting chooses one.
func newMeeting(d *dice) *Meeting {
	m := &Meeting{
		Stage: 1, Lasts: 40 + d.below(300),
		Part: pick(d, run.PartAhead, run.PartChecking, run.PartGated, run.PartReleasing, run.PartSoaking),
		Do:   pick(d, Back, Back, Back, Abort, Abort, Abort, Pause, Pause, Release, Accept, Replan, Stop, Cancel, Shut),
		Storm: Faults{
			Crash: 20, Outlive: 3, Refuse: 5, Half: 8, Vanish: 8, Lost: 8, Late: 20, Unknown: 3, Bad: 6, Benign: 4,
			Unreachable: 12, Untimely: 5, Facts: 30,
		},
	}
	switch m.Do {
	case Abort:
		m.Stage, m.Part = 0, run.PartWorking
		m.Storm.Refuse, m.Storm.Half = 3, 4
	case Shut:
		m.Stage, m.Part = 0, run.PartChecking
		m.Storm.Bad, m.Storm.Crash, m.Storm.Facts, m.Storm.Unreachable = 2, 8, 0, 4
		m.Storm.Lost, m.Storm.Unknown = 3, 1
	case Accept:
		m.Before.Verify = 2
		m.Part = pick(d, run.PartReleasing, run.PartSoaking, run.PartAhead)
	case Pause:
		m.Stage = d.below(2)
		m.Part = pick(d, m.Part, run.PartGated, run.PartWorking)
	case Replan, Stop, Cancel:
		m.Stage = d.below(2)
	case Back, Release:
	}
	return m
}

// meet lets the meeting take place when its time has come, and its storm end.
func (s *sim) meet() error {
	m, st := s.c.Meeting, &s.state
	switch {
	case m == nil:
		return nil
	case s.met > 0:
		if s.f == &m.Storm && len(s.history) > s.met+m.Lasts {
			s.f = &s.c.Faults
			s.calmDown()
		}
		s.fog()
		if s.unasked() && s.d.oneIn(2) {
			return s.crash()
		}
		return s.abortAtLease()
	case st.Stage != m.Stage || st.Stages[st.Stage].Part != m.Part || m.Part == run.PartWorking && !s.underWay():
		return nil
	}
	s.met = len(s.history)
	s.calm, s.f = false, &m.Storm
	who := s.who()
	first := s.c.Plan.Stages[0].ID
	switch m.Do {
	case Back, Abort:
		return s.ask(&run.RollbackRequested{Who: who, Stage: first, Partly: true})
	case Pause:
		return s.ask(&run.PauseRequested{Who: who})
	case Release:
		return s.releaseOne()
	case Replan:
		return s.replan()
	case Stop:
		return s.until()
	case Cancel:
		return s.ask(&run.CancelRequested{Who: who})
	case Shut:
		m.Storm.Never = 1
	case Accept:
	}
	return nil
}

// underWay tells whether enough of a stage was done to make a meeting in the
// middle of it worth while.
func (s *sim) underWay() bool {
	n := 0
	for k := range s.state.Stages[s.state.Stage].Steps {
		if s.state.Stages[s.state.Stage].Steps[k].Status == run.StepSucceeded {
			n++
		}
	}
	return n > len(s.state.Stages[s.state.Stage].Steps)/2
}

// fog makes targets unreachable, once, when the facts are asked for at the end of a
// rollback: seldom is anything else under way then.
func (s *sim) fog() {
	back := s.state.Back
	if s.fogged || back == nil || !back.Built || back.Next >= len(back.Items) ||
		back.Items[back.Next].What != run.Check {
		return
	}
	s.fogged = true
	s.world.unreachable = s.now + time.Minute
	s.world.cause = run.WaitTarget
}

// unasked tells whether the run is halted although something is asked for again
// later: another owner asks at once.
func (s *sim) unasked() bool {
	if s.state.Status != run.Halted || s.f != &s.c.Meeting.Storm {
		return false
	}
	for op := range s.state.Operations() {
		if op.Life == run.Asking {
			return true
		}
	}
	return false
}

// abortAtLease takes the author's way back when the rollback has stopped because
// a lease could not be given back: it stays held to the end and behind it.
func (s *sim) abortAtLease() error {
	back := s.state.Back
	if s.c.Meeting.Do != Abort || back == nil || !back.Stopped || back.Items[back.Next].What != run.Release {
		return nil
	}
	return s.ask(&run.AbortRequested{Who: s.who()})
}

// releaseOne lets a person give back a lease that is held for longer.
func (s *sim) releaseOne() error {
	ids := s.state.StageIDs()
	for _, at := range s.state.Order {
		if st, p := s.state.StepAt(at); st.Lease != nil && st.Lease.Held && len(p.Quiesces) == 0 {
			return s.ask(&run.ReleaseRequested{Who: s.who(), Stage: ids[at.Stage], Step: p.ID})
		}
	}
	return nil
}

// fit gives a stage what the meeting needs.
func (g *generator) fit(st *plan.Stage) {
	switch g.meeting.Do {
	case Shut:
		st.Windows = []plan.Window{{OnClose: "pause"}}
	case Pause:
		if len(st.Gates) == 0 {
			st.Gates = []plan.Gate{
				{Kind: "approval", Name: "approval", Reason: "go?", Count: 2},
				{Kind: "person", Name: "kubernetes", Reason: "upgrade it", Count: 1},
			}
		}
	case Abort:
		if st.Abort == nil {
			st.Abort = &plan.Abort{Steps: []plan.Step{g.step("abort/home0", plan.Upgrade)}}
		}
	case Accept, Back, Release, Replan, Stop, Cancel:
		if st.Soak == nil && g.meeting.Part == run.PartSoaking {
			st.Soak = &plan.Soak{
				For: plan.Duration(5 * time.Minute), Every: plan.Duration(time.Minute),
				MaxGap: plan.Duration(3 * time.Minute), Checks: []string{"answers0"},
			}
		}
	}
}
