package sim

import (
	"errors"
	"fmt"
	"slices"

	"github.com/refitproject/refit/internal/run"
)

// moment is an event with the state that it meets.
type moment struct{ event, status, part, life int }

// events, statuses, parts and lives are the names of the axes.
func events() []string {
	return []string{
		"Started", "OwnerChanged", "StageChecked", "WindowAnswered", "StepResolved", "Observed", "AskFailed",
		"OperationStarted", "OperationEnded", "IssuesMatched", "ConditionAnswered", "SoakObserved", "TimerFired",
		"Approved", "Rejected", "PersonDone", "Accepted", "PauseRequested", "ResumeRequested", "CancelRequested",
		"RetryRequested", "Settled", "ReleaseRequested", "RollbackRequested", "RollbackApproved", "AbortRequested",
		"StageAskFailed", "Replanned", "UntilRequested", "ProbeChanged",
	}
}

func statuses() []run.Status {
	return []run.Status{
		run.Planned, run.Running, run.Waiting, run.Paused, run.Halted, run.RollingBack, run.RolledBack,
		run.PartlyRolledBack, run.Cancelled, run.Succeeded, run.Failed,
	}
}

func parts() []run.Part {
	return []run.Part{
		run.PartAhead, run.PartChecking, run.PartGated, run.PartWorking, run.PartReleasing, run.PartSoaking,
		run.PartOver,
	}
}

func lives() []run.Life {
	return []run.Life{
		run.Asleep, run.Observing, run.Asking, run.Starting, run.Active, run.Polling, run.Resting, run.Matching,
		run.Mending, run.Awaiting, run.InDoubt, run.Done, run.Broken, run.Dropped,
	}
}

const (
	eventCount  = 30
	statusCount = 11
	partCount   = 7
	lifeCount   = 14
)

// Coverage counts which events were accepted, and refused, in which states.
type Coverage struct {
	status, statusRefused [eventCount][statusCount]int
	part, partRefused     [eventCount][partCount]int
	life, lifeRefused     [eventCount][lifeCount]int
}

// Add adds what another one has counted.
func (c *Coverage) Add(o *Coverage) {
	for e := range eventCount {
		for i := range statusCount {
			c.status[e][i] += o.status[e][i]
			c.statusRefused[e][i] += o.statusRefused[e][i]
		}
		for i := range partCount {
			c.part[e][i] += o.part[e][i]
			c.partRefused[e][i] += o.partRefused[e][i]
		}
		for i := range lifeCount {
			c.life[e][i] += o.life[e][i]
			c.lifeRefused[e][i] += o.lifeRefused[e][i]
		}
	}
}

func (c *Coverage) note(m *moment, err error) {
	if c == nil || m.event < 0 {
		return
	}
	if err != nil && !errors.Is(err, run.ErrRefused) && !errors.Is(err, run.ErrStale) &&
		!errors.Is(err, run.ErrInvalidTransition) {
		return
	}
	status, part, life := &c.status, &c.part, &c.life
	if err != nil {
		status, part, life = &c.statusRefused, &c.partRefused, &c.lifeRefused
	}
	status[m.event][m.status]++
	part[m.event][m.part]++
	if m.life >= 0 {
		life[m.event][m.life]++
	}
}

// momentOf says which event meets which state.
func (j *judge) momentOf(b run.Body) moment {
	s := &j.s.state
	m := moment{event: -1, life: -1}
	var ref *run.Ref
	switch b := b.(type) {
	case *run.Started:
		m.event = 0
	case *run.OwnerChanged:
		m.event = 1
	case *run.StageChecked:
		m.event = 2
	case *run.WindowAnswered:
		m.event = 3
	case *run.StepResolved:
		m.event = 4
	case *run.Observed:
		m.event, ref = 5, &b.Op
	case *run.AskFailed:
		m.event, ref = 6, &b.Op
	case *run.OperationStarted:
		m.event, ref = 7, &b.Op
	case *run.OperationEnded:
		m.event, ref = 8, &b.Op
	case *run.IssuesMatched:
		m.event, ref = 9, &b.Op
	case *run.ConditionAnswered:
		m.event = 10
	case *run.SoakObserved:
		m.event = 11
	case *run.TimerFired:
		if m.event = 12; b.Timer.Op.What != "" {
			ref = &b.Timer.Op
		}
	case *run.Approved:
		m.event = 13
	case *run.Rejected:
		m.event = 14
	case *run.PersonDone:
		m.event = 15
	case *run.Accepted:
		m.event = 16
	case *run.PauseRequested:
		m.event = 17
	case *run.ResumeRequested:
		m.event = 18
	case *run.CancelRequested:
		m.event = 19
	case *run.RetryRequested:
		m.event = 20
	case *run.Settled:
		m.event, ref = 21, &b.Op
	case *run.ReleaseRequested:
		m.event = 22
	case *run.RollbackRequested:
		m.event = 23
	case *run.RollbackApproved:
		m.event = 24
	case *run.AbortRequested:
		m.event = 25
	case *run.StageAskFailed:
		m.event = 26
	case *run.Replanned:
		m.event = 27
	case *run.UntilRequested:
		m.event = 28
	case *run.ProbeChanged:
		m.event = 29
	}
	m.status = slices.Index(statuses(), s.Status)
	m.part = slices.Index(parts(), s.Stages[s.Stage].Part)
	if ref != nil {
		if op := j.findOperation(*ref); op != nil {
			m.life = slices.Index(lives(), op.Life)
		}
	}
	return m
}

// Pair is an event with a state that it met.
type Pair struct{ Event, State string }

// String is how pairs are written.
func (p Pair) String() string { return fmt.Sprintf("%s × %s", p.Event, p.State) }

// operational are the events that are about one operation.
func operational() []int { return []int{5, 6, 7, 8, 9, 12, 21} }

// Pairs returns all pairs with how often the event was accepted in it.
func (c *Coverage) Pairs() map[Pair]int {
	out := map[Pair]int{}
	for e, name := range events() {
		for i, s := range statuses() {
			out[Pair{name, "run " + string(s)}] = c.status[e][i]
		}
		for i, p := range parts() {
			out[Pair{name, "stage " + string(p)}] = c.part[e][i]
		}
		if !slices.Contains(operational(), e) {
			continue
		}
		for i, l := range lives() {
			if l == run.Asleep {
				l = "asleep"
			}
			out[Pair{name, "operation " + string(l)}] = c.life[e][i]
		}
	}
	return out
}

// Offered returns all pairs with how often the event was refused in it.
func (c *Coverage) Offered() map[Pair]int {
	swapped := Coverage{status: c.statusRefused, part: c.partRefused, life: c.lifeRefused}
	return swapped.Pairs()
}

// Check tells which pairs were reached although they are said to be impossible,
// and, when complete is set, which were neither reached nor are said to be
// impossible, and which are said to be impossible and were never offered.
func (c *Coverage) Check(complete bool) []string {
	var problems []string
	offered := c.Offered()
	for p, n := range c.Pairs() {
		why := impossible(p)
		switch {
		case n > 0 && why != "":
			problems = append(problems, fmt.Sprintf("%s was reached, and is said to be impossible: %s", p, why))
		case n == 0 && why == "" && complete:
			problems = append(problems, fmt.Sprintf("%s was never reached, and may be possible", p))
		case why != "" && offered[p] == 0 && complete:
			problems = append(problems, fmt.Sprintf("%s is said to be impossible, and was never offered", p))
		}
	}
	slices.Sort(problems)
	return problems
}
