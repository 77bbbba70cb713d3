// Package exec holds the actions that start programs: exec.observe reads a
// fact from the output of a program, exec.command changes the world with one.
//
// No shell is involved: a command is a list, its first member the program. A
// Runner starts every program in a process group of its own and ends the whole
// group when the context ends, when the program has ended, and after a failure,
// so that nothing a program started outlives the step. What the group left
// behind on purpose must have made a session of its own.
package exec
