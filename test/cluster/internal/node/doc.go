// Package node sets up what looks like a machine of its own to the components of
// a cluster: processes, mounts, a network and a hostname in namespaces. All of it
// is gone when the last process in it ends; only the folder of control groups
// has to be removed. Nothing of the machine's own is changed: no sysctl, no rule
// of its firewall, no file outside of the cluster's folder.
//
// Enter is called by the first process inside, Connect by whoever started it.
package node
