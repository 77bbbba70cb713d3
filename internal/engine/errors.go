package engine

import (
	"errors"
	"fmt"
	"time"
)

// ErrNotFound is returned when there is no run with an id.
var ErrNotFound = errors.New("there is no such run")

// ErrExists is returned by Create when the id is taken.
var ErrExists = errors.New("there is such a run already")

// ErrNoExport is returned by Import when the file is not a whole run as Export
// wrote it.
var ErrNoExport = errors.New("copy the file again, or export the run again")

// ErrMoved is returned when a run was taken to another machine, or is a copy
// that can only be looked at.
var ErrMoved = errors.New("the run is not driven here")

// ErrStaleOwner is returned when an owner appends to a run that another one has
// taken over. It has to stop at once; what it did is observed by the new one.
var ErrStaleOwner = errors.New("another owner has taken the run over")

// OwnedError is returned when a process asks for a run that another one drives.
type OwnedError struct {
	ID    string
	Owner Owner
}

// Error implements error.
func (e *OwnedError) Error() string {
	if e.Owner.PID == 0 {
		return fmt.Sprintf("run %q is driven by another process", e.ID)
	}
	return fmt.Sprintf("run %q is driven by process %d on %s (%s) since %s: watch it, or end that process first",
		e.ID, e.Owner.PID, e.Owner.Host, e.Owner.By, e.Owner.Since.UTC().Format(time.RFC3339))
}

// DamagedError is returned when a history cannot be believed: a hash does not
// fit, an event is missing, or it cannot follow.
type DamagedError struct {
	ID  string
	Seq uint64
	Err error
}

// Error implements error.
func (e *DamagedError) Error() string {
	return fmt.Sprintf("the history of run %q is damaged at event %d: %v: "+
		"bring back the state folder from a copy, or look at the target, set the run aside with "+
		"refit runs set-aside %s, and start a new one", e.ID, e.Seq, e.Err, e.ID)
}

// Unwrap returns what is wrong.
func (e *DamagedError) Unwrap() error { return e.Err }

// UnsupportedError is returned when this program cannot drive a run: another
// version wrote it, or it needs an action that is not there.
type UnsupportedError struct{ ID, What string }

// Error implements error.
func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("run %q cannot be driven by this program: %s: "+
		"use the version of refit that started it, or a newer one", e.ID, e.What)
}

// StoreError is returned when the state folder cannot be used: full, read-only,
// on a network disk, or from a newer version.
type StoreError struct {
	Dir, What, Remedy string
	Err               error
}

// Error implements error.
func (e *StoreError) Error() string {
	text := fmt.Sprintf("state folder %q: %s", e.Dir, e.What)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	if e.Remedy != "" {
		text += ": " + e.Remedy
	}
	return text
}

// Unwrap returns the cause.
func (e *StoreError) Unwrap() error { return e.Err }
