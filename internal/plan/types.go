package plan

import (
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/issues"
)

// APIVersion and Kind head every plan file.
const (
	APIVersion = "refit.dev/v1alpha1"
	Kind       = "Plan"
)

// Plan is what will be done, frozen. Fields are decisive (inside a digest)
// unless their comment says "not in the digest".
type Plan struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// Digest is the root over everything decisive: "sha256:…".
	Digest string `json:"digest"`
	// RehearsalDigest is over procedure, graph and path only, so that a
	// rehearsal on another platform can be matched with this plan.
	RehearsalDigest string `json:"rehearsalDigest"`
	// Created is when the plan was made; not in the digest.
	Created time.Time `json:"created"`
	// Refit is the version of the program that made it; not in the digest.
	Refit    string `json:"refit"`
	Platform string `json:"platform"`
	// PlatformFile is where the platform file was; not in the digest.
	PlatformFile string         `json:"platformFile,omitempty"`
	Procedure    ProcedureRef   `json:"procedure"`
	Targets      []Target       `json:"targets,omitempty"`
	Inputs       map[string]any `json:"inputs,omitempty"`
	Components   []Component    `json:"components,omitempty"`
	// Path is the version path; nil for procedures without a version graph.
	Path *Path `json:"path,omitempty"`
	// Facts are the outputs of the procedure's observe block as they were seen
	// when planning, by name; sensitive members are keyed hashes. They stay
	// outside the digest: what counts is what each stage expects of them.
	Facts map[string]any `json:"facts,omitempty"`
	// Observe says how the facts are observed again: when a stage starts, and
	// by check.
	Observe []Observe `json:"observe,omitempty"`
	Probes  []Probe   `json:"probes,omitempty"`
	// Findings are outcomes of requirements, risks, coverage and window checks
	// made while planning; not in the digest, except the accepted ones.
	Findings []Finding `json:"findings,omitempty"`
	// Issues are the known issues of the procedure, so that a run recognises them
	// without its files.
	Issues []issues.Issue `json:"issues,omitempty"`
	// Done are the ids of stages that were carried out before this plan was
	// made; a replan leaves them out.
	Done []string `json:"done,omitempty"`
	// Quiesced are the components that those stages hold still until the end of
	// the run.
	Quiesced []string `json:"quiesced,omitempty"`
	// Accept lets checks pass that are carried out later: preflight checks, by
	// the names "preflight/STEP".
	Accept []Accept `json:"accept,omitempty"`
	// AllowScratch repeats the platform's permission.
	AllowScratch bool `json:"allowScratch,omitempty"`
	// Channels are how people hear of the run.
	Channels []Channel `json:"channels,omitempty"`
	Stages   []Stage   `json:"stages,omitempty"`
	// Summary is computed from the stages; not in the digest.
	Summary Summary `json:"summary"`
}

// ProcedureRef pins the procedure: the digest is over all its files, with
// sub-procedures and the version graph.
type ProcedureRef struct {
	Name   string `json:"name"`
	File   string `json:"file"` // not in the digest
	Digest string `json:"digest"`
}

// Target is one place, pinned by its identity.
type Target struct {
	Name     string         `json:"name"`
	Kind     string         `json:"kind"`
	Config   map[string]any `json:"config,omitempty"`
	Identity string         `json:"identity"`
}

// Component repeats what the procedure declares.
type Component struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
}

// Path is the version path of the plan.
type Path struct {
	From string `json:"from"`
	To   string `json:"to"`
	Hops []Hop  `json:"hops"`
}

// Hop is one hop of a version path.
type Hop struct {
	From       string         `json:"from"`
	To         string         `json:"to"`
	Kind       string         `json:"kind"`
	Properties map[string]any `json:"properties,omitempty"`
}

// Observe is one fact's source with its input resolved.
type Observe struct {
	Name   string         `json:"name"`
	Action string         `json:"action"` // with contract version
	Target string         `json:"target,omitempty"`
	With   map[string]any `json:"with,omitempty"`
}

// Probe is one background measurement with its texts resolved.
type Probe struct {
	Name      string         `json:"name"`
	Component string         `json:"component"`
	Kind      string         `json:"kind"` // http, tcp or exec
	Config    map[string]any `json:"config"`
}

