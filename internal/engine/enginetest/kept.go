package enginetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/refitproject/refit/internal/run"
)

// effect is something that happened, as a world keeps it in its file.
type effect struct {
	Key string  `json:"key"`
	ID  string  `json:"id"`
	Op  run.Ref `json:"op"`
}

// KeptWorld returns a world that outlives its process: each effect is a line of a
// file, synced before anybody is told of it.
func KeptWorld(file string) (*World, error) {
	w := NewWorld()
	f, err := os.OpenFile(filepath.Clean(file), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the world: %w", err)
	}
	for dec := json.NewDecoder(f); ; {
		var e effect
		err := dec.Decode(&e)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("read the world: %w", err), f.Close())
		}
		w.happen(e)
	}
	w.file = f
	return w, nil
}

// Close closes the file of a world that is kept.
func (w *World) Close() error {
	if w.file == nil {
		return nil
	}
	return w.file.Close()
}

func (w *World) happen(e effect) {
	w.applied[e.Key] = goesForward(e.Op.What)
	w.counts[e.ID]++
	w.order = append(w.order, effectName(e.Op))
}

func (w *World) keep(e effect) error {
	if w.file == nil {
		return nil
	}
	data, err := json.Marshal(e)
	if err != nil {
		return err
	}
	_, err = w.file.Write(append(data, '\n'))
	return errors.Join(err, w.file.Sync())
}
