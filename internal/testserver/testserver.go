package testserver

import (
	"bytes"
	"context"
	"net"
	"sync"
)

// Output keeps what a program prints. It is safe for concurrent use.
type Output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

// String returns all that was printed.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// FreePort returns a port of the loopback that nobody listens on. Somebody else may
// take it before it is used: then the caller tries again.
func FreePort() (int, error) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close() //nolint:forcetypeassert // it was asked for tcp
}

// End returns the end of what was printed, for messages of tests.
func (o *Output) End() string {
	const most = 4000
	text := o.String()
	return text[max(0, len(text)-most):]
}
