// Package kube talks to the API server of a cluster: always through the file of
// that cluster, never through what the environment says.
package kube
