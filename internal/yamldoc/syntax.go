package yamldoc

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/refitproject/refit/internal/diag"
)

// syntaxHint explains the library's messages that contain the text has.
type syntaxHint struct{ has, summary, suggestion string }

// syntaxHints returns the hints; the first that fits counts.
func syntaxHints() []syntaxHint {
	return []syntaxHint{
		{
			"mapping values are not allowed", "a key is not permitted here",
			"check the indentation, and put a text that holds \": \" in quotes",
		},
		{"mapping keys are not allowed", "a key is not permitted here", "check the indentation"},
		{
			"block sequence entries are not allowed", "a list member is not permitted here",
			"put the list on the lines below its key",
		},
		{
			"did not find expected key", "this line does not fit the mapping that it stands in",
			"check the indentation and the quotes",
		},
		{
			"did not find expected '-' indicator", "this line does not fit the list that it stands in",
			"start a member with \"- \", or check the indentation",
		},
		{
			"did not find expected ',' or ']'", "the list in [ ] that starts here cannot be read",
			"check for a missing comma, quote or ]",
		},
		{
			"did not find expected ',' or '}'", "the mapping in { } that starts here cannot be read",
			"check for a missing comma, quote or }",
		},
		{
			"found unexpected end of stream",
			"the text in quotes that starts here is not closed",
			"add the closing quote",
		},
		{
			"found unexpected document indicator", "the text in quotes that starts here is not closed",
			"add the closing quote",
		},
		{
			"could not find expected ':'",
			"this line is not a key with a value",
			"write \"key: value\", or check the indentation",
		},
		{"found character that cannot start any token", "a value cannot start with this character", "put it in quotes"},
		{"did not find expected node content", "a value is missing here", "check for a bracket or comma too many"},
		{
			"did not find expected <document start>", "this line stands behind the end of the document",
			"check for a closing bracket too many, or a line that starts with %",
		},
		{"directive", "a line that starts with % is not permitted", "put it in quotes, or remove it"},
		{"incompatible YAML document", "this version of YAML is not read", "remove the line that starts with %YAML"},
		{"version number", "this version of YAML is not read", "remove the line that starts with %YAML"},
		{
			"expected alphabetic or numeric",
			"an anchor (&) or alias (*) needs a name",
			"put a text that starts with & or * in quotes",
		},
		{
			"expected comment or line break",
			"a text block starts on the line after | or >",
			"move the text to the next line",
		},
		{"indentation indicator", "the number after | or > is not 1 to 9", "remove the number"},
		{"escape", "a text in double quotes has an unknown escape", "use single quotes, or write \\\\ for a backslash"},
		{
			"hexdecimal",
			"a text in double quotes has an unknown escape",
			"use single quotes, or write \\\\ for a backslash",
		},
		{"tag", "a tag (!) is not permitted here", "put a text that starts with ! in quotes"},
		{"expected '!'", "a tag (!) is not permitted here", "put a text that starts with ! in quotes"},
	}
}

// reportSyntax turns the library's error for a problem on the given line into
// one or several Diagnostics.
func reportSyntax(ds *diag.Diagnostics, file string, data []byte, line int, limits Limits, err error) {
	problem := strings.TrimPrefix(err.Error(), "yaml: ")
	if libraryLine(err) > 0 {
		_, problem, _ = strings.Cut(problem, ": ")
	}
	pos := diag.Position{File: file, Line: line}
	text := lineAt(data, line)
	if name, found := strings.CutPrefix(problem, "unknown anchor '"); found {
		name = strings.TrimSuffix(name, "' referenced")
		ds.Errorf(CodeInvalidAlias, pos, "the alias *%s has no anchor &%s above it", clip(name), clip(name)).
			Suggest("define the anchor, or put a text that starts with * in quotes")
		return
	}
	if strings.Contains(problem, "exceeded max depth") {
		reportDepth(ds, pos, limits)
		return
	}
	if column := tabColumn(text, problem); column > 0 || strings.Contains(problem, "tab character") {
		reportTabs(ds, file, data, line, column)
		return
	}
	for _, hint := range syntaxHints() {
		if strings.Contains(problem, hint.has) {
			if hint.has == "found character that cannot start any token" {
				pos.Column = reservedColumn(text)
			}
			ds.Errorf(CodeInvalidYAML, pos, "%s", hint.summary).Suggest("%s", hint.suggestion)
			return
		}
	}
	ds.Errorf(CodeInvalidYAML, pos, "the YAML cannot be read: %s", clip(problem))
}

func reportDepth(ds *diag.Diagnostics, pos diag.Position, limits Limits) {
	ds.Errorf(CodeTooLarge, pos, "lists and mappings are nested deeper than %d levels", limits.Depth).
		Suggest("take the innermost ones out of the others")
}

// reportTabs reports the tab on the given line, and the lines below that start
// with a tab as well: the library stops at the first.
func reportTabs(ds *diag.Diagnostics, file string, data []byte, line, column int) {
	const most = 20
	report := func(line, column int) {
		ds.Errorf(CodeTab, diag.Position{File: file, Line: line, Column: column}, "a tab is used for indentation").
			Suggest("use spaces")
	}
	report(line, column)
	reported := 1
	for at, text := range bytes.Split(data, []byte{'\n'}) {
		if at+1 > line && reported < most && bytes.HasPrefix(text, []byte{'\t'}) && len(bytes.TrimSpace(text)) > 0 {
			report(at+1, 1)
			reported++
		}
	}
}

// lineAt returns a line of data, from 1, without its end.
func lineAt(data []byte, line int) []byte {
	ends := lineEnds(data, line)
	if line < 1 || len(ends) < line {
		return nil
	}
	start := 0
	if line > 1 {
		start = ends[line-2]
	}
	return bytes.TrimRight(data[start:ends[line-1]], "\r\n")
}

// tabColumn returns the column of a tab that is to blame for the problem, 0
// when there is none: in the indentation, or between it and a dash or colon
// where the library stumbled over it.
func tabColumn(text []byte, problem string) int {
	before := " \t"
	if strings.Contains(problem, "cannot start any token") {
		before = " \t-?:"
	}
	indentation := text[:len(text)-len(bytes.TrimLeft(text, before))]
	return 1 + bytes.IndexByte(indentation, '\t')
}

// reservedColumn returns the column of the first character of text that no
// value may start with, 0 when it is not found.
func reservedColumn(text []byte) int {
	start := true // a value may start here
	for i, b := range text {
		if start && (b == '@' || b == '`' || b == '%') {
			return 1 + utf8.RuneCount(text[:i])
		}
		if b != ' ' {
			start = strings.IndexByte(":-[{,?", b) >= 0
		}
	}
	return 0
}
