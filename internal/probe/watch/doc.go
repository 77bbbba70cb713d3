// Package watch takes the samples of the probes of a run, in a process of its own
// that outlives the one that drives the run.
//
// A process that drives a run begins it with Detach; a lock that the kernel gives
// back tells whether one is there. It ends by itself when its run has ended. When
// it is killed, the next look of a driver begins another one, and the time between
// is not measured.
//
// Samples that came to the same are kept as one line, about once a second, in a
// file in the state folder, which is made smaller when it grows. They are side
// data: samples are never events, and nothing that a run does depends on them.
// Transitions, from up to down and back, are told to the run, which keeps them.
package watch
