package issues_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/issues"
)

// FuzzLoad checks that Load never panics, that it reads or explains on one line,
// and that a plan holds everything that matching needs.
func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.yaml"))
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(head + "  a:\n    match: {text: the disk is full}\n" + good + both))
	f.Add([]byte(head + "  a:\n    match: {pattern: '(disk|full){9}room', state: true}\n    benign: true\n    remedy: {step: {}}\n" + good + both))
	f.Add([]byte(head + "  a: {in: {}, failing: [{observe: {}}]}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			return
		}
		set, ds := issues.Load("i.yaml", data)
		if (set == nil) != ds.HasErrors() {
			t.Fatalf("set %v, %v", set != nil, ds)
		}
		for _, d := range ds {
			if strings.Contains(d.String(), "\n") {
				t.Errorf("not on one line: %q", d.String())
			}
			if d.Code == "Internal" {
				t.Errorf("not an author's problem: %v", d)
			}
		}
		if set == nil {
			return
		}
		again, err := issues.Build(set.List())
		if err != nil {
			t.Fatalf("what was read cannot be built: %v", err)
		}
		failure := &issues.Failure{Message: string(data)}
		if diff := cmp.Diff(match(set, failure, nil), match(again, failure, nil)); diff != "" {
			t.Errorf("a plan matches otherwise (-file +plan):\n%s", diff)
		}
	})
}

// FuzzMatch checks that matching never panics on any text, that it always gives
// the same, that what it shows is short, valid and on one line, and that the text
// of the failure is found where it stands.
func FuzzMatch(f *testing.F) {
	f.Add("the disk is full", `disk \w+ full`, "a\r\nthe \x1b[1mdisk\x1b[0m is full", true)
	f.Add("\xff\xfe12345678", `(?s)x{4}.*`, strings.Repeat("xxxx\xff", 5000), false)
	f.Add("aaaaaaaaa", `(a|b)*aaaa$`, strings.Repeat("a", 40000), false)
	f.Add("\x1b[", `\x{10FFFF}{3}`, "\x1b[\x1b[31", true)
	f.Fuzz(func(t *testing.T, text, pattern, log string, message bool) {
		if len(log) > 1<<17 || len(text) > 2000 {
			return
		}
		list := []issues.Issue{
			{ID: "text", Text: text, Benign: "true"},
			{ID: "state", State: "${failure.message.size() > 3}"},
			{ID: "pattern", Pattern: pattern},
		}
		if text == "" {
			list = list[1:]
		}
		set, err := issues.Build(list)
		if err != nil {
			set = build(t, list[:len(list)-1]...)
		}
		failure := &issues.Failure{Message: log}
		if !message {
			failure = &issues.Failure{Texts: []issues.Text{{Name: "log", Data: log}}}
		}
		scope := expr.Scope{}
		got := match(set, failure, scope)
		if diff := cmp.Diff(got, match(set, failure, scope)); diff != "" {
			t.Errorf("it gives another answer the second time:\n%s", diff)
		}
		for _, one := range got {
			if len(one.Line) > 1000 || !utf8.ValidString(one.Line) || strings.ContainsAny(one.Line, "\n\r\x1b") {
				t.Errorf("%s shows %q", one.ID, one.Line)
			}
		}
	})
}
