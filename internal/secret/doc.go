// Package secret resolves references to secrets and removes secrets from texts.
//
// A reference says where a secret comes from: the environment, a file, the
// output of a command, a Secret of a cluster, a backup store that it was captured
// into. Plans hold references only; an
// action asks a Resolver for the value at the last moment. What the world
// answers goes through a Redactor before it leaves the action. No message of
// this package holds a value, nor anything that a command printed.
package secret
