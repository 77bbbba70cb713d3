package report

import "github.com/refitproject/refit/internal/run"

// Ending is what somebody who drives a run has to know when the driving ends.
type Ending string

// The endings. Waiting stands for all that goes on by itself or by a person's
// leave, also when nobody drives the run; RolledBack for every way back.
const (
	EndDone       Ending = "done"
	EndWaiting    Ending = "waiting"
	EndRolledBack Ending = "rolledBack"
	EndHalted     Ending = "halted"
	EndInDoubt    Ending = "inDoubt"
	EndCancelled  Ending = "cancelled"
)

// Ending returns what the state of the run comes to.
func (v *RunView) Ending() Ending {
	switch v.Status {
	case run.Succeeded:
		return EndDone
	case run.RolledBack, run.PartlyRolledBack, run.Failed:
		return EndRolledBack
	case run.Cancelled:
		return EndCancelled
	case run.Halted, run.Planned, run.Running, run.Waiting, run.Paused, run.RollingBack:
	}
	switch {
	case len(v.InDoubt) > 0:
		return EndInDoubt
	case v.Status == run.Halted:
		return EndHalted
	default:
		return EndWaiting
	}
}
