package service

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/platform"
	"github.com/refitproject/refit/internal/procedure"
	"github.com/refitproject/refit/internal/runbook"
	"github.com/refitproject/refit/internal/yamldoc"
)

// Names of the files that an import writes.
const (
	importedProcedure = "procedure.yaml"
	importedPlatform  = "platform.yaml"
)

// ImportRequest says which runbook is imported, and where to.
type ImportRequest struct {
	// File is the name of the runbook, "-" for Input.
	File  string
	Input io.Reader
	// Name is the name of the procedure; made of the title when it is empty.
	Name string
	// Folder is where the files are written, created when it is missing. Nothing is
	// written when it is empty.
	Folder string
	// Replace permits to replace a procedure that is there.
	Replace bool
}

// ImportResult is what an import made.
type ImportResult struct {
	Source string `json:"source"`
	// Name is the name of the procedure.
	Name   string           `json:"name"`
	Counts runbook.Counts   `json:"counts"`
	Inputs []*runbook.Input `json:"inputs"`
	// Files were written, Kept were there and are left as they are.
	Files []string `json:"files"`
	Kept  []string `json:"kept,omitempty"`
	// Procedure and Platform are the texts, when no file was written.
	Procedure string `json:"procedure,omitempty"`
	Platform  string `json:"platform,omitempty"`
	// Findings are what could not be taken over as it stands, and where.
	Findings diag.Diagnostics `json:"findings"`
}

var procedureName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)

// Import makes a procedure of a runbook, and a platform file for it. Nothing of the
// runbook is carried out by the procedure: every step is done or judged by a person.
// What is wrong with the runbook is a diag.Diagnostics, a file that would be
// overwritten a *UsageError; nothing is written then.
func (s *Service) Import(ctx context.Context, r ImportRequest) (*ImportResult, error) {
	if r.Name != "" && !procedureName.MatchString(r.Name) {
		return nil, usageErrorf("a procedure cannot be called %q", r.Name).
			suggest("use lower case letters, digits and dashes, a letter first, at most 63")
	}
	data, ds := readRunbook(r)
	if ds.HasErrors() {
		return nil, ds
	}
	book, ds := runbook.Load(r.File, data)
	if book == nil {
		return nil, ds
	}
	draft, ds := runbook.Build(book, runbook.Options{Name: r.Name})
	if draft == nil {
		return nil, ds
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	text, skeleton := draft.RenderProcedure(), draft.RenderPlatform()
	if err := s.sound(r.File, text, skeleton); err != nil {
		return nil, err
	}
	result := &ImportResult{
		Source: r.File, Name: draft.Name, Counts: draft.Counts, Inputs: draft.Inputs,
		Findings: draft.Findings, Files: []string{},
	}
	if result.Inputs == nil {
		result.Inputs = []*runbook.Input{}
	}
	if result.Findings == nil {
		result.Findings = diag.Diagnostics{}
	}
	if r.Folder == "" {
		result.Procedure, result.Platform = string(text), string(skeleton)
		return result, nil
	}
	return result, saveImport(r, result, text, skeleton)
}

// readRunbook reads the runbook from its file, or from what was handed in.
func readRunbook(r ImportRequest) ([]byte, diag.Diagnostics) {
	if r.File != "-" {
		return readDocument(r.File)
	}
	var ds diag.Diagnostics
	// One byte more than is permitted, so that Load can tell that it is too much.
	data, err := io.ReadAll(io.LimitReader(r.Input, runbook.MaxSize+1))
	if err != nil {
		ds.Errorf("FileUnreadable", diag.Position{File: r.File}, "the standard input cannot be read: %v", err)
	}
	return data, ds
}

// rendered is a procedure.Files over a procedure that is in no file yet.
type rendered []byte

// ReadFile implements procedure.Files.
func (r rendered) ReadFile(name string) ([]byte, error) {
	if name != importedProcedure {
		return nil, fs.ErrNotExist
	}
	return r, nil
}

// sound checks what was made before anybody sees it: a mistake in it is one of
// Refit, and not of whoever wrote the runbook.
func (s *Service) sound(file string, text, skeleton []byte) error {
	_, ds := procedure.Load(rendered(text), importedProcedure, s.o.Registry)
	if !ds.HasErrors() {
		_, ds = platform.Load(importedPlatform, skeleton)
	}
	if ds.HasErrors() {
		const format = "import %q: what was made of it is not sound, please report this: %w"
		return fmt.Errorf(format, file, errors.New(ds[0].String()))
	}
	return nil
}

// saveImport writes the files. It looks at both names before it writes the first.
func saveImport(r ImportRequest, result *ImportResult, text, skeleton []byte) error {
	files := []struct {
		name, kind string
		data       []byte
		keep       bool
	}{
		{filepath.Join(r.Folder, importedProcedure), procedure.KindProcedure, text, false},
		{filepath.Join(r.Folder, importedPlatform), platform.Kind, skeleton, false},
	}
	for i := range files {
		f := &files[i]
		there, err := mayImport(f.name, f.kind, r.Replace)
		if err != nil {
			return err
		}
		// What somebody has filled in is not thrown away.
		f.keep = there && f.kind == platform.Kind
	}
	const permissions = 0o755
	if err := os.MkdirAll(r.Folder, permissions); err != nil {
		return usageErrorf("the folder %q cannot be created: %v", r.Folder, plainPathError(err)).
			suggest("give another folder")
	}
	for _, f := range files {
		if f.keep {
			result.Kept = append(result.Kept, f.name)
			continue
		}
		write := func(w io.Writer) error {
			_, err := io.Copy(w, bytes.NewReader(f.data))
			return err
		}
		if err := writeAtomic(f.name, write, func(tmp string) error { return os.Rename(tmp, f.name) }); err != nil {
			return err
		}
		result.Files = append(result.Files, f.name)
	}
	return nil
}

// mayImport tells whether there is a file of this name, and refuses one that must
// not be replaced.
func mayImport(name, kind string, replace bool) (there bool, err error) {
	info, err := os.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, usageErrorf("%q cannot be written: %v", name, plainPathError(err)).suggest("give another folder")
	case !info.Mode().IsRegular():
		return true, usageErrorf("%q is not a regular file", name).suggest("give another folder")
	case !replace:
		return true, usageErrorf("%q exists", name).
			suggest("give another folder, or --replace to replace the procedure; a platform file is kept")
	}
	data, err := readFile(name, MaxFileSize)
	if err != nil {
		return true, usageErrorf("%q cannot be read: %v", name, err).suggest("give another folder")
	}
	root, _ := yamldoc.Parse(name, data, yamldoc.DefaultLimits())
	if root == nil || nodeText(root.Get("kind")) != kind {
		return true, usageErrorf("%q exists and is not of kind %s", name, kind).suggest("give another folder")
	}
	return true, nil
}
