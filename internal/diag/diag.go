package diag

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Severity says whether a Diagnostic stops the work.
type Severity string

// The two severities. An Error stops; a Warning is shown and counted.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Position is a place in a file. Line and Column start at 1, columns count
// characters; zero means that the place is not known more closely.
type Position struct {
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

// String returns "file:line:column" without the parts that are not known. The
// name of a file that holds more than printable characters is quoted, so that
// it cannot change the terminal or look like another line.
func (p Position) String() string {
	parts := []string{p.File}
	switch {
	case p.File == "":
		parts[0] = "-"
	case strings.ContainsFunc(p.File, func(r rune) bool { return !strconv.IsPrint(r) }) || !utf8.ValidString(p.File):
		parts[0] = strconv.Quote(p.File)
	}
	if p.Line > 0 {
		parts = append(parts, fmt.Sprint(p.Line))
		if p.Column > 0 {
			parts = append(parts, fmt.Sprint(p.Column))
		}
	}
	return strings.Join(parts, ":")
}

// Diagnostic is one problem in what a person wrote.
type Diagnostic struct {
	Severity Severity `json:"severity"`
	// Code is the machine's name of the problem, CamelCase, stable between
	// releases: "UnknownKey", "TypeMismatch".
	Code string `json:"code"`
	Position
	// Summary says in one line what is wrong, and with what.
	Summary string `json:"summary"`
	// Suggestion says in one line what to do; empty when nothing sensible can
	// be said.
	Suggestion string `json:"suggestion,omitempty"`
}

// String returns the Diagnostic as one line:
// "file:3:7: error: unknown key \"neds\": did you mean \"needs\"?".
func (d Diagnostic) String() string {
	s := fmt.Sprintf("%s: %s: %s", d.Position, d.Severity, d.Summary)
	if d.Suggestion != "" {
		s += ": " + d.Suggestion
	}
	return s
}

// Diagnostics are all problems of one piece of work. As an error it reads one
// line a problem.
type Diagnostics []Diagnostic

// Error implements error: one line a problem, in the order of Sort.
func (ds Diagnostics) Error() string {
	lines := make([]string, len(ds))
	for i, d := range ds {
		lines[i] = d.String()
	}
	return strings.Join(lines, "\n")
}

// Err returns ds as an error when it holds at least one Error, else nil.
func (ds Diagnostics) Err() error {
	if ds.HasErrors() {
		return ds
	}
	return nil
}

// HasErrors tells whether at least one Diagnostic is an Error.
func (ds Diagnostics) HasErrors() bool {
	return slices.ContainsFunc(ds, func(d Diagnostic) bool { return d.Severity == Error })
}

// Errorf appends an Error and returns the entry, so that a suggestion can be
// added to it.
func (ds *Diagnostics) Errorf(code string, pos Position, format string, args ...any) *Diagnostic {
	return ds.add(Error, code, pos, fmt.Sprintf(format, args...))
}

// Warnf appends a Warning and returns the entry.
func (ds *Diagnostics) Warnf(code string, pos Position, format string, args ...any) *Diagnostic {
	return ds.add(Warning, code, pos, fmt.Sprintf(format, args...))
}

func (ds *Diagnostics) add(sev Severity, code string, pos Position, summary string) *Diagnostic {
	*ds = append(*ds, Diagnostic{Severity: sev, Code: code, Position: pos, Summary: oneLine(summary)})
	return &(*ds)[len(*ds)-1]
}

// Suggest sets the suggestion of d. It is used on the result of Errorf, before
// the next Diagnostic is added.
func (d *Diagnostic) Suggest(format string, args ...any) {
	d.Suggestion = oneLine(fmt.Sprintf(format, args...))
}

// Sort orders ds by file, line, column and code, and drops exact repetitions.
func (ds *Diagnostics) Sort() {
	slices.SortStableFunc(*ds, func(a, b Diagnostic) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column), cmp.Compare(a.Code, b.Code))
	})
	*ds = slices.Compact(*ds)
}

// oneLine keeps messages on one line whatever was quoted into them.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), " ")
}
