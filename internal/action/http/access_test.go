package http_test

import (
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/refitproject/refit/internal/action"
	httpaction "github.com/refitproject/refit/internal/action/http"
)

// barred returns a server that answers a number of requests with a status, and
// the ones behind it with 200.
func barred(t *testing.T, status int, times int64) *httptest.Server {
	t.Helper()
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) <= times {
			w.WriteHeader(status)
		}
	}))
	t.Cleanup(server.Close)
	return server
}

// TestCheckAccess lets a server refuse credentials: that says nothing about what
// is checked, so the run waits for better ones.
func TestCheckAccess(t *testing.T) {
	t.Parallel()
	token := map[string]any{"Authorization": bearer()}
	cases := map[string]struct {
		status int
		times  int64
		extra  map[string]any
		want   string
	}{
		"401":       {http.StatusUnauthorized, 1, map[string]any{"secretHeaders": token}, "AccessRefused"},
		"403":       {http.StatusForbidden, 1, map[string]any{"secretHeaders": token}, "AccessRefused"},
		"Always":    {http.StatusForbidden, 9, map[string]any{"secretHeaders": token, "attempts": int64(3), "every": "100ms"}, "AccessRefused"},
		"Starting":  {http.StatusForbidden, 2, map[string]any{"secretHeaders": token, "attempts": int64(3), "every": "100ms"}, "done"},
		"Wanted":    {http.StatusUnauthorized, 1, map[string]any{"secretHeaders": token, "expect": map[string]any{"status": int64(401)}}, "done"},
		"Down":      {http.StatusServiceUnavailable, 1, map[string]any{"secretHeaders": token}, "failed"},
		"NoSecrets": {http.StatusForbidden, 1, nil, "failed"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := barred(t, tc.status, tc.times)
			in := map[string]any{"url": server.URL}
			maps.Copy(in, tc.extra)
			obs, err := httpaction.Check(server.Client()).Observe(t.Context(), secrets(), in)
			got := string(obs.Status)
			if failure, ok := errors.AsType[*action.Error](err); ok {
				got = failure.Reason
			}
			if got != tc.want {
				t.Errorf("got %s, %v, want %s", got, err, tc.want)
			}
		})
	}
}

// TestRequestAccess refuses the request itself, the look at its effect and its
// inverse: nothing has happened, and the run waits for better credentials.
func TestRequestAccess(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden} {
		server := barred(t, status, 99)
		act := httpaction.Request(server.Client())
		in := map[string]any{
			"method": "POST", "url": server.URL, "secretHeaders": map[string]any{"Authorization": bearer()},
			"observe": map[string]any{"url": server.URL, "done": map[string]any{"status": int64(200)}},
			"undo":    map[string]any{"method": "DELETE", "url": server.URL},
		}
		_, run := act.Run(t.Context(), secrets(), in, nil)
		_, look := act.Observe(t.Context(), secrets(), in)
		for what, err := range map[string]error{
			"run": run, "look": look, "undo": act.Undo(t.Context(), secrets(), in, nil),
		} {
			failure, ok := errors.AsType[*action.Error](err)
			if !ok || failure.Reason != action.ReasonAccessRefused || failure.Effect != action.ExtentNone {
				t.Errorf("%s with status %d: %v", what, status, err)
			}
		}
	}
}
