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

	"golang.org/x/sys/unix"

	"github.com/refitproject/refit/test/cluster/internal/build"
	"github.com/refitproject/refit/test/cluster/internal/component"
	"github.com/refitproject/refit/test/cluster/internal/image"
	"github.com/refitproject/refit/test/cluster/internal/keeper"
	"github.com/refitproject/refit/test/cluster/internal/node"
	"github.com/refitproject/refit/test/cluster/internal/pki"
	"github.com/refitproject/refit/test/cluster/internal/place"
)

// Wish is what people want of a cluster.
type Wish struct {
	Name string
	Mode component.Mode
	// Kubernetes is a version, or "" for the usual one.
	Kubernetes string
	// Nodes is how many nodes kwok plays.
	Nodes int
	// Port is that of the API server, or 0 for any.
	Port int
	// Install permits to install packages.
	Install bool
}

// patience is how long a step of Up may take on a busy machine.
const patience = 5 * time.Minute

// Up brings a cluster up. One that is up stays as it is; one that is half up,
// or was up before the machine started again, is removed first.
func (t Testbed) Up(ctx context.Context, w Wish) error { return t.up(ctx, w, realMachine()) }

func (t Testbed) up(ctx context.Context, w Wish, m machine) error {
	c, err := t.Roots.Cluster(w.Name)
	if err != nil {
		return err
	}
	if w.Kubernetes, err = t.Kubernetes(w.Kubernetes); err != nil {
		return err
	}
	if err := t.preflight(ctx, w, m); err != nil {
		return err
	}
	lock, err := c.Lock()
	if err != nil {
		return err
	}
	defer lock.Close() //nolint:errcheck // The kernel lets go of it.
	if stays, err := t.heal(ctx, c, w); stays || err != nil {
		return err
	}
	images, spec, err := t.prepare(ctx, c, w, m)
	if err != nil {
		return err
	}
	begin := time.Now()
	if err := t.start(ctx, c, spec, images); err != nil {
		return fmt.Errorf("cluster %q: %w", c.Name, ofFullDisk(c.Dir, err))
	}
	if err := writeRecord(c, Record{Spec: spec, Complete: true}); err != nil {
		return err
	}
	t.Say("cluster %s is up after %s: export KUBECONFIG=%s", c.Name, time.Since(begin).Round(100*time.Millisecond),
		c.Kubeconfig())
	return nil
}

// ofFullDisk says of an error that the disk is full when it is. Each program makes
// something else of that, and which of them is first is chance.
func ofFullDisk(dir string, err error) error {
	if have, asked := free(dir); asked == nil && have < 64<<20 && !errors.Is(err, unix.ENOSPC) {
		return fmt.Errorf("no space left on the disk of %q: make room: %w", dir, err)
	}
	return err
}

func (t Testbed) preflight(ctx context.Context, w Wish, m machine) error {
	if w.Mode == component.Containers {
		if err := m.root(); err != nil {
			return err
		}
		if dir := t.Roots.Hidden(); dir != "" {
			return fmt.Errorf("%q cannot be seen from inside of a cluster, which has folders of its own there: "+
				"set XDG_CACHE_HOME and XDG_STATE_HOME to folders elsewhere", dir)
		}
		if err := m.equip(ctx, w.Install, t.Say); err != nil {
			return err
		}
	}
	if err := m.space(t.Roots.State, room, "a cluster"); err != nil {
		return err
	}
	modules, _, err := t.needed(w.Mode, w.Kubernetes)
	if err != nil {
		return err
	}
	for _, module := range modules {
		built, err := t.Builder().Built(module)
		if err != nil {
			return err
		}
		if !built && module.Name != "programs" {
			return m.space(t.Roots.Cache, buildRoom, "a first build")
		}
	}
	return nil
}

// heal removes what is left of a cluster unless it is what is wanted.
func (t Testbed) heal(ctx context.Context, c place.Cluster, w Wish) (stays bool, err error) {
	r, err := readRecord(c)
	_, there := os.Stat(c.Dir)
	if errors.Is(err, fs.ErrNotExist) && errors.Is(there, fs.ErrNotExist) {
		return false, nil
	}
	id, missing := readKeeper(c)
	if err == nil && missing == nil && r.Complete && id.Alive() {
		if r.Spec.Mode != w.Mode || r.Spec.Kubernetes != w.Kubernetes {
			return false, fmt.Errorf("cluster %q is up already as %s of Kubernetes %s: take it down first, "+
				"or give another --name", c.Name, r.Spec.Mode, r.Spec.Kubernetes)
		}
		if broken := firstEnded(c); broken == "" {
			t.Say("cluster %s is up already: export KUBECONFIG=%s", c.Name, c.Kubeconfig())
			return true, nil
		}
	}
	t.Say("cluster %s is not whole: remove what is left of it first", c.Name)
	return false, remove(ctx, c)
}

