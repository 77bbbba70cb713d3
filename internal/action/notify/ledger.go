package notify

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Ledger remembers which steps have sent their message, by their keys: nobody can
// ask a service whether a message has arrived. The zero value remembers nothing.
type Ledger struct {
	// Dir is a folder of Refit's own; it is made at first need.
	Dir string
}

// keepFor is how long a step is remembered: longer than any run.
const keepFor = 180 * 24 * time.Hour

func (l Ledger) file(key string) string {
	sum := sha256.Sum256([]byte(key))
	return filepath.Join(l.Dir, hex.EncodeToString(sum[:]))
}

// has tells whether the step with this key has sent its message.
func (l Ledger) has(key string) (bool, error) {
	if l.Dir == "" || key == "" {
		return false, nil
	}
	_, err := os.Stat(l.file(key))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// add remembers a step. It is durable when add returns.
func (l Ledger) add(key string, now time.Time) error {
	if l.Dir == "" || key == "" {
		return nil
	}
	if err := os.MkdirAll(l.Dir, 0o700); err != nil {
		return err
	}
	l.prune(now)
	f, err := os.OpenFile(filepath.Clean(l.file(key)), os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Clean(l.Dir))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// forget takes a step back.
func (l Ledger) forget(key string) error {
	if l.Dir == "" || key == "" {
		return nil
	}
	if err := os.Remove(l.file(key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// prune forgets what is too old. What cannot be forgotten does no harm.
func (l Ledger) prune(now time.Time) {
	list, err := os.ReadDir(l.Dir)
	if err != nil {
		return
	}
	for _, e := range list {
		if info, err := e.Info(); err == nil && now.Sub(info.ModTime()) > keepFor {
			_ = os.Remove(filepath.Join(l.Dir, e.Name()))
		}
	}
}
