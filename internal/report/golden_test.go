package report

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// markers makes roles visible in golden files.
type markers struct{}

func (markers) Paint(role Role, text string) string { return "«" + role.String() + " " + text + "»" }

// render returns what write writes.
func render(t *testing.T, write func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatalf("render: %v", err)
	}
	return b.String()
}

// golden compares got with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("read golden file: %v; make it with -update", err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s differs (-want +got), -update rewrites it:\n%s", file, diff)
	}
}

// layouts are the layouts that every text is compared in.
func layouts() map[string]TextOptions {
	return map[string]TextOptions{
		"60":     {Width: 60},
		"80":     {Width: 80},
		"120":    {Width: 120},
		"ascii":  {Width: 80, ASCII: true},
		"marked": {Width: 80, Style: markers{}},
	}
}

// goldenLayouts compares a text in all layouts and checks its width.
func goldenLayouts(t *testing.T, name string, write func(io.Writer, TextOptions) error) {
	t.Helper()
	for layout, opts := range layouts() {
		t.Run(layout, func(t *testing.T) {
			t.Parallel()
			got := render(t, func(w io.Writer) error { return write(w, opts) })
			golden(t, name+"."+layout, got)
			if opts.Style == nil {
				checkLines(t, got, opts)
			}
		})
	}
}

// checkLines checks what holds for every text without colours.
func checkLines(t interface{ Errorf(string, ...any) }, text string, opts TextOptions) {
	if text != "" && !strings.HasSuffix(text, "\n") {
		t.Errorf("the text does not end with a line feed: %q", text)
	}
	for i, line := range strings.Split(text, "\n") {
		at := fmt.Sprintf("line %d %q", i+1, line)
		if n := width(line); n > max(opts.Width, minWidth) {
			t.Errorf("%s is %d columns wide, want at most %d", at, n, opts.Width)
		}
		if strings.TrimRight(line, " ") != line {
			t.Errorf("%s ends with blanks", at)
		}
		if line != sanitize(line) {
			t.Errorf("%s holds signs that a terminal acts on", at)
		}
		if opts.ASCII && !isPlainASCII(line) {
			t.Errorf("%s is not ASCII", at)
		}
	}
}
