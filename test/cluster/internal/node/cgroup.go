package node

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const cgroups = "/sys/fs/cgroup"

// settle is how long the kernel may need to empty a group.
const settle = 10 * time.Second

// hierarchies returns the roots of all control groups: one with version 2, one
// per controller with version 1.
func hierarchies() ([]string, error) {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("find the control groups: %w", err)
	}
	var roots []string
	for line := range strings.Lines(string(text)) {
		before, after, _ := strings.Cut(line, " - ")
		fields := strings.Fields(before)
		if len(fields) > 4 && strings.HasPrefix(after, "cgroup") && strings.HasPrefix(fields[4], cgroups) {
			roots = append(roots, fields[4])
		}
	}
	if len(roots) == 0 {
		return nil, errors.New("find the control groups: none are mounted below " + cgroups)
	}
	return roots, nil
}

// MakeCgroup makes the folder of control groups called name in every hierarchy.
func MakeCgroup(name string) error {
	roots, err := hierarchies()
	if err != nil {
		return err
	}
	for _, root := range roots {
		dir := root
		for part := range strings.SplitSeq(strings.Trim(name, "/"), "/") {
			if err := handDown(dir); err != nil {
				return err
			}
			parent := dir
			dir = filepath.Join(dir, part)
			if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
				return fmt.Errorf("make a control group: %w", err)
			}
			if err := inherit(parent, dir); err != nil {
				return err
			}
		}
	}
	return nil
}

// handDown lets the groups below dir have the controllers of dir: version 2. A
// kernel that keeps one back that nobody needs does no harm.
func handDown(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the controllers of a control group: %w", err)
	}
	for name := range strings.FieldsSeq(string(text)) {
		file := filepath.Join(dir, "cgroup.subtree_control")
		err := os.WriteFile(file, []byte("+"+name), 0o644)
		if err != nil && slices.Contains([]string{"cpu", "cpuset", "memory", "pids"}, name) {
			return fmt.Errorf("hand controller %q down to a control group: %w", name, err)
		}
	}
	return nil
}

// inherit fills what is empty in a new group of cpusets: version 1.
func inherit(parent, dir string) error {
	for _, name := range []string{"cpuset.cpus", "cpuset.mems"} {
		file := filepath.Join(dir, name)
		now, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && len(bytes.TrimSpace(now)) > 0 {
			continue
		}
		above, err := os.ReadFile(filepath.Join(parent, name))
		if errors.Is(err, fs.ErrNotExist) || (err == nil && len(bytes.TrimSpace(above)) == 0) {
			continue // Version 2: empty means all.
		}
		if err == nil {
			err = os.WriteFile(file, above, 0o644)
		}
		if err != nil {
			return fmt.Errorf("set %s of a control group: %w", name, err)
		}
	}
	return nil
}

// RemoveCgroup ends every process in the folder of control groups called name
// and removes it from every hierarchy, and its parent if that is empty then.
func RemoveCgroup(name string) error {
	roots, err := hierarchies()
	if err != nil {
		return err
	}
	for _, root := range roots {
		if err := removeTree(filepath.Join(root, name)); err != nil {
			return err
		}
		// It stays while another cluster has a folder in it.
		_ = os.Remove(filepath.Join(root, filepath.Dir(name))) // See above.
	}
	return nil
}

func removeTree(root string) error {
	var dirs []string
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && d.IsDir() {
			dirs = append(dirs, name)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("list control groups: %w", err)
	}
	slices.Reverse(dirs) // Children first.
	for deadline := time.Now().Add(settle); ; {
		var failed error
		for _, dir := range dirs {
			kill(dir)
			if err := unix.Rmdir(dir); err != nil && !errors.Is(err, unix.ENOENT) {
				failed = fmt.Errorf("remove control group %q: %w", dir, err)
			}
		}
		if failed == nil || time.Now().After(deadline) {
			return failed
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// kill ends the processes of one group. They are the cluster's: nothing else is
// ever put there.
func kill(dir string) {
	text, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
	if err != nil {
		return // Gone, or empty.
	}
	for line := range strings.FieldsSeq(string(text)) {
		if pid, err := strconv.Atoi(line); err == nil && pid > 0 {
			_ = unix.Kill(pid, unix.SIGKILL) // It may have ended.
		}
	}
}
