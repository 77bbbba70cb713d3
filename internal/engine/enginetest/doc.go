// Package enginetest is the suite that every host passes, and the world that it
// is tested with. A host's test calls Run with a function that opens it.
package enginetest
