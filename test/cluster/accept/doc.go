// Package accept holds the tests of a real cluster: that pods, volumes, Services,
// names, exec, logs and port-forward work in it, that it refuses what it should,
// and that it leaves nothing. They need root and run with REFIT_CLUSTER=1:
// `make cluster-accept` sets it.
package accept