// Stage is one hop or one maintenance window.
type Stage struct {
	ID string `json:"id"`
	// Template is the id as the procedure has it, such as "to-${item.to}", where it
	// differs; not in the digest.
	Template string `json:"template,omitempty"`
	// Digest is over everything decisive of this stage: "sha256:…".
	Digest string `json:"digest"`
	// Description, Windows, Estimate are not in the digest.
	Description string   `json:"description,omitempty"`
	Windows     []Window `json:"windows,omitempty"`
	Hop         *Hop     `json:"hop,omitempty"`
	// Expects are the facts as they must be when the stage starts.
	Expects []Expect `json:"expects,omitempty"`
	// Leaves are the facts that the stage promises to leave behind.
	Leaves []Expect `json:"leaves,omitempty"`
	// Requires must hold when the stage starts.
	Requires []Requirement `json:"requires,omitempty"`
	// Gates come before the first step: approvals, work of other people.
	Gates []Gate `json:"gates,omitempty"`
	Soak  *Soak  `json:"soak,omitempty"`
	// Steps are in an order in which they could be carried out one by one:
	// every step stands behind all that it needs, and phases are in order.
	Steps []Step `json:"steps,omitempty"`
	// Groups are the uses of sub-procedures, for expressions over their outputs.
	Groups []Group `json:"groups,omitempty"`
	// Scope are the values that expressions of this stage may still need when
	// it runs: the stage's forEach member, by its name.
	Scope map[string]any `json:"scope,omitempty"`
	// Leases lists the temporary changes with the moment of their release.
	Leases []Lease `json:"leases,omitempty"`
	// Coverage says for each stateful component that the stage changes which
	// backup covers it.
	Coverage []Coverage `json:"coverage,omitempty"`
	// Abort are the steps of the author's way back to service.
	Abort     *Abort   `json:"abort,omitempty"`
	OnFailure string   `json:"onFailure"`
	Estimate  Estimate `json:"estimate,omitzero"`
}

// Expect is a fact with the value that it must have.
type Expect struct {
	// Fact is the path below observe: "release.chart.version".
	Fact string `json:"fact"`
	// Value is the expected value; values over 4 KiB are held as their digest
	// in Digest instead.
	Value  any    `json:"value,omitempty"`
	Digest string `json:"digest,omitempty"`
	// Absent means that the fact is expected not to be there.
	Absent bool `json:"absent,omitempty"`
	// Declared tells that the author wrote it, not that an expression used it.
	Declared bool `json:"declared,omitempty"`
}

// Gate is something that must happen before the stage starts.
type Gate struct {
	// Kind is approval or person.
	Kind string `json:"kind"`
	// Name identifies the gate within the stage.
	Name string `json:"name"`
	// Reason says what to judge or what to do.
	Reason string   `json:"reason"`
	By     []string `json:"by,omitempty"`
	Count  int      `json:"count,omitempty"`
	// Requirement is what must be true to pass a person gate.
	Requirement *Requirement `json:"requirement,omitempty"`
}

// Requirement is checked when the stage starts.
type Requirement struct {
	Name       string `json:"name"`
	Fact       string `json:"fact"`
	Constraint string `json:"constraint"`
	Scheme     string `json:"scheme,omitempty"`
	Owner      string `json:"owner,omitempty"`
}

// Soak is the observation after a stage.
type Soak struct {
	For    Duration `json:"for"`
	Every  Duration `json:"every"`
	MaxGap Duration `json:"maxGap"`
	Checks []string `json:"checks"`
}

// Phase is the part of a stage in which a step runs.
type Phase string

// The phases in their order.
const (
	Prepare   Phase = "prepare"
	Preflight Phase = "preflight"
	Quiesce   Phase = "quiesce"
	Backup    Phase = "backup"
	Upgrade   Phase = "upgrade"
	Verify    Phase = "verify"
	Resume    Phase = "resume"
	Cleanup   Phase = "cleanup"
)

// Phases lists the phases in their order.
func Phases() []Phase {
	return []Phase{Prepare, Preflight, Quiesce, Backup, Upgrade, Verify, Resume, Cleanup}
}

