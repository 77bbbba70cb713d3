package procedure_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/procedure"
)

// main returns a procedure with the given steps, and sub a sub-procedure.
func mainFile(steps string) string {
	return `apiVersion: refit.dev/v1alpha1
kind: Procedure
metadata: {name: main, summary: The main file of these tests.}
stages:
  - id: only
    steps:
` + steps
}

func subFile(steps string) string {
	return `apiVersion: refit.dev/v1alpha1
kind: SubProcedure
metadata: {name: sub, summary: A part of these tests.}
steps:
` + steps
}

const lookStep = "  look: {phase: verify, action: file.read, with: {path: x}}\n"

// codes counts the diagnostics by code.
func codes(ds diag.Diagnostics) map[string]int {
	out := map[string]int{}
	for _, d := range ds {
		out[d.Code]++
	}
	return out
}

func TestUseCycle(t *testing.T) {
	t.Parallel()
	check(t, folder("testdata/cycle"), "procedure.yaml",
		"b.yaml:5:14: error: files use each other in a circle: a.yaml → b.yaml → a.yaml: remove one of these uses")
}

func TestLimits(t *testing.T) {
	t.Parallel()
	deep := memory{"procedure.yaml": mainFile("      a: {use: s0.yaml}\n")}
	for i := range 20 {
		deep[fmt.Sprintf("s%d.yaml", i)] = subFile(fmt.Sprintf("  a: {use: s%d.yaml}\n", i+1))
	}
	deep["s20.yaml"] = subFile(lookStep)
	wide := memory{}
	var uses, steps strings.Builder
	for i := range 250 {
		fmt.Fprintf(&uses, "      a%d: {use: s%d.yaml}\n", i, i)
		wide[fmt.Sprintf("s%d.yaml", i)] = subFile(lookStep)
	}
	wide["procedure.yaml"] = mainFile(uses.String())
	for i := range 10_001 {
		fmt.Fprintf(&steps, "      s%d: {phase: verify, action: file.read, with: {path: x}}\n", i)
	}
	// Each file uses the next one eight times: 8^6 steps in a few lines.
	bomb := memory{"procedure.yaml": mainFile("      a: {use: s0.yaml}\n")}
	for i := range 6 {
		var eight strings.Builder
		for j := range 8 {
			fmt.Fprintf(&eight, "  a%d: {use: s%d.yaml}\n", j, i+1)
		}
		bomb[fmt.Sprintf("s%d.yaml", i)] = subFile(eight.String())
	}
	bomb["s6.yaml"] = subFile(lookStep)
	for name, tc := range map[string]struct {
		reason string
		files  memory
		want   map[string]int
	}{
		"Depth":   {"Sub-procedures do not use each other endlessly.", deep, map[string]int{"UseTooDeep": 1}},
		"Files":   {"A procedure is not a whole disk.", wide, map[string]int{"TooManyFiles": 1}},
		"Steps":   {"A list of steps ends.", memory{"procedure.yaml": mainFile(steps.String())}, map[string]int{"TooManySteps": 1}},
		"Product": {"Few files do not make millions of steps.", bomb, map[string]int{"TooManySteps": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proc, ds := procedure.Load(tc.files, "procedure.yaml", testCatalog())
			if diff := cmp.Diff(tc.want, codes(ds)); diff != "" {
				t.Errorf("%s\ncodes (-want +got):\n%s\n%s", tc.reason, diff, ds.Error())
			}
			if proc != nil {
				t.Error("there is a procedure in spite of errors")
			}
		})
	}
}

func TestLintSubProcedure(t *testing.T) {
	t.Parallel()
	files := memory{"sub.yaml": subFile("  look: {action: file.read, with: {path: x}}\n"), "main.yaml": mainFile("    " + lookStep)}
	for name, tc := range map[string]struct{ reason, file, want string }{
		"Sub":     {"A sub-procedure is checked by itself.", "sub.yaml", ""},
		"Main":    {"So is a procedure.", "main.yaml", ""},
		"Missing": {"A file that is not there is named.", "gone.yaml", "FileNotFound"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ds := procedure.Lint(files, tc.file, testCatalog())
			got := ""
			if len(ds) > 0 {
				got = ds[0].Code
			}
			if got != tc.want {
				t.Errorf("%s got %q, want %q:\n%s", tc.reason, got, tc.want, ds.Error())
			}
		})
	}
}
