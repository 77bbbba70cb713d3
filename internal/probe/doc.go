// Package probe computes how long components were down from what their probes
// have sampled. It is pure: time comes with the samples.
//
// What was not sampled is "not measured", never up.
package probe
