// Package local is the host that needs no server: it keeps the histories of runs
// in one SQLite file and drives them within the process. It reads plans and the
// answers of an engine.Worker and gives durable events.
//
// # What is kept
//
// The state folder (0700) holds refit.db (write-ahead log, synchronous=FULL), one
// lock file per run, logs of attempts and artefacts by digest. Each event is a row
// with a hash over itself and the hash of the one before, so that damage is found
// when a history is read. Events of all runs lie in the order in which they were
// written (ADR 0009). A checkpoint of the state saves folding a long history
// again; it can always be thrown away.
//
// # Order
//
// One writer appends for all runs of the process, and everything that is ready
// shares a transaction. An operation is performed only when the event that
// started it is durable. Commands that only read the world may already begin
// while the event they follow from is on its way to the disk: if that is lost,
// only a look at the world is lost with it (ADR 0007).
//
// # Owners
//
// A run is driven by whoever holds its lock file. The kernel gives it back when
// the process ends. Each new owner has a higher epoch, which every append
// repeats, so that an owner that was believed dead cannot write. Others leave
// requests in a table, which the owner looks at several times per second.
package local
