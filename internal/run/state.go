package run

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/refitproject/refit/internal/plan"
)

// State is what the events so far have come to. It survives a JSON round trip;
// the plan is kept beside it and bound again with Resume. A State has one
// owner: Advance changes it in place, so that of two States that came from one
// another only the newest may be used. Clone gives an independent copy.
type State struct {
	Run string `json:"run"`
	// Digest is the digest of the plan, of the newest one after a replan.
	Digest string `json:"digest"`
	// Plans has the plans of the run in their order, once there are several.
	Plans []PlanPart `json:"plans,omitempty"`
	// Gone is the highest number of what was asked for stages and steps that a
	// replan has dropped: where they come back, they count from there, so that late
	// answers are not taken for new ones.
	Gone int `json:"gone,omitempty"`
	// Seq and At are those of the last event.
	Seq    uint64    `json:"seq"`
	At     time.Time `json:"at,omitzero"`
	Status Status    `json:"status"`
	Owner  string    `json:"owner,omitempty"`
	Epoch  uint64    `json:"epoch,omitempty"`
	// Parallel is how many steps may be under way at once.
	Parallel int `json:"parallel,omitempty"`
	// Stage is the place of the current stage; the ways back of the authors
	// stand behind the stages of the plan.
	Stage  int          `json:"stage"`
	Stages []StageState `json:"stages"`
	// Order holds the steps that were started, in the order of their starts.
	Order    []Place        `json:"order,omitempty"`
	Findings []plan.Finding `json:"findings,omitempty"`
	// Held counts the leases that are held.
	Held   int  `json:"held,omitempty"`
	Paused bool `json:"paused,omitempty"`
	// Until is the stage before which the run stops.
	Until      string `json:"until,omitempty"`
	Cancelling bool   `json:"cancelling,omitempty"`
	// Aborting asks for the author's way back once nothing is under way.
	Aborting bool   `json:"aborting,omitempty"`
	Reason   string `json:"reason,omitempty"`
	Back     *Back  `json:"back,omitempty"`

	ix *index
	// was is the time of the event before the one that is handled.
	was    time.Time
	source PlanSource
	live   *live
}

// Place is the place of a step: of its stage, and within it.
type Place struct {
	Stage int `json:"stage"`
	Step  int `json:"step"`
}

// StageState is how far a stage has come.
type StageState struct {
	Part Part `json:"part"`
	// Began is when it was entered; Idle how long it has waited since then for
	// people, windows, targets that did not answer, and somebody to drive the run.
	Began time.Time     `json:"began,omitzero"`
	Idle  plan.Duration `json:"idle,omitempty"`
	// Checks numbers the checks of the facts.
	Checks int `json:"checks,omitempty"`
	// Asking is set while it is not possible to ask for the facts.
	Asking *Unasked `json:"asking,omitempty"`
	// Facts is the digest of the facts that the stage starts from; approvals
	// count for it only.
	Facts string `json:"facts,omitempty"`
	// Changed lists facts and targets that are not as the plan expects.
	Changed []Change    `json:"changed,omitempty"`
	Gates   []GateState `json:"gates,omitempty"`
	Window  Opening     `json:"window,omitzero"`
	Soak    *GateState  `json:"soak,omitempty"`
	// Rechecked tells that the checks of preflight that ran before the window
	// were asked to run again in it.
	Rechecked bool `json:"rechecked,omitempty"`
	// Entered tells that something of the stage was started in its window.
	Entered bool        `json:"entered,omitempty"`
	Steps   []StepState `json:"steps"`
}

// Unasked is a check that could not ask and asks again later.
type Unasked struct {
	Cause   Wait   `json:"cause"`
	Message string `json:"message"`
	// Asks counts how often it was not possible, in a row.
	Asks int `json:"asks"`
	// Next is when it asks again; zero while it does.
	Next time.Time `json:"next,omitzero"`
}

// Opening is what is known of the window of a stage.
type Opening struct {
	Asked    bool      `json:"asked,omitempty"`
	Open     bool      `json:"open,omitempty"`
	OpensAt  time.Time `json:"opensAt,omitzero"`
	ClosesAt time.Time `json:"closesAt,omitzero"`
	OnClose  string    `json:"onClose,omitempty"`
	// Never says why no window opens any more.
	Never string `json:"never,omitempty"`
	Turn  int    `json:"turn,omitempty"`
}

// StepState is how far a step has come.
type StepState struct {
	Status StepStatus `json:"status"`
	Wait   Wait       `json:"wait,omitempty"`
	// Reason and Message say why it failed, was skipped or waits.
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
	// Resolving asks for the values that are known only now.
	Resolving bool `json:"resolving,omitempty"`
	// Resolved counts how often the values came.
	Resolved int        `json:"resolved,omitempty"`
	Gate     *GateState `json:"gate,omitempty"`
	// Ops has one operation, or one per member of a forEach; Op is the
	// current one.
	Ops []Operation `json:"ops,omitempty"`
	Op  int         `json:"op,omitempty"`
	// Ordered is set once the step stands in the order of the starts.
	Ordered bool `json:"ordered,omitempty"`
	// Uses counts how often a remedy was taken.
	Uses int `json:"uses,omitempty"`
	// Earlier counts what operations of the step used that are gone: late
	// answers to them are not taken for answers to new ones.
	Earlier Count       `json:"earlier,omitzero"`
	Issues  []Issue     `json:"issues,omitempty"`
	Lease   *LeaseState `json:"lease,omitempty"`
	Began   time.Time   `json:"began,omitzero"`
	Ended   time.Time   `json:"ended,omitzero"`
}

