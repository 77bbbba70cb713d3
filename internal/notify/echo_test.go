package notify_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/refitproject/refit/internal/notify"
)

// TestEchoOfAddress lets a service repeat the login and the path of its address,
// where the text about it is cut off.
func TestEchoOfAddress(t *testing.T) {
	t.Parallel()
	const password, token = "NGI4ZTQ5YWJjZGVmMDEyMzQ1Njc4OQ", "Zm9vYmFyYmF6cXV1eGNvcmdl"
	for before := range 140 {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, strings.Repeat("x", before)+" "+r.Header.Get("Authorization")+" "+r.RequestURI)
		}))
		address := fmt.Sprintf("http://bot:%s@%s/hook/%s", password, strings.TrimPrefix(server.URL, "http://"), token)
		err := notify.Sender{HTTP: server.Client()}.Deliver(t.Context(), "webhook", address, notify.Message{Title: "x"})
		server.Close()
		if err == nil || !strings.Contains(err.Error(), "answered with status 500: ") {
			t.Fatalf("got %v", err)
		}
		for _, part := range []string{password[:6], "5HSTRaVF", token[:6]} {
			if strings.Contains(err.Error(), part) {
				t.Fatalf("after %d bytes it shows %q: %v", before, part, err)
			}
		}
	}
}
