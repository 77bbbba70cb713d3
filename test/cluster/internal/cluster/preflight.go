package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// machine is what is asked of the machine before anything is changed; tests
// have one of their own.
type machine struct {
	uid  func() int
	look func(program string) (string, error)
	// plugin tells whether a folder of network plugins is complete.
	exists func(file string) bool
	// free returns the bytes that are free where a folder is or will be.
	free    func(dir string) (uint64, error)
	install func(ctx context.Context, packages []string) error
}

// packages maps what has to be there to the Debian package that has it.
func packages() []struct{ program, pkg string } {
	return []struct{ program, pkg string }{
		{"containerd", "containerd"},
		{"ctr", "containerd"},
		{"containerd-shim-runc-v2", "containerd"},
		{"runc", "runc"},
		{"iptables", "iptables"},
		{"conntrack", "conntrack"},
		{"/bin/busybox", "busybox-static"},
		{plugins, "containernetworking-plugins"},
	}
}

// plugins stands for the network plugins, which are in no path.
const plugins = "network plugins"

// pluginDirs are where distributions put them.
func pluginDirs() []string { return []string{"/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"} }

func realMachine() machine {
	return machine{
		uid:  os.Getuid,
		look: exec.LookPath,
		exists: func(file string) bool {
			_, err := os.Stat(file)
			return err == nil
		},
		free:    free,
		install: install,
	}
}

// root fails unless this is root: only root can make namespaces and mounts.
func (m machine) root() error {
	if m.uid() == 0 {
		return nil
	}
	return errors.New("a cluster with containers needs root: run as root, or use --mode kwok, which needs none")
}

// missing returns what is not installed, and the packages that have it.
func (m machine) missing() (things, pkgs []string) {
	for _, p := range packages() {
		if _, err := m.find(p.program); err == nil {
			continue
		}
		things = append(things, p.program)
		if len(pkgs) == 0 || pkgs[len(pkgs)-1] != p.pkg {
			pkgs = append(pkgs, p.pkg)
		}
	}
	return things, pkgs
}

// find returns where a program, or the folder of plugins, is.
func (m machine) find(program string) (string, error) {
	if program != plugins {
		return m.look(program)
	}
	for _, dir := range pluginDirs() {
		complete := true
		for _, name := range []string{"bridge", "host-local", "portmap", "loopback"} {
			complete = complete && m.exists(filepath.Join(dir, name))
		}
		if complete {
			return dir, nil
		}
	}
	return "", fmt.Errorf("%s are in none of %s", plugins, strings.Join(pluginDirs(), ", "))
}

// equip installs what is missing, or says how to.
func (m machine) equip(ctx context.Context, permitted bool, say func(string, ...any)) error {
	things, pkgs := m.missing()
	if len(things) == 0 {
		return nil
	}
	command := "apt-get install --no-install-recommends " + strings.Join(pkgs, " ")
	if !permitted {
		return fmt.Errorf("not installed: %s: run %s", strings.Join(things, ", "), command)
	}
	if _, err := m.look("apt-get"); err != nil {
		return fmt.Errorf("not installed: %s: install what has them; on Debian these are the packages %s",
			strings.Join(things, ", "), strings.Join(pkgs, " "))
	}
	say("install %s (--no-install to be asked instead)", strings.Join(pkgs, " "))
	if err := m.install(ctx, pkgs); err != nil {
		return fmt.Errorf("install %s: %w", strings.Join(pkgs, " "), err)
	}
	if things, _ := m.missing(); len(things) > 0 {
		return fmt.Errorf("not installed although %s succeeded: %s", command, strings.Join(things, ", "))
	}
	return nil
}

func install(ctx context.Context, pkgs []string) error {
	run := func(args ...string) error {
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		text, err := cmd.CombinedOutput()
		if err != nil {
			lines := strings.Split(strings.TrimSpace(string(text)), "\n")
			return fmt.Errorf("apt-get %s: %w: %s", args[0], err, lines[len(lines)-1])
		}
		return nil
	}
	args := append([]string{"install", "-y", "--no-install-recommends"}, pkgs...)
	if run(args...) == nil {
		return nil
	}
	// The lists of packages may be old or missing.
	if err := run("update"); err != nil {
		return err
	}
	return run(args...)
}

// room is what has to be free for a cluster, and for a first build beside it.
const (
	room      = 1 << 30
	buildRoom = 8 << 30
)

// space fails unless a folder has room.
func (m machine) space(dir string, need uint64, what string) error {
	have, err := m.free(dir)
	if err != nil {
		return err
	}
	if have >= need {
		return nil
	}
	const mib = 1 << 20
	return fmt.Errorf("disk of %q: %s needs %d MiB, %d are free: make room, or set XDG_CACHE_HOME and XDG_STATE_HOME "+
		"to folders on another disk", dir, what, need/mib, have/mib)
}

// free asks the nearest folder that exists.
func free(dir string) (uint64, error) {
	for {
		var stat unix.Statfs_t
		err := unix.Statfs(dir, &stat)
		if errors.Is(err, unix.ENOENT) && dir != filepath.Dir(dir) {
			dir = filepath.Dir(dir)
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("ask for the room on the disk of %q: %w", dir, err)
		}
		return stat.Bavail * uint64(stat.Bsize), nil // A size is not negative.
	}
}
