package service

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/issues"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/platform"
	"github.com/refitproject/refit/internal/procedure"
	"github.com/refitproject/refit/internal/versions"
	"github.com/refitproject/refit/internal/yamldoc"
)

// LintResult is what lint found in all files.
type LintResult struct {
	Files []LintedFile `json:"files"`
	// Diagnostics are all problems of all files, sorted by file and position.
	Diagnostics diag.Diagnostics `json:"diagnostics"`
}

// LintedFile is one file that was checked.
type LintedFile struct {
	File string `json:"file"`
	// Kind is what the file says it is; empty when that cannot be read.
	Kind string `json:"kind"`
	// Errors and Warnings count the diagnostics that came with the file, those
	// of files that it uses included.
	Errors   int `json:"errors"`
	Warnings int `json:"warnings"`
}

// Lint checks files by their kind: procedures with everything that they use,
// sub-procedures, version graphs, known issues, and platform files together with their
// procedures. A file that cannot be read is a diagnostic too. Nothing is
// observed. The error is for Refit's own trouble.
func (s *Service) Lint(ctx context.Context, files []string) (*LintResult, error) {
	result := &LintResult{Files: make([]LintedFile, 0, len(files)), Diagnostics: diag.Diagnostics{}}
	for i, file := range files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s.o.Progress(Note{Text: "checking " + file, Done: i + 1, Total: len(files)})
		kind, ds, err := s.lint(file)
		if err != nil {
			return nil, err
		}
		linted := LintedFile{File: file, Kind: kind}
		for _, d := range ds {
			if d.Severity == diag.Error {
				linted.Errors++
			} else {
				linted.Warnings++
			}
		}
		result.Files = append(result.Files, linted)
		result.Diagnostics = append(result.Diagnostics, ds...)
	}
	result.Diagnostics.Sort()
	return result, nil
}

// lint checks one file and returns its kind.
func (s *Service) lint(file string) (string, diag.Diagnostics, error) {
	data, ds := readDocument(file)
	if ds.HasErrors() {
		return "", ds, nil
	}
	root, ds := yamldoc.Parse(file, data, yamldoc.DefaultLimits())
	if ds.HasErrors() {
		return "", ds, nil
	}
	kind := nodeText(root.Get("kind"))
	switch kind {
	case procedure.KindProcedure, procedure.KindSubProcedure:
		ds, err := s.lintProcedure(file)
		return kind, ds, err
	case platform.Kind:
		ds, err := s.lintPlatform(file)
		return kind, ds, err
	case versions.DocumentKind:
		_, ds := versions.Load(file, data)
		return kind, ds, nil
	case issues.DocumentKind:
		set, ds := issues.Load(file, data)
		return kind, append(ds, set.CheckActions(s.o.Registry)...), nil
	default:
		return kind, unknownKind(file, root, kind), nil
	}
}

// unknownKind says that a file is of no kind that Refit reads.
func unknownKind(file string, root *yamldoc.Node, kind string) diag.Diagnostics {
	var ds diag.Diagnostics
	kinds := []string{
		platform.Kind, procedure.KindProcedure, procedure.KindSubProcedure, versions.DocumentKind,
		issues.DocumentKind,
	}
	if kind == plan.Kind {
		ds.Errorf("WrongKind", diag.Position{File: file}, "the file is a plan, which is not written by hand").
			Suggest("show it with refit plan show %s", file)
		return ds
	}
	pos := diag.Position{File: file, Line: 1, Column: 1}
	if node := root.Get("kind"); node != nil {
		pos = node.Pos
		ds.Errorf("WrongKind", pos, "there are no documents of kind %q", kind).
			Suggest("%s", diag.DidYouMean(kind, kinds))
		return ds
	}
	ds.Errorf("MissingKey", pos, "the file does not say what it is: the key \"kind\" is missing").
		Suggest("%s", diag.DidYouMean("", kinds))
	return ds
}

// lintProcedure checks a procedure or sub-procedure with everything that it
// uses.
func (s *Service) lintProcedure(file string) (diag.Diagnostics, error) {
	root, base, err := openFolder(file)
	if err != nil {
		return nil, err
	}
	src := &source{files: root, name: base, prefix: filepath.Dir(resolveLink(file)), close: root.Close}
	ds := src.relocate(procedure.Lint(root, base, s.o.Registry))
	if err := root.Close(); err != nil {
		return nil, fmt.Errorf("close the folder of %q: %w", file, err)
	}
	return ds, nil
}

// lintPlatform checks a platform file together with its procedure.
func (s *Service) lintPlatform(file string) (diag.Diagnostics, error) {
	l, err := s.loadPlatform(file)
	var ds diag.Diagnostics
	var asked *UsageError
	switch {
	case err == nil:
		return l.warnings, nil
	case errors.As(err, &ds):
		return slices.Clone(ds), nil
	case errors.As(err, &asked):
		ds.Errorf("NotUsable", diag.Position{File: file}, "%s", asked.Message).Suggest("%s", asked.Suggestion)
		return ds, nil
	default:
		return nil, err
	}
}
