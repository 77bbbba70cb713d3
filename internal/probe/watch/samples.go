package watch

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/refitproject/refit/internal/probe"
)

// mostBytes is how large the file of a run grows before it is made smaller.
const mostBytes = 4 << 20

// Samples is the file of a run in a folder. The id of a run is safe as a name.
type Samples struct{ Dir, Run string }

func (s Samples) file() string { return filepath.Join(s.Dir, s.Run+".samples") }

// Read returns what was sampled. Lines that were cut off are passed over.
func (s Samples) Read() ([]probe.Span, error) {
	data, err := os.ReadFile(filepath.Clean(s.file()))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the samples of run %q: %w", s.Run, err)
	}
	var spans []probe.Span
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, mostBytes)
	for lines.Scan() {
		if span, err := probe.DecodeSpan(lines.Bytes()); err == nil {
			spans = append(spans, span)
		}
	}
	return spans, lines.Err()
}

// add appends spans, and makes the file smaller when it has grown.
func (s Samples) add(spans []probe.Span, gap func(string) time.Duration) error {
	text, err := encode(spans)
	if err != nil || len(text) == 0 {
		return err
	}
	f, err := os.OpenFile(filepath.Clean(s.file()), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("keep the samples of run %q: %w", s.Run, err)
	}
	_, err = f.Write(text)
	info, statErr := f.Stat()
	if err = errors.Join(err, statErr, f.Close()); err != nil {
		return fmt.Errorf("keep the samples of run %q: %w", s.Run, err)
	}
	if info.Size() > mostBytes {
		return s.shrink(gap)
	}
	return nil
}

func encode(spans []probe.Span) ([]byte, error) {
	var text []byte
	for i := range spans {
		line, err := probe.EncodeSpan(spans[i])
		if err != nil {
			return nil, err
		}
		text = append(text, line...)
	}
	return text, nil
}

// shrink merges spans that belong together, and if that is not enough drops the
// older half, which then counts as not measured. Whoever reads the file sees the
// old or the new one.
func (s Samples) shrink(gap func(string) time.Duration) error {
	spans, err := s.Read()
	if err != nil {
		return err
	}
	spans = probe.Merge(spans, gap)
	slices.SortStableFunc(spans, func(a, b probe.Span) int { return a.From.Compare(b.From) })
	text, err := encode(spans)
	for err == nil && len(text) > mostBytes/2 {
		spans = spans[(len(spans)+1)/2:]
		text, err = encode(spans)
	}
	if err != nil {
		return err
	}
	return s.replace(text)
}

func (s Samples) replace(text []byte) error {
	tmp, err := os.CreateTemp(s.Dir, ".samples-*")
	if err != nil {
		return fmt.Errorf("make the samples of run %q smaller: %w", s.Run, err)
	}
	_, err = tmp.Write(text)
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), s.file())
	}
	if err != nil {
		_ = os.Remove(tmp.Name()) // It may be gone; the first error says it all.
		return fmt.Errorf("make the samples of run %q smaller: %w", s.Run, err)
	}
	return nil
}
