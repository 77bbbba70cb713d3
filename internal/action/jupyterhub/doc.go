// Package jupyterhub holds the actions that ask a JupyterHub over its REST API: who
// its users are, and which of their servers run; and that stop and start these. What
// the API is like was read in the source of the releases 3.0.0 and 5.5.4, and is
// tested against both.
package jupyterhub
