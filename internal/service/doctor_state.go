package service

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/refitproject/refit/internal/disk"
	"github.com/refitproject/refit/internal/filelock"
	"github.com/refitproject/refit/internal/plan"
)

// state checks the state folder, or that it can be made. It returns the folder in
// which files can be written to see more, which is the state folder or the one that
// is to hold it; empty when there is none.
func (d *examination) state() (place string) {
	dir := d.s.o.StateDir
	if dir == "" {
		d.foundf("state", plan.Fail, "StateUnknown", "set HOME or XDG_STATE_HOME",
			"there is no place for the state folder")
		return ""
	}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return d.absentState(dir)
	case err != nil:
		d.foundf("state", plan.Fail, "StateUnreadable", "mend the permissions of the folder",
			"the state folder %s cannot be read: %v", dir, plainPathError(err))
		return ""
	case !info.IsDir():
		d.foundf("state", plan.Fail, "StateNotFolder", "move the file away", "%s is not a folder", dir)
		return ""
	case info.Mode().Perm()&0o077 != 0:
		d.foundf("state", plan.Fail, "StateOpen", "chmod 700 "+dir,
			"others may look into the state folder %s (mode %04o)", dir, info.Mode().Perm())
		return dir
	}
	if _, err := readHashKey(filepath.Join(dir, keyFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		d.foundf("state", plan.Fail, "KeyUnusable", "", "%v", err)
		return dir
	}
	if err := tryWrite(dir); err != nil {
		d.foundf("state", plan.Fail, "StateUnwritable", "make room there, or mend its permissions or its disk",
			"nothing can be written to the state folder %s: %v", dir, plainPathError(err))
		return dir
	}
	d.foundf("state", plan.Pass, "StateGood", "", "the state folder %s is private and can be written to", dir)
	return dir
}

// tryWrite writes a file to the disk below dir, as large as a few events, and removes
// it. A folder can look as if it could be written to and not be so: a disk that is
// full, or mounted for reading only.
func tryWrite(dir string) error {
	f, err := os.CreateTemp(dir, ".refit-*")
	if err != nil {
		return err
	}
	const size = 64 << 10
	_, err = f.Write(make([]byte, size))
	return errors.Join(err, f.Sync(), f.Close(), os.Remove(f.Name()))
}

// absentState checks that the state folder can be made when it is needed: it
// makes another one in the nearest folder that exists, and removes it.
func (d *examination) absentState(dir string) (place string) {
	parent := dir
	for errors.Is(lstatError(parent), fs.ErrNotExist) && parent != filepath.Dir(parent) {
		parent = filepath.Dir(parent)
	}
	probe, err := os.MkdirTemp(parent, ".refit-*")
	if err == nil {
		err = os.Remove(probe)
	}
	if err == nil {
		err = tryWrite(parent)
	}
	if err != nil {
		d.foundf("state", plan.Fail, "StateImpossible",
			"mend the permissions of "+parent+", or set XDG_STATE_HOME to a folder of yours",
			"the state folder %s cannot be made: %s: %v", dir, parent, plainPathError(err))
		return ""
	}
	d.foundf("state", plan.Pass, "StateAbsent", "", "the state folder %s will be made when it is needed", dir)
	return parent
}

func lstatError(name string) error {
	_, err := os.Lstat(name)
	return err
}

// locks checks that a lock that is held keeps others out: on some network disks it
// does not, and two processes would drive one run.
func (d *examination) locks(place string) {
	if name := disk.Network(place); name != "" {
		d.foundf("state/locks", plan.Fail, "StateOnNetwork", "set XDG_STATE_HOME to a folder on a local disk",
			"the state folder is on a network disk (%s), where locks and syncs cannot be relied on", name)
		return
	}
	f, err := os.CreateTemp(place, ".refit-*")
	if err != nil {
		return // The state folder was found to be unwritable before.
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_ = f.Close() // Nothing was written.
	held, err := filelock.Try(f.Name())
	if err == nil && held != nil {
		defer func() { _ = held.Close() }() // It was only tried.
		var second *filelock.Lock
		if second, err = filelock.Try(f.Name()); second != nil {
			_ = second.Close()
			err = errors.New("a second lock was given while the first was held")
		}
	}
	if err != nil {
		d.foundf("state/locks", plan.Fail, "LocksUseless", "set XDG_STATE_HOME to a folder on a local disk",
			"file locks do not work below %s: %v", place, plainPathError(err))
		return
	}
	d.foundf("state/locks", plan.Pass, "LocksGood", "", "a lock that is held keeps others out")
}

// clock checks that the clock can be believed: it is behind nothing that has been
// recorded, and the disk counts the same time.
func (d *examination) clock(place string) {
	now := d.s.o.Now()
	const tolerance = time.Minute
	f, err := os.CreateTemp(place, ".refit-*")
	if err != nil {
		return // The state folder was found to be unwritable before.
	}
	info, err := f.Stat()
	_ = f.Close() // Nothing was written.
	_ = os.Remove(f.Name())
	if err != nil {
		return
	}
	// The program is younger than this; a machine whose battery is empty begins in 1970.
	first := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	switch off := info.ModTime().Sub(now); {
	case now.Before(first):
		d.foundf("clock", plan.Fail, "ClockWrong", "set the clock; windows and approvals depend on it",
			"the clock says %s", now.UTC().Format(time.RFC3339))
	case off.Abs() > tolerance:
		d.foundf("clock", plan.Warn, "ClockDiffers", "set the clock of the machine, or of the one that keeps the disk",
			"the disk of the state folder is %s off the clock", off.Round(time.Second))
	default:
		d.foundf("clock", plan.Pass, "ClockGood", "", "the clock and the disk agree")
	}
}

// zones checks that time zones are known: windows are in wall clock time.
func (d *examination) zones() {
	if _, err := time.LoadLocation("Europe/Paris"); err != nil {
		d.foundf("time-zones", plan.Fail, "ZonesMissing", "install the time zone database of the system",
			"time zones cannot be read: %v", err)
		return
	}
	d.foundf("time-zones", plan.Pass, "ZonesGood", "", "time zones are known")
}
