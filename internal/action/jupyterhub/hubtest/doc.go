// Package hubtest runs real JupyterHubs for tests: programs on a free loopback port,
// with users in a temporary folder, that end with the test. What is no real thing in
// them is called a stand-in: the proxy does nothing, because the API is asked at the
// hub itself, and the servers of users only say that they are there, unless
// jupyterhub-singleuser is asked for.
package hubtest
