package run

// Status is the state of a run.
type Status string

// The states of a run.
const (
	Planned          Status = "Planned"
	Running          Status = "Running"
	Waiting          Status = "Waiting"
	Paused           Status = "Paused"
	Halted           Status = "Halted"
	RollingBack      Status = "RollingBack"
	RolledBack       Status = "RolledBack"
	PartlyRolledBack Status = "PartlyRolledBack"
	Cancelled        Status = "Cancelled"
	Succeeded        Status = "Succeeded"
	Failed           Status = "Failed"
)

// Final tells whether the run has ended. Leases that are held may still be
// released on request.
func (s Status) Final() bool {
	switch s {
	case RolledBack, PartlyRolledBack, Cancelled, Succeeded, Failed:
		return true
	case Planned, Running, Waiting, Paused, Halted, RollingBack:
		return false
	}
	return false
}

// StepStatus is the state of a step.
type StepStatus string

// The states of a step. A step that waits says for what in Wait.
const (
	StepPending   StepStatus = "Pending"
	StepReady     StepStatus = "Ready"
	StepRunning   StepStatus = "Running"
	StepInDoubt   StepStatus = "InDoubt"
	StepWaiting   StepStatus = "Waiting"
	StepSucceeded StepStatus = "Succeeded"
	StepFailed    StepStatus = "Failed"
	StepSkipped   StepStatus = "Skipped"
	StepCancelled StepStatus = "Cancelled"
	StepUndoing   StepStatus = "Undoing"
	StepUndone    StepStatus = "Undone"
)

// Wait is what a waiting step waits for.
type Wait string

// What steps wait for.
const (
	WaitApproval    Wait = "approval"
	WaitWindow      Wait = "window"
	WaitSoak        Wait = "soak"
	WaitCondition   Wait = "condition"
	WaitPerson      Wait = "person"
	WaitCredentials Wait = "credentials"
	WaitTarget      Wait = "target"
)

// Part is how far a stage has come. It is not a state of its own for people:
// they see the states of steps.
type Part string

// The parts of a stage, in their order.
const (
	PartAhead     Part = "ahead"
	PartChecking  Part = "checking"
	PartGated     Part = "gated"
	PartWorking   Part = "working"
	PartReleasing Part = "releasing"
	PartSoaking   Part = "soaking"
	PartOver      Part = "over"
)
