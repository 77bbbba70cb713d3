package local

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"

	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/run"
)

const digestPrefix = "sha256:"

var digestPattern = regexp.MustCompile("^" + digestPrefix + "[0-9a-f]{64}$")

// keep writes evidence under its digest. It is durable when keep returns, and
// keeping the same again changes nothing.
func (e *Engine) keep(_ context.Context, name string, data []byte) (string, error) {
	sum := sha256.Sum256(data)
	digest := hex.EncodeToString(sum[:])
	dir := filepath.Join(e.o.Dir, "artefacts")
	file := filepath.Join(dir, digest)
	if _, err := os.Stat(file); err == nil {
		return digestPrefix + digest, nil
	}
	tmp, err := os.CreateTemp(dir, ".new-*")
	if err == nil {
		_, err = io.Copy(tmp, bytes.NewReader(data))
		err = errors.Join(err, tmp.Sync(), tmp.Close())
		if err == nil {
			err = os.Rename(tmp.Name(), file)
		}
		if err != nil {
			_ = os.Remove(tmp.Name()) // The first error says it all.
		}
	}
	if err == nil {
		err = syncFolder(dir)
	}
	if err != nil {
		return "", fmt.Errorf("keep %s: %w", name, e.store.explain(err))
	}
	return digestPrefix + digest, nil
}

func syncFolder(dir string) error {
	f, err := os.Open(filepath.Clean(dir))
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Artefact implements engine.Keeper.
func (e *Engine) Artefact(_ context.Context, digest string) (io.ReadCloser, error) {
	if !digestPattern.MatchString(digest) {
		return nil, fmt.Errorf("there is no artefact %q: a digest is sha256: and 64 digits", digest)
	}
	f, err := os.Open(filepath.Join(e.o.Dir, "artefacts", filepath.Clean(digest[len(digestPrefix):])))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no artefact %s in this state folder", digest)
	}
	return f, e.store.explain(err)
}

// fetch returns what keep has kept, and refuses what was changed since.
func (e *Engine) fetch(ctx context.Context, digest string) ([]byte, error) {
	f, err := e.Artefact(ctx, digest)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("read artefact %s: %w", digest, err)
	}
	if sum := sha256.Sum256(data); digestPrefix+hex.EncodeToString(sum[:]) != digest {
		return nil, fmt.Errorf("artefact %s was changed: bring the state folder back from a copy", digest)
	}
	return data, nil
}

// logName is where an attempt writes.
func (e *Engine) logName(id string, op run.Ref, attempt int) string {
	name := fmt.Sprintf("%s %s %s", op.What, op.Stage, op.Step)
	if op.Member != "" {
		name += " " + op.Member
	}
	if op.Component != "" {
		name += " " + op.Component
	}
	name = url.PathEscape(name)
	const longest = 200 // File names end at 255 bytes.
	if len(name) > longest {
		sum := sha256.Sum256([]byte(name))
		name = name[:longest-64] + hex.EncodeToString(sum[:16])
	}
	return filepath.Join(e.o.Dir, "logs", id, fmt.Sprintf("%s-%d.log", name, attempt))
}

// Log implements engine.Keeper.
func (e *Engine) Log(_ context.Context, id string, op run.Ref, attempt int) (io.ReadCloser, error) {
	f, err := os.Open(e.logName(id, op, attempt))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("attempt %d of %s/%s of run %q has written nothing: %w",
			attempt, op.Stage, op.Step, id, engine.ErrNotFound)
	}
	return f, e.store.explain(err)
}

// maxLog is how much of what an attempt writes is kept, in bytes.
const maxLog = 16 << 20

// attemptLog is the log of an attempt. It is made with the first line, and never
// disturbs the attempt: what cannot be written is lost.
type attemptLog struct {
	name string
	file *os.File
	left int
	dead bool
}

func (e *Engine) openLog(id string, op run.Ref, attempt int) *attemptLog {
	return &attemptLog{name: e.logName(id, op, attempt), left: maxLog}
}

// Write implements io.Writer.
func (l *attemptLog) Write(p []byte) (int, error) {
	if l.file == nil && !l.dead {
		err := os.MkdirAll(filepath.Dir(l.name), 0o700)
		if err == nil {
			l.file, err = os.OpenFile(l.name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		}
		l.dead = err != nil
	}
	if l.dead || l.left <= 0 {
		return len(p), nil
	}
	n := min(len(p), l.left)
	l.left -= n
	if _, err := l.file.Write(p[:n]); err != nil {
		l.dead = true
	}
	return len(p), nil
}

func (l *attemptLog) close() {
	if l.file != nil {
		_ = l.file.Close() // A log is not worth failing for.
	}
}