// Step is one node of the plan.
type Step struct {
	ID          string        `json:"id"`
	Description string        `json:"description,omitempty"` // not in the digest
	Phase       Phase         `json:"phase"`
	Action      string        `json:"action"` // with contract version
	Effect      action.Effect `json:"effect"`
	Gate        action.Gate   `json:"gate,omitempty"`
	Target      string        `json:"target,omitempty"`
	// With is the input of the action. Strings at the places of Deferred hold
	// expressions that are evaluated when the step starts.
	With     map[string]any `json:"with,omitempty"`
	Deferred []Deferred     `json:"deferred,omitempty"`
	// Scope are the values of forEach members that deferred expressions need.
	Scope map[string]any `json:"scope,omitempty"`
	// Group is the id of the use of a sub-procedure that the step came from.
	Group string `json:"group,omitempty"`
	// Needs are the ids of steps that must have ended well before.
	Needs []string `json:"needs,omitempty"`
	// Free steps wait for their needs only, not for phases.
	Free bool `json:"free,omitempty"`
	// Resource is something that only one step at a time may use.
	Resource string `json:"resource,omitempty"`
	// When is an expression over outputs of steps; empty means always.
	When string `json:"when,omitempty"`
	// Skip says why the step will not run; it is kept so that people see it.
	Skip string `json:"skip,omitempty"`
	// ForEach is set when the members are known only when the step starts.
	ForEach *ForEach `json:"forEach,omitempty"`
	// Selection is set when the action picks out what it acts on by itself,
	// when it starts.
	Selection *Selection `json:"selection,omitempty"`
	// Remedy is set for a step that is taken only when a known issue is met.
	Remedy *Remedy `json:"remedy,omitempty"`

	Covers       []string   `json:"covers,omitempty"`
	Proof        int        `json:"proof,omitempty"`
	Online       bool       `json:"online,omitempty"`
	Changes      []string   `json:"changes,omitempty"`
	Quiesces     []string   `json:"quiesces,omitempty"`
	Downtime     []string   `json:"downtime,omitempty"`
	Lease        *StepLease `json:"lease,omitempty"`
	Reversible   Reversible `json:"reversible"`
	Irreversibly string     `json:"irreversibly,omitempty"` // why, for Reversible "no"
	Timeout      Duration   `json:"timeout"`
	Retry        Retry      `json:"retry,omitzero"`
	OnFailure    string     `json:"onFailure"`
	Estimate     Estimate   `json:"estimate,omitzero"` // not in the digest
	// Back is how long taking the step back takes: undoing it, giving its lease
	// back, or restoring from it; zero where only Estimate tells. Not in the digest.
	Back Estimate `json:"back,omitzero"`
	// Preview is what the action says it would do; not in the digest.
	Preview *action.Preview `json:"preview,omitempty"`
}

// Deferred is one place in With that is evaluated when the step starts.
type Deferred struct {
	// Path is a JSON pointer into With: "/valuesFile".
	Path string `json:"path"`
	// Text is the string with its ${…}.
	Text string `json:"text"`
}

// ForEach resolves the members of a step when it starts.
type ForEach struct {
	Expr string `json:"expr"`
	As   string `json:"as"`
	Key  string `json:"key,omitempty"`
	Max  int    `json:"max"`
	// Approve tells that a person has to approve the list of members before
	// the first of them starts, because the step cannot be taken back or may
	// damage data.
	Approve bool `json:"approve,omitempty"`
}

// Group is one use of a sub-procedure.
type Group struct {
	ID       string         `json:"id"`
	Parent   string         `json:"parent,omitempty"`
	Inputs   map[string]any `json:"inputs,omitempty"`
	Deferred []Deferred     `json:"deferred,omitempty"` // places in Inputs
	// Scope is the member of the using step's forEach, for expressions that are
	// evaluated later.
	Scope map[string]any `json:"scope,omitempty"`
	// When is an expression of the using step over outputs of steps; when it is
	// false no step of the group runs.
	When string `json:"when,omitempty"`
	// Outputs are texts with ${…} over the outputs of the group's steps.
	Outputs map[string]any `json:"outputs,omitempty"`
}

// Reversible says how a step is taken back.
type Reversible string

// The ways. ReversibleNone is for steps that change nothing.
const (
	ReversibleNone    Reversible = "none"
	ReversibleUndo    Reversible = "undo"
	ReversibleRestore Reversible = "restore"
	ReversibleNo      Reversible = "no"
)

// StepLease makes a step's change temporary.
type StepLease struct {
	// Until is stage, run or steps.
	Until string `json:"until"`
	// Steps are those after which the change is given back, when all of them
	// have ended or were skipped; set when Until is steps.
	Steps     []string `json:"steps,omitempty"`
	OnFailure string   `json:"onFailure"` // release or hold
}

// Retry is how often and when a step is tried again. The zero Retry means one
// attempt.
type Retry struct {
	Attempts   int      `json:"attempts"`
	Backoff    Duration `json:"backoff"`
	MaxBackoff Duration `json:"maxBackoff"`
}

// Lease is one temporary change with its release. Releases happen in the
// reverse order of the acquisitions.
type Lease struct {
	Step string `json:"step"`
	StepLease
	Quiesces []string `json:"quiesces,omitempty"`
}

// Coverage says which backup covers a component that the stage changes.
type Coverage struct {
	Component string `json:"component"`
	// ChangedBy are the steps that may damage it.
	ChangedBy []string `json:"changedBy"`
	// Backups are the covering steps: one, or all members of a forEach. Each
	// has ended before the first change, so that restoring them brings back the
	// state at the start of the stage.
	Backups []string `json:"backups,omitempty"`
	// Proof is the lowest level of proof among them.
	Proof int `json:"proof,omitempty"`
	// LossWindow is how much may be lost on restore with an online backup: the
	// time from the start of the backup to the end of the last change.
	LossWindow Duration `json:"lossWindow,omitzero"`
}

