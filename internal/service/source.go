package service

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/issues"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/platform"
	"github.com/refitproject/refit/internal/procedure"
	"github.com/refitproject/refit/internal/versions"
	"github.com/refitproject/refit/internal/yamldoc"
)

// mainFile is the main file of a shipped procedure.
const mainFile = "procedure.yaml"

// source is where a procedure is read from.
type source struct {
	files procedure.Files
	name  string // of the main file, within files
	// prefix goes before the names of files in messages, so that they are
	// paths that a person can open.
	prefix string
	close  func() error
}

// shipped returns the names of the procedures that Refit ships, sorted.
func (s *Service) shipped() ([]string, error) {
	entries, err := fs.ReadDir(s.o.Shipped, ".")
	if err != nil {
		return nil, fmt.Errorf("list the shipped procedures: %w", err)
	}
	var names []string
	for _, e := range entries {
		if _, err := fs.Stat(s.o.Shipped, path.Join(e.Name(), mainFile)); e.IsDir() && err == nil {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// isFileName tells whether ref names a file and not a shipped procedure.
func isFileName(ref string) bool {
	return strings.ContainsAny(ref, `/\`) || slices.Contains([]string{".yaml", ".yml"}, filepath.Ext(ref))
}

// open finds the procedure that ref names: one that Refit ships, or a file. pos
// is where ref was written, for the message when there is none.
func (s *Service) open(ref, dir string, pos diag.Position) (*source, error) {
	if !isFileName(ref) {
		return s.openShipped(ref, pos)
	}
	name := filepath.FromSlash(ref)
	if !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	info, err := os.Stat(name)
	if err == nil {
		err = readable(name, info, MaxFileSize)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, missingProcedure(ref, pos)
	case err != nil:
		return nil, unusableProcedure(ref, pos, plainPathError(err))
	}
	root, base, err := openFolder(name)
	if err != nil {
		return nil, unusableProcedure(ref, pos, err)
	}
	return &source{files: root, name: base, prefix: filepath.Dir(resolveLink(name)), close: root.Close}, nil
}

// unusableProcedure says why the file called ref cannot be read.
func unusableProcedure(ref string, pos diag.Position, why error) error {
	if pos.File == "" {
		return usageErrorf("%q is no procedure file: %s", ref, why)
	}
	var ds diag.Diagnostics
	ds.Errorf("FileUnreadable", pos, "%q is no procedure file: %s", ref, why).
		Suggest("name the file of a procedure, such as ./procedure.yaml")
	return ds
}

// otherKind says at the place that names it that the file called ref is no
// procedure but a document of another kind; nil when it may be one.
func (src *source) otherKind(ref string, pos diag.Position) error {
	data, err := src.files.ReadFile(src.name)
	if err != nil {
		return nil //nolint:nilerr // loading says why
	}
	kind := kindOf(src.name, data)
	others := []string{platform.Kind, procedure.KindSubProcedure, versions.DocumentKind, plan.Kind, issues.DocumentKind}
	if !slices.Contains(others, kind) {
		return nil // loading says what is wrong with it
	}
	if pos.File == "" {
		return usageErrorf("%q is of kind %s, not a procedure", ref, kind)
	}
	var ds diag.Diagnostics
	ds.Errorf("WrongKind", pos, "%q is of kind %s, not a procedure", ref, kind).
		Suggest("name the file of the procedure itself")
	return ds
}

// kindOf returns the kind that a YAML document says it is of, "" when it is
// not known.
func kindOf(name string, data []byte) string {
	root, ds := yamldoc.Parse(name, data, yamldoc.DefaultLimits())
	if ds.HasErrors() || root == nil || root.Kind != yamldoc.Mapping {
		return ""
	}
	return nodeText(root.Get("kind"))
}

// missingProcedure says that there is no procedure file called ref.
func missingProcedure(ref string, pos diag.Position) error {
	if pos.File == "" {
		return usageErrorf("there is no procedure file %q", ref)
	}
	var ds diag.Diagnostics
	ds.Errorf("FileNotFound", pos, "there is no procedure file %q", ref).Suggest("write a path relative to this file")
	return ds
}

// openShipped finds a procedure that Refit ships.
func (s *Service) openShipped(name string, pos diag.Position) (*source, error) {
	names, err := s.shipped()
	if err != nil {
		return nil, err
	}
	if !slices.Contains(names, name) {
		hint := diag.DidYouMean(name, names)
		if hint == "" {
			hint = "a procedure file is given with a slash or the ending .yaml, such as ./" + name
		}
		if pos.File == "" {
			return nil, usageErrorf("there is no procedure %q", name).suggest("%s", hint)
		}
		var ds diag.Diagnostics
		ds.Errorf("UnknownProcedure", pos, "Refit ships no procedure %q", name).Suggest("%s", hint)
		return nil, ds
	}
	sub, err := fs.Sub(s.o.Shipped, name)
	if err != nil {
		return nil, fmt.Errorf("open the shipped procedure %q: %w", name, err)
	}
	return &source{
		files: tree{sub}, name: mainFile, prefix: path.Join("procedures", name),
		close: func() error { return nil },
	}, nil
}

// relocate turns names of files within the source into paths that a person
// can open, and drops the place from messages that repeat it.
func (src *source) relocate(ds diag.Diagnostics) diag.Diagnostics {
	out := slices.Clone(ds)
	for i := range out {
		if out[i].File != "" {
			out[i].Summary = strings.Replace(out[i].Summary, out[i].Position.String()+": ", "", 1)
			out[i].File = filepath.Join(src.prefix, filepath.FromSlash(out[i].File))
		}
	}
	return out
}

// loadProcedure loads the procedure that ref names. Diagnostics that stop come
// back as the error, warnings beside the procedure. The source is closed; it
// only serves to relocate.
func (s *Service) loadProcedure(ref, dir string, pos diag.Position) (
	*procedure.Procedure, *source, diag.Diagnostics, error,
) {
	src, err := s.open(ref, dir, pos)
	if err != nil {
		return nil, nil, nil, err
	}
	defer func() { _ = src.close() }() // it was only read from
	s.o.Progress(Note{Text: "reading procedure " + ref})
	if err := src.otherKind(ref, pos); err != nil {
		return nil, nil, nil, err
	}
	proc, ds := procedure.Load(noting{src.files, s}, src.name, s.o.Registry)
	ds = src.relocate(ds)
	if proc == nil || ds.HasErrors() {
		return nil, nil, nil, ds
	}
	return proc, src, ds, nil
}
