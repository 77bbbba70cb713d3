// Package actiontest is the suite that every action must pass, and catalogs of
// actions for the tests of other packages.
package actiontest
