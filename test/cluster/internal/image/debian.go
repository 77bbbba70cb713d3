package image

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed" // For the script.
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// script makes a Debian system, or installs into one, in a namespace of its own.
//
//go:embed layer.sh
var script string

// way is raised when the script makes other layers than before: those of before
// are made again then.
const way = 1

// system returns the layers of the Debian system of a recipe, and of what it
// installs there; none when it is not made from one.
func (m Maker) system(ctx context.Context, r Recipe, all []Recipe) ([]Layer, error) {
	if r.Debian != "" {
		base, err := m.keep(ctx, r.Name, key("", r.Debian), true, func(w io.Writer) error {
			return m.debootstrap(ctx, r, w)
		})
		return []Layer{base}, err
	}
	if r.From == "" {
		return nil, nil
	}
	i := slices.IndexFunc(all, func(o Recipe) bool { return o.Name == r.From && o.Debian != "" })
	if i < 0 {
		return nil, fmt.Errorf("from %q: there is no recipe of such a Debian system", r.From)
	}
	below := all[i]
	layers, err := m.system(ctx, below, nil)
	if err != nil || !r.installs() {
		return layers, err
	}
	name := key(layers[0].Key, r.Packages, r.Python, r.NPM, r.Run)
	above, err := m.keep(ctx, r.Name, name, true, func(w io.Writer) error {
		return m.install(ctx, r, below, layers[0], w)
	})
	return append(layers, above), err
}

// key names what goes into a layer of a system: what is below, what is wanted,
// and the way.
func key(below string, wanted ...any) string {
	text, err := json.Marshal([]any{below, wanted, way})
	if err != nil {
		panic(err) // Texts and lists of texts can be written.
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

func (m Maker) debootstrap(ctx context.Context, r Recipe, to io.Writer) error {
	return m.inFolder(func(dir string) error {
		root := filepath.Join(dir, "root")
		if err := m.script(ctx, "system", root, "SUITE="+r.Debian); err != nil {
			return err
		}
		return writeTree(root, to)
	})
}

func (m Maker) install(ctx context.Context, r, below Recipe, base Layer, to io.Writer) error {
	return m.inFolder(func(dir string) error {
		for _, name := range []string{"below", "above", "work", "root"} {
			if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
				return fmt.Errorf("make a folder: %w", err)
			}
		}
		err := m.script(ctx, "install", dir, "LAYER="+base.file, "SUITE="+below.Debian,
			"PACKAGES="+strings.Join(r.Packages, " "), "PYTHON="+strings.Join(r.Python, " "),
			"NPM="+strings.Join(r.NPM, " "), "RUN="+strings.Join(r.Run, "\n"))
		if err != nil {
			return err
		}
		return writeTree(filepath.Join(dir, "above"), to)
	})
}

// inFolder gives body a folder on the disk of the cache, and removes it, and
// those of makers that were killed.
func (m Maker) inFolder(body func(dir string) error) (err error) {
	work := filepath.Join(m.Cache, "work")
	if err := os.MkdirAll(work, 0o755); err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	lock := func(name string) (*os.File, error) {
		file, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return nil, fmt.Errorf("open a lock: %w", err)
		}
		if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
			return nil, errors.Join(err, file.Close())
		}
		return file, nil
	}
	old, err := filepath.Glob(filepath.Join(work, "*.lock"))
	if err != nil {
		return fmt.Errorf("find old folders: %w", err)
	}
	for _, name := range old {
		if held, err := lock(name); err == nil {
			_ = os.RemoveAll(strings.TrimSuffix(name, ".lock")) // It only takes up room.
			_ = os.Remove(name)
			_ = held.Close()
		}
	}
	dir, err := os.MkdirTemp(work, "")
	if err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	held, err := lock(dir + ".lock")
	if err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir), os.Remove(dir+".lock"), held.Close()) }()
	return body(dir)
}

// script runs the script in namespaces of its own: its mounts and processes go
// with it, also when this process is killed.
func (m Maker) script(ctx context.Context, verb, dir string, values ...string) error {
	if os.Getuid() != 0 {
		return errors.New("a Debian system is made by root only: run as root")
	}
	if _, err := exec.LookPath("debootstrap"); err != nil {
		return errors.New("debootstrap is not installed: run apt-get install --no-install-recommends debootstrap")
	}
	cmd := exec.CommandContext(ctx, "unshare", "--mount", "--pid", "--kill-child", "--propagation", "private",
		"nice", "-n", "10", "sh", "-eu", "-c", script, "layer.sh", verb, dir)
	cmd.Env = append(os.Environ(), values...)
	cmd.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGKILL}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	err := cmd.Run()
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	log := filepath.Join(m.Cache, "failed.log")
	if wrote := os.WriteFile(log, said.Bytes(), 0o600); wrote != nil {
		return errors.Join(err, wrote)
	}
	return fmt.Errorf("%w: %s (all of it is in %s)", err, lastError(said.String()), log)
}

// lastError returns the line of an output that says most: the last that speaks
// of an error, else the last.
func lastError(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for _, line := range slices.Backward(lines) {
		for _, begin := range []string{"E: ", "ERROR: ", "layer.sh: "} {
			if strings.HasPrefix(line, begin) {
				return line
			}
		}
	}
	return lines[len(lines)-1]
}
