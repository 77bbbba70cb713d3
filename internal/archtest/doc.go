// Package archtest keeps the picture of ARCHITECTURE.md true: it reads the
// repository as text and syntax and reports where it differs from its own
// rules.
//
// Each rule is a Check over a Tree. The tests run every Check on the repository
// and, so that no Check can pass for want of anything to look at, on small bad
// trees in testdata.
package archtest
