package service

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/refitproject/refit/internal/plan"
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
	if err != nil {
		return nil, &PlanFileError{File: file, Err: err}
	}
	return p, nil
}

// SavePlan writes p to a file with mode 0600. An existing file is replaced
// only when it holds a plan with the same digest, or with replace; anything else
// is a *UsageError. The name of the platform file is written relative to the
// folder of the plan file, so that both can be moved together.
func (s *Service) SavePlan(file string, p *plan.Plan, replace bool) error {
	if err := s.mayReplace(file, p, replace); err != nil {
		return err
	}
	saved := *p
	saved.PlatformFile = relativeTo(filepath.Dir(file), p.PlatformFile)
	return writeAtomic(file, func(w io.Writer) error { return plan.Write(w, &saved) })
}

// mayReplace refuses to overwrite a file that holds something else than p.
func (s *Service) mayReplace(file string, p *plan.Plan, replace bool) error {
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("save plan to %q: %w", file, plainPathError(err))
	}
	if info.IsDir() {
		return usageErrorf("%q is a folder", file).suggest("give the name of a file in it")
	}
	if replace {
		return nil
	}
	old, err := s.ReadPlan(file)
	if err != nil {
		return usageErrorf("%q exists and is not a plan that can be read", file).
			suggest("give another name, or --replace to replace it")
	}
	if old.Digest != p.Digest {
		return usageErrorf("%q holds another plan, with the digest %s", file, old.Digest).
			suggest("give another name, or --replace to replace it; --diff %s shows what differs", file)
	}
	return nil
}

// relativeTo returns name relative to dir, or name itself when there is no way
// from one to the other. Both are relative to the working directory.
func relativeTo(dir, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	absDir, err := filepath.Abs(dir)
	if err != nil {
		return name
	}
	absName, err := filepath.Abs(name)
	if err != nil {
		return name
	}
	rel, err := filepath.Rel(absDir, absName)
	if err != nil {
		return name
	}
	return filepath.ToSlash(rel)
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
