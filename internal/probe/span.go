package probe

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Span are samples of one probe, one after the other, that came to the same.
type Span struct {
	// Probe is the name of the probe.
	Probe string `json:"probe"`
	Up    bool   `json:"up,omitempty"`
	// From and To are when the first and the last of the samples were taken.
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Samples counts them; at least 1.
	Samples int `json:"samples"`
	// Why says what the first sample that was down came to.
	Why string `json:"why,omitempty"`
}

// EncodeSpan writes a span as one line.
func EncodeSpan(s Span) ([]byte, error) {
	data, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("write a span of probe %q: %w", s.Probe, err)
	}
	return append(data, '\n'), nil
}

// DecodeSpan reads a line. It refuses what cannot be a span: a line that was cut
// off by the end of a process.
func DecodeSpan(line []byte) (Span, error) {
	var s Span
	if err := json.Unmarshal(line, &s); err != nil {
		return s, fmt.Errorf("read a span: %w", err)
	}
	if s.Probe == "" || s.From.IsZero() || s.To.Before(s.From) || s.Samples < 1 {
		return s, errors.New("read a span: it is not complete")
	}
	return s, nil
}

// Merge puts spans of one probe that follow one another, within most, and came to
// the same, together. The result is sorted by probe and time.
func Merge(spans []Span, most func(probe string) time.Duration) []Span {
	sorted := slices.Clone(spans)
	slices.SortStableFunc(sorted, func(a, b Span) int {
		return cmp.Or(cmp.Compare(a.Probe, b.Probe), a.From.Compare(b.From))
	})
	var out []Span
	for _, s := range sorted {
		if n := len(out) - 1; n >= 0 {
			last := &out[n]
			if last.Probe == s.Probe && last.Up == s.Up && s.From.Sub(last.To) <= most(s.Probe) {
				last.Samples += s.Samples
				if s.To.After(last.To) {
					last.To = s.To
				}
				continue
			}
		}
		out = append(out, s)
	}
	return out
}