// prepare makes all that can be made before anything is started.
func (t Testbed) prepare(ctx context.Context, c place.Cluster, w Wish, m machine) (
	images []image.Image, spec component.Spec, err error,
) {
	modules, programs, err := t.needed(w.Mode, w.Kubernetes)
	if err != nil {
		return nil, spec, err
	}
	for _, module := range modules {
		if err := t.Builder().Build(ctx, module); err != nil {
			return nil, spec, err
		}
	}
	spec = component.Spec{
		Name: c.Name, Mode: w.Mode, Kubernetes: w.Kubernetes, Dir: c.Dir, Nodes: w.Nodes, Created: time.Now().UTC(),
		Programs: programs, Ports: component.UsualPorts(),
	}
	switch w.Mode {
	case component.Containers:
		images, err = t.equipNode(ctx, c, modules, &spec, m)
		if w.Port != 0 {
			spec.Ports.API = w.Port
		}
	case component.Kwok:
		spec.Ports, err = freePorts(ctx, w.Port)
	}
	return images, spec, err
}

// equipNode makes the images and fills in what only a cluster with containers
// has.
func (t Testbed) equipNode(ctx context.Context, c place.Cluster, modules []build.Module, spec *component.Spec,
	m machine,
) ([]image.Image, error) {
	if node.Connected(node.Link(c.Name)) {
		return nil, fmt.Errorf("cluster %q: a network interface %q is there and is of no cluster: remove it with "+
			"ip link delete %s, or give another --name", c.Name, node.Link(c.Name), node.Link(c.Name))
	}
	used, err := node.Used()
	if err != nil {
		return nil, err
	}
	if spec.Network, err = node.Choose(used); err != nil {
		return nil, err
	}
	if spec.Plugins, err = m.find(plugins); err != nil {
		return nil, err
	}
	if spec.Programs["containerd"], err = m.find("containerd"); err != nil {
		return nil, err
	}
	recipes, err := t.Recipes()
	if err != nil {
		return nil, err
	}
	var images []image.Image
	for _, name := range basic() {
		i := slices.IndexFunc(recipes, func(r image.Recipe) bool { return r.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no recipe of image %q", name)
		}
		if name == "pause" {
			spec.Pause = recipes[i].Ref()
		}
		made, err := t.Maker(modules).Make(ctx, recipes[i], recipes)
		if err != nil {
			return nil, err
		}
		images = append(images, made)
	}
	return images, nil
}

// start starts a cluster whose folder does not exist yet.
func (t Testbed) start(ctx context.Context, c place.Cluster, spec component.Spec, images []image.Image) error {
	if err := writeRecord(c, Record{Spec: spec}); err != nil {
		return err
	}
	if err := writeFiles(spec); err != nil {
		return err
	}
	if spec.Mode == component.Containers {
		if err := node.MakeCgroup(spec.Cgroup()); err != nil {
			return err
		}
	}
	k, err := keeper.Start(ctx, t.Self, c.Path("plan.json"), spec.Plan())
	if err != nil {
		return err
	}
	if spec.Mode == component.Containers {
		if err := spec.Network.Connect(node.Link(c.Name), k.Identity.PID); err != nil {
			return err
		}
	}
	if err := k.Go(); err != nil {
		return err
	}
	return t.fill(ctx, c, spec, k.Identity.PID, images)
}

// writeFiles writes certificates and configurations.
func writeFiles(spec component.Spec) error {
	dir := filepath.Join(spec.Dir, "pki")
	ca, err := pki.NewAuthority(dir, "ca", spec.Created)
	if err != nil {
		return err
	}
	front, err := pki.NewAuthority(dir, "front-proxy-ca", spec.Created)
	if err != nil {
		return err
	}
	errs := []error{
		ca.WriteKey(), pki.WriteSigningKey(dir, "sa"),
		front.Issue("front-proxy-client", pki.Subject{Name: "front-proxy-client"}),
	}
	for file, subject := range spec.Subjects() {
		errs = append(errs, ca.Issue(file, subject))
	}
	for file, config := range spec.Kubeconfigs() {
		errs = append(errs, config.Write(file, os.ReadFile))
	}
	for file, text := range spec.Files() {
		errs = append(errs, place.WriteFile(file, []byte(text), 0o644))
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
