package service

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// keySize is the size of the hash key in bytes.
const keySize = 32

// keyFile is the name of the hash key in the state folder.
const keyFile = "hash.key"

// errNoState is returned when something has to be kept and there is no place.
var errNoState = errors.New(
	"there is no folder for the hash key of sensitive facts: set HOME or XDG_STATE_HOME")

// loadHashKey reads the hash key from the state folder and makes both when
// they are not there. The key is never replaced: hashes in saved plans would
// lose their meaning.
func loadHashKey(stateDir string) ([]byte, error) {
	if stateDir == "" {
		return nil, errNoState
	}
	name := filepath.Join(stateDir, keyFile)
	key, err := readHashKey(name)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if err := os.MkdirAll(stateDir, 0o700); err != nil {
		return nil, fmt.Errorf("create the state folder %q: %w", stateDir, plainPathError(err))
	}
	if err := createHashKey(name); err != nil {
		return nil, fmt.Errorf("create the hash key %q: %w", name, plainPathError(err))
	}
	return readHashKey(name)
}

// readHashKey reads the key and refuses one that others may have read.
func readHashKey(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("read the hash key %q: %w", name, plainPathError(err))
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("read the hash key %q: others may read it (mode %04o): chmod 600 it",
			name, info.Mode().Perm())
	}
	key, err := readFile(name, keySize)
	if err != nil {
		return nil, fmt.Errorf("read the hash key %q: %w", name, err)
	}
	if len(key) != keySize {
		return nil, fmt.Errorf("read the hash key %q: it has %d bytes instead of %d: remove it and plan again",
			name, len(key), keySize)
	}
	return key, nil
}

// createHashKey makes a new key. Of two processes that do so at once one wins
// and both use its key: the finished file is linked to its name, which fails
// when the name is taken.
func createHashKey(name string) error {
	key := make([]byte, keySize)
	if _, err := rand.Read(key); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(name), ".hash-*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(key)
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Link(tmp.Name(), name)
		if errors.Is(err, fs.ErrExist) {
			err = nil
		}
	}
	return errors.Join(err, os.Remove(tmp.Name()))
}

// keyed returns the keyed hash of a text. The key is read, or made, only when
// there is something to hash.
func (s *Service) keyed(text string) (string, error) {
	h, err := s.hasher()
	if err != nil {
		return "", err
	}
	return h.Keyed(text), nil
}
