// Package keeper is the one process that a cluster hangs on. It starts the
// components in their order, writes down how they are, and when it ends the
// kernel ends them all: with containers because it is the first process of a pid
// namespace, without because each asks to die with it. So there is one record of
// one process, nothing is ever ended by its name, and nothing can be left.
//
// Start starts a keeper in the background; Run is what it does.
package keeper
