package action

import (
	"context"
	"io"
	"time"

	"github.com/refitproject/refit/internal/schema"
)

// Env is what an action is given beside its input. Clients (HTTP, programs)
// are handed to the constructors of the actions instead.
type Env struct {
	// Key identifies the effect of a step: the same for all attempts and
	// owners. It is carried into the world where that is possible; the page of
	// the action says where. Empty while planning.
	Key string
	// Attempted tells that an attempt of this step was started before, by
	// anybody, and that nobody recorded that it changed nothing. Actions that
	// cannot see their effect in the world answer Unknown then, instead of
	// NotStarted: what may have happened is never taken for what has not.
	Attempted bool
	// Origin tells the run from others of the same name, of which keys alone say
	// nothing to who keeps effects of several machines; empty while planning.
	Origin string
	// Members is what Observe has picked, for actions that pick out themselves what
	// they act on (Spec.Selects): Run acts on these and on nothing else, Observe
	// answers about these once an attempt was started, and Undo brings them back.
	// Nil before: then Observe picks.
	Members []Member
	// Proof is the level to which the step must prove its backup; 0 when nothing
	// asks for one.
	Proof int
	// Target is the place that the step acts on; the zero Target when the
	// action needs none.
	Target Target
	// Dir is the absolute folder that relative paths are relative to: the
	// folder of the platform file.
	Dir string
	// Secrets resolves references to secrets; nil when there are none, as in
	// Preview. Values are asked for as late as possible and never leave the
	// action. See ResolveSecrets.
	Secrets Secrets
	// Now gives the time; actions never ask the clock themselves.
	Now func() time.Time
	// Progress is told how far an effect has come; nil when nobody looks. See
	// Report. It may be called from any goroutine of the call and returns at
	// once.
	Progress func(Progress)
	// Log takes what an attempt has to say line by line, such as what a program
	// prints; nil when nobody reads it. See LogWriter. Each Write is one or
	// more whole lines of UTF-8 text; an error of it disturbs nothing.
	Log io.Writer
	// Children is told of the programs that are started; nil when nobody
	// keeps a record of them.
	Children Children
}

// Report tells how far the effect has come, to whoever looks.
func (e Env) Report(p Progress) {
	if e.Progress != nil {
		e.Progress(p)
	}
}

// LogWriter returns where the lines of the log go; never nil.
func (e Env) LogWriter() io.Writer {
	if e.Log == nil {
		return io.Discard
	}
	return e.Log
}

// Target is a place that a step acts on, as the platform file names it.
type Target struct {
	Name string
	Kind string
	// Config is the entry of the platform file, by key.
	Config map[string]any
	// Identity is what the plan pinned; empty before the first observation.
	Identity string
}

// Progress is how far an effect has come. It is shown and never recorded.
type Progress struct {
	Done  int64  `json:"done,omitempty"`
	Total int64  `json:"total,omitempty"`
	Unit  string `json:"unit,omitempty"`
	Note  string `json:"note,omitempty"`
}

// Status is the answer of Observe to the question whether the effect of a step
// has happened.
type Status string

// The answers. NotStarted: the world is as before. InProgress: the effect is
// under way and must be polled, never started again. Done and Failed: it has
// ended. Partial: some of it happened and nothing is under way. Unknown: it
// cannot be known; a person decides. "Could not ask" is an error instead.
const (
	NotStarted Status = "notStarted"
	InProgress Status = "inProgress"
	Done       Status = "done"
	Failed     Status = "failed"
	Partial    Status = "partial"
	Unknown    Status = "unknown"
)

// Observation is what Observe saw. For read-only actions Status is Done and
// Output is the fact.
type Observation struct {
	Status Status
	// Output is the action's output as plain JSON values; nil unless Done.
	Output map[string]any
	// Before is what the action needs to know later of the state before the
	// effect, as plain JSON values: the target of Undo. At most 32 KiB.
	Before map[string]any
	// Members is what Run would act on, for actions that pick it themselves. With
	// Env.Members it is what is left of those.
	Members []Member
	// Reason says in one line why the Status is what it is.
	Reason   string
	Progress *Progress
}

// Member is one thing that an action has picked to act on. Two members are the
// same when both fields are: what tells a thing from another one that has taken
// its name, such as a UID, stands in one of them.
type Member struct {
	// Key names it: a path, "Pod/web-0".
	Key string
	// Note is what a person should know who approves it, such as its size; may be
	// empty.
	Note string
}

// Preview is what a step would do, for people. It is not part of any digest.
type Preview struct {
	// Summary is one line: "upgrade release hub from 3.3.8 to 4.2.0".
	Summary string `json:"summary"`
	// Diff is a unified diff of what would change, when there is one.
	Diff string `json:"diff,omitempty"`
}

// Action is one typed operation. Inputs are plain JSON values that the Spec's
// Input admits; a value that does not fit is an *Error with reason
// "InvalidInput". Implementations are safe for concurrent use and hold no
// state between calls.
type Action interface {
	Spec() Spec
	// Preview says what Run would do. It changes nothing.
	Preview(ctx context.Context, env Env, in map[string]any) (Preview, error)
	// Observe reads the world and changes nothing. The error is "could not
	// ask" and may be retried.
	Observe(ctx context.Context, env Env, in map[string]any) (Observation, error)
	// Run carries out the effect. before is what Observe saw. It is called
	// only after Observe answered NotStarted, or Partial for resumable actions.
	// Read-only actions and gates have no Run and return ErrNoRun. A failure
	// is an *Error whose Effect says how much has happened; any other error
	// counts as ExtentUnknown, so that the step is observed before a retry.
	Run(ctx context.Context, env Env, in, before map[string]any) (map[string]any, error)
	// Undo takes the effect back to before. It is called only for
	// inputs that Spec.Undoable admits, else it returns ErrNoUndo.
	Undo(ctx context.Context, env Env, in, before map[string]any) error
}

// Checker is implemented by actions that can check an input beyond its types
// without contacting anything, such as the form of a URL. All actions made by
// Define implement it.
type Checker interface {
	// Check returns an *Error with reason ReasonInvalidInput when in does not
	// fit. in must hold values, not expressions.
	Check(in map[string]any) error
}

// TargetKind knows how to tell one target of its kind from another.
type TargetKind interface {
	// Kind is the name of the kind: "directory".
	Kind() string
	// Identify reads the identity of a target: something that stays the same
	// over upgrades and differs between two targets with the same address,
	// such as the UID of the namespace kube-system. It changes nothing.
	Identify(ctx context.Context, env Env) (string, error)
}

// Configured is implemented by kinds of target that say what their entry in the
// platform file holds beside kind, identity and description. Entries of other
// kinds are only checked when a target is asked.
type Configured interface {
	TargetKind
	// Config is a closed Object.
	Config() schema.Type
}
