// Package proc starts and stops the processes that are measured, and reads what
// the kernel knows of them: memory, syncs of the disk, kind of the file system.
// All of it needs Linux.
package proc
