package jupyterhub

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Ledger remembers which steps have tried a server, by their keys: nothing of that is
// left in the hub. The zero value remembers nothing.
type Ledger struct {
	// Dir is a folder of Refit's own; it is made at first need.
	Dir string
}

func (l Ledger) file(key string) string {
	sum := sha256.Sum256([]byte(key))
	return filepath.Join(l.Dir, hex.EncodeToString(sum[:]))
}

// find returns what a step has found, false when it has not.
func (l Ledger) find(key string) (out SpawnOutput, known bool, err error) {
	if l.Dir == "" || key == "" {
		return out, false, nil
	}
	data, err := os.ReadFile(l.file(key))
	if errors.Is(err, fs.ErrNotExist) {
		return out, false, nil
	}
	if err != nil {
		return out, false, err
	}
	if json.Unmarshal(data, &out) != nil { // it was not written to its end
		return SpawnOutput{}, false, nil //nolint:nilerr // it is tried again
	}
	return out, true, nil
}

// add remembers a step. What is lost when the machine stops is only tried again.
func (l Ledger) add(key string, out SpawnOutput) error {
	if l.Dir == "" || key == "" {
		return nil
	}
	data, err := json.Marshal(out)
	if err != nil {
		return err
	}
	return errors.Join(os.MkdirAll(l.Dir, 0o700), os.WriteFile(l.file(key), data, 0o600))
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
