// Package cluster brings a cluster up, takes it down and says how it is. It is
// the only package that knows the others.
package cluster
