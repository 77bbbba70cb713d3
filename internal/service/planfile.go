package service

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/refitproject/refit/internal/issues"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/platform"
	"github.com/refitproject/refit/internal/procedure"
	"github.com/refitproject/refit/internal/versions"
)

// PlanFileError is returned when a plan file cannot be used: it is not a plan,
// or it was changed after it was made. A *plan.TamperedError is among its
// causes in the latter case.
type PlanFileError struct {
	File string
	Err  error
}

// Error implements error.
func (e *PlanFileError) Error() string {
	if errors.Is(e.Err, plan.ErrNotPlan) {
		return fmt.Sprintf("%q %s", e.File, e.Err)
	}
	return fmt.Sprintf("plan %q cannot be used: %s", e.File, e.Err)
}

// Unwrap returns the cause.
func (e *PlanFileError) Unwrap() error { return e.Err }

// ReadPlan reads a plan file and verifies all its digests.
func (s *Service) ReadPlan(file string) (*plan.Plan, error) {
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, usageErrorf("there is no plan file %q", file).
			suggest("make one with refit plan PLATFORM --save %s", file)
	}
	if err == nil {
		err = readable(file, info, plan.MaxFileSize)
	}
	if err != nil {
		return nil, &PlanFileError{File: file, Err: fmt.Errorf("%w: %w", plan.ErrNotPlan, plainPathError(err))}
	}
	f, err := os.Open(filepath.Clean(file))
	if err != nil {
		return nil, fmt.Errorf("read plan %q: %w", file, plainPathError(err))
	}
	defer func() { _ = f.Close() }() // it was only read from
	p, err := plan.Read(f)
	if errors.Is(err, plan.ErrNotPlan) {
		if kind := otherDocument(file); kind != nil {
			return nil, kind
		}
	}
	if err != nil {
		return nil, &PlanFileError{File: file, Err: err}
	}
	s.withholdPlan(p)
	return p, nil
}

// otherDocument says of which kind a file is that people write, and what to
// do with it; nil when it is none.
func otherDocument(file string) error {
	data, ds := readDocument(file)
	if ds.HasErrors() {
		return nil
	}
	switch kind := kindOf(file, data); kind {
	case platform.Kind:
		return usageErrorf("%q is a platform file, not a plan", file).suggest("refit plan %s makes one", file)
	case procedure.KindProcedure, procedure.KindSubProcedure, versions.DocumentKind, issues.DocumentKind:
		return usageErrorf("%q is of kind %s, not a plan", file, kind).
			suggest("refit plan PLATFORM --save FILE makes one")
	default:
		return nil
	}
}

// platformFileOf returns where the platform file of a plan is: override when a
// person gave it, else what the plan recorded, relative to the plan file.
func platformFileOf(planFile string, p *plan.Plan, override string) (string, error) {
	if override != "" {
		return override, nil
	}
	if p.PlatformFile == "" {
		return "", usageErrorf("plan %q does not say where its platform file is", planFile).
			suggest("give --platform FILE")
	}
	name := filepath.FromSlash(p.PlatformFile)
	if !filepath.IsAbs(name) {
		name = filepath.Join(filepath.Dir(planFile), name)
	}
	if _, err := os.Stat(name); err != nil {
		return "", usageErrorf("the platform file %q of plan %q cannot be found: %v",
			name, planFile, plainPathError(err)).suggest("give --platform FILE")
	}
	return name, nil
}
