package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/refitproject/refit/test/cluster/internal/component"
	"github.com/refitproject/refit/test/cluster/internal/keeper"
	"github.com/refitproject/refit/test/cluster/internal/kube"
	"github.com/refitproject/refit/test/cluster/internal/place"
	"github.com/refitproject/refit/test/cluster/internal/proc"
)

// The states of a cluster.
const (
	// Up works.
	Up = "up"
	// Broken is half up, or something of it has ended; the next up heals it.
	Broken = "broken"
	// Down is not there.
	Down = "down"
)

// Status is how a cluster is.
type Status struct {
	Name  string `json:"name"`
	State string `json:"state"`
	// Why says what is broken.
	Why        string         `json:"why,omitempty"`
	Mode       component.Mode `json:"mode,omitempty"`
	Kubernetes string         `json:"kubernetes,omitempty"`
	Server     string         `json:"server,omitempty"`
	Kubeconfig string         `json:"kubeconfig,omitempty"`
	Created    *time.Time     `json:"created,omitempty"`
	// Keeper is the process that the cluster hangs on.
	Keeper     int         `json:"keeper,omitempty"`
	Components []Component `json:"components,omitempty"`
	// Memory is that of all processes, those of pods included.
	Memory int64  `json:"memory,omitempty"`
	Nodes  *Count `json:"nodes,omitempty"`
	Pods   *Count `json:"pods,omitempty"`
	Disk   Disk   `json:"disk"`
}

// Component is how one component is.
type Component struct {
	Name string `json:"name"`
	// PID is its number on the machine, 0 when it does not run.
	PID    int    `json:"pid,omitempty"`
	Memory int64  `json:"memory,omitempty"`
	Ready  bool   `json:"ready"`
	Exit   string `json:"exit,omitempty"`
	Log    string `json:"log"`
}

// Count is how many of something are ready.
type Count struct {
	Ready int `json:"ready"`
	All   int `json:"all"`
}

// Disk is the bytes that files take up.
type Disk struct {
	// Cluster is the folder of this one.
	Cluster int64 `json:"cluster"`
	// Programs and Images are shared by all clusters.
	Programs int64 `json:"programs"`
	Images   int64 `json:"images"`
}

// Status looks at a cluster and changes nothing.
func (t Testbed) Status(ctx context.Context, name string) (Status, error) {
	c, err := t.Roots.Cluster(name)
	if err != nil {
		return Status{}, err
	}
	s := Status{Name: name, State: Down, Disk: t.disk(c)}
	r, err := readRecord(c)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return Status{}, err
	}
	s.Mode, s.Kubernetes, s.Server, s.Kubeconfig = r.Spec.Mode, r.Spec.Kubernetes, r.Spec.Server(), c.Kubeconfig()
	s.Created, s.State = &r.Spec.Created, Broken
	id, err := readKeeper(c)
	if err != nil || !id.Alive() {
		s.Why = "its processes have ended, or the machine was started again"
		return s, nil //nolint:nilerr // That is what there is to say.
	}
	s.Keeper = id.PID
	if err := s.components(c, r.Spec, id); err != nil {
		return Status{}, err
	}
	s.Why = firstEnded(c)
	if s.Why == "" && !r.Complete {
		s.Why = "it is coming up, or whoever brought it up was stopped"
	}
	if err := s.ask(ctx, c); err != nil {
		if s.Why == "" {
			s.Why = err.Error()
		}
		return s, nil
	}
	if s.Why == "" {
		s.State = Up
	}
	return s, nil
}

// components fills in how the components are.
func (s *Status) components(c place.Cluster, spec component.Spec, id proc.Identity) error {
	states, err := readStates(c)
	if err != nil {
		return err
	}
	members := map[int]proc.Member{}
	if spec.Mode == component.Containers {
		all, err := proc.Members(id.PID)
		if err != nil {
			return err
		}
		for _, m := range all {
			members[m.Inner] = m
			s.Memory += m.Memory
		}
	} else {
		s.Memory = proc.Memory(id.PID)
		for _, state := range states {
			if pid := state.Process.PID; state.Process.Alive() {
				members[pid] = proc.Member{PID: pid, Memory: proc.Memory(pid)}
				s.Memory += members[pid].Memory
			}
		}
	}
	for _, state := range states {
		s.Components = append(s.Components, shown(c, state, members[state.Process.PID]))
	}
	return nil
}

