package exec

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/refitproject/refit/internal/secret"
)

// maxLine is the longest line that goes into a log, in bytes.
const maxLine = 16 << 10

// lineLog hands the lines of several streams of a program to one writer,
// without secrets. It never fails, or the program would be disturbed.
type lineLog struct {
	clean *secret.Redactor

	mu      sync.Mutex
	out     io.Writer
	each    func(string)
	streams []*lineStream
}

// newLineLog returns the log of c, nil when nobody reads it.
func newLineLog(c Program) *lineLog {
	if c.Log == nil && c.Line == nil {
		return nil
	}
	l := &lineLog{clean: c.redactor(), out: c.Log, each: c.Line}
	if l.out == nil {
		l.out = io.Discard
	}
	if l.each == nil {
		l.each = func(string) {}
	}
	return l
}

// also returns a writer to w and to the log.
func (l *lineLog) also(w io.Writer) io.Writer {
	if l == nil {
		return w
	}
	stream := &lineStream{log: l, next: w}
	l.streams = append(l.streams, stream)
	return stream
}

// flush hands out lines without an end. Nothing is written afterwards, not
// even by what holds the output of the program open.
func (l *lineLog) flush() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.streams {
		if len(s.pending) > 0 || s.tooLong > 0 {
			s.line()
		}
	}
	l.out, l.each = io.Discard, func(string) {}
}

// lineStream cuts one stream into lines.
type lineStream struct {
	log     *lineLog
	next    io.Writer
	pending []byte
	// tooLong counts the bytes of a line that is left out: cut in pieces, it
	// could show half of a secret.
	tooLong int
}

// Write implements io.Writer.
func (s *lineStream) Write(p []byte) (int, error) {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	for rest := p; len(rest) > 0; {
		// Programs redraw a line that shows progress with a carriage return.
		end := bytes.IndexAny(rest, "\r\n")
		piece := rest
		if end >= 0 {
			piece = rest[:end]
		}
		s.add(piece)
		if end < 0 {
			break
		}
		s.line()
		rest = rest[end+1:]
	}
	return s.next.Write(p)
}

func (s *lineStream) add(piece []byte) {
	if s.tooLong == 0 && len(s.pending)+len(piece) <= maxLine {
		s.pending = append(s.pending, piece...)
		return
	}
	s.tooLong += len(s.pending) + len(piece)
	s.pending = s.pending[:0]
}

// line hands out the line that is pending; empty ones are left out.
func (s *lineStream) line() {
	text := s.log.clean.Text(strings.ToValidUTF8(string(s.pending), "\uFFFD"))
	if s.tooLong == 0 && text != "" {
		s.log.each(text)
	}
	if s.tooLong > 0 {
		text = fmt.Sprintf("(a line of %d bytes is left out)", s.tooLong)
	}
	if text != "" {
		_, _ = io.WriteString(s.log.out, text+"\n") // a log that fails disturbs nobody
	}
	s.pending, s.tooLong = s.pending[:0], 0
}
