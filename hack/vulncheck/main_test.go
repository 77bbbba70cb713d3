package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestScan proves that the check can fail. testdata/app calls a function of an
// invented module; the databases beside it say different things about it.
func TestScan(t *testing.T) {
	program := os.Getenv("GOVULNCHECK")
	if program == "" && os.Getenv("REFIT_TEST") == "all" {
		t.Fatal("GOVULNCHECK does not name the program, and REFIT_TEST=all skips nothing: run make hack-test")
	}
	if program == "" {
		t.Skip("GOVULNCHECK does not name the program: run make hack-test")
	}
	app, err := filepath.Abs("testdata/app")
	if err != nil {
		t.Fatal(err)
	}
	local := func(name string) string {
		dir, err := filepath.Abs(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return "file://" + filepath.ToSlash(dir)
	}
	cases := map[string]struct {
		reason   string
		database string
		required bool
		wantOut  string
		wantErr  string
	}{
		"Found":           {"a vulnerable function is called", local("db-open"), false, "GO-2026-99999", "known vulnerabilities are reached"},
		"Fixed":           {"the version in use is fixed", local("db-fixed"), false, "no known vulnerability", ""},
		"OutOfReach":      {"not checked is said, not hidden", "http://127.0.0.1:1", false, "NOT CHECKED", ""},
		"RequiredOutOf":   {"a release must have been checked", "http://127.0.0.1:1", true, "", "NOT CHECKED"},
		"NotADatabase":    {"an empty folder is not an answer", "file://" + filepath.ToSlash(t.TempDir()), false, "", "holds no vulnerability database"},
		"NoSuchFolder":    {"a mistyped mirror is not an answer", "file:///does/not/exist", false, "", "holds no vulnerability database"},
		"FoundIsRequired": {"required changes nothing about a finding", local("db-open"), true, "GO-2026-99999", "known vulnerabilities are reached"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			s := scan{Program: program, Dir: app, Patterns: []string{"./..."}, Database: tc.database, Required: tc.required}
			err := s.run(&out)
			if !strings.Contains(out.String(), tc.wantOut) {
				t.Errorf("%s: printed %q, want %q in it", tc.reason, out.String(), tc.wantOut)
			}
			if tc.wantErr == "" && err != nil {
				t.Errorf("%s: error %v, want none", tc.reason, err)
			}
			if tc.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tc.wantErr)) {
				t.Errorf("%s: error %v, want %q in it", tc.reason, err, tc.wantErr)
			}
		})
	}
}
