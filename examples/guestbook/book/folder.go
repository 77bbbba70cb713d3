package book

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Settings are what guestbook.json holds.
type Settings struct {
	// Address is where the server listens, on this machine only.
	Address string `json:"address"`
	// Database is the file of the entries, relative to the folder.
	Database string `json:"database"`
}

// Maintenance is a mode in which entries are read and none is written.
type Maintenance struct {
	On bool `json:"on"`
	// By says who has set it last, Message is shown to visitors.
	By      string `json:"by"`
	Message string `json:"message"`
}

// owner is who serves a folder.
type owner struct {
	PID     int    `json:"pid"`
	Version string `json:"version"`
	Address string `json:"address"`
}

// folder is a guestbook.
type folder string

func (f folder) file(name string) string { return filepath.Join(string(f), name) }

// settings reads the settings.
func (f folder) settings() (Settings, error) {
	s := Settings{Address: "127.0.0.1:8080", Database: "guestbook.db"}
	if err := f.read("guestbook.json", &s); err != nil {
		return s, err
	}
	host, _, err := net.SplitHostPort(s.Address)
	if err != nil {
		return s, fmt.Errorf("guestbook.json: address: %w", err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return s, fmt.Errorf("guestbook.json: address %q is not on this machine: write 127.0.0.1 and a port", s.Address)
	}
	s.Database = f.file(s.Database)
	return s, nil
}

// read reads a JSON file; one that is not there leaves v as it is.
func (f folder) read(name string, v any) error {
	data, err := os.ReadFile(f.file(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("%s: %w", f.file(name), err)
	}
	return nil
}

// write writes a JSON file that appears in one go.
func (f folder) write(name string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	half := f.file(name + ".half")
	if err := os.WriteFile(half, append(data, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(half, f.file(name))
}

const lockName = "guestbook.lock"

// lock takes the folder for one process, until that ends or closes the file. It
// tries for a moment: whoever asks who serves the folder holds it shortly.
func (f folder) lock() (*os.File, error) {
	const tries, pause = 40, 50 * time.Millisecond
	for range tries {
		held, err := tryLock(f.file(lockName), true)
		if err != nil {
			return nil, err
		}
		if held != nil {
			return held, held.Truncate(0) // Who held it before is gone.
		}
		time.Sleep(pause)
	}
	by, err := f.owner()
	if err != nil {
		return nil, err
	}
	if by == nil {
		by = &owner{}
	}
	return nil, fmt.Errorf("folder %q is in use by release %s, process %d: stop it first", f, by.Version, by.PID)
}

// owner returns who serves the folder, nil when nobody does.
func (f folder) owner() (*owner, error) {
	held, err := tryLock(f.file(lockName), false)
	if err != nil {
		return nil, err
	}
	if held != nil {
		return nil, held.Close()
	}
	by := &owner{}
	data, err := os.ReadFile(f.file(lockName))
	if err == nil && len(data) > 0 {
		err = json.Unmarshal(data, by)
	}
	return by, err
}

// own writes into a lock who holds it.
func own(lock *os.File, by owner) error {
	data, err := json.Marshal(by)
	if err != nil {
		return err
	}
	if err := lock.Truncate(0); err != nil {
		return err
	}
	_, err = lock.WriteAt(append(data, '\n'), 0)
	return err
}
