// Package worker carries out the commands of the core against the world: it asks
// for facts and windows, evaluates expressions, and calls the actions. Every host
// uses it. It holds no state of runs between calls; what a command needs stands
// in the command and in the plan.
//
// # What comes back
//
// Carry returns an event whatever the world does. Its error is for trouble of
// Refit's own, and the error of the context when that has ended before anything
// was begun. An effect that was begun and then interrupted, or whose action broke
// down, comes back as an end of unknown extent, so that it is observed.
//
// "Could not ask" is an event of its own and never a failure: the core waits for
// the target, or for credentials, and asks again. An input that does not fit, or
// an action that this program does not have, is a failure: asking again would not
// help. A check, or a fact, whose action says that it will not succeed by itself
// (a file that is not there) is not waited for either: the check comes back as
// unknown, which a person may accept, the fact as changed, which nobody can.
//
// # The facts of a stage
//
// The digest of the facts, to which approvals are bound, is over the facts that
// the stage expects and the identities of the targets: what the plan of the stage
// rests on. Facts that nothing rests on may change from one look to the next (a
// count of pods, a time), and those of requirements may change as long as the
// requirement is met; an approval should outlive both. Only the facts that the
// stage expects, or requires, are observed: what an earlier stage needed may be
// gone for good. Sensitive members are keyed hashes, so that the digest tells
// nothing about them.
//
// # Taking back
//
// Whether an undo can begin is told by what the action sees of the forward
// effect. Only when it is there may the undo start. When the target is as it was
// before, it is undone already. Any other value is somebody else's: it is
// answered with run.Changed and nothing is touched.
package worker
