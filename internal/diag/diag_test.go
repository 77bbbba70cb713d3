package diag_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/diag"
)

func at(file string, line, column int) diag.Position {
	return diag.Position{File: file, Line: line, Column: column}
}

func TestPositionString(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		pos  diag.Position
		want string
	}{
		"Complete":          {at("a.yaml", 3, 7), "a.yaml:3:7"},
		"NoColumn":          {at("a.yaml", 3, 0), "a.yaml:3"},
		"FileOnly":          {at("a.yaml", 0, 0), "a.yaml"},
		"ColumnWithoutLine": {at("a.yaml", 0, 7), "a.yaml"},
		"NoFile":            {at("", 3, 7), "-:3:7"},
		"Nothing":           {at("", 0, 0), "-"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := tc.pos.String(); got != tc.want {
				t.Errorf("String() = %q, want %q", got, tc.want)
			}
		})
	}
}

func TestDiagnosticString(t *testing.T) {
	t.Parallel()
	var ds diag.Diagnostics
	ds.Errorf("UnknownKey", at("p.yaml", 3, 7), "unknown key %q", "neds").Suggest("did you mean %q?", "needs")
	ds.Warnf("Unused", at("p.yaml", 4, 0), "the input is not used")
	want := []string{
		`p.yaml:3:7: error: unknown key "neds": did you mean "needs"?`,
		`p.yaml:4: warning: the input is not used`,
	}
	got := []string{ds[0].String(), ds[1].String()}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("String() (-want +got):\n%s", diff)
	}
	if got, want := ds.Error(), strings.Join(want, "\n"); got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
}

// Whatever is quoted into a message, it stays on one line: tools read one
// problem a line.
func TestOneLine(t *testing.T) {
	t.Parallel()
	var ds diag.Diagnostics
	ds.Errorf("X", at("f", 1, 1), "cannot read %s", "a\nb\r\nc\n").Suggest("write\n%s", "d\re")
	if got, want := ds.Error(), "f:1:1: error: cannot read a b c: write d e"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
}

func TestErr(t *testing.T) {
	t.Parallel()
	var ds diag.Diagnostics
	if err := ds.Err(); err != nil {
		t.Errorf("Err() of none = %v, want nil", err)
	}
	ds.Warnf("W", at("f", 1, 1), "careful")
	if err := ds.Err(); err != nil {
		t.Errorf("Err() of a warning = %v, want nil", err)
	}
	ds.Errorf("E", at("f", 2, 1), "wrong")
	var got diag.Diagnostics
	if err := ds.Err(); !errors.As(err, &got) || len(got) != 2 {
		t.Errorf("Err() = %v, want both diagnostics", err)
	}
}

func TestSort(t *testing.T) {
	t.Parallel()
	var ds diag.Diagnostics
	ds.Errorf("B", at("b", 1, 1), "b1")
	ds.Errorf("A", at("a", 10, 1), "a10")
	ds.Errorf("A", at("a", 2, 9), "a2.9")
	ds.Errorf("B", at("a", 2, 3), "a2.3 B")
	ds.Errorf("A", at("a", 2, 3), "a2.3 A")
	ds.Errorf("A", at("a", 10, 1), "a10") // an exact repetition
	ds.Errorf("A", at("a", 10, 1), "a10 and more")
	ds.Sort()
	var got []string
	for _, d := range ds {
		got = append(got, d.Summary)
	}
	want := []string{"a2.3 A", "a2.3 B", "a2.9", "a10", "a10 and more", "b1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Sort() (-want +got):\n%s", diff)
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	var ds diag.Diagnostics
	ds.Errorf("UnknownKey", at("p.yaml", 3, 7), "unknown key").Suggest("remove it")
	ds.Warnf("Unused", at("p.yaml", 0, 0), "not used")
	got, err := json.Marshal(ds)
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"severity":"error","code":"UnknownKey","file":"p.yaml","line":3,"column":7,` +
		`"summary":"unknown key","suggestion":"remove it"},` +
		`{"severity":"warning","code":"Unused","file":"p.yaml","summary":"not used"}]`
	if string(got) != want {
		t.Errorf("JSON = %s, want %s", got, want)
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	keys := []string{"needs", "when", "with", "target", "targets", "description"}
	cases := map[string]struct {
		reason, got string
		candidates  []string
		want        string
	}{
		"OneLetterMissing":    {"a slip of the finger", "neds", keys, "needs"},
		"Exact":               {"distance zero", "needs", keys, "needs"},
		"Case":                {"letters' case is not a difference", "TARGET", keys, "target"},
		"LongWordTwoLetters":  {"a third of the letters may differ", "desciptoin", keys, "description"},
		"ShortWordOneLetter":  {"one letter may always differ", "wen", keys, "when"},
		"ShortWordTwoLetters": {"more than a third differs", "wxyn", keys, ""},
		"Far":                 {"nothing is close", "retries", keys, ""},
		"Tie":                 {"the first in alphabetical order, whatever the order given", "b", []string{"c", "a"}, "a"},
		"NoCandidates":        {"nothing to choose from", "needs", nil, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := diag.Nearest(tc.got, tc.candidates); got != tc.want {
				t.Errorf("%s: Nearest(%q) = %q, want %q", tc.reason, tc.got, got, tc.want)
			}
		})
	}
}

func TestDidYouMean(t *testing.T) {
	t.Parallel()
	many := make([]string, 25)
	for i := range many {
		many[i] = strings.Repeat("x", 10+i)
	}
	cases := map[string]struct {
		got        string
		candidates []string
		want       string
	}{
		"Near":    {"neds", []string{"when", "needs"}, `did you mean "needs"?`},
		"List":    {"retries", []string{"when", "needs"}, "one of: needs, when"},
		"None":    {"retries", nil, ""},
		"TooMany": {"retries", many, ""},
		"Most":    {"retries", many[:24], "one of: " + strings.Join(many[:24], ", ")},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := diag.DidYouMean(tc.got, tc.candidates); got != tc.want {
				t.Errorf("DidYouMean(%q) = %q, want %q", tc.got, got, tc.want)
			}
		})
	}
}
