// Package planted looks for secrets where none may be. Its test plants a secret of
// its own in every input that can take one, lets the real program plan, check,
// apply, fail, be killed, go on, go back and tell about it, and searches all that
// it leaves: files, state, outputs, processes, memory. Every place that is searched
// holds a marker that has to be found, so that looking at the wrong place fails.
package planted
