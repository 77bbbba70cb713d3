package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/report"
)

// writeJSON writes value as indented JSON.
func writeJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// writeYAML writes value as YAML with the names and the order of its JSON: the
// JSON is read as YAML, which it is, and written in block style.
func writeYAML(w io.Writer, value any) error {
	var buf bytes.Buffer
	if err := writeJSON(&buf, value); err != nil {
		return err
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(buf.Bytes(), &doc); err != nil {
		return fmt.Errorf("turn JSON into YAML: %w", err)
	}
	blockStyle(&doc)
	encoder := yaml.NewEncoder(w)
	encoder.SetIndent(2)
	if err := encoder.Encode(&doc); err != nil {
		return err
	}
	return encoder.Close()
}

// blockStyle drops the quotes and braces of JSON where YAML needs none.
func blockStyle(n *yaml.Node) {
	n.Style = 0
	if len(n.Content) == 0 && (n.Kind == yaml.MappingNode || n.Kind == yaml.SequenceNode) {
		n.Style = yaml.FlowStyle
	}
	for _, child := range n.Content {
		blockStyle(child)
	}
}

// writeDiagnostics writes diagnostics one line each, and their number.
func writeDiagnostics(w io.Writer, style report.Style, ds diag.Diagnostics) error {
	var b strings.Builder
	for _, d := range ds {
		role := report.Danger
		if d.Severity == diag.Warning {
			role = report.Warn
		}
		fmt.Fprintf(&b, "%s: %s %s", d.Position, style.Paint(role, string(d.Severity)+":"), oneLine(d.Summary))
		if d.Suggestion != "" {
			b.WriteString(style.Paint(report.Muted, ": "+oneLine(d.Suggestion)))
		}
		b.WriteString("\n")
	}
	b.WriteString(countDiagnostics(ds) + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// countDiagnostics says how many errors and warnings there are.
func countDiagnostics(ds diag.Diagnostics) string {
	failed := 0
	for _, d := range ds {
		if d.Severity == diag.Error {
			failed++
		}
	}
	return plural(failed, "error") + ", " + plural(len(ds)-failed, "warning")
}

// plural returns "1 error", "2 errors".
func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// oneLine joins the lines of s and drops control characters, so that what was
// quoted from elsewhere cannot change the terminal.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) {
			return -1
		}
		return r
	}, s)
}
