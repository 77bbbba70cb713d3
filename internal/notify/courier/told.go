package courier

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// ChannelState is what is known of a channel of a run.
type ChannelState struct {
	// Told are the keys of what is true and was told.
	Told []string `json:"told,omitempty"`
	// Sending is what was being sent when the record was written.
	Sending string `json:"sending,omitempty"`
	// Waiting counts what is true and was not told yet.
	Waiting int `json:"waiting,omitempty"`
	// Trouble is why the last message could not be delivered, since when, and
	// when it was tried last; empty once one was.
	Trouble string    `json:"trouble,omitempty"`
	Since   time.Time `json:"since,omitzero"`
	Tried   time.Time `json:"tried,omitzero"`
}

// Told is what a run has told, by channel.
type Told struct {
	Version  int                      `json:"version"`
	Channels map[string]*ChannelState `json:"channels"`
}

const toldVersion = 1

// toldFile is the name of the record of a run, whose id is safe as a name.
func toldFile(dir, run string) string { return filepath.Join(dir, run+".json") }

// ReadTold reads the record of a run in a folder; nil when there is none.
func ReadTold(dir, run string) (*Told, error) {
	name := toldFile(dir, run)
	data, err := os.ReadFile(filepath.Clean(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what run %q has told: %w", run, err)
	}
	j := &Told{}
	if err := json.Unmarshal(data, j); err != nil || j.Version != toldVersion {
		return nil, fmt.Errorf("read what run %q has told: %q is damaged, or of a newer version: remove it", run, name)
	}
	if j.Channels == nil {
		j.Channels = map[string]*ChannelState{}
	}
	for name, c := range j.Channels {
		if c == nil {
			j.Channels[name] = &ChannelState{}
		}
	}
	return j, nil
}

// Left lists the runs in a folder that have something left to tell.
func Left(dir string) []string {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil // The pattern is right, unless the folder has strange letters.
	}
	var runs []string
	for _, file := range files {
		run := strings.TrimSuffix(filepath.Base(file), ".json")
		j, err := ReadTold(dir, run)
		if err != nil || j == nil {
			continue
		}
		waiting := 0
		for _, c := range j.Channels {
			waiting += c.Waiting
		}
		if waiting > 0 {
			runs = append(runs, run)
		}
	}
	return runs
}

// write writes the record so that a crash leaves the old or the new one.
func (j *Told) write(dir, run string) error {
	data, err := json.MarshalIndent(j, "", " ")
	if err != nil {
		return fmt.Errorf("write what run %q has told: %w", run, err)
	}
	tmp, err := os.CreateTemp(dir, ".record-*")
	if err != nil {
		return fmt.Errorf("write what run %q has told: %w", run, err)
	}
	_, err = tmp.Write(append(data, '\n'))
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), toldFile(dir, run))
	}
	if err != nil {
		_ = os.Remove(tmp.Name()) // It may be gone; the first error says it all.
		return fmt.Errorf("write what run %q has told: %w", run, err)
	}
	return nil
}
