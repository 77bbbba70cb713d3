package run

import (
	"encoding/json"
	"time"

	"github.com/refitproject/refit/internal/plan"
)

// Event is one recorded fact of a run. Seq counts from 1 without gaps; order is
// by Seq, At is for people and timers.
type Event struct {
	Seq  uint64
	At   time.Time
	Body Body
}

// Body is what happened. Each type has one handler.
//
//sumtype:decl
type Body interface{ body() }

// Started begins a run.
type Started struct {
	Digest string `json:"digest"`
	Owner  string `json:"owner"`
	Epoch  uint64 `json:"epoch"`
	// Parallel is how many steps may be under way at once; at least 1.
	Parallel int `json:"parallel"`
	// Until is the stage before which the run stops, if it is not to go to the
	// end.
	Until string `json:"until,omitempty"`
}

// OwnerChanged tells that another process, or the same one after a restart,
// drives the run. What was under way is observed before anything is repeated.
type OwnerChanged struct {
	Owner string `json:"owner"`
	Epoch uint64 `json:"epoch"`
}

// Change is a fact or a target that is not as the plan expects.
type Change struct {
	// Name is "fact/PATH" or "target/NAME".
	Name string `json:"name"`
	Want string `json:"want"`
	Got  string `json:"got"`
}

// StageChecked answers CheckStage.
type StageChecked struct {
	Stage string `json:"stage"`
	Turn  int    `json:"turn"`
	// Back is set for the check at the end of a rollback.
	Back bool `json:"back,omitempty"`
	// Facts is the digest of what was observed.
	Facts   string   `json:"facts"`
	Changed []Change `json:"changed,omitempty"`
	// Findings has one for all that was judged, passes too, so that a pass
	// replaces an earlier failure.
	Findings []plan.Finding `json:"findings,omitempty"`
}

// StageAskFailed answers CheckStage when it was not possible to ask for a fact
// or a target. It is asked for again later; the stage never fails because of it.
type StageAskFailed struct {
	Stage string `json:"stage"`
	Turn  int    `json:"turn"`
	Back  bool   `json:"back,omitempty"`
	// Cause is WaitTarget or WaitCredentials.
	Cause   Wait   `json:"cause"`
	Message string `json:"message"`
}

// WindowAnswered answers AskWindow.
type WindowAnswered struct {
	Stage    string    `json:"stage"`
	Turn     int       `json:"turn"`
	Open     bool      `json:"open,omitempty"`
	OpensAt  time.Time `json:"opensAt,omitzero"`
	ClosesAt time.Time `json:"closesAt,omitzero"`
	// OnClose is finish, pause or abort, of the window that is open.
	OnClose string `json:"onClose,omitempty"`
	// Never says why no window opens any more; then there is no OpensAt.
	Never string `json:"never,omitempty"`
}

// Terms say how a gate is passed.
type Terms struct {
	Kind Wait `json:"kind"`
	// Name tells gates of one stage apart; empty for gates that are steps.
	Name     string   `json:"name,omitempty"`
	Question string   `json:"question,omitempty"`
	From     []string `json:"from,omitempty"`
	Count    int      `json:"count,omitempty"`
	// Recheck asks for the facts again once a person has done the work.
	Recheck bool          `json:"recheck,omitempty"`
	For     plan.Duration `json:"for,omitempty"`
	Every   plan.Duration `json:"every,omitempty"`
	MaxGap  plan.Duration `json:"maxGap,omitempty"`
	Checks  []string      `json:"checks,omitempty"`
	// Evidence are the names of the values that a person enters.
	Evidence []string `json:"evidence,omitempty"`
	// Undo tells the person how work is taken back.
	Undo string `json:"undo,omitempty"`
	// Selection is the digest of the list of members that an approval is asked
	// for; the approval has to name it.
	Selection string `json:"selection,omitempty"`
}

// Member is one member of a forEach with its input.
type Member struct {
	Key  string          `json:"key"`
	With json.RawMessage `json:"with,omitempty"`
}

// StepResolved answers Resolve: the values of a step that are known only now.
type StepResolved struct {
	Stage string `json:"stage"`
	Step  string `json:"step"`
	Turn  int    `json:"turn,omitempty"`
	// Skip says why the step does not run; empty when it does.
	Skip string `json:"skip,omitempty"`
	// Error says why the values cannot be computed.
	Error string `json:"error,omitempty"`
	// With is the input; of gates too.
	With json.RawMessage `json:"with,omitempty"`
	// Members is set for steps with forEach, in their order.
	Members []Member `json:"members,omitempty"`
	// Terms is set for steps that are gates.
	Terms *Terms `json:"terms,omitempty"`
}

// Artefact is evidence, or a value too large for an event, that the host keeps
// beside the history, by its digest.
type Artefact struct {
	Name   string `json:"name"`
	Digest string `json:"digest"`
	Size   int64  `json:"size"`
}

// Selected is something that an action would act on: its name, and what a
// person should know of it, such as its size.
type Selected struct {
	Key  string `json:"key"`
	Note string `json:"note,omitempty"`
}

