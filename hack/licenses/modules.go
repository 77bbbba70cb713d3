package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// module is one dependency.
type module struct {
	Path, Version, Dir string
	// Linked tells whether the program itself contains it; otherwise only
	// tests do.
	Linked   bool
	Licences []string
}

func (m module) usedBy() string {
	if m.Linked {
		return "program"
	}
	return "tests"
}

// listModules asks go list which modules the program and the tests of the
// module in root need. Modules that are only mentioned in go.sum do not count.
func listModules(root string) ([]module, error) {
	program, err := goList(root, "-deps", "./cmd/...")
	if err != nil {
		return nil, err
	}
	all, err := goList(root, "-deps", "-test", "./...")
	if err != nil {
		return nil, err
	}
	var ms []module
	for path, m := range all {
		_, m.Linked = program[path]
		ms = append(ms, m)
	}
	sortModules(ms)
	return ms, nil
}

func goList(root string, args ...string) (map[string]module, error) {
	args = append([]string{"list", "-e", "-json=ImportPath,Module"}, args...)
	cmd := exec.Command("go", args...)
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	ms := map[string]module{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			Module *struct {
				Path, Version, Dir string
				Main               bool
				Replace            *struct{ Path, Version, Dir string }
			}
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return ms, nil
		} else if err != nil {
			return nil, fmt.Errorf("read the answer of go list: %w", err)
		}
		if p.Module == nil || p.Module.Main {
			continue // The standard library and Refit itself.
		}
		m := module{Path: p.Module.Path, Version: p.Module.Version, Dir: p.Module.Dir}
		if r := p.Module.Replace; r != nil {
			m.Version, m.Dir = r.Version, r.Dir
		}
		ms[m.Path] = m
	}
}
