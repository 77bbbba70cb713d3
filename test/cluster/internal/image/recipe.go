package image

import (
	"cmp"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// Recipe is how an image is made, and how its program is called. Its layers are
// the Debian system, what is installed into it, and the files.
type Recipe struct {
	// Name is that of the file, without .yaml.
	Name string `json:"-"`
	// Image is the name of the image, Name if it is not set: recipes of several
	// versions of one thing have one image with several tags.
	Image string `json:"image,omitempty"`
	// Tag is its version for people.
	Tag string `json:"tag"`
	// Summary says what it is for.
	Summary string `json:"summary"`
	// Debian is a suite: the image is a small Debian system for others to be made
	// from, and nothing else.
	Debian string `json:"debian,omitempty"`
	// From is the recipe of the Debian system that is below; "" for none.
	From string `json:"from,omitempty"`
	// Packages are those of Debian to install.
	Packages []string `json:"packages,omitempty"`
	// Python are packages of PyPI for the virtual environment /opt/venv. Each has
	// its version.
	Python []string `json:"python,omitempty"`
	// NPM are packages of npm, below /usr/local. Each has its version.
	NPM []string `json:"npm,omitempty"`
	// Run are commands of the shell, carried out in the image after all that.
	Run []string `json:"run,omitempty"`
	// Files maps absolute paths in the image to what is there.
	Files map[string]File `json:"files,omitempty"`
	// Links maps absolute paths to what they point to.
	Links map[string]string `json:"links,omitempty"`
	// Folders are made for everybody to write to, as /tmp is.
	Folders    []string `json:"folders,omitempty"`
	Entrypoint []string `json:"entrypoint,omitempty"`
	Command    []string `json:"command,omitempty"`
	Env        []string `json:"env,omitempty"`
	User       string   `json:"user,omitempty"`
	// Dir is where its program begins.
	Dir string `json:"dir,omitempty"`
}

// File is one file of an image. Exactly one field is set.
type File struct {
	// Program is a program that package build makes.
	Program string `json:"program,omitempty"`
	// Host is a file of the machine, from a package that is installed.
	Host string `json:"host,omitempty"`
	// Text is the content. One that begins with #! is a program.
	Text string `json:"text,omitempty"`
}

// Ref is the name by which pods use the image.
func (r Recipe) Ref() string { return "localhost/refit/" + cmp.Or(r.Image, r.Name) + ":" + r.Tag }

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
	if err := r.checkSystem(); err != nil {
		return err
	}
	if len(r.Files) == 0 && r.Debian == "" && r.From == "" {
		return fmt.Errorf("it has no files")
	}
	for name, f := range r.Files {
		if err := r.checkFile(name, f); err != nil {
			return fmt.Errorf("file %q: %w", name, err)
		}
	}
	for name := range r.Links {
		if !path.IsAbs(name) || path.Clean(name) != name {
			return fmt.Errorf("link %q: the path has to be absolute and clean", name)
		}
	}
	return nil
}

func (r Recipe) checkFile(name string, f File) error {
	if !path.IsAbs(name) || path.Clean(name) != name {
		return fmt.Errorf("the path has to be absolute and clean")
	}
	top, _, _ := strings.Cut(name[1:], "/")
	if r.From != "" && slices.Contains([]string{"bin", "lib", "lib64", "sbin"}, top) {
		return fmt.Errorf("/%s is a link in Debian: put it below /usr", top)
	}
	set := 0
	for _, v := range []string{f.Program, f.Host, f.Text} {
		if v != "" {
			set++
		}
	}
	if set != 1 {
		return fmt.Errorf("exactly one of program, host and text is needed")
	}
	return nil
}

// checkSystem checks what has to do with a Debian system.
func (r Recipe) checkSystem() error {
	if r.Debian != "" && (r.From != "" || r.installs() || len(r.Files) > 0) {
		return fmt.Errorf("debian: a system has nothing beside it: make another recipe from it")
	}
	if r.From == "" && r.installs() {
		return fmt.Errorf("from: packages, python, npm and run need a Debian system below")
	}
	for _, p := range r.Python {
		if name, version, ok := strings.Cut(p, "=="); !ok || name == "" || version == "" {
			return fmt.Errorf("python %q: it has to be name==version", p)
		}
	}
	for _, p := range r.NPM {
		if at := strings.LastIndex(p, "@"); at < 1 || at == len(p)-1 {
			return fmt.Errorf("npm %q: it has to be name@version", p)
		}
	}
	return nil
}

// installs tells whether something is installed into the system below.
func (r Recipe) installs() bool {
	return len(r.Packages)+len(r.Python)+len(r.NPM)+len(r.Run) > 0
}
