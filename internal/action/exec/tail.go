package exec

import (
	"strings"
	"unicode/utf8"
)

// DefaultStdout and keepStderr are how many bytes of the end of the output of
// a program are kept; together they stay within the limit of one output.
const (
	DefaultStdout = 24 << 10
	keepStderr    = 8 << 10
)

// tail is a writer that keeps the end of what is written to it, so that a
// program may print for days. It never fails, or the program would be
// disturbed.
type tail struct {
	limit     int
	kept      []byte
	truncated bool
}

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	// Cutting only at twice the limit keeps the cost of many small writes low.
	if len(t.kept) > 2*t.limit {
		t.cut()
	}
	return len(p), nil
}

func (t *tail) cut() {
	if over := len(t.kept) - t.limit; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
		t.truncated = true
	}
}

// String returns what was kept as valid UTF-8 without half characters at the
// start.
func (t *tail) String() string {
	t.cut()
	kept := t.kept
	if t.truncated {
		for len(kept) > 0 && !utf8.RuneStart(kept[0]) {
			kept = kept[1:]
		}
	}
	return strings.ToValidUTF8(string(kept), "\uFFFD")
}