// Observed answers ObserveOperation. Artefacts and OutputArtefact are as in
// OperationEnded.
type Observed struct {
	Op   Ref `json:"op"`
	Turn int `json:"turn"`
	// Status is an answer of the action contract, or Changed.
	Status    string          `json:"status"`
	Before    json.RawMessage `json:"before,omitempty"`
	Output    json.RawMessage `json:"output,omitempty"`
	Resumable bool            `json:"resumable,omitempty"`
	Reason    string          `json:"reason,omitempty"`
	Message   string          `json:"message,omitempty"`
	// Selection is what a step whose plan has a selection would act on, cut behind
	// the first member that is one too many.
	Selection      []Selected `json:"selection,omitempty"`
	Artefacts      []Artefact `json:"artefacts,omitempty"`
	OutputArtefact *Artefact  `json:"outputArtefact,omitempty"`
}

// AskFailed answers ObserveOperation when it was not possible to ask.
type AskFailed struct {
	Op   Ref `json:"op"`
	Turn int `json:"turn"`
	// Cause is WaitTarget or WaitCredentials.
	Cause   Wait   `json:"cause"`
	Message string `json:"message"`
}

// OperationStarted answers StartOperation. It must be durable before Run.
type OperationStarted struct {
	Op      Ref             `json:"op"`
	Attempt int             `json:"attempt"`
	Key     string          `json:"key"`
	Before  json.RawMessage `json:"before,omitempty"`
}

// OperationEnded answers PerformOperation.
type OperationEnded struct {
	Op      Ref             `json:"op"`
	Attempt int             `json:"attempt"`
	OK      bool            `json:"ok,omitempty"`
	Output  json.RawMessage `json:"output,omitempty"`
	// Extent says how much has happened, as in the action contract; anything
	// but "none" is observed.
	Extent    string `json:"extent,omitempty"`
	Retryable bool   `json:"retryable,omitempty"`
	// Cause is WaitTarget or WaitCredentials when the attempt failed because the target
	// was away or did not take the credentials; it is looked whether that lasts.
	Cause   Wait   `json:"cause,omitempty"`
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
	// Artefacts are the evidence of the attempt.
	Artefacts []Artefact `json:"artefacts,omitempty"`
	// OutputArtefact is the output when it has more than MaxOutput bytes; Output
	// is empty then. The step counts as done, and a step that needs the output
	// fails.
	OutputArtefact *Artefact `json:"outputArtefact,omitempty"`
}

// Issue is a known issue that fits a failure.
type Issue struct {
	ID          string `json:"id"`
	Explanation string `json:"explanation,omitempty"`
	Remedy      string `json:"remedy,omitempty"`
	// Source is where the issue is described.
	Source string `json:"source,omitempty"`
	// In is where the text of the issue was found: "message", "log", or the name of
	// evidence; Line is what stands around it there.
	In   string `json:"in,omitempty"`
	Line string `json:"line,omitempty"`
	// Benign tells that its condition for doing no harm holds.
	Benign bool `json:"benign,omitempty"`
}

// IssuesMatched answers MatchIssues.
type IssuesMatched struct {
	Op     Ref     `json:"op"`
	Turn   int     `json:"turn"`
	Issues []Issue `json:"issues,omitempty"`
}

// GateRef names a gate: a step, or a gate of a stage by its name. The soak of
// a stage is called "soak".
type GateRef struct {
	Stage string `json:"stage"`
	Step  string `json:"step,omitempty"`
	Name  string `json:"name,omitempty"`
}

// ConditionAnswered answers EvaluateCondition.
type ConditionAnswered struct {
	Gate  GateRef `json:"gate"`
	Turn  int     `json:"turn"`
	Holds bool    `json:"holds,omitempty"`
	// Output is that of the gate's action, when it holds.
	Output  json.RawMessage `json:"output,omitempty"`
	Message string          `json:"message,omitempty"`
}

// SoakObserved answers ObserveSoak.
type SoakObserved struct {
	Gate    GateRef `json:"gate"`
	Turn    int     `json:"turn"`
	Healthy bool    `json:"healthy,omitempty"`
	// NotAsked tells that it was not possible to ask: no regression, and no
	// observed time either.
	NotAsked bool   `json:"notAsked,omitempty"`
	Message  string `json:"message,omitempty"`
}

// TimerFired answers Timer.
type TimerFired struct {
	Timer TimerRef `json:"timer"`
}

// ProbeChanged tells that a component was found up or down by a probe, which
// measures beside the run: a transition, no sample. It changes nothing that the run
// does. Whoever measures asks for it, as people ask for things.
type ProbeChanged struct {
	Probe     string `json:"probe"`
	Component string `json:"component"`
	Up        bool   `json:"up,omitempty"`
	// Since is when it was found so first.
	Since time.Time `json:"since"`
	// Unmeasured tells that nobody measured before that: what it was is not known.
	Unmeasured bool `json:"unmeasured,omitempty"`
	// Why says what the first sample that was down came to.
	Why string `json:"why,omitempty"`
}
