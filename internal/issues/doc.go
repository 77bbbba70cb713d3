// Package issues knows what is known to go wrong: it reads the file of known
// issues that stands beside a procedure, and tells which of them fit the failure
// of a step. It is part of the path procedure → plan → run → report.
//
// # Matching
//
// An issue is recognised by an exact text, by a pattern, by an observed state, or
// by several of these, which then all have to hold. Texts are looked for in the
// message of the failure first, then in what the step wrote and left as evidence.
// Find does this without asking anybody; it says which facts the conditions of
// what it found need, and Judge decides with their values. What cannot be
// evaluated does not hold: an issue is never taken for harmless because a
// question failed.
//
// # Limits
//
// A log of many megabytes must not stop a run. Exact texts are found in one pass.
// A pattern is RE2, has to hold a literal text, and is tried only on lines that
// hold it; the work of all patterns for one failure is bounded by counting, not
// by a clock, so that the same failure always gives the same answer.
//
// The package is pure. A Set does not change after Load and Build, except by
// Check, which must not run at the same time as anything else on the same Set.
package issues
