// Package place says where the files of clusters are, and keeps two programs off
// one cluster. What can be made again is in the cache, what belongs to one
// cluster in its folder of the state.
package place

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Roots are the folders of one user.
type Roots struct {
	// State holds a folder per cluster.
	State string
	// Cache holds binaries and images.
	Cache string
}

// Load finds the folders from the environment: XDG_STATE_HOME and
// XDG_CACHE_HOME, else below HOME.
func Load(getenv func(string) string) (Roots, error) {
	home := getenv("HOME")
	dir := func(variable, below string) (string, error) {
		if v := getenv(variable); filepath.IsAbs(v) {
			return filepath.Join(v, "refit", "cluster"), nil
		}
		if !filepath.IsAbs(home) {
			return "", fmt.Errorf("find the folder of clusters: neither %s nor HOME is an absolute path: set one",
				variable)
		}
		return filepath.Join(home, below, "refit", "cluster"), nil
	}
	state, err := dir("XDG_STATE_HOME", ".local/state")
	if err != nil {
		return Roots{}, err
	}
	cache, err := dir("XDG_CACHE_HOME", ".cache")
	return Roots{State: state, Cache: cache}, err
}

// Hidden returns which of the roots lies where a cluster with containers has
// folders of its own in place of the machine's, and so could not be seen from
// inside; "" when none does.
func (r Roots) Hidden() string {
	for _, root := range []string{r.State, r.Cache} {
		for _, over := range Covered() {
			if strings.HasPrefix(root+"/", over+"/") {
				return root
			}
		}
	}
	return ""
}

// Covered lists the folders that are a cluster's own inside of it.
func Covered() []string { return []string{"/run", "/var/run", "/var/lib", "/var/log"} }

// Cluster is the folder of one cluster.
type Cluster struct {
	// Name is unique on the machine.
	Name string
	// Dir need not exist.
	Dir string
}

// maxName keeps the name of the network interface within 15 characters.
const maxName = 10

// Cluster returns the folder of the cluster called name.
func (r Roots) Cluster(name string) (Cluster, error) {
	if !regexp.MustCompile(`^[a-z][a-z0-9-]*$`).MatchString(name) || len(name) > maxName {
		return Cluster{}, fmt.Errorf("name of a cluster %q: it has to be a letter and up to %d more of a-z, 0-9 and -",
			name, maxName-1)
	}
	return Cluster{Name: name, Dir: filepath.Join(r.State, name)}, nil
}

// Names returns the names of the clusters that have a folder, sorted.
func (r Roots) Names() ([]string, error) {
	entries, err := os.ReadDir(r.State)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list clusters: %w", err)
	}
	var names []string
	for _, e := range entries {
		// A folder that is being removed has a dot in its name.
		if e.IsDir() && !strings.Contains(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// Path returns a path in the folder of the cluster.
func (c Cluster) Path(parts ...string) string {
	return filepath.Join(append([]string{c.Dir}, parts...)...)
}

// Kubeconfig is the file with which people reach the cluster.
func (c Cluster) Kubeconfig() string { return c.Path("kubeconfig") }

// Lock keeps other programs off the cluster until the file is closed; the kernel
// lets go of it when the process ends. It is an error if another has it.
func (c Cluster) Lock() (*os.File, error) {
	file, err := LockFile(c.Dir+".lock", false)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, fmt.Errorf("cluster %q: another refit-testbed is working on it: wait until it has ended", c.Name)
	}
	if err != nil {
		return nil, fmt.Errorf("cluster %q: %w", c.Name, err)
	}
	return file, nil
}

// LockFile takes a lock that the kernel gives back, making the file and its
// folder. Without wait it fails with EWOULDBLOCK when another process has it.
func LockFile(name string, wait bool) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return nil, fmt.Errorf("make the folder of a lock: %w", err)
	}
	file, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open a lock: %w", err)
	}
	how := unix.LOCK_EX
	if !wait {
		how |= unix.LOCK_NB
	}
	for {
		err = unix.Flock(int(file.Fd()), how)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		_ = file.Close() // The lock was not taken, nothing was written.
		return nil, fmt.Errorf("lock %q: %w", name, err)
	}
	return file, nil
}

// WriteFile replaces a file in one step: it has its old content or the new one,
// also after a crash.
func WriteFile(name string, content []byte, mode fs.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return fmt.Errorf("make the folder of %q: %w", name, err)
	}
	file, err := os.CreateTemp(filepath.Dir(name), ".new-*")
	if err != nil {
		return fmt.Errorf("write %q: %w", name, err)
	}
	_, err = file.Write(content)
	err = errors.Join(err, file.Chmod(mode), file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), name)
	}
	if err != nil {
		_ = os.Remove(file.Name()) // The first error says more.
		return fmt.Errorf("write %q: %w", name, err)
	}
	return nil
}

// WriteJSON replaces a file by the JSON of a value.
func WriteJSON(name string, value any) error {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return fmt.Errorf("write %q: %w", name, err)
	}
	return WriteFile(name, append(text, '\n'), 0o600)
}

// ReadJSON reads what WriteJSON wrote. A file that is not there is
// fs.ErrNotExist.
func ReadJSON(name string, value any) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("read a record: %w", err)
	}
	if err := json.Unmarshal(text, value); err != nil {
		return fmt.Errorf("read %q: %w", name, err)
	}
	return nil
}
