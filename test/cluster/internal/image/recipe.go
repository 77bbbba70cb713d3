package image

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// Recipe is how an image is made: one layer, and how its program is called.
type Recipe struct {
	// Name is that of the file, without .yaml.
	Name string `json:"-"`
	// Tag is its version for people.
	Tag string `json:"tag"`
	// Summary says what it is for.
	Summary string `json:"summary"`
	// Files maps absolute paths in the image to what is there.
	Files map[string]File `json:"files"`
	// Links maps absolute paths to what they point to.
	Links map[string]string `json:"links,omitempty"`
	// Folders are made for everybody to write to, as /tmp is.
	Folders    []string `json:"folders,omitempty"`
	Entrypoint []string `json:"entrypoint,omitempty"`
	Command    []string `json:"command,omitempty"`
	Env        []string `json:"env,omitempty"`
	User       string   `json:"user,omitempty"`
}

// File is one file of an image. Exactly one field is set.
type File struct {
	// Program is a program that package build makes.
	Program string `json:"program,omitempty"`
	// Host is a file of the machine, from a package that is installed.
	Host string `json:"host,omitempty"`
	// Text is the content.
	Text string `json:"text,omitempty"`
}

// Ref is the name by which pods use the image.
func (r Recipe) Ref() string { return "localhost/refit/" + r.Name + ":" + r.Tag }

// Programs returns the programs that have to be built before, sorted.
func (r Recipe) Programs() []string {
	var names []string
	for _, f := range r.Files {
		if f.Program != "" {
			names = append(names, f.Program)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// LoadAll reads the recipes of a folder, by their names.
func LoadAll(dir string) ([]Recipe, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("list recipes: %w", err)
	}
	var all []Recipe
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read a recipe: %w", err)
		}
		r, err := Load(strings.TrimSuffix(filepath.Base(file), ".yaml"), text)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// Load reads one recipe strictly.
func Load(name string, text []byte) (Recipe, error) {
	r := Recipe{Name: name}
	if err := yaml.UnmarshalStrict(text, &r); err != nil {
		return Recipe{}, fmt.Errorf("read recipe %q: %w", name, err)
	}
	if err := r.check(); err != nil {
		return Recipe{}, fmt.Errorf("recipe %q: %w", name, err)
	}
	return r, nil
}

func (r Recipe) check() error {
	if r.Tag == "" || r.Summary == "" {
		return fmt.Errorf("tag and summary are needed")
	}
	if len(r.Files) == 0 {
		return fmt.Errorf("it has no files")
	}
	for name, f := range r.Files {
		if !path.IsAbs(name) || path.Clean(name) != name {
			return fmt.Errorf("file %q: the path has to be absolute and clean", name)
		}
		set := 0
		for _, v := range []string{f.Program, f.Host, f.Text} {
			if v != "" {
				set++
			}
		}
		if set != 1 {
			return fmt.Errorf("file %q: exactly one of program, host and text is needed", name)
		}
	}
	for name := range r.Links {
		if !path.IsAbs(name) || path.Clean(name) != name {
			return fmt.Errorf("link %q: the path has to be absolute and clean", name)
		}
	}
	return nil
}