// Count is how many rounds and attempts an operation has used.
type Count struct {
	Turn    int `json:"turn,omitempty"`
	Attempt int `json:"attempt,omitempty"`
}

// fresh returns a step that begins again from nothing.
func (st *StepState) fresh() StepState {
	n := StepState{Status: StepPending, Earlier: st.Earlier, Resolved: st.Resolved, Uses: st.Uses}
	if st.Resolving {
		n.Resolved++
	}
	if st.Gate != nil {
		n.Earlier.Turn = max(n.Earlier.Turn, st.Gate.Turn+1)
	}
	for i := range st.Ops {
		n.Earlier.Turn = max(n.Earlier.Turn, st.Ops[i].Turn)
		n.Earlier.Attempt = max(n.Earlier.Attempt, st.Ops[i].Attempt)
	}
	if l := st.Lease; l != nil { // It was given back, and may be taken again.
		n.Lease = &LeaseState{Op: Operation{Turn: l.Op.Turn, Attempt: l.Op.Attempt}}
	}
	return n
}

// LeaseState is a temporary change.
type LeaseState struct {
	Held  bool      `json:"held,omitempty"`
	Since time.Time `json:"since,omitzero"`
	// Taken tells that the target carried somebody else's value at release.
	Taken bool `json:"taken,omitempty"`
	// Wanted asks for its release before its time.
	Wanted bool      `json:"wanted,omitempty"`
	Op     Operation `json:"op,omitzero"`
}

// GateState is something that has to be passed: by approvals, a person's work,
// a condition, or time without a regression.
type GateState struct {
	Terms
	By []string `json:"persons,omitempty"`
	// Evidence is what the person entered, or the output of a condition.
	Evidence json.RawMessage `json:"evidence,omitempty"`
	// With is the input of a gate that is a step.
	With     json.RawMessage `json:"with,omitempty"`
	Passed   bool            `json:"passed,omitempty"`
	Rejected string          `json:"rejected,omitempty"`
	Message  string          `json:"message,omitempty"`
	// Next is when to look again; zero asks for a look now.
	Next time.Time `json:"next,omitzero"`
	Turn int       `json:"turn,omitempty"`
	// Last is when it was looked at last, Covered the time that was observed
	// without a regression.
	Last    time.Time     `json:"last,omitzero"`
	Covered plan.Duration `json:"covered,omitempty"`
	// Restarts counts the regressions after which a soak began again.
	Restarts int `json:"restarts,omitempty"`
}

// New returns the state before the first event of a run of p.
func New(p *plan.Plan, run string) State {
	ix := newIndex(p, repeated(p, len(p.Stages)))
	s := State{Run: run, Digest: p.Digest, Status: Planned, ix: ix}
	s.Stages = make([]StageState, len(ix.stages))
	for i := range ix.stages {
		s.Stages[i] = newStage(&ix.stages[i])
	}
	return s
}

func newStage(v *stageView) StageState {
	st := StageState{Part: PartAhead, Steps: make([]StepState, len(v.steps))}
	for i := range st.Steps {
		st.Steps[i].Status = StepPending
	}
	for _, terms := range v.gates {
		st.Gates = append(st.Gates, GateState{Terms: terms})
	}
	return st
}

// Resume binds a state that was read from JSON to its plan again. After a replan
// there are several plans: see ResumeFrom.
func Resume(p *plan.Plan, s State) (State, error) {
	if s.Digest != p.Digest {
		return State{}, fmt.Errorf("resume run %q: it belongs to plan %s, not to %s", s.Run, s.Digest, p.Digest)
	}
	if len(s.Plans) > 0 {
		return State{}, fmt.Errorf("resume run %q: it was replanned, and needs its %d plans", s.Run, len(s.Plans))
	}
	return bind(s, p, repeated(p, len(p.Stages)))
}

// bind binds a state to its plan, made of what its stages came from.
func bind(s State, p *plan.Plan, origins []*plan.Plan) (State, error) {
	s.ix, s.live = newIndex(p, origins), nil
	if len(s.Stages) != len(s.ix.stages) {
		return State{}, fmt.Errorf("resume run %q: the state has %d stages, the plan %d",
			s.Run, len(s.Stages), len(s.ix.stages))
	}
	for i := range s.Stages {
		if len(s.Stages[i].Steps) != len(s.ix.stages[i].steps) {
			return State{}, fmt.Errorf("resume run %q: stage %q has %d steps in the state, %d in the plan",
				s.Run, s.ix.stages[i].id, len(s.Stages[i].Steps), len(s.ix.stages[i].steps))
		}
	}
	return s, nil
}

// Clone returns a copy that shares nothing that an Advance changes.
func (s *State) Clone() (State, error) {
	data, err := json.Marshal(s)
	if err != nil {
		return State{}, fmt.Errorf("copy the state of run %q: %w", s.Run, err)
	}
	var c State
	if err := json.Unmarshal(data, &c); err != nil {
		return State{}, fmt.Errorf("copy the state of run %q: %w", s.Run, err)
	}
	c.ix, c.source = s.ix, s.source
	return c, nil
}

// Plan returns the plan that the state is bound to. After a replan its stages
// are those of several plans, and all else is of the newest one.
func (s *State) Plan() *plan.Plan { return s.ix.plan }

// PlanOf returns the plan that a stage, or the way back from it, came from, or
// nil.
func (s *State) PlanOf(stage string) *plan.Plan {
	i, ok := s.ix.byID[stage]
	if !ok {
		return nil
	}
	return s.ix.origins[i%len(s.ix.origins)]
}
