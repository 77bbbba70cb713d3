package run

import "encoding/json"

// Who says which person asked for something, from where, and why.
type Who struct {
	By     string `json:"by"`
	From   string `json:"from,omitempty"`
	Reason string `json:"reason,omitempty"`
	// Groups are those that the host knows the person to be in.
	Groups []string `json:"groups,omitempty"`
}

// Asker returns who asks.
func (w Who) Asker() Who { return w }

// Asks is implemented by what people ask for, and by nothing else.
type Asks interface {
	Body
	Asker() Who
}

// Approved is a person's approval. It counts only for the digest of the stage
// and of the facts that it names, and for no other list of members. State.Gates
// says what to name.
type Approved struct {
	Who
	Gate   GateRef `json:"gate"`
	Digest string  `json:"digest"`
	Facts  string  `json:"facts"`
	// Selection is the digest of the list of members, where one is approved.
	Selection string `json:"selection,omitempty"`
}

// Rejected is a person's refusal at a gate.
type Rejected struct {
	Who
	Gate GateRef `json:"gate"`
}

// PersonDone tells that a person has done the work that a gate waits for.
type PersonDone struct {
	Who
	Gate     GateRef         `json:"gate"`
	Evidence json.RawMessage `json:"evidence,omitempty"`
}

// Accepted lets a finding pass, by its name.
type Accepted struct {
	Who
	Name string `json:"name"`
	// Expires is the last day on which it counts: "2026-12-31".
	Expires string `json:"expires"`
}

// PauseRequested holds the run before its next step.
type PauseRequested struct{ Who }

// ResumeRequested ends a pause, or a stop before a stage.
type ResumeRequested struct{ Who }

// UntilRequested lets the run stop before another stage, or, with none, go to the
// end.
type UntilRequested struct {
	Who
	Stage string `json:"stage,omitempty"`
}

// CancelRequested ends the run before its next step. What is under way is
// observed to its end.
type CancelRequested struct{ Who }

// RetryRequested tries a failed step again; with no step, the check of the
// current stage, or the stopped rollback.
type RetryRequested struct {
	Who
	Stage string `json:"stage,omitempty"`
	Step  string `json:"step,omitempty"`
}

// Verdict is how a person settles what is in doubt.
type Verdict string

// The verdicts. Redo runs the operation again; NotDone fails it.
const (
	VerdictDone    Verdict = "done"
	VerdictNotDone Verdict = "notDone"
	VerdictRedo    Verdict = "redo"
)

// Settled decides about an operation in doubt.
type Settled struct {
	Who
	Op      Ref             `json:"op"`
	Verdict Verdict         `json:"verdict"`
	Output  json.RawMessage `json:"output,omitempty"`
}

// ReleaseRequested gives a lease back before its time.
type ReleaseRequested struct {
	Who
	Stage string `json:"stage"`
	Step  string `json:"step"`
}

// RollbackRequested undoes everything back to the start of a stage.
type RollbackRequested struct {
	Who
	// Stage is where to stop; empty for the current one.
	Stage string `json:"stage,omitempty"`
	// Partly permits to stop at a point of no return, with a remainder.
	Partly bool `json:"partly,omitempty"`
}

// RollbackApproved permits a rollback that restores data. Digest is that of
// the plan.
type RollbackApproved struct {
	Who
	Digest string `json:"digest"`
}

// Replanned puts the stages of another plan in the place of those of which
// nothing was started. The host keeps the plan by its digest.
type Replanned struct {
	Who
	Digest string `json:"digest"`
	// From is the first stage that is replaced; empty for all that are left.
	From string `json:"from,omitempty"`
}

// AbortRequested takes the author's way back to service.
type AbortRequested struct{ Who }

func (*Started) body()           {}
func (*OwnerChanged) body()      {}
func (*StageChecked) body()      {}
func (*StageAskFailed) body()    {}
func (*WindowAnswered) body()    {}
func (*StepResolved) body()      {}
func (*Observed) body()          {}
func (*AskFailed) body()         {}
func (*OperationStarted) body()  {}
func (*OperationEnded) body()    {}
func (*IssuesMatched) body()     {}
func (*ConditionAnswered) body() {}
func (*SoakObserved) body()      {}
func (*TimerFired) body()        {}
func (*Approved) body()          {}
func (*Rejected) body()          {}
func (*PersonDone) body()        {}
func (*Accepted) body()          {}
func (*PauseRequested) body()    {}
func (*ResumeRequested) body()   {}
func (*CancelRequested) body()   {}
func (*RetryRequested) body()    {}
func (*Settled) body()           {}
func (*ReleaseRequested) body()  {}
func (*RollbackRequested) body() {}
func (*RollbackApproved) body()  {}
func (*AbortRequested) body()    {}
func (*Replanned) body()         {}
func (*UntilRequested) body()    {}
func (*ProbeChanged) body()      {}
