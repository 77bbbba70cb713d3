package service

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/report"
)

// Report makes the report of a run, from the state folder or from a file that
// ExportRun wrote. The chain of its whole history is checked first.
func (s *Service) Report(ctx context.Context, name string) (*report.Report, error) {
	src, _, err := s.reportSource(ctx, name)
	if err != nil {
		return nil, err
	}
	r := report.BuildReport(src)
	return &r, nil
}

// VerifyRun checks the chain of the whole history of a run, in the state folder
// or in a file that ExportRun wrote. known is a head of the chain that has to be
// in it, or its beginning as people compare it; it may be empty.
func (s *Service) VerifyRun(ctx context.Context, name, known string) (*report.Verified, error) {
	want := ""
	if known != "" {
		var err error
		if want, err = headPrefix(known); err != nil {
			return nil, err
		}
	}
	src, file, err := s.reportSource(ctx, name)
	if err != nil {
		return nil, err
	}
	info := &src.Info
	v := &report.Verified{
		Run: info.ID, Platform: info.Platform, Status: src.State.Status, File: file, Plan: src.State.Digest,
		Events: info.Events, Head: info.Head,
	}
	if n := len(src.Events); n > 0 {
		v.First, v.Last = src.Events[0].At, src.Events[n-1].At
	}
	if want == "" {
		return v, nil
	}
	for i := range src.Events {
		if e := &src.Events[i]; strings.HasPrefix(e.Hash, want) {
			v.Known = &report.KnownHead{Head: e.Hash, Seq: e.Seq, At: e.At}
			return v, nil
		}
	}
	return nil, &RunError{Run: info.ID, Trouble: TroubleOwn, Err: fmt.Errorf(
		"run %q has no event with the head %s: it is another history than the one that this head was noted of, "+
			"or an older copy of it", info.ID, want)}
}

// headPrefix reads a head of a chain, or its beginning, and completes it.
func headPrefix(text string) (string, error) {
	const algorithm, least, most = "sha256:", 12, 64
	digits := strings.ToLower(strings.TrimPrefix(strings.TrimSpace(text), algorithm))
	if strings.Trim(digits, "0123456789abcdef") != "" || len(digits) < least || len(digits) > most {
		return "", usageErrorf("%q is not the head of a chain", text).
			suggest("write it as sha256: and at least %d of its %d digits", least, most)
	}
	return algorithm + digits, nil
}

// reportSource reads all that is known of a run, and the file that it is from.
func (s *Service) reportSource(ctx context.Context, name string) (src report.Source, file string, err error) {
	var snap engine.Snapshot
	var records []engine.Record
	if s.isExport(ctx, name) {
		file = name
		snap, records, err = s.readExport(name)
	} else {
		snap, records, err = s.wholeRun(ctx, name)
	}
	if err != nil {
		return src, file, err
	}
	src = report.Source{
		RunSource: report.RunSource{
			Info: infoOf(&snap.Info), State: snap.State, Progress: snap.Progress, Now: s.o.Now(),
		},
		Version: s.o.Version,
	}
	if file == "" { // Samples stay where they were taken.
		src.Probes, src.Spans = s.samples(snap.Info.ID, snap.State.Plan())
	}
	for _, r := range records {
		src.Events = append(src.Events, report.Event{Event: r.Event, Hash: r.Hash})
	}
	return src, file, nil
}

// isExport tells whether a name is that of a file and not of a run.
func (s *Service) isExport(ctx context.Context, name string) bool {
	info, err := os.Stat(name)
	if name == "" || err != nil || info.IsDir() {
		return strings.ContainsRune(name, filepath.Separator)
	}
	list, err := s.Runs(ctx)
	if err != nil {
		return true // Without a state folder there is only the file.
	}
	for i := range list.Runs {
		if list.Runs[i].ID == name {
			return false
		}
	}
	return true
}

