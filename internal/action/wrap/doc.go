// Package wrap holds what all actions need and none does by itself: a limit on
// how long and how many at once, retries of questions, dry runs, redaction,
// logging, fewer reports of progress, and the bound of what they give back.
//
// Each function takes an action and returns one with the same Spec. All puts
// them together in the order in which they belong. Run and Undo are never
// repeated here: only the core does that, after an observation.
package wrap
