// Package engine is the contract of a host: what drives the core of package run
// and keeps the histories of runs. It reads plans and gives histories; hosts
// below it (local, later temporal) implement Engine, package enginetest holds
// them to it.
//
// # The rules of driving
//
//  1. An event is durable before anything is done because of it.
//  2. Every attempt is: observe; OperationStarted{attempt, key, before} durable;
//     run. The key is derived from run and step, the same for all attempts and
//     owners, and is carried into the world where it can be.
//  3. After a timeout, a lost connection, an unclear error or a restart an
//     operation is observed before any retry. The core asks for it; a host never
//     repeats a PerformOperation by itself.
//  4. Every outcome comes back as an event. Time and randomness enter only inside
//     events. Durations are monotonic within a process and never negative across
//     restarts; order is by sequence number.
//  5. One owner drives a run: a lock that the kernel gives back when the process
//     ends, and an owner epoch on every append; a stale epoch is refused. Others
//     leave requests in an inbox, which the owner turns into events; without an
//     owner whoever asks takes the lock for as long as that takes. Across machines
//     the owner holds the targets of the run, as far as their kinds know a lock
//     (Guard): it is taken before anything is done, renewed while the run is driven,
//     and given back when driving ends. A lock that another run holds ends the
//     driving; one that cannot be asked for is waited for by the effects alone.
//  6. Child programs run in process groups of their own, with pid and start time
//     recorded; a new owner first waits for or ends the children of the old one,
//     then observes.
//  7. Histories of every released version stay readable; steps pin the contract
//     version of their action; what cannot be driven is refused in one clear line.
//  8. An output has at most 32 KiB, an event at most 64 KiB; larger evidence is an
//     artefact by its digest. Progress is never an event. The commands that are
//     pending are bounded by the run's limit of steps under way.
//
// An attempt that ends because its owner stops, and of which nobody knows what it
// did, is not recorded: it is observed and counted like one lost in a crash. A
// command that is no longer pending is stopped, by ending its context. A result
// that nobody waits for any more (run.ErrStale) is dropped. When an event cannot
// follow (run.ErrInvalidTransition) the host stops driving the run and says so:
// going on with a history that does not fit would be guessing.
package engine
