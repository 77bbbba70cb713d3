package cluster

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/refitproject/refit/test/cluster/internal/build"
	"github.com/refitproject/refit/test/cluster/internal/component"
	"github.com/refitproject/refit/test/cluster/internal/image"
	"github.com/refitproject/refit/test/cluster/internal/place"
)

// Testbed is what all clusters of a user share.
type Testbed struct {
	Roots place.Roots
	// Source is the folder test/cluster of a checkout.
	Source string
	// Self is this program, which is the keeper too.
	Self string
	// Say tells what is done, one line at a time.
	Say func(format string, args ...any)
}

// Builder makes programs.
func (t Testbed) Builder() build.Builder {
	return build.Builder{Source: filepath.Join(t.Source, "build"), Cache: t.Roots.Cache, Say: t.Say}
}

// Maker makes images from programs of a version of Kubernetes.
func (t Testbed) Maker(modules []build.Module) image.Maker {
	return image.Maker{
		Cache: filepath.Join(t.Roots.Cache, "images"), Say: t.Say,
		Program: func(name string) (string, error) {
			module, program, _ := strings.Cut(name, "/")
			i := slices.IndexFunc(modules, func(m build.Module) bool { return m.Name == module })
			if i < 0 {
				return "", fmt.Errorf("there is no module %q", module)
			}
			return t.Builder().Program(modules[i], program)
		},
	}
}

// Recipes returns the recipes of images.
func (t Testbed) Recipes() ([]image.Recipe, error) {
	return image.LoadAll(filepath.Join(t.Source, "images"))
}

// basic names the images that every cluster has: the network, volumes and tests
// need them.
func basic() []string { return []string{"busybox", "coredns", "local-path-provisioner", "pause"} }

// Kubernetes returns the version that is meant by one that people gave, "" being
// the usual one.
func (t Testbed) Kubernetes(version string) (string, error) {
	modules, err := t.Builder().Modules(version)
	if err != nil {
		return "", err
	}
	return modules[0].Version, nil
}

// needed returns the modules that a mode needs, and where its programs are.
func (t Testbed) needed(mode component.Mode, kubernetes string) ([]build.Module, map[string]string, error) {
	all, err := t.Builder().Modules(kubernetes)
	if err != nil {
		return nil, nil, err
	}
	var modules []build.Module
	programs := map[string]string{}
	for _, m := range all {
		used := false
		for _, name := range component.Needs(mode) {
			if _, ok := m.Programs[name]; !ok {
				continue
			}
			used = true
			if programs[name], err = t.Builder().Program(m, name); err != nil {
				return nil, nil, err
			}
		}
		if used {
			modules = append(modules, m)
		}
	}
	return modules, programs, nil
}
