// Package runbook makes a procedure from a page that people follow by hand.
//
// Load reads Markdown into a Runbook: its headings, and below each its prose, code
// and lists, with the lines where they stand. Build turns that into a Draft, which
// renders itself as a procedure and a platform file. Every step of a Draft is done
// or judged by a person: nothing that the page says is carried out by Refit before
// somebody has rewritten the step. The rules are told in docs/reference/runbook.md.
//
// The package is pure. Whatever comes in, there is either a Diagnostic or a
// procedure that lints.
package runbook
