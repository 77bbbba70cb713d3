// Package gate holds the gates: steps that wait for an approval, for a fact or
// for time to pass.
//
// Gates only describe what they wait for. The core carries them out: it asks
// the people, repeats the observations and counts the time, and it fills in
// the output. Nothing in the world shows that a gate was passed, the history
// of the run does.
package gate
