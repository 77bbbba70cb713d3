package cluster

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

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
		archive, err := t.Image(ctx, r, modules)
		if err != nil {
			return err
		}
		t.Say("image %s is in %s", r.Ref(), archive)
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

// Image makes the image of a recipe, with the programs that it needs, and
// returns its archive.
func (t Testbed) Image(ctx context.Context, r image.Recipe, modules []build.Module) (string, error) {
	for _, program := range r.Programs() {
		name, _, _ := strings.Cut(program, "/")
		for _, m := range modules {
			if m.Name != name {
				continue
			}
			if err := t.Builder().Build(ctx, m); err != nil {
				return "", err
			}
		}
	}
	return t.Maker(modules).Make(ctx, r)
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
		archive := w
		if i := slices.IndexFunc(recipes, func(r image.Recipe) bool { return r.Name == w }); i >= 0 {
			if archive, err = t.Image(ctx, recipes[i], modules); err != nil {
				return err
			}
		} else if _, err := os.Stat(w); err != nil {
			return fmt.Errorf("load image %q: it is neither a recipe in %s/images nor a file", w, t.Source)
		}
		if err := runtime.Load(ctx, archive); err != nil {
			return err
		}
		t.Say("loaded %s", w)
	}
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
