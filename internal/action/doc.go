// Package action is the contract of an action: the typed operation that a step
// uses, such as file.read or helm.upgrade.
//
// It holds types and the registry only. The actions themselves live in one
// folder per family below this one, one action per file, and are listed in
// package all. An action declares typed input and output, its effect, and the
// functions Preview, Observe, Run and Undo; retries, timeouts, limits, dry
// runs, redaction and logging are not its business.
package action
