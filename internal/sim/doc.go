// Package sim drives the core through a world full of faults. One seed decides
// the plan, the faults, the timing and the order of everything; time is
// virtual, so that weeks of maintenance pass in a millisecond, and what went
// wrong once goes wrong again.
//
// A host of its own obeys the rules of driving: it appends before it acts, one
// owner at a time, and it may die at every event boundary. A fake world keeps
// the values of targets, the data of components and the effects on them; what
// people must be able to rely on is judged against that world and against the
// recorded events, not against what the core thinks of itself. judge.go has the
// invariants by their names.
//
// Run simulates one Case, Many simulates many on all cores, Shrink makes a
// failing case small. It is test code: only tests import it.
package sim