// Abort is the author's way back to service.
type Abort struct {
	Description string `json:"description,omitempty"` // not in the digest
	// Steps have ids that begin with "abort/".
	Steps  []Step  `json:"steps"`
	Groups []Group `json:"groups,omitempty"`
}

// Window is one maintenance window, as the platform file has it.
type Window struct {
	Days     []string `json:"days,omitempty"`
	Date     string   `json:"date,omitempty"`
	Start    string   `json:"start"`
	Duration Duration `json:"duration"`
	Zone     string   `json:"zone"`
	OnClose  string   `json:"onClose"`
}

// Outcome is what a check found.
type Outcome string

// The outcomes. Fail and Unknown block until they are accepted by name.
const (
	Pass           Outcome = "pass"
	Warn           Outcome = "warn"
	Fail           Outcome = "fail"
	UnknownOutcome Outcome = "unknown"
)

// Finding is the outcome of a check.
type Finding struct {
	// Name is what a person accepts it by: "risk/token-loss".
	Name    string  `json:"name"`
	Stage   string  `json:"stage,omitempty"`
	Step    string  `json:"step,omitempty"`
	Outcome Outcome `json:"outcome"`
	// Reason is for machines, CamelCase: "NotCovered".
	Reason  string `json:"reason"`
	Message string `json:"message"`
	Remedy  string `json:"remedy,omitempty"`
	// Accepted is set when a person lets it pass.
	Accepted *Accepted `json:"accepted,omitempty"`
}

// Blocks tells whether the finding stops the plan from being applied.
func (f Finding) Blocks() bool {
	return (f.Outcome == Fail || f.Outcome == UnknownOutcome) && f.Accepted == nil
}

// Accept lets a finding pass that is known by its name, before or after it was
// made. Expires is the last day on which it counts: "2026-12-31".
type Accept struct {
	Name    string `json:"name"`
	Reason  string `json:"reason"`
	By      string `json:"by"`
	Expires string `json:"expires"`
}

// Accepted records that a person lets a finding pass.
type Accepted struct {
	By      string `json:"by"`
	Reason  string `json:"reason"`
	Expires string `json:"expires"` // last day, 2026-12-31
}

// Summary is what people look at first.
type Summary struct {
	Steps    int      `json:"steps"`
	Duration Estimate `json:"duration"`
	// Rollback is how long the longest way back from any stage takes.
	Rollback Estimate `json:"rollback"`
	// Downtime is the predicted downtime by component over all stages.
	Downtime []Downtime `json:"downtime,omitempty"`
	// CriticalPath are the steps that decide the duration, "stage/step".
	CriticalPath []string `json:"criticalPath,omitempty"`
	// PointOfNoReturn is the first step that cannot be taken back; nil when
	// everything can.
	PointOfNoReturn *PointOfNoReturn `json:"pointOfNoReturn,omitempty"`
	// Stages has one entry per stage, in order.
	Stages []StageSummary `json:"stages"`
}

// Downtime is how long a component is predicted to be down.
type Downtime struct {
	Component string   `json:"component"`
	Stage     string   `json:"stage,omitempty"`
	Typical   Duration `json:"typical"`
	Worst     Duration `json:"worst"`
	// Known is false when a step that takes the component down has no estimate.
	Known bool `json:"known"`
}

// PointOfNoReturn is the step after which there is no way back.
type PointOfNoReturn struct {
	Stage string `json:"stage"`
	Step  string `json:"step"`
	Why   string `json:"why"`
}

// StageSummary is the prediction for one stage.
type StageSummary struct {
	ID       string   `json:"id"`
	Steps    int      `json:"steps"`
	Duration Estimate `json:"duration"`
	// InWindow is the part of Duration that needs the window: without prepare.
	InWindow Estimate `json:"inWindow"`
	Rollback Estimate `json:"rollback"`
	// FitsWindow tells whether the worst duration with the worst rollback fits
	// every window of the stage; nil without windows.
	FitsWindow      *bool            `json:"fitsWindow,omitempty"`
	Downtime        []Downtime       `json:"downtime,omitempty"`
	CriticalPath    []string         `json:"criticalPath,omitempty"`
	PointOfNoReturn *PointOfNoReturn `json:"pointOfNoReturn,omitempty"`
}

// Duration is written in JSON as Go writes it: "1m30s".
type Duration time.Duration
