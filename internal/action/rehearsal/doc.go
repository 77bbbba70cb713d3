// Package rehearsal has the action that asks for the report of a rehearsal: the same
// procedure, carried out on the same path of versions, elsewhere and not long ago.
package rehearsal
