package report

import (
	"time"

	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/probe"
	"github.com/refitproject/refit/internal/run"
)

// Form names the form of a Report as JSON.
const Form = "refit.dev/report/v1"

// Limits of a report, so that a page stays readable however much happened.
// What is left out is counted, and kept in the history.
const (
	mostOperations = 1000
	mostEntries    = 40
	mostFields     = 40
	mostText       = 4 << 10
	mostDecisions  = 500
	mostEdits      = 100
	mostDiff       = 16 << 10
)

// Event is one event of a run with the hash of the chain behind it.
type Event struct {
	run.Event
	Hash string
}

// Source is what a Report is made from.
type Source struct {
	RunSource
	// Events is the whole history, in order and checked.
	Events []Event
	// Probes are those of the run, Spans their samples.
	Probes []probe.Plan
	Spans  []probe.Span
	// Version is that of the program.
	Version string
}

// Report is all that people ask about a run afterwards: what was done and why,
// who decided, what failed, what was given back, and what remains.
type Report struct {
	Form string `json:"form"`
	// Refit is the version of the program that made the report.
	Refit string    `json:"refit"`
	Began time.Time `json:"began,omitzero"`
	// Ended is when the run came to its end; zero while it has not.
	Ended time.Time `json:"ended,omitzero"`
	Run   RunView   `json:"run"`
	// Rehearsal is what the run can be the rehearsal of.
	Rehearsal RehearsalView `json:"rehearsal"`
	// Downtime is what the plan predicts, beside what was measured.
	Downtime []DowntimeView `json:"downtime,omitempty"`
	Findings []plan.Finding `json:"findings,omitempty"`
	Accepted []AcceptedView `json:"accepted,omitempty"`
	// Decisions are what people decided and asked for, in order.
	Decisions []Decision   `json:"decisions,omitempty"`
	Leases    []LeaseStory `json:"leases,omitempty"`
	Backups   []BackupView `json:"backups,omitempty"`
	Edits     []EditView   `json:"edits,omitempty"`
	// Attempts are the operations with their attempts and evidence.
	Attempts []OperationStory `json:"attempts,omitempty"`
	Omitted  Omitted          `json:"omitted,omitzero"`

	texts map[string]string // what the plan says of a step, by "stage/step"
	acted map[string]bool   // the steps that had operations, by "stage/step"
}

// RehearsalView matches a run with the plans that it can be the rehearsal of.
type RehearsalView struct {
	// Digest is over procedure and path, the same on every platform.
	Digest  string            `json:"digest"`
	Targets []RehearsalTarget `json:"targets,omitempty"`
}

// RehearsalTarget is one that the run was on.
type RehearsalTarget struct {
	Name     string `json:"name"`
	Kind     string `json:"kind"`
	Identity string `json:"identity,omitempty"`
}

// Omitted counts what is in the history and not in the report.
type Omitted struct {
	Operations int `json:"operations,omitempty"`
	Decisions  int `json:"decisions,omitempty"`
	Edits      int `json:"edits,omitempty"`
}

// AcceptedView is a finding that a person let pass.
type AcceptedView struct {
	Name    string `json:"name"`
	Stage   string `json:"stage,omitempty"`
	By      string `json:"by"`
	Reason  string `json:"reason,omitempty"`
	Expires string `json:"expires"`
	// Message says what was accepted, if that was found at all.
	Message string `json:"message,omitempty"`
	// At is when it was accepted during the run; zero when the plan has it.
	At time.Time `json:"at,omitzero"`
}

// Decision is something that a person decided or asked for.
type Decision struct {
	Seq  uint64    `json:"seq"`
	At   time.Time `json:"at"`
	Kind string    `json:"kind"`
	// Where is the gate, the step or the stage, Text what was decided.
	Where  string   `json:"where,omitempty"`
	Text   string   `json:"text"`
	By     string   `json:"by"`
	From   string   `json:"from,omitempty"`
	Groups []string `json:"groups,omitempty"`
	Reason string   `json:"reason,omitempty"`
	// Digest, Facts and Selection are what an approval counts for.
	Digest    string  `json:"digest,omitempty"`
	Facts     string  `json:"facts,omitempty"`
	Selection string  `json:"selection,omitempty"`
	Evidence  []Field `json:"evidence,omitempty"`
	// Head is the hash of the chain at the decision.
	Head string `json:"head"`
}

