package service

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/refitproject/refit/internal/schema"
)

// keySize is the size of the hash key in bytes.
const keySize = 32

// keyFile is the name of the hash key in the state folder.
const keyFile = "hash.key"

// hashPrefix heads every keyed hash. Behind it come the id of the key and the
// hash itself: "hmac-sha256:3f2a90c1:…".
const hashPrefix = "hmac-sha256:"

// hasher replaces sensitive values by keyed hashes: equal values have equal
// hashes, and nobody without the key can find a value by trying.
type hasher struct {
	key []byte
	id  string
}

// newHasher returns the hasher of a key.
func newHasher(key []byte) *hasher {
	h := &hasher{key: key}
	h.id = hex.EncodeToString(h.sum([]byte("id of the key")))[:8]
	return h
}

// keyed returns the keyed hash of a text.
func (h *hasher) keyed(text string) string {
	return hashPrefix + h.id + ":" + hex.EncodeToString(h.sum([]byte(text)))
}

func (h *hasher) sum(data []byte) []byte {
	mac := hmac.New(sha256.New, h.key)
	_, _ = mac.Write(data) // a hash never fails to write
	return mac.Sum(nil)
}

// hashKeyID returns the id of the key that made a keyed hash, "" for any other
// value.
func hashKeyID(v any) string {
	s, ok := v.(string)
	if !ok {
		return ""
	}
	rest, ok := strings.CutPrefix(s, hashPrefix)
	if !ok {
		return ""
	}
	id, _, _ := strings.Cut(rest, ":")
	return id
}

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

// redact returns the output of an action with its sensitive members replaced
// by keyed hashes. The key is read, or made, only when there is something to
// hash.
func (s *Service) redact(t schema.Type, output map[string]any) (map[string]any, error) {
	var failed error
	keyed := func(text string) string {
		h, err := s.hasher()
		if err != nil {
			failed = err
			return ""
		}
		return h.keyed(text)
	}
	out, ok := schema.Redact(t, output, keyed).(map[string]any)
	if failed != nil {
		return nil, failed
	}
	if !ok {
		return nil, errors.New("the output of the action does not have the declared shape")
	}
	return out, nil
}
