package build

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// tiny is a builder of one module, and what it said.
func tiny(t *testing.T, main string) (b Builder, m Module, said func() string) {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "source", "tiny", "go.mod"), "module example.org/tiny\n\ngo 1.26.0\n")
	write(t, filepath.Join(dir, "source", "tiny", "main.go"), main)
	var lock sync.Mutex
	var lines strings.Builder
	b = Builder{
		Source: filepath.Join(dir, "source"), Cache: filepath.Join(dir, "cache"),
		Say: func(format string, args ...any) {
			lock.Lock()
			defer lock.Unlock()
			fmt.Fprintf(&lines, format+"\n", args...)
		},
	}
	m = Module{
		Name: "tiny", Version: "v1", Programs: map[string]string{"tiny": "."}, Flags: []string{"-X", "main.word=hello"},
	}
	return b, m, func() string {
		lock.Lock()
		defer lock.Unlock()
		return lines.String()
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

const hello = "package main\n\nvar word = \"\"\n\nfunc main() { print(word) }\n"

func TestBuild(t *testing.T) {
	t.Parallel()
	b, m, said := tiny(t, hello)
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			if err := b.Build(t.Context(), m); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	if got := strings.Count(said(), "done after"); got != 1 {
		t.Errorf("two builders built it %d times:\n%s", got, said())
	}
	program, err := b.Program(m, "tiny")
	if err != nil {
		t.Fatal(err)
	}
	text, err := exec.Command(program).CombinedOutput()
	if err != nil || string(text) != "hello" {
		t.Errorf("the program says %q, %v", text, err)
	}
	// A clean checkout elsewhere finds it.
	elsewhere := b
	elsewhere.Source = filepath.Join(t.TempDir(), "other")
	if err := os.CopyFS(elsewhere.Source, os.DirFS(b.Source)); err != nil {
		t.Fatal(err)
	}
	if built, err := elsewhere.Built(m); err != nil || !built {
		t.Errorf("from another checkout: built %t, %v", built, err)
	}
	// Another source or another flag is another program.
	changed := m
	changed.Flags = []string{"-X", "main.word=bye"}
	if built, err := b.Built(changed); err != nil || built {
		t.Errorf("with another flag: built %t, %v", built, err)
	}
	write(t, filepath.Join(b.Source, "tiny", "main.go"), hello+"\n// More.\n")
	if built, err := b.Built(m); err != nil || built {
		t.Errorf("with another source: built %t, %v", built, err)
	}
}

func TestBuildLeavesNothing(t *testing.T) {
	t.Parallel()
	b, m, _ := tiny(t, "package main\n\nfunc main() { nothing() }\n")
	err := b.Build(t.Context(), m)
	if err == nil || !strings.HasPrefix(err.Error(), "build tiny of tiny: exit status 1: ") ||
		!strings.HasSuffix(err.Error(), "undefined: nothing") || strings.Contains(err.Error(), "\n") {
		t.Errorf("a source that does not compile: %v", err)
	}
	dir, err := b.Dir(m)
	if err != nil {
		t.Fatal(err)
	}
	// As a builder leaves it that was killed.
	write(t, filepath.Join(dir+".new-123", "tiny"), "half")
	write(t, filepath.Join(b.Source, "tiny", "other.go"), "package main\n\nfunc nothing() {}\n")
	old := dir
	if dir, err = b.Dir(m); err != nil || dir == old {
		t.Fatalf("the name is the same: %v", err)
	}
	write(t, filepath.Join(dir+".new-456", "tiny"), "half")
	if err := b.Build(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir + ".new-456"); err == nil {
		t.Error("what a killed builder left is still there")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	write(t, filepath.Join(b.Source, "tiny", "third.go"), "package main\n")
	if err := b.Build(ctx, m); err == nil {
		t.Error("a build that was stopped succeeded")
	}
	if built, err := b.Built(m); err != nil || built {
		t.Errorf("after a stop: built %t, %v", built, err)
	}
}

func TestModules(t *testing.T) {
	t.Parallel()
	b := Builder{Source: filepath.Join("..", "..", "build"), Cache: t.TempDir()}
	all, err := b.Modules("")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		if m.Version == "" || len(m.Programs) == 0 {
			t.Errorf("module %+v", m)
		}
		if strings.Contains(strings.Join(m.Flags, " "), "{") {
			t.Errorf("flags of %s: %v", m.Name, m.Flags)
		}
	}
	again, err := b.Modules(strings.TrimPrefix(all[0].Version, "v"))
	if err != nil || again[0].Name != "kubernetes" {
		t.Errorf("by its version: %+v, %v", again, err)
	}
	const want = `version "1.2.3" of Kubernetes cannot be built here: one of `
	if _, err := b.Modules("1.2.3"); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("an unknown version: %v", err)
	}
	b.Source = t.TempDir()
	if _, err := b.Modules(""); err == nil || !strings.Contains(err.Error(), "run refit-testbed from a checkout of Refit") {
		t.Errorf("without a checkout: %v", err)
	}
}
