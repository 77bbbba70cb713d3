// Package crash kills the real driver of runs and judges what is left. Its tests
// make real plans of real actions, let a process of its own drive them, kill that
// with SIGKILL at moments of its life and at random ones, and let it go on until
// the run has ended. The programs that the steps start write each effect into a
// ledger, synced, before they end; nothing of Refit writes there. The judge
// compares the ledger with the plan and the history.
package crash
