// Package component says which programs a cluster consists of and how each is
// called. It turns a Spec into the text of configuration files and the plan of a
// keeper, and touches nothing.
package component
