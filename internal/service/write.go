package service

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// writeAtomic writes a file so that readers see the old content or the new
// one, never a part, also after a crash: it writes a temporary file beside it,
// flushes it to the disk and lets publish give it its name. The file has mode
// 0600. A *UsageError of publish comes back as it is.
func writeAtomic(name string, write func(io.Writer) error, publish func(tmp string) error) (err error) {
	dir := filepath.Dir(name)
	tmp, err := os.CreateTemp(dir, ".refit-*")
	if err != nil {
		return fmt.Errorf("write %q: %w", name, plainPathError(err))
	}
	defer func() {
		if err == nil {
			return
		}
		if _, asked := errors.AsType[*UsageError](err); !asked {
			err = fmt.Errorf("write %q: %w", name, plainPathError(err))
		}
		// The file may be closed already, and gone; both are fine here.
		_ = tmp.Close()
		_ = os.Remove(tmp.Name())
	}()
	out := bufio.NewWriterSize(tmp, 1<<16)
	if err := write(out); err != nil {
		return err
	}
	if err := errors.Join(out.Flush(), tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := publish(tmp.Name()); err != nil {
		if link, ok := errors.AsType[*os.LinkError](err); ok {
			return fmt.Errorf("name the finished file: %w", link.Err)
		}
		return err
	}
	return syncDir(dir)
}

// syncDir makes the names in a folder durable.
func syncDir(dir string) error {
	d, err := os.Open(filepath.Clean(dir))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
