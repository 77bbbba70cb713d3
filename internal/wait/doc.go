// Package wait lets time pass until somebody no longer wants to wait. It is for
// code that acts on the world: the core waits by timers that it records.
package wait
