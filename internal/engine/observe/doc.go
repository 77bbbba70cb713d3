// Package observe asks what is true now: facts, the identity of targets, and
// whether the findings of a plan still count. It is shared by those who look at
// a platform before a run, package service, and by the worker, which looks again
// during the run, so that both see the same and judge alike.
//
// Nothing is changed in the world. What comes back holds no secrets: sensitive
// members of facts are keyed hashes.
package observe
