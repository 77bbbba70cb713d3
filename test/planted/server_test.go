package planted

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// echo is a server that says whatever it hears, in headers, bodies and errors.
type echo struct {
	*httptest.Server
	mu    sync.Mutex
	heard string
}

func newEcho(t *testing.T) *echo {
	t.Helper()
	e := &echo{}
	e.Server = httptest.NewServer(e)
	t.Cleanup(e.Close)
	return e
}

// ServeHTTP implements http.Handler.
func (e *echo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	user, password, _ := r.BasicAuth()
	said := fmt.Sprintf("%s %s %v %s %s:%s", r.Method, r.RequestURI, r.Header, body, user, password)
	e.mu.Lock()
	e.heard += said + "\n"
	e.mu.Unlock()
	w.Header().Set("X-Echo", r.Header.Get("X-Secret"))
	switch r.URL.Path {
	case "/down", "/hook":
		w.WriteHeader(http.StatusInternalServerError)
	case "/moved":
		w.Header().Set("Location", "gopher://h/"+r.Header.Get("X-Secret"))
		w.WriteHeader(http.StatusFound)
	}
	_, _ = io.WriteString(w, said) // whoever asked has gone then
}

func (e *echo) said() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.heard
}
