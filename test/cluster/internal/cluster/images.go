package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/refitproject/refit/test/cluster/internal/build"
	"github.com/refitproject/refit/test/cluster/internal/component"
	"github.com/refitproject/refit/test/cluster/internal/image"
)

// Build makes programs and images without starting a cluster. what is the name
// of a module, of an image, or "" for all that the modes need.
func (t Testbed) Build(ctx context.Context, what, kubernetes string) error {
	modules, err := t.Builder().Modules(kubernetes)
	if err != nil {
		return err
	}
	recipes, err := t.Recipes()
	if err != nil {
		return err
	}
	var known []string
	done := false
	for _, m := range modules {
		known = append(known, m.Name)
		if what != "" && what != m.Name {
			continue
		}
		done = true
		if err := t.buildShown(ctx, m); err != nil {
			return err
		}
	}
	for _, r := range recipes {
		known = append(known, r.Name)
		if what != r.Name && (what != "" || !slices.Contains(basic(), r.Name)) {
			continue
		}
		done = true
		made, err := t.Image(ctx, r, modules)
		if err != nil {
			return err
		}
		t.Say("image %s is there, %d MiB", made.Ref, made.Size>>20)
	}
	if !done {
		return fmt.Errorf("there is nothing called %q to build: one of %s", what, strings.Join(known, ", "))
	}
	return nil
}

func (t Testbed) buildShown(ctx context.Context, m build.Module) error {
	if err := t.Builder().Build(ctx, m); err != nil {
		return err
	}
	dir, err := t.Builder().Dir(m)
	if err != nil {
		return err
	}
	t.Say("%s %s is in %s", m.Name, m.Version, dir)
	return nil
}

// Image makes the image of a recipe, with the programs that it needs.
func (t Testbed) Image(ctx context.Context, r image.Recipe, modules []build.Module) (image.Image, error) {
	maker := t.Maker(modules)
	for _, program := range r.Programs() {
		if program == build.Refit {
			file, err := t.Builder().Checkout(ctx)
			if err != nil {
				return image.Image{}, err
			}
			maker = maker.With(program, file)
			continue
		}
		name, _, _ := strings.Cut(program, "/")
		for _, m := range modules {
			if m.Name != name {
				continue
			}
			if err := t.Builder().Build(ctx, m); err != nil {
				return image.Image{}, err
			}
		}
	}
	all, err := t.Recipes()
	if err != nil {
		return image.Image{}, err
	}
	return maker.Make(ctx, r, all)
}

// Images returns the names of the images that a cluster has.
func (t Testbed) Images(ctx context.Context, name string) ([]string, error) {
	runtime, err := t.runtime(name)
	if err != nil {
		return nil, err
	}
	return runtime.List(ctx)
}

// Load loads images into a cluster: of recipes by their names, else archives of
// docker or OCI by their files.
func (t Testbed) Load(ctx context.Context, name string, what []string) error {
	runtime, err := t.runtime(name)
	if err != nil {
		return err
	}
	recipes, err := t.Recipes()
	if err != nil {
		return err
	}
	modules, err := t.Builder().Modules("")
	if err != nil {
		return err
	}
	for _, w := range what {
		if err := t.load(ctx, runtime, w, recipes, modules); err != nil {
			return err
		}
	}
	return nil
}

func (t Testbed) load(ctx context.Context, to image.Runtime, what string, recipes []image.Recipe,
	modules []build.Module,
) error {
	i := slices.IndexFunc(recipes, func(r image.Recipe) bool { return r.Name == what })
	if i < 0 {
		if _, err := os.Stat(what); err != nil {
			return fmt.Errorf("load image %q: it is neither a recipe in %s/images nor a file", what, t.Source)
		}
		t.Say("load %s", what)
		return to.LoadFile(ctx, what)
	}
	made, err := t.Image(ctx, recipes[i], modules)
	if err != nil {
		return err
	}
	begin := time.Now()
	imported, err := to.Load(ctx, made)
	if err != nil {
		return err
	}
	if imported[0] {
		t.Say("loaded %s after %s", made.Ref, time.Since(begin).Round(100*time.Millisecond))
	} else {
		t.Say("%s was loaded already", made.Ref)
	}
	return nil
}

// Save writes the image of a recipe to a file, which is there whole or not at
// all.
func (t Testbed) Save(ctx context.Context, what, file string) error {
	recipes, err := t.Recipes()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(recipes, func(r image.Recipe) bool { return r.Name == what })
	if i < 0 {
		return fmt.Errorf("save image %q: there is no recipe of it in %s/images", what, t.Source)
	}
	modules, err := t.Builder().Modules("")
	if err != nil {
		return err
	}
	made, err := t.Image(ctx, recipes[i], modules)
	if err != nil {
		return err
	}
	to, err := os.CreateTemp(filepath.Dir(file), ".image-*")
	if err != nil {
		return fmt.Errorf("save image %q: %w", what, err)
	}
	err = errors.Join(made.Archive(to), to.Chmod(0o644), to.Close())
	if err == nil {
		err = os.Rename(to.Name(), file)
	}
	if err != nil {
		_ = os.Remove(to.Name()) // The first error says more.
		return fmt.Errorf("save image %q: %w", what, err)
	}
	t.Say("wrote %s", file)
	return nil
}

// runtime returns the containerd of a cluster that is up.
func (t Testbed) runtime(name string) (image.Runtime, error) {
	c, err := t.Roots.Cluster(name)
	if err != nil {
		return image.Runtime{}, err
	}
	r, err := readRecord(c)
	if err != nil {
		return image.Runtime{}, fmt.Errorf("cluster %q is down: bring it up with refit-testbed up", name)
	}
	if r.Spec.Mode != component.Containers {
		return image.Runtime{}, fmt.Errorf("cluster %q has no images: it runs no containers", name)
	}
	id, err := readKeeper(c)
	if err != nil || !id.Alive() || !r.Complete {
		return image.Runtime{}, fmt.Errorf("cluster %q is broken or comes up: wait, or bring it up with "+
			"refit-testbed up", name)
	}
	return image.Runtime{Program: "ctr", Socket: component.Runtime(id.PID)}, nil
}