func shown(c place.Cluster, state keeper.State, m proc.Member) Component {
	shown := Component{Name: state.Name, Ready: state.Ready, Exit: state.Exit, Log: c.Path("logs", state.Name+".log")}
	if state.Exit == "" && state.Process.PID != 0 {
		shown.PID, shown.Memory = m.PID, m.Memory
	}
	return shown
}

// ask asks the API server what it knows.
func (s *Status) ask(ctx context.Context, c place.Cluster) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	client, err := kube.Load(c.Kubeconfig())
	if err != nil {
		return err
	}
	if err := client.Answers(ctx); err != nil {
		return err
	}
	var nodes, pods Count
	if nodes.All, nodes.Ready, err = client.Nodes(ctx); err != nil {
		return err
	}
	if pods.All, pods.Ready, err = client.Pods(ctx); err != nil {
		return err
	}
	s.Nodes, s.Pods = &nodes, &pods
	if nodes.Ready < nodes.All {
		return fmt.Errorf("%d of %d nodes are ready", nodes.Ready, nodes.All)
	}
	return nil
}

func (t Testbed) disk(c place.Cluster) Disk {
	images := size(filepath.Join(t.Roots.Cache, "images"))
	return Disk{Cluster: size(c.Dir), Images: images, Programs: size(t.Roots.Cache) - images}
}

// size is what the files of a folder take up; what cannot be read counts
// nothing.
func size(dir string) int64 {
	var sum int64
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil //nolint:nilerr // Files come and go while one looks.
		}
		if info, err := d.Info(); err == nil {
			sum += info.Size()
		}
		return nil
	})
	return sum
}

// Down takes a cluster down and leaves nothing of it. A cluster that is not
// there is down.
func (t Testbed) Down(ctx context.Context, name string) error {
	c, err := t.Roots.Cluster(name)
	if err != nil {
		return err
	}
	if _, err := os.Stat(c.Dir); errors.Is(err, fs.ErrNotExist) {
		t.Say("cluster %s is down", c.Name)
		return nil
	}
	lock, err := c.Lock()
	if err != nil {
		return err
	}
	defer lock.Close() //nolint:errcheck // The kernel lets go of it.
	if r, err := readRecord(c); err == nil && r.Spec.Mode == component.Containers {
		if err := realMachine().root(); err != nil {
			return fmt.Errorf("take cluster %q down: %w", name, err)
		}
	}
	begin := time.Now()
	if err := remove(ctx, c); err != nil {
		return err
	}
	if err := os.Remove(c.Dir + ".lock"); err != nil {
		return fmt.Errorf("remove the lock of cluster %q: %w", name, err)
	}
	t.Say("cluster %s is down after %s", c.Name, time.Since(begin).Round(100*time.Millisecond))
	return nil
}

// Names returns the names of the clusters that are there.
func (t Testbed) Names() ([]string, error) { return t.Roots.Names() }

// Log returns the file of the log of a component.
func (t Testbed) Log(name, what string) (string, error) {
	c, err := t.Roots.Cluster(name)
	if err != nil {
		return "", err
	}
	files, err := filepath.Glob(c.Path("logs", "*.log"))
	if err != nil {
		return "", fmt.Errorf("list logs: %w", err)
	}
	if len(files) == 0 {
		return "", fmt.Errorf("cluster %q is down: it has no logs", name)
	}
	var names []string
	for _, file := range files {
		names = append(names, filepath.Base(file[:len(file)-len(".log")]))
	}
	if !slices.Contains(names, what) {
		return "", fmt.Errorf("cluster %q has no component %q: one of %v", name, what, names)
	}
	return c.Path("logs", what+".log"), nil
}

// Kubeconfig returns the file with which a cluster is reached.
func (t Testbed) Kubeconfig(name string) (string, error) {
	c, err := t.Roots.Cluster(name)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(c.Kubeconfig()); err != nil {
		return "", fmt.Errorf("cluster %q is down: bring it up with refit-testbed up", name)
	}
	return c.Kubeconfig(), nil
}
