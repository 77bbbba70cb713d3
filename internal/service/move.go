package service

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/report"
)

// ExportRun writes a run to a new file, to be taken to another machine. The run
// is not driven here any more, unless keep is set: then the file is a copy that
// can be looked at only.
func (s *Service) ExportRun(ctx context.Context, id, file string, keep bool) (err error) {
	e, err := s.host(ctx)
	if err != nil {
		return err
	}
	mover, ok := e.(engine.Mover)
	if !ok {
		return usageErrorf("the runs of this engine cannot be moved")
	}
	f, err := os.OpenFile(filepath.Clean(file), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return usageErrorf("there is a file %q already", file).suggest("give another name")
	}
	if err != nil {
		return fmt.Errorf("export run %q to %q: %w", id, file, plainPathError(err))
	}
	defer func() {
		err = errors.Join(err, f.Close())
		if err != nil {
			_ = os.Remove(f.Name()) // Half a run is of no use; the first error says it all.
		}
	}()
	return runError(id, mover.Export(ctx, id, f, keep)) // It syncs the file before the run is given away.
}

// SetRunAside gives up a run whose history is damaged, so that its platform can be
// upgraded by another one. What it changed stays as it is.
func (s *Service) SetRunAside(ctx context.Context, id, why string) error {
	e, err := s.host(ctx)
	if err != nil {
		return err
	}
	mover, ok := e.(engine.Mover)
	if !ok {
		return usageErrorf("the runs of this engine cannot be set aside")
	}
	who, err := s.who(why)
	if err != nil {
		return err
	}
	return runError(id, mover.SetAside(ctx, id, who.Reason+" ("+who.By+")"))
}

// ImportRun reads a run that ExportRun wrote, checks it and takes it over.
func (s *Service) ImportRun(ctx context.Context, file string) (*report.RunView, error) {
	e, err := s.host(ctx)
	if err != nil {
		return nil, err
	}
	mover, ok := e.(engine.Mover)
	if !ok {
		return nil, usageErrorf("the runs of this engine cannot be moved")
	}
	f, err := os.Open(filepath.Clean(file))
	if err != nil {
		return nil, usageErrorf("the file %q cannot be read: %v", file, plainPathError(err))
	}
	defer func() { _ = f.Close() }() // It was only read from.
	info, err := mover.Import(ctx, bufio.NewReader(f))
	if err != nil {
		return nil, fmt.Errorf("import %q: %w", file, runError("", err))
	}
	_, v, err := s.view(ctx, info.ID)
	return v, err
}