// LeaseStory is what became of a temporary change.
type LeaseStory struct {
	Stage     string    `json:"stage"`
	Step      string    `json:"step"`
	Text      string    `json:"text,omitempty"`
	Since     time.Time `json:"since,omitzero"`
	GivenBack time.Time `json:"givenBack,omitzero"`
	Held      bool      `json:"held,omitempty"`
	// Taken tells that somebody else had changed it, so that it was left alone.
	Taken     bool     `json:"taken,omitempty"`
	Until     string   `json:"until,omitempty"`
	OnFailure string   `json:"onFailure,omitempty"`
	Quiesces  []string `json:"quiesces,omitempty"`
	// Failed says why it could not be given back.
	Failed string `json:"failed,omitempty"`
}

// BackupView is a backup of a run with its proof.
type BackupView struct {
	Stage  string         `json:"stage"`
	Step   string         `json:"step"`
	Member string         `json:"member,omitempty"`
	Covers []string       `json:"covers"`
	Status run.StepStatus `json:"status"`
	// Proof is the level that the plan asks for; the step succeeds only with it.
	Proof int       `json:"proof,omitempty"`
	Began time.Time `json:"began,omitzero"`
	Ended time.Time `json:"ended,omitzero"`
	// Output is what the backup said of itself.
	Output []Field `json:"output,omitempty"`
}

// EditView is what a step changed in a file.
type EditView struct {
	Stage string `json:"stage"`
	Step  string `json:"step"`
	Path  string `json:"path"`
	Diff  string `json:"diff"`
	// Truncated tells that Diff is not all of it.
	Truncated bool `json:"truncated,omitempty"`
	// Undone tells that the change was taken back.
	Undone bool `json:"undone,omitempty"`
}

// OperationStory is an operation with all its attempts.
type OperationStory struct {
	Ref  run.Ref `json:"operation"`
	Text string  `json:"text"`
	// About is what the plan says of the step.
	About string `json:"about,omitempty"`
	// Outcome is what became of it: done, found, failed, inDoubt, open.
	Outcome  Outcome   `json:"outcome"`
	Began    time.Time `json:"began,omitzero"`
	Ended    time.Time `json:"ended,omitzero"`
	Attempts []Attempt `json:"attempts,omitempty"`
	Entries  []Entry   `json:"entries,omitempty"`
	// Omitted counts the entries that are left out.
	Omitted int `json:"omitted,omitempty"`
}

// Outcome is what became of an operation or an attempt.
type Outcome string

// The outcomes. Found is for what was so already, and for checks that only
// look; Lost for attempts whose result never came.
const (
	OutcomeDone    Outcome = "done"
	OutcomeFound   Outcome = "found"
	OutcomeFailed  Outcome = "failed"
	OutcomeInDoubt Outcome = "inDoubt"
	OutcomeLost    Outcome = "lost"
	OutcomeOpen    Outcome = "open"
)

// Attempt is one try of an operation.
type Attempt struct {
	Number  int       `json:"number"`
	Began   time.Time `json:"began"`
	Ended   time.Time `json:"ended,omitzero"`
	Outcome Outcome   `json:"outcome"`
	Message string    `json:"message,omitempty"`
}

// Entry is one event about an operation with its evidence.
type Entry struct {
	Seq       uint64         `json:"seq"`
	At        time.Time      `json:"at"`
	Text      string         `json:"text"`
	Evidence  []Field        `json:"evidence,omitempty"`
	Artefacts []run.Artefact `json:"artefacts,omitempty"`

	role Role
}

// Field is one value of evidence: its path and the value as text.
type Field struct {
	Name string `json:"name"`
	Text string `json:"text"`
	// More is how many bytes are left out at the end.
	More int `json:"more,omitempty"`
}

// noteworthy tells whether a reader has to see the attempts at once.
func (o *OperationStory) noteworthy() bool {
	return o.Outcome != OutcomeDone && o.Outcome != OutcomeFound || len(o.Attempts) > 1
}
