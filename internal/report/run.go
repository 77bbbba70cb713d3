package report

import (
	"cmp"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// RunInfo is what is known of a run without reading its history.
type RunInfo struct {
	ID       string     `json:"id"`
	Platform string     `json:"platform"`
	Digest   string     `json:"digest"`
	Status   run.Status `json:"status"`
	Created  time.Time  `json:"created"`
	Updated  time.Time  `json:"updated"`
	By       string     `json:"by"`
	Dir      string     `json:"dir,omitempty"`
	// Events is the number of the last event, Head the hash of the chain there.
	Events uint64 `json:"events"`
	Head   string `json:"head,omitempty"`
	// Next is when something happens by itself; zero when nothing does.
	Next time.Time `json:"next,omitzero"`
	// Moved tells that the run is driven elsewhere, or is a copy.
	Moved bool `json:"moved,omitempty"`
	// Owner drives the run now; nil when nobody does.
	Owner *RunOwner `json:"owner,omitempty"`
}

// RunOwner is the process that drives a run.
type RunOwner struct {
	Host  string    `json:"host"`
	PID   int       `json:"pid"`
	By    string    `json:"by"`
	Since time.Time `json:"since"`
}

// RunSource is what a RunView is made from. The state is bound to its plan.
type RunSource struct {
	Info  RunInfo
	State run.State
	// Progress is how far the operations under way have come, by the ID of the
	// command.
	Progress map[string]action.Measured
	// Now is the time of the look, for how long something has lasted.
	Now time.Time
}

// RunView is where a run stands: what was done, what goes on, what it waits
// for, what it holds, and what a person can do next.
type RunView struct {
	RunInfo
	Procedure string `json:"procedure"`
	Path      string `json:"path,omitempty"`
	// Reason is for machines or in a person's words; Headline is for people:
	// why the run stands where it stands.
	Reason   string `json:"reason,omitempty"`
	Headline string `json:"headline"`
	// Driven says in one line who drives the run, or what it means that nobody
	// does.
	Driven string      `json:"driven"`
	Counts StepCounts  `json:"counts"`
	Stages []StageView `json:"stages"`
	// Operations are the operations and looks under way. While nobody drives
	// the run they are what goes on first.
	Operations []OperationView `json:"operations,omitempty"`
	Gates      []GateView      `json:"gates,omitempty"`
	InDoubt    []DoubtView     `json:"inDoubt,omitempty"`
	Leases     []LeaseView     `json:"leases,omitempty"`
	Rollback   *RollbackView   `json:"rollback,omitempty"`
	// Remains lists what was not done, or, after a rollback, what was not taken
	// back. Undone lists what was.
	Remains  []string       `json:"remains,omitempty"`
	Undone   []string       `json:"undone,omitempty"`
	Findings []plan.Finding `json:"findings,omitempty"`
	// Commands are what a person can type next, the most useful first.
	Commands []NextCommand `json:"commands,omitempty"`
	// StageEnds and RunEnds tell when the current stage and the run end; nil where
	// the run does not go forward now.
	StageEnds *ForecastView `json:"stageEnds,omitempty"`
	RunEnds   *ForecastView `json:"runEnds,omitempty"`
	// StageLate and RunLate tell by how much the current stage and the run will end
	// later than the plan predicted when they began, without what they waited; nil
	// where they will not, or nothing was predicted.
	StageLate *LateView `json:"stageLate,omitempty"`
	RunLate   *LateView `json:"runLate,omitempty"`
	// Waited is how long the run has waited in all for people, windows, targets that
	// did not answer, and somebody to drive it.
	Waited plan.Duration `json:"waited,omitempty"`
	// Downtime is what probes have measured, by component.
	Downtime []DowntimeView `json:"downtime,omitempty"`
	// Channels are those of notifications that have something left to tell.
	Channels []ChannelView `json:"channels,omitempty"`
	// Looked is when the view was made.
	Looked time.Time `json:"looked"`
}

// StepCounts counts steps by what became of them.
type StepCounts struct {
	Total   int `json:"total"`
	Done    int `json:"done"`
	Skipped int `json:"skipped,omitempty"`
	Failed  int `json:"failed,omitempty"`
	InDoubt int `json:"inDoubt,omitempty"`
	Undone  int `json:"undone,omitempty"`
}

// StageView is how far a stage has come.
type StageView struct {
	ID     string   `json:"id"`
	Number int      `json:"number"`
	Digest string   `json:"digest"`
	Part   run.Part `json:"part"`
	// Ended tells that the run went no further in it: it has ended, or goes back.
	Ended bool `json:"ended,omitempty"`
	// Began is when it was entered; Waited how long it has waited since, as of the run.
	Began  time.Time     `json:"began,omitzero"`
	Waited plan.Duration `json:"waited,omitempty"`
	// Current marks the stage that the run is in; Abort an author's way back.
	Current bool `json:"current,omitempty"`
	Abort   bool `json:"abort,omitempty"`
	// Facts is the digest of the facts that the stage starts from.
	Facts string `json:"facts,omitempty"`
	// Asking says why the facts cannot be asked for now.
	Asking  string         `json:"asking,omitempty"`
	Changed []run.Change   `json:"changed,omitempty"`
	Window  run.Opening    `json:"window,omitzero"`
	Soak    *run.GateState `json:"soak,omitempty"`
	Steps   []StepView     `json:"steps"`
}

// StepView is how far a step has come.
type StepView struct {
	ID      string         `json:"id"`
	Phase   plan.Phase     `json:"phase"`
	Action  string         `json:"action"`
	Status  run.StepStatus `json:"status"`
	Wait    run.Wait       `json:"wait,omitempty"`
	Reason  string         `json:"reason,omitempty"`
	Message string         `json:"message,omitempty"`
	// Attempts counts the attempts of the current operation, of Most.
	Attempts int       `json:"attempts,omitempty"`
	Most     int       `json:"mostAttempts,omitempty"`
	Began    time.Time `json:"began,omitzero"`
	Ended    time.Time `json:"ended,omitzero"`
	// Next is when a step that rests or asks goes on.
	Next   time.Time   `json:"next,omitzero"`
	Issues []run.Issue `json:"issues,omitempty"`
	// Held tells that the step holds a lease; Taken that somebody else changed
	// what it had set.
	Held  bool `json:"held,omitempty"`
	Taken bool `json:"taken,omitempty"`
}

// OperationView is an operation or a look that is under way.
type OperationView struct {
	// Command is the ID of the command of the core.
	Command string `json:"command"`
	// Text says what it is: "install, attempt 2".
	Text     string           `json:"text"`
	Stage    string           `json:"stage,omitempty"`
	Step     string           `json:"step,omitempty"`
	Began    time.Time        `json:"began,omitzero"`
	Deadline time.Time        `json:"deadline,omitzero"`
	Progress *action.Progress `json:"progress,omitempty"`
	// Rate is how much is done in a second, Left how long the rest takes at that
	// rate; 0 when nobody can say.
	Rate float64       `json:"rate,omitempty"`
	Left plan.Duration `json:"left,omitempty"`
	// Took is how long it was worked on so far, all attempts and members of its step
	// together; Expected how long that was expected to take, zero when nobody knows.
	Took     plan.Duration `json:"took,omitempty"`
	Expected plan.Estimate `json:"expected,omitzero"`
	// LeftBy tells what Left rests on; empty without one. Left by an estimate is 0
	// once it takes longer than it takes as a rule.
	LeftBy LeftBy `json:"leftBy,omitempty"`
	// Late tells by how much it takes longer than expected; nil while it does not.
	Late *LateView `json:"late,omitempty"`
}

// LeftBy is what the time that is left rests on.
type LeftBy string

// What it may rest on.
const (
	LeftByRate     LeftBy = "rate"
	LeftByEstimate LeftBy = "estimate"
)

// LateView tells by how much something takes longer than expected.
type LateView struct {
	By plan.Duration `json:"by"`
	// Beyond is what it is beyond: by By longer than that.
	Beyond Beyond `json:"beyond"`
	// Text says it in words: "2m longer than the 4m that it takes as a rule".
	Text string `json:"text"`
}

// Beyond names one of the two durations of an estimate.
type Beyond string

// The two.
const (
	BeyondTypical Beyond = "typical"
	BeyondWorst   Beyond = "worst"
)

// ForecastView says when something ends, by the estimates of the plan and by what
// has happened so far.
type ForecastView struct {
	// Typical and Worst are how long it takes still, Ends and Latest when it ends
	// then. They are zero when nobody can say.
	Typical plan.Duration `json:"typical,omitempty"`
	Worst   plan.Duration `json:"worst,omitempty"`
	Ends    time.Time     `json:"ends,omitzero"`
	Latest  time.Time     `json:"latest,omitzero"`
	// Unknown says why nobody can say.
	Unknown string `json:"unknown,omitempty"`
}

// GateView is a gate that waits for a person, and how it is passed.
type GateView struct {
	Stage string `json:"stage"`
	// Name is the step or the gate of the stage.
	Name     string   `json:"name"`
	Step     bool     `json:"step,omitempty"`
	Kind     run.Wait `json:"kind"`
	Question string   `json:"question"`
	From     []string `json:"from,omitempty"`
	Count    int      `json:"count,omitempty"`
	By       []string `json:"by,omitempty"`
	Rejected string   `json:"rejected,omitempty"`
	// Digest, Facts and, for a list of members, Selection are what an approval
	// counts for.
	Digest    string         `json:"digest,omitempty"`
	Facts     string         `json:"facts,omitempty"`
	Selection string         `json:"selection,omitempty"`
	Members   []run.Selected `json:"members,omitempty"`
	// Evidence names the values that a person enters.
	Evidence []string `json:"evidence,omitempty"`
	// Command passes the gate.
	Command string `json:"command"`
}

// Named is the digest that a person names who approves: that of the list of
// members where there is one, else that of the stage.
func (g *GateView) Named() string { return cmp.Or(g.Selection, g.Digest) }

// DoubtView is an operation of which nobody can see whether it has happened.
type DoubtView struct {
	Ref     run.Ref `json:"operation"`
	Text    string  `json:"text"`
	Attempt int     `json:"attempt"`
	Reason  string  `json:"reason,omitempty"`
	Message string  `json:"message,omitempty"`
}

// LeaseView is a temporary change that was not given back.
type LeaseView struct {
	Stage     string    `json:"stage"`
	Step      string    `json:"step"`
	Since     time.Time `json:"since"`
	Until     string    `json:"until,omitempty"`
	OnFailure string    `json:"onFailure,omitempty"`
	Quiesces  []string  `json:"quiesces,omitempty"`
	// Failed says why it could not be released.
	Failed string `json:"failed,omitempty"`
}

// RollbackView is how far a rollback has come.
type RollbackView struct {
	// To is the stage to whose start the run goes back.
	To       string `json:"to"`
	Built    bool   `json:"built"`
	Restores bool   `json:"restores,omitempty"`
	Approved string `json:"approvedBy,omitempty"`
	Stopped  bool   `json:"stopped,omitempty"`
	Done     int    `json:"done"`
	Total    int    `json:"total"`
	// Remainder is what stays done, behind a point of no return.
	Remainder []string `json:"remainder,omitempty"`
}

// ChannelView is a channel of notifications that has something left to tell.
type ChannelView struct {
	Name string `json:"name"`
	// Waiting counts the messages that are not delivered.
	Waiting int `json:"waiting,omitempty"`
	// Trouble is why; Since when, and Tried when it was tried last.
	Trouble string    `json:"trouble,omitempty"`
	Since   time.Time `json:"since,omitzero"`
	Tried   time.Time `json:"tried,omitzero"`
}

// NextCommand is a command that a person can type now.
type NextCommand struct {
	// Command is complete: only WHY stands for a reason in a person's words.
	Command string `json:"command"`
	Why     string `json:"why"`
}
