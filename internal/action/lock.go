package action

import (
	"context"
	"time"
)

// ReasonTargetLocked is the reason of errors about a target that another run holds.
const ReasonTargetLocked = "TargetLocked"

// LockTime is for how long a lock counts that is not renewed, and LockEvery how often
// its holder renews it.
const (
	LockTime  = 45 * time.Second
	LockEvery = 10 * time.Second
)

// Locker is implemented by kinds of target that can be held by one run at a time, as
// all machines see it. The errors are *Error; that another run holds the target has
// the reason ReasonTargetLocked.
type Locker interface {
	TargetKind
	// Lock takes the lock: one that nobody has, one that its holder has not renewed
	// for LockTime, and what the holder itself has left. It may look for a while
	// whether another's lock is renewed.
	Lock(ctx context.Context, env Env, h Holder) error
	// Renew says that the holder is still there. A lock that somebody has removed is
	// made anew; one that another run has taken meanwhile is not taken back.
	Renew(ctx context.Context, env Env, h Holder) error
	// Unlock gives the lock back. One that is not the holder's, or that is gone, is
	// left as it is.
	Unlock(ctx context.Context, env Env, h Holder) error
}

// Holder is a run that holds a target.
type Holder struct {
	// Run and Origin tell the run from all others: see Env.Origin.
	Run, Origin string
	// By is the person, "ada@laptop"; Host the machine.
	By, Host string
}

// Same tells whether two holders are the same run, whoever drives it.
func (h Holder) Same(other Holder) bool { return h.Run == other.Run && h.Origin == other.Origin }
