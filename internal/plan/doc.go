// Package plan turns a procedure into a plan. It reads procedure.Procedure,
// platform.Platform and facts and gives Plan; it never contacts a target.
// It is the second part of the path procedure → plan → run → report.
//
// A Plan is frozen: stages of steps with inputs resolved, order,
// reversibility, coverage by backups, leases with their releases, expected
// facts and a digest per stage with a root over them. The package is pure.
package plan
