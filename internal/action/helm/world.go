package helm

import (
	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/backup"
	"github.com/refitproject/refit/internal/kube"
)

// World is what the actions work with.
type World struct {
	// Clusters connects to the target of a step.
	Clusters *kube.Connector
	// Stores opens the stores of backups.
	Stores backup.Opener
	// Before is called before each request that changes the cluster, with its method
	// and path; after an error it is not sent. Tests break effects off with it, as the
	// end of the process would. It may be nil.
	Before func(what string) error
}

// kinds are the targets of the family.
func kinds() []string { return []string{kube.KindTarget} }

// maxText is how much of what Helm or a chart says is shown, in bytes.
const maxText = 8 << 10

// The reasons of errors of this package.
const (
	reasonReleaseNotFound  = "ReleaseNotFound"
	reasonReleaseAmbiguous = "ReleaseAmbiguous"
	reasonReleasePending   = "ReleasePending"
	reasonReleaseChanged   = "ReleaseChanged"
	reasonRevisionNotFound = "RevisionNotFound"
	reasonChartNotFound    = "ChartNotFound"
	reasonChartUnavailable = "ChartUnavailable"
	reasonChartInvalid     = "ChartInvalid"
	reasonChartRefuses     = "ChartRefuses"
	reasonClusterUnfit     = "ClusterUnfit"
	reasonValuesInvalid    = "ValuesInvalid"
	reasonValuesRefused    = "ValuesRefused"
	reasonObjectTaken      = "ObjectTaken"
	reasonFieldTaken       = "FieldTaken"
	reasonHookFailed       = "HookFailed"
	reasonNotReady         = "NotReady"
	reasonHelmFailed       = "HelmFailed"
	reasonInterrupted      = "Interrupted"
	reasonClaimsWouldDie   = "ClaimsWouldDie"
	reasonBackupNeeded     = "BackupNeeded"
)

// refused says that nothing was done, and why.
func refused(reason, remedy string, err error) *action.Error {
	return &action.Error{Reason: reason, Effect: action.ExtentNone, Remedy: remedy, Err: err}
}
