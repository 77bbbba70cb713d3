// Package backup keeps backups in a store, proves them and brings them back.
//
// A backup is a stream, cut into parts: zstd frames of 2 MiB of content each,
// joined to objects of 8 MiB, each encrypted with age where there is a key. The
// name of a part holds the digest of its bytes. A manifest, which is written
// last, makes a backup of the parts; a proof, written after a check, says how
// well it was checked and what was counted. Both are sealed: their last line is
// the digest of the rest. Nothing in a store is ever changed, so two programs
// that write to one store cannot damage each other's backups.
//
// Every error about the world is an *action.Error with a reason and a remedy.
package backup
