package action

import "context"

// KeyVariable is the environment variable that carries Env.Key into every
// program that is started for a step. Programs hand it on to what they start
// themselves, so that a later owner of the run finds all of it, also what left
// its process group.
const KeyVariable = "REFIT_KEY"

// StateVariable is the environment variable that names the state folder of the
// Refit that started a program. Runs of two folders may have the same name, and
// with it the same keys: a program of another folder is none of ours.
const StateVariable = "REFIT_STATE"

// Child is a program that was started for a step. The process identifier alone
// does not name it for long: the system gives it away again.
type Child struct {
	// PID is the process identifier, and that of the process group where there
	// are groups.
	PID int
	// StartTime is when the program was started, as the system counts: field
	// 22 of /proc/PID/stat on Linux, "" elsewhere.
	StartTime string
	// Key is Env.Key of the step.
	Key string
}

// Children keeps a record of the programs that run, so that a new owner of a
// run can wait for those of the old one, or end them. It is safe for
// concurrent use.
type Children interface {
	// Started records a program that has just been started. After an error
	// the program is killed: what nobody could find again must not run.
	Started(ctx context.Context, child Child) error
	// Ended takes back the record of a program that has ended and was waited
	// for.
	Ended(child Child)
}
