// Command mutate switches off, one after the other, each rule of the planner and
// the core that blocks something, and runs the tests: one of them has to fail.
// It prints which, and fails when a rule can go without that anybody notices.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// suites are the tests that are asked: those of the package of the rule first, which
// know it best, then the quickest.
func (m mutant) suites() [][]string {
	own := "./" + path.Dir(m.file)
	all := [][]string{
		{"./internal/run", "-run", "TestScripts|TestAdvance|TestClock"},
		{"./internal/plan"},
		{"./internal/procedure"},
		{"./internal/sim", "-run", "TestKept"},
		{"./internal/run"},
		{"./internal/sim", "-run", "TestSeeds"},
	}
	slices.SortStableFunc(all, func(a, b []string) int {
		switch {
		case a[0] == own && b[0] != own:
			return -1
		case b[0] == own && a[0] != own:
			return 1
		}
		return 0
	})
	return all
}

func main() {
	root := flag.String("root", ".", "the root of the repository")
	only := flag.String("only", "", "only rules that hold this text")
	flag.Parse()
	if err := mutate(*root, *only); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

func mutate(root, only string) error {
	root, err := filepath.Abs(root)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	// All texts first: what no longer fits is told at once, and all of it.
	var unfit []error
	for _, m := range mutants() {
		if _, err := m.write(root); err != nil {
			unfit = append(unfit, err)
		}
	}
	if len(unfit) > 0 {
		return errors.Join(unfit...)
	}
	survived, count := 0, 0
	fmt.Printf("%-58s %-36s %-10s %s\n", "rule switched off", "file", "seconds", "found by")
	for _, m := range mutants() {
		if !strings.Contains(m.rule, only) {
			continue
		}
		began := time.Now()
		by, err := m.try(root, dir)
		if err != nil {
			return fmt.Errorf("rule %q: %w", m.rule, err)
		}
		count++
		if by == "" {
			survived++
			by = "NOBODY"
		}
		fmt.Printf("%-58s %-36s %-10.1f %s\n", m.rule, m.file, time.Since(began).Seconds(), by)
	}
	fmt.Printf("mutate: %d rules, %d found, %d survived\n", count, count-survived, survived)
	if survived > 0 {
		return fmt.Errorf("%d rules can be switched off and no test fails: write a test for each", survived)
	}
	return nil
}

// write returns the file with the rule switched off.
func (m mutant) write(root string) ([]byte, error) {
	source, err := os.ReadFile(filepath.Join(root, m.file))
	if err != nil {
		return nil, err
	}
	if n := bytes.Count(source, []byte(m.old)); n != 1 {
		return nil, fmt.Errorf("rule %q: %s has the text %q %d times, want once: mend the table in hack/mutate", m.rule, m.file, m.old, n)
	}
	return bytes.Replace(source, []byte(m.old), []byte(m.new), 1), nil
}

// try returns the test that notices that the rule is off, or "".
func (m mutant) try(root, dir string) (string, error) {
	source, err := m.write(root)
	if err != nil {
		return "", err
	}
	file, changed := filepath.Join(root, m.file), filepath.Join(dir, "mutant.go")
	if err := os.WriteFile(changed, source, 0o600); err != nil {
		return "", err
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {file: changed}})
	if err != nil {
		return "", err
	}
	list := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		return "", err
	}
	for _, s := range m.suites() {
		args := append([]string{"test", "-overlay", list, "-vet=off", "-count=1", "-failfast"}, s...)
		cmd := exec.Command("go", args...)
		cmd.Dir = root
		cmd.Env = append(os.Environ(), "REFIT_SIM_KEEP=no")
		out, err := cmd.CombinedOutput()
		if err == nil {
			continue
		}
		if bytes.Contains(out, []byte("[build failed]")) || bytes.Contains(out, []byte("[setup failed]")) {
			return "", fmt.Errorf("the mutant does not compile:\n%s", out)
		}
		return s[0] + " " + firstFailure(string(out)), nil
	}
	return "", nil
}

// firstFailure names the innermost test that failed first.
func firstFailure(out string) string {
	name := ""
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, "--- FAIL: "); ok {
			name, _, _ = strings.Cut(rest, " ")
			if strings.Contains(name, "/") {
				return name
			}
		}
	}
	return name
}
