package sim

import (
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// Case is all that decides one simulation.
type Case struct {
	// Seed decides timing, order and when which fault strikes.
	Seed uint64     `json:"seed"`
	Plan *plan.Plan `json:"plan"`
	// Parallel is how many steps may be under way at once.
	Parallel int    `json:"parallel"`
	Faults   Faults `json:"faults"`
	// Wild is after how many events the faults stop.
	Wild int `json:"wild"`
	// CrashAt is the number of an event at which the host dies: before it is
	// recorded, or after that and before anything is done because of it.
	CrashAt     uint64 `json:"crashAt,omitempty"`
	CrashBefore bool   `json:"crashBefore,omitempty"`
	// AbortAt is the number of the event after which the way back is asked for.
	AbortAt uint64 `json:"abortAt,omitempty"`
	// CancelAt and RollbackAt ask for these.
	RollbackAt uint64 `json:"rollbackAt,omitempty"`
	// Until is the stage before which the run stops at first.
	Until string `json:"until,omitempty"`
	// Other is the plan whose stages may take the place of those that are left.
	Other *plan.Plan `json:"other,omitempty"`
	// Meeting is something rare that the case aims at.
	Meeting *Meeting `json:"meeting,omitempty"`
	// Breach is what the case shows; kept with cases that have failed.
	Breach string `json:"breach,omitempty"`
}

// Faults says how often each fault strikes: once in so many chances, 0 for
// never.
type Faults struct {
	// Crash kills the host between two things that happen.
	Crash int `json:"crash,omitempty"`
	// Outlive lets an effect go on when its host dies or gives it up.
	Outlive int `json:"outlive,omitempty"`
	// Stale lets a dead host come back and try to append.
	Stale int `json:"stale,omitempty"`
	// Refuse lets an attempt fail that changed nothing.
	Refuse int `json:"refuse,omitempty"`
	// Half lets an attempt break off in the middle.
	Half int `json:"half,omitempty"`
	// Vanish loses an attempt before it has any effect.
	Vanish int `json:"vanish,omitempty"`
	// Lost loses the result of an attempt, Late delays an answer, Twice repeats it.
	Lost  int `json:"lost,omitempty"`
	Late  int `json:"late,omitempty"`
	Twice int `json:"twice,omitempty"`
	// Hang lets an effect take longer than its timeout.
	Hang int `json:"hang,omitempty"`
	// Lie reports a failure of what has succeeded.
	Lie int `json:"lie,omitempty"`
	// Unreachable makes all targets unreachable, or credentials expire, for a time.
	Unreachable int `json:"unreachable,omitempty"`
	// Unknown answers that the effect cannot be known.
	Unknown int `json:"unknown,omitempty"`
	// Bad lets a check fail or be unknown, a condition not hold, a soak regress.
	Bad int `json:"bad,omitempty"`
	// Foreign lets somebody else change a target.
	Foreign int `json:"foreign,omitempty"`
	// Facts lets facts or the identity of a target change.
	Facts int `json:"facts,omitempty"`
	// Clock lets the clock jump.
	Clock int `json:"clock,omitempty"`
	// Whim lets a person ask for something at a bad moment, Nonsense for
	// something that must be refused.
	Whim     int `json:"whim,omitempty"`
	Nonsense int `json:"nonsense,omitempty"`
	// Benign lets a known issue fit a failure.
	Benign int `json:"benign,omitempty"`
	// Untimely lets a person ask for what is possible and nobody names.
	Untimely int `json:"untimely,omitempty"`
	// Verify lets a check behind the changes fail.
	Verify int `json:"verify,omitempty"`
	// Never lets no window open any more.
	Never int `json:"never,omitempty"`
	// Broken lets values of a step be impossible to compute.
	Broken int `json:"broken,omitempty"`
}

// each visits the faults by name.
func (f *Faults) each(visit func(name string, n *int)) {
	for _, k := range []struct {
		name string
		n    *int
	}{
		{"crash", &f.Crash},
		{"outlive", &f.Outlive},
		{"stale", &f.Stale},
		{"refuse", &f.Refuse},
		{"half", &f.Half},
		{"vanish", &f.Vanish},
		{"lost", &f.Lost},
		{"late", &f.Late},
		{"twice", &f.Twice},
		{"hang", &f.Hang},
		{"lie", &f.Lie},
		{"unreachable", &f.Unreachable},
		{"unknown", &f.Unknown},
		{"bad", &f.Bad},
		{"foreign", &f.Foreign},
		{"facts", &f.Facts},
		{"clock", &f.Clock},
		{"whim", &f.Whim},
		{"nonsense", &f.Nonsense},
		{"benign", &f.Benign},
		{"broken", &f.Broken},
		{"untimely", &f.Untimely},
		{"never", &f.Never},
		{"verify", &f.Verify},
	} {
		visit(k.name, k.n)
	}
}

// Mode is what kind of cases are made.
type Mode string

// The modes. Small plans are crashed at every event boundary; Aborts are plans
// of 200 steps in which the author's way back is asked for at a random moment.
const (
	Mixed  Mode = "mixed"
	Small  Mode = "small"
	Aborts Mode = "aborts"
)

// NewCase makes the case of a seed.
func NewCase(seed uint64, mode Mode) Case {
	d := &dice{state: seed * 0x9e3779b97f4a7c15}
	c := Case{Seed: seed, Parallel: 1 + d.below(6)}
	if mode == Mixed && d.oneIn(3) {
		c.Meeting = newMeeting(d)
	}
	c.Plan = randomPlan(d, mode, c.Meeting)
	// Each case has its own weather: some faults often, most rarely, some never.
	base := pick(d, 0, 1, 1, 1, 2, 4)
	c.Faults.each(func(name string, n *int) {
		often := map[string]int{
			"crash": 60, "outlive": 3, "stale": 2, "refuse": 20, "half": 25, "vanish": 40, "lost": 40, "late": 30,
			"twice": 25, "hang": 60, "lie": 25, "unreachable": 60, "unknown": 40, "bad": 25, "foreign": 60,
			"facts": 100, "clock": 80, "whim": 500, "nonsense": 20, "benign": 6, "broken": 60,
			"untimely": 30, "never": 120, "verify": 60,
		}[name]
		switch {
		case base == 0 || d.below(4) == 0:
			*n = 0
		default:
			*n = max(often/base, 2)
		}
	})
	steps := 0
	for i := range c.Plan.Stages {
		steps += len(c.Plan.Stages[i].Steps)
	}
	c.Wild = d.below(6*steps + 20)
	switch mode {
	case Small:
		c.Faults.Crash = 0
		c.Wild = 400
	case Aborts:
		c.AbortAt = uint64(2 + d.below(4*steps))
		c.Wild = int(c.AbortAt) + 50
		c.Faults.Whim = 0
	case Mixed:
		switch d.below(8) {
		case 0:
			c.AbortAt = uint64(2 + d.below(4*steps))
		case 1:
			c.RollbackAt = uint64(2 + d.below(4*steps))
		}
		if d.oneIn(4) {
			c.Until = c.Plan.Stages[d.below(len(c.Plan.Stages))].ID
		}
		if m := c.Meeting; m != nil && m.Part == run.PartAhead {
			c.Until = c.Plan.Stages[m.Stage].ID
		}
		if c.Meeting == nil && d.oneIn(3) || c.Meeting != nil && c.Meeting.Do == Replan {
			c.Other = otherPlan(d)
		}
	}
	return c
}
