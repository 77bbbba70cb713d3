// Package chains is the load on Temporal: a workflow that does steps one after
// the other, its worker, and the client that measures it.
package chains
