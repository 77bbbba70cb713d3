// Package target holds the kinds of target that need no client of their own:
// host, directory and git.
//
// A kind tells one target from another by an identity that is pinned in the
// plan and read again at the start of every stage, so that a plan is never
// applied to another place that happens to have the same name or address.
package target
