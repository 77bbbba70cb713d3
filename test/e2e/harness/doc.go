// Package harness lets tests use a real cluster: each in a namespace of its own,
// with pods, volumes and Services, commands in pods and ports on this machine. It
// waits with deadlines, says what it waited for, and keeps what a failed test
// leaves behind.
package harness
