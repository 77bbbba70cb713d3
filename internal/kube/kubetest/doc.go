// Package kubetest gives tests a namespace of their own in a real cluster. Tests that
// need one are called TestCluster…; make e2e runs them.
package kubetest
