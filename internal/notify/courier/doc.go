// Package courier tells people of a run while it is driven, over the channels of
// its plan.
//
// It looks at where the run stands whenever something has happened, and sends
// what is true and was not told yet: a level, not an edge, so that nothing
// depends on the moment at which somebody looked. What was told is kept per
// channel in a record in the state folder.
//
// A run never waits for it. Looks are paced by how long they take, each channel
// has one goroutine that sends one message at a time, for a limited time each,
// and tries again with growing pauses. What is not delivered when the driving
// ends is told by the next one.
//
// A message is delivered at least once. The record is written before and after
// each: when a process ends between the two, its successor sends the message
// again and says that it may be a repetition. Otherwise nothing is told twice.
package courier
