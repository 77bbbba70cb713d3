package engine

import (
	"context"
	"io"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// Engine keeps the histories of runs and drives them. It is safe for concurrent
// use by several goroutines and several processes.
type Engine interface {
	// Create records a new run with its first event, without driving it. The
	// plan is kept with the run.
	Create(ctx context.Context, n NewRun) (Info, error)
	// Drive drives runs until each has ended, waits longer than the caller
	// wants to, or ctx ends; then what is under way is stopped in order and the
	// runs can be driven on. Outcomes are in the order of the runs.
	Drive(ctx context.Context, o DriveOptions) ([]Outcome, error)
	// Request asks for something on behalf of a person, one of the bodies of
	// package run that embed run.Who, or tells what a probe found. With an owner it goes through the inbox
	// and its answer is waited for; without one the run is locked and the event
	// appended. run.ErrRefused comes back when it is not possible now. Nothing
	// is asked for twice.
	Request(ctx context.Context, id string, body run.Body) error
	// List returns what is known of all runs, the newest first.
	List(ctx context.Context) ([]Info, error)
	// Load returns where a run stands.
	Load(ctx context.Context, id string) (Snapshot, error)
	// History returns up to most events behind the one numbered after, in
	// order; all of them when most is 0.
	History(ctx context.Context, id string, after uint64, most int) ([]Record, error)
	// Close gives everything back. Runs that are driven are stopped first.
	Close() error
}

// Replanner is implemented by engines whose runs can go on with another plan.
type Replanner interface {
	// AddPlan keeps another plan with a run, for the run.Replanned that names it
	// by its digest. Adding the same plan again changes nothing.
	AddPlan(ctx context.Context, id string, p *plan.Plan) error
}

// Timekeeper is implemented by engines that tell how long steps took in earlier runs.
type Timekeeper interface {
	// Tooks returns how long the steps of the newest runs of a procedure took, at
	// most so many runs, those of the platform first. It is for predictions: runs that
	// cannot be read are left out.
	Tooks(ctx context.Context, procedure, platform string, most int) ([]plan.Took, error)
}

// Mover is implemented by engines whose runs can be taken to another machine.
type Mover interface {
	// Export writes a run: its plans, its history and the head of its chain. The
	// run is marked as moved and is not driven here any more, unless keep is set:
	// then the copy can be looked at and not be driven.
	Export(ctx context.Context, id string, to io.Writer, keep bool) error
	// SetAside marks a run that cannot be read any more as one that is not driven
	// here, for a reason that is kept. What it changed stays as it is.
	SetAside(ctx context.Context, id, why string) error
	// Import reads what Export wrote, checks its chain and folds it.
	Import(ctx context.Context, from io.Reader) (Info, error)
}

// Keeper is implemented by engines that keep evidence beside the history.
type Keeper interface {
	// Artefact opens evidence by its digest, "sha256:…".
	Artefact(ctx context.Context, digest string) (io.ReadCloser, error)
	// Log opens what an attempt of an operation wrote while it ran. Several owners
	// may have written one after the other.
	Log(ctx context.Context, id string, op run.Ref, attempt int) (io.ReadCloser, error)
}

// Examiner is implemented by engines that can say what is wrong with what they keep.
type Examiner interface {
	// Examine looks at the store as a whole and at what processes that have ended
	// left behind. It changes nothing. The error is for what keeps it from looking.
	Examine(ctx context.Context) ([]Trouble, error)
}

// Trouble is something that an Examiner has found.
type Trouble struct {
	Kind TroubleKind
	// Run is the run that it is about; empty for the store.
	Run string
	// PID is the process that it is about; 0 for none.
	PID int
	// Text says more; it may be empty.
	Text string
}

// TroubleKind says what was found.
type TroubleKind string

// What can be found. Damaged: the store does not read as it was written. Died: the
// process that drove a run ended without giving it back. Child: a program that was
// started for a run goes on although nobody drives it. Locked: something holds the
// lock of a run that nobody drives.
const (
	TroubleDamaged TroubleKind = "damaged"
	TroubleDied    TroubleKind = "died"
	TroubleChild   TroubleKind = "child"
	TroubleLocked  TroubleKind = "locked"
)

// NewRun says what to carry out.
type NewRun struct {
	// ID names the run; empty for one that is made from the platform's name.
	ID   string
	Plan *plan.Plan
	// Parallel is how many steps may be under way at once; at least 1.
	Parallel int
	// Until is the stage before which the run stops; empty for none.
	Until string
	// Dir is the absolute folder of the platform file: relative paths of steps
	// are relative to it.
	Dir string
	// By is who started the run: "ada@laptop".
	By string
}

// Info is what is known of a run without reading its history.
type Info struct {
	ID       string     `json:"id"`
	Platform string     `json:"platform"`
	Digest   string     `json:"digest"`
	Created  time.Time  `json:"created"`
	Updated  time.Time  `json:"updated"`
	By       string     `json:"by"`
	Dir      string     `json:"dir"`
	Status   run.Status `json:"status"`
	// Seq is the number of the last event, Head the hash of the chain there.
	Seq  uint64 `json:"seq"`
	Head string `json:"head"`
	// Next is when something happens by itself; zero when nothing does.
	Next time.Time `json:"next,omitzero"`
	// Moved tells that the run was taken to another machine, or is a copy.
	Moved bool `json:"moved,omitempty"`
	// Owner is who drives the run now; nil when nobody does.
	Owner *Owner `json:"owner,omitempty"`
}

// Owner is a process that drives a run. It is for display: the lock decides.
type Owner struct {
	Host  string    `json:"host"`
	PID   int       `json:"pid"`
	By    string    `json:"by"`
	Since time.Time `json:"since"`
	Epoch uint64    `json:"epoch"`
}

// Snapshot is a run as its history tells it.
type Snapshot struct {
	Info  Info
	Plan  *plan.Plan
	State run.State
	// Progress is how far the operations under way have come, by the ID of the
	// command; it is not part of the history.
	Progress map[string]action.Measured
}

// Record is one event as it is kept.
type Record struct {
	Event run.Event
	// Hash covers the event and the hash of the one before.
	Hash string
}

// DriveOptions say what to drive and for how long.
type DriveOptions struct {
	// Runs are the ids of the runs; empty for all that have not ended.
	Runs []string
	// Linger is how long a run may wait for a timer before it is left, to be
	// driven on later; negative means for ever, also for a person.
	Linger time.Duration
	// By is who drives.
	By string
	// Stop asks to end in order when it is closed: nothing new is started, effects
	// that are under way go on to their end or to the end of their time and are
	// recorded, and so is what people ask for meanwhile. It may be nil. The end of
	// the context stops what is under way.
	Stop <-chan struct{}
	// On is told every event once it is durable, in order within a run. It is
	// called by several goroutines and must return soon; it may be nil.
	On func(id string, r Record)
	// OnProgress is told how far an operation has come; it may be nil.
	OnProgress func(id, command string, p action.Progress)
}

// Outcome is how driving a run has ended.
type Outcome struct {
	ID     string
	Status run.Status
	// Err is why the run could not be driven: ErrOwned, ErrDamaged and so on; nil
	// when the status says it all.
	Err error
}

// Worker carries out commands of the core. It is safe for concurrent use.
type Worker interface {
	// Carry does what a.Command asks and returns the event that says what came
	// of it. It is called for every command but run.StartOperation and run.Timer,
	// which the host answers itself. The error is for trouble of Refit's own,
	// never of the world; the host then stops driving the run. ctx ends when the
	// command is no longer pending.
	Carry(ctx context.Context, a Assignment) (run.Body, error)
}

// Guard is implemented by workers that hold the targets of a run, so that no run of
// another machine changes them meanwhile. Where the worker is one, a host drives no
// run that it does not guard.
type Guard interface {
	// Guard takes the locks of the targets of a run and renews them until release
	// is called, which gives them back. The error is that another run holds one of
	// them: then none is held. What cannot be asked now is asked again later; until
	// then Carry answers about effects on such a target that it has to be waited for.
	Guard(ctx context.Context, w Watch) (release func(), err error)
}

// Watch says what to guard.
type Watch struct {
	// Run is the id of the run, Origin tells it from others of the same id, Dir is
	// the folder of its platform file.
	Run, Origin, Dir string
	Plan             *plan.Plan
	// By is who drives, Host on which machine.
	By, Host string
	// Lost is told when another run has taken a target: the run must not go on. It
	// is called at most once and may be called until release returns.
	Lost func(err error)
}

// Assignment is a command with what carrying it out needs.
type Assignment struct {
	// Run is the id of the run, Dir the folder of its platform file.
	Run, Dir string
	// Origin tells the run from others of the same id.
	Origin string
	// Plan is the one that the stage of the command came from: after a replan the
	// stages that were kept go on meaning what they meant.
	Plan    *plan.Plan
	Command run.Command
	// Progress, Log and Children are handed to the action; each may be nil.
	Progress func(action.Progress)
	Log      io.Writer
	Children action.Children
	// Keep keeps evidence that is too large for an event and returns its digest.
	Keep func(ctx context.Context, name string, data []byte) (digest string, err error)
	// Fetch returns what Keep has kept, for commands that need it.
	Fetch func(ctx context.Context, digest string) ([]byte, error)
	// ReadLog opens what an attempt of an operation of the run wrote, as in Keeper;
	// nil where the host keeps none.
	ReadLog func(ctx context.Context, op run.Ref, attempt int) (io.ReadCloser, error)
}
