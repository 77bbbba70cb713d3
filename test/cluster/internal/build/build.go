// Package build makes the programs of a cluster from little Go modules, one
// folder each, and keeps them in the cache under a name that says what they were
// made from: a clean checkout finds them again.
package build

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/refitproject/refit/test/cluster/internal/place"
)

// Builder makes programs.
type Builder struct {
	// Source is the folder of the modules.
	Source string
	// Cache is where programs are kept.
	Cache string
	// Say tells what is done, one line at a time.
	Say func(format string, args ...any)
}

// Module is one folder of Source.
type Module struct {
	// Name is the folder.
	Name string
	// Version is that of the thing that is built.
	Version string
	// Programs maps the names of programs to packages.
	Programs map[string]string
	// Flags are for the linker, beside -s -w.
	Flags []string
}

// Program is where a program of a module is.
func (b Builder) Program(m Module, name string) (string, error) {
	if _, ok := m.Programs[name]; !ok {
		return "", fmt.Errorf("module %q has no program %q", m.Name, name)
	}
	dir, err := b.Dir(m)
	return filepath.Join(dir, name), err
}

// Dir is the folder of the programs of a module, whether they are built or not.
func (b Builder) Dir(m Module) (string, error) {
	key, err := b.key(m)
	if err != nil {
		return "", err
	}
	return filepath.Join(b.Cache, m.Name+"-"+m.Version+"-"+key), nil
}

// Built tells whether the programs of a module are there.
func (b Builder) Built(m Module) (bool, error) {
	dir, err := b.Dir(m)
	if err != nil {
		return false, err
	}
	_, err = os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// key names everything that goes into the programs of a module.
func (b Builder) key(m Module) (string, error) {
	hash := sha256.New()
	_, _ = fmt.Fprintf(hash, "%q %q\n", b.command(m, ""), m.Flags) // A hash takes all.
	root := filepath.Join(b.Source, m.Name)
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(hash, "%q %x\n", strings.TrimPrefix(name, root), sha256.Sum256(text))
		return err
	})
	if err != nil {
		return "", fmt.Errorf("read what %q is made from: %w", m.Name, err)
	}
	return hex.EncodeToString(hash.Sum(nil))[:12], nil
}

// Build makes the programs of a module unless they are there. Two builders of
// one module wait for each other. Either all programs are there or none.
func (b Builder) Build(ctx context.Context, m Module) error {
	dir, err := b.Dir(m)
	if err != nil {
		return err
	}
	if built, err := b.Built(m); built || err != nil {
		return err
	}
	lock, err := b.lock(dir + ".lock")
	if err != nil {
		return err
	}
	defer lock.Close() //nolint:errcheck // The kernel lets go of it.
	if built, err := b.Built(m); built || err != nil {
		return err // Somebody else was quicker.
	}
	for _, old := range leftovers(dir) {
		_ = os.RemoveAll(old) // Of a builder that was killed; it only takes up room.
	}
	temp, err := os.MkdirTemp(b.Cache, filepath.Base(dir)+".new-")
	if err != nil {
		return fmt.Errorf("build %s: %w", m.Name, err)
	}
	defer os.RemoveAll(temp) //nolint:errcheck // It was renamed, or only takes up room.
	begin := time.Now()
	b.Say("build %s %s: once, from Go modules", m.Name, m.Version)
	if err := b.compile(ctx, m, temp); err != nil {
		return err
	}
	if err := os.Chmod(temp, 0o755); err != nil {
		return fmt.Errorf("build %s: %w", m.Name, err)
	}
	if err := os.Rename(temp, dir); err != nil {
		return fmt.Errorf("build %s: %w", m.Name, err)
	}
	b.Say("build %s %s: done after %s", m.Name, m.Version, time.Since(begin).Round(time.Second))
	return nil
}

func (b Builder) lock(name string) (*os.File, error) {
	file, err := place.LockFile(name, false)
	if errors.Is(err, unix.EWOULDBLOCK) {
		b.Say("wait for another builder of %s", filepath.Base(strings.TrimSuffix(name, ".lock")))
		file, err = place.LockFile(name, true)
	}
	return file, err
}

func leftovers(dir string) []string {
	found, err := filepath.Glob(dir + ".new-*")
	if err != nil {
		return nil // The pattern is bad: a star in the name of the cache.
	}
	return found
}

// command is how go is called.
func (b Builder) command(m Module, out string) []string {
	flags := strings.Join(append([]string{"-s", "-w"}, m.Flags...), " ")
	return []string{"build", "-trimpath", "-buildvcs=false", "-mod=readonly", "-ldflags", flags, "-o", out}
}

func (b Builder) compile(ctx context.Context, m Module, out string) error {
	names := make([]string, 0, len(m.Programs))
	for name := range m.Programs {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		args := append(b.command(m, filepath.Join(out, name)), m.Programs[name])
		cmd := exec.CommandContext(ctx, "nice", append([]string{"-n", "10", "go"}, args...)...)
		cmd.Dir = filepath.Join(b.Source, m.Name)
		// Without what the environment would change in the programs.
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off", "GOOS=", "GOARCH=", "GOEXPERIMENT=")
		// So that go and its compilers end together.
		cmd.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGTERM}
		if text, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s of %s: %w: %s", name, m.Name, cause(ctx, err), last(string(text)))
		}
	}
	return nil
}

func cause(ctx context.Context, err error) error {
	if c := context.Cause(ctx); c != nil {
		return c
	}
	return err
}

// last returns the line of an output that says most: usually the last.
func last(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
