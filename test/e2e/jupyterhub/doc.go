// Package jupyterhub upgrades a JupyterHub in a real cluster with the program and the
// procedure that Refit ships: hub, proxy, users' servers as pods with volumes, and the
// database of each kind. The chart below chart/ is a stand-in for the public one.
package jupyterhub
