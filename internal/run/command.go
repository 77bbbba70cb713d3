package run

import (
	"cmp"
	"encoding/json"
	"strconv"
	"time"
)

// Command is something that the host must have in flight. A command that is no
// longer pending is to be stopped. Commands are comparable by their ID.
//
//sumtype:decl
type Command interface {
	// ID is the same as long as it is the same command, across restarts too.
	ID() string
	command()
}

// CheckStage asks to observe the facts and the targets, to compare them with
// what the stage expects, and to judge its requirements: StageChecked.
type CheckStage struct {
	Stage string
	Turn  int
	Back  bool
}

// AskWindow asks whether a window of the stage is open: WindowAnswered.
type AskWindow struct {
	Stage string
	Turn  int
}

// Resolve asks for the values of a step that are known only now: its
// condition, input, members, and the terms of a gate: StepResolved.
type Resolve struct {
	Stage, Step string
	Turn        int
	// Outputs has what the steps of the stage have handed back of which the
	// expressions may speak, by the ids of the steps in the plan. A step with
	// members that were known only while running has the list of theirs. A step
	// that did not succeed, or handed nothing back, has none. The outputs of
	// sub-procedures are computed from those of their steps. A name that no step
	// of the plan has is a forEach over nothing: its outputs are the empty list.
	Outputs map[string]json.RawMessage
}

// ObserveOperation asks to look at the world: Observed or AskFailed.
type ObserveOperation struct {
	Op  Ref
	Key string
	// Attempted tells that an attempt may have changed the world.
	Attempted bool
	Turn      int
	// With is the input where it was resolved while running, else that of the
	// plan counts. For a restore it is what the backup step handed back, which
	// says where the backup is: the host makes of it the input of the action
	// that restores.
	With, Before json.RawMessage
	// WithArtefact is set instead of With when that is too large for an event.
	WithArtefact *Artefact
	// Selection is what the answer is about, once an attempt at it was begun, where
	// the plan of the step has a selection. Without it the action picks anew.
	Selection []Selected
}

// StartOperation asks to append OperationStarted.
type StartOperation struct {
	Op      Ref
	Key     string
	Attempt int
	Before  json.RawMessage
}

// PerformOperation asks to carry out the effect: OperationEnded. With, Before
// and WithArtefact are as in ObserveOperation.
type PerformOperation struct {
	Op           Ref
	Key          string
	Attempt      int
	With, Before json.RawMessage
	WithArtefact *Artefact
	// Selection is what the step may act on, and nothing else, where its plan has
	// a selection.
	Selection []Selected
}

// MatchIssues asks for known issues that fit a failure: IssuesMatched.
type MatchIssues struct {
	Op   Ref
	Turn int
	// Attempt is the last attempt, whose log tells more; 0 when there was none.
	Attempt         int
	Reason, Message string
	// Artefacts are the evidence of what was looked at or tried last.
	Artefacts []Artefact
}

// EvaluateCondition asks whether the condition of a gate holds:
// ConditionAnswered.
type EvaluateCondition struct {
	Gate GateRef
	Turn int
	// With is the input where it was resolved while running, else that of the
	// plan counts.
	With json.RawMessage
}

// ObserveSoak asks to carry out the checks of a soak: SoakObserved.
type ObserveSoak struct {
	Gate GateRef
	Turn int
	// Checks are ids of steps of the stage. Those that were skipped, or whose
	// failure was accepted, are left out.
	Checks []string
	// With has the inputs of checks that were resolved while running, by the id
	// of the step, or "STEP[MEMBER]" where it has members; a step with none here
	// has the input of the plan.
	With map[string]json.RawMessage
}

// TimerKind says what a timer is for.
type TimerKind string

// The kinds of timers.
const (
	TimerOperation TimerKind = "operation"
	TimerTimeout   TimerKind = "timeout"
	TimerWindow    TimerKind = "window"
	TimerGate      TimerKind = "gate"
	TimerCheck     TimerKind = "check"
)

// TimerRef names a timer.
type TimerRef struct {
	Kind TimerKind `json:"kind"`
	Op   Ref       `json:"op,omitzero"`
	Gate GateRef   `json:"gate,omitzero"`
	Turn int       `json:"turn"`
}

// Timer asks for TimerFired at a time, or at once when it has passed.
type Timer struct {
	Timer TimerRef
	At    time.Time
}

func (r Ref) text() string {
	t := string(r.What) + " " + r.Stage + "/" + r.Step
	if r.Member != "" {
		t += "[" + r.Member + "]"
	}
	if r.Component != "" {
		t += "(" + r.Component + ")"
	}
	return t
}

func numbered(n int) string { return "#" + strconv.Itoa(n) }

func (g GateRef) text() string { return g.Stage + "/" + g.Step + g.Name }

// ID implements Command.
func (c CheckStage) ID() string {
	if c.Back {
		return "checkBack " + c.Stage + numbered(c.Turn)
	}
	return "check " + c.Stage + numbered(c.Turn)
}

// ID implements Command.
func (c AskWindow) ID() string { return "window " + c.Stage + numbered(c.Turn) }

// ID implements Command.
func (c Resolve) ID() string { return "resolve " + c.Stage + "/" + c.Step + numbered(c.Turn) }

// ID implements Command.
func (c ObserveOperation) ID() string { return "observe " + c.Op.text() + numbered(c.Turn) }

// ID implements Command.
func (c StartOperation) ID() string { return "start " + c.Op.text() + numbered(c.Attempt) }

// ID implements Command.
func (c PerformOperation) ID() string { return "run " + c.Op.text() + numbered(c.Attempt) }

// ID implements Command.
func (c MatchIssues) ID() string { return "match " + c.Op.text() + numbered(c.Turn) }

// ID implements Command.
func (c EvaluateCondition) ID() string { return "condition " + c.Gate.text() + numbered(c.Turn) }

// ID implements Command.
func (c ObserveSoak) ID() string { return "soak " + c.Gate.text() + numbered(c.Turn) }

// ID implements Command.
func (c Timer) ID() string {
	name := c.Timer.Op.text()
	if c.Timer.Gate.Stage != "" {
		name = c.Timer.Gate.text()
	}
	return "timer " + string(c.Timer.Kind) + " " + name + numbered(c.Timer.Turn)
}

// StageOf returns the id of the stage, or of the way back, that a command is
// about. What its expressions, facts and windows mean stands in the plan that the
// stage came from: see State.PlanOf.
func StageOf(c Command) string {
	switch c := c.(type) {
	case CheckStage:
		return c.Stage
	case AskWindow:
		return c.Stage
	case Resolve:
		return c.Stage
	case ObserveOperation:
		return c.Op.Stage
	case StartOperation:
		return c.Op.Stage
	case PerformOperation:
		return c.Op.Stage
	case MatchIssues:
		return c.Op.Stage
	case EvaluateCondition:
		return c.Gate.Stage
	case ObserveSoak:
		return c.Gate.Stage
	case Timer:
		return cmp.Or(c.Timer.Gate.Stage, c.Timer.Op.Stage)
	}
	return ""
}

func (CheckStage) command()        {}
func (AskWindow) command()         {}
func (Resolve) command()           {}
func (ObserveOperation) command()  {}
func (StartOperation) command()    {}
func (PerformOperation) command()  {}
func (MatchIssues) command()       {}
func (EvaluateCondition) command() {}
func (ObserveSoak) command()       {}
func (Timer) command()             {}