// wholeRun reads a run with its whole history, and compares both.
func (s *Service) wholeRun(ctx context.Context, name string) (engine.Snapshot, []engine.Record, error) {
	id, err := s.RunNamed(ctx, name)
	if err != nil {
		return engine.Snapshot{}, nil, err
	}
	e, err := s.host(ctx)
	if err != nil {
		return engine.Snapshot{}, nil, err
	}
	snap, err := e.Load(ctx, id)
	if err != nil {
		return snap, nil, runError(id, err)
	}
	if snap.Info.Seq == 0 {
		return snap, nil, nil
	}
	records, err := e.History(ctx, id, 0, int(snap.Info.Seq)) //nolint:gosec // A history is far shorter.
	if err != nil {
		return snap, nil, runError(id, err)
	}
	if err := inOrder(records, &snap.Info); err != nil {
		return snap, nil, runError(id, err)
	}
	return snap, records, nil
}

// inOrder checks that a history has no gap and ends where the run stands. That
// each hash fits its event was checked by the engine.
func inOrder(records []engine.Record, info *engine.Info) error {
	for i := range records {
		if seq := uint64(i) + 1; records[i].Event.Seq != seq {
			return &engine.DamagedError{ID: info.ID, Seq: seq, Err: errors.New("it is missing")}
		}
	}
	switch n := uint64(len(records)); {
	case n < info.Seq:
		return &engine.DamagedError{ID: info.ID, Seq: n + 1, Err: errors.New("it is missing")}
	case records[n-1].Hash != info.Head:
		return &engine.DamagedError{ID: info.ID, Seq: n, Err: errors.New("it is not the one that was written last")}
	}
	return nil
}

// readExport reads a run from a file.
func (s *Service) readExport(file string) (engine.Snapshot, []engine.Record, error) {
	if s.o.ReadExport == nil {
		return engine.Snapshot{}, nil, errNoEngine
	}
	f, err := os.Open(filepath.Clean(file))
	if err != nil {
		return engine.Snapshot{}, nil, usageErrorf("the file %q cannot be read: %v", file, plainPathError(err))
	}
	defer func() { _ = f.Close() }() // It was only read from.
	snap, records, err := s.o.ReadExport(bufio.NewReader(f))
	if damaged, ok := errors.AsType[*engine.DamagedError](err); ok {
		return snap, nil, &RunError{Run: damaged.ID, Trouble: TroubleOwn, Err: fmt.Errorf(
			"the file %q with run %q is damaged: %w: copy it again, or export the run again",
			file, damaged.ID, damaged.Err)}
	}
	if err != nil {
		return snap, nil, fmt.Errorf("read %q: %w", file, runError("", err))
	}
	return snap, records, nil
}

// reportMark stands near the beginning of every page, and tells it from files
// that people would miss.
const reportMark = `<meta name="generator" content="refit report">`

// SaveReport writes a report to a file with mode 0600, all of it or nothing. A
// file that is there already is a *UsageError unless it is the page of a report
// or replace is set.
func (s *Service) SaveReport(file string, replace bool, write func(io.Writer) error) error {
	may := func() error {
		info, err := os.Lstat(file)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return folderThere(file)
		case err != nil:
			return usageErrorf("a report cannot be saved to %q: %v", file, plainPathError(err)).
				suggest("give another name")
		case info.IsDir():
			return usageErrorf("%q is a folder", file).suggest("give the name of a file in it")
		case !info.Mode().IsRegular():
			return usageErrorf("%q is not a regular file", file).suggest("give another name")
		case replace || isReport(file):
			return nil
		}
		return usageErrorf("%q exists and is not the page of a report", file).
			suggest("give another name, or --replace to replace it")
	}
	if err := may(); err != nil {
		return err
	}
	return writeAtomic(file, write, func(tmp string) error {
		unlock := lockFolder(filepath.Dir(file))
		defer unlock()
		if err := may(); err != nil {
			return err
		}
		return os.Rename(tmp, file)
	})
}

// isReport tells whether a file is the page of a report.
func isReport(file string) bool {
	f, err := os.Open(filepath.Clean(file))
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }() // It was only read from.
	const enough = 512
	head, err := io.ReadAll(io.LimitReader(f, enough))
	return err == nil && strings.Contains(string(head), reportMark)
}
