// Package run carries out a plan, as a pure state machine. It folds events into
// a State and says which Commands a host must have in flight; it never touches
// the world. It is the third part of the path procedure → plan → run → report.
//
// Advance(State, Event) gives the next State, Pending(State) the commands. A
// host appends each event durably before it does anything because of it, and
// every outcome of a command comes back as an event. The package evaluates no
// expression, calendar or rule: those are commands too, so that an old history
// means the same under every later version.
//
// # Operations
//
// Whatever changes the world is an Operation: to do a step, to undo it, to
// restore a component from a backup, to release a lease, to take it again. All
// live the same life: observed, started (durably), run, ended. After every
// unclear end (a timeout, a lost connection, another owner) an operation is
// observed before anything is repeated; what cannot be known is left in doubt
// until a person settles it.
//
// # Order of a stage
//
// The facts are checked, then the gates of the stage pass, then its steps run in
// phases. When prepare changes something, the checks of preflight that need
// nothing of prepare run before it, and all of them run again when the window
// opens. Leases are given back in the reverse order in which they were taken.
//
// # People
//
// Gates says what waits for whom, and what an approval has to name. Work that a
// person did is taken back by a person, in its turn of the rollback.
//
// # Speed
//
// What is looked up after every event is derived from the current stage and kept
// in line as steps change (live). It is no part of the state.
//
// # Replan
//
// Replanned names a plan by its digest; its stages replace those of which nothing
// was started. The host keeps all plans of a run and hands out each by its digest
// (WithPlans, ResumeFrom), so that a fold needs nothing else.
//
// # Selections
//
// The members of a forEach, and what an action picks out by itself (Selection of
// a step), are recorded before anything is done to them. An approval is for one
// list, by its digest. Once an attempt was begun the list stands: looks, further
// attempts and the way back are about it.
//
// # Remedies
//
// A step with a Remedy stays skipped until a step of the stage fails with its
// known issue. Then it runs, outside of the order of the phases, and the failed
// step goes on with an observation. It is taken only once the backups were made
// that cover what it changes.
package run
