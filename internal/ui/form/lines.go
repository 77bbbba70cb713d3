package form

import (
	"io"
	"sync"
)

// lines hands out a line at a time, so that whoever reads one does not take the
// next one with it.
type lines struct {
	in    io.Reader
	once  sync.Once
	ended chan struct{}
}

// Read implements io.Reader.
func (l *lines) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, err := l.in.Read(p[:1])
	if err != nil {
		l.once.Do(func() { close(l.ended) })
	}
	return n, err
}

// isEnded tells whether nobody answers any more.
func (l *lines) isEnded() bool {
	select {
	case <-l.ended:
		return true
	default:
		return false
	}
}
