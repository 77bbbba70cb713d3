// Package hub tests that JupyterHub runs in a cluster as people run it: behind its
// proxy, with user servers that are pods with volumes.
package hub
