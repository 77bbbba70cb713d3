package http_test

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	httpaction "github.com/refitproject/refit/internal/action/http"
)

// things is a server that keeps what is put into it.
type things struct {
	mu     sync.Mutex
	kept   map[string]string
	keys   []string
	counts int
}

func (s *things) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	if r.Method != http.MethodGet {
		s.keys = append(s.keys, r.Method+" "+r.Header.Get("Idempotency-Key"))
	}
	switch {
	case r.URL.Path == "/hang":
		s.mu.Unlock()
		<-r.Context().Done()
		s.mu.Lock()
	case strings.HasPrefix(r.URL.Path, "/status/"):
		var code int
		_, _ = fmt.Sscanf(r.URL.Path, "/status/%d", &code)
		w.WriteHeader(code)
		fmt.Fprintf(w, "said by the server to %s", r.Header.Get("Authorization"))
	case r.URL.Path == "/counter":
		s.counts++
	case r.Method == http.MethodPut:
		s.kept[r.URL.Path] = r.Header.Get("Content-Type") + " " + string(body)
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write(body)
	case r.Method == http.MethodDelete && s.kept[r.URL.Path] != "":
		delete(s.kept, r.URL.Path)
		w.WriteHeader(http.StatusNoContent)
	case s.kept[r.URL.Path] == "":
		http.NotFound(w, r)
	default:
		kind, text, _ := strings.Cut(s.kept[r.URL.Path], " ")
		w.Header().Set("Content-Type", kind)
		fmt.Fprint(w, text)
	}
}

func (s *things) state() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprint(s.kept, s.counts)
}

// broken is a connection that breaks before a change is sent, or behind it:
// the server has carried it out and the answer is lost.
type broken struct {
	next   http.RoundTripper
	before bool
}

func (b broken) RoundTrip(r *http.Request) (*http.Response, error) {
	if b.before {
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	}
	resp, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body.Close()
	return nil, io.ErrUnexpectedEOF
}

func TestRequestSuite(t *testing.T) {
	t.Parallel()
	// The world of each subtest has a server of its own under one name, which
	// the transport finds by a header that no action knows of.
	var mu sync.Mutex
	servers := map[string]*httptest.Server{}
	transport := roundTripper(func(r *http.Request) (*http.Response, error) {
		mu.Lock()
		server := servers[r.URL.Hostname()]
		mu.Unlock()
		return clientOf(server).Transport.RoundTrip(r)
	})
	crash := func(t *testing.T, w actiontest.World, in, before map[string]any, point int) bool {
		t.Helper()
		if point > 1 {
			_, _ = httpaction.Request(&http.Client{Transport: transport}).Run(t.Context(), w.Env, in, before)
			return false
		}
		_, err := httpaction.Request(&http.Client{Transport: broken{transport, point == 0}}).Run(t.Context(), w.Env, in, before)
		want := []action.Extent{action.ExtentNone, action.ExtentUnknown}[point]
		if failure, ok := errors.AsType[*action.Error](err); !ok || failure.Effect != want || !failure.Retryable {
			t.Errorf("a connection that breaks at point %d: got %#v, want effect %s", point, err, want)
		}
		return true
	}
	actiontest.Run(t, actiontest.Suite{
		Action: httpaction.Request(&http.Client{Transport: transport}), Examples: "testdata/request/*.yaml",
		Slow: map[string]any{"method": "POST", "url": "http://hub.example.org/hang", "timeout": "2m"},
		World: func(t *testing.T) actiontest.World {
			t.Helper()
			world := &things{kept: map[string]string{}}
			server := httptest.NewServer(world)
			t.Cleanup(server.Close)
			mu.Lock()
			name := fmt.Sprintf("hub%d.example.org", len(servers))
			servers[name] = server
			mu.Unlock()
			w := actiontest.FolderWorld(t)
			w.State = func(*testing.T) string { return world.state() }
			w.Adapt = func(in map[string]any) { rename(in, name) }
			return w
		},
		Crash: crash, OnlyOnce: true, // a counter counts every request
	})
}

// rename lets all addresses in an input lead to another host.
func rename(in map[string]any, host string) {
	for key, v := range in {
		switch v := v.(type) {
		case map[string]any:
			rename(v, host)
		case string:
			in[key] = strings.Replace(v, "hub.example.org", host, 1)
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestRequest follows one step and looks at what the server gets.
func TestRequest(t *testing.T) {
	t.Parallel()
	world := &things{kept: map[string]string{}}
	server := httptest.NewServer(world)
	t.Cleanup(server.Close)
	env := secrets()
	env.Key = "run-1/step-1"
	in := map[string]any{
		"method": "PUT", "url": server.URL + "/thing", "json": map[string]any{"on": true},
		"secretHeaders": map[string]any{"Authorization": bearer()},
		"observe":       map[string]any{"url": server.URL + "/thing", "done": map[string]any{"json": map[string]any{"on": true}}},
		"undo":          map[string]any{"method": "DELETE", "url": server.URL + "/thing"},
	}
	a := httpaction.Request(server.Client())
	obs, err := a.Observe(t.Context(), env, in)
	if err != nil || obs.Status != action.NotStarted {
		t.Fatalf("got %+v, %v", obs, err)
	}
	out, err := a.Run(t.Context(), env, in, obs.Before)
	want := map[string]any{"observed": false, "status": int64(201), "body": `{"on":true}`}
	if diff := cmp.Diff(want, out); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	env.Attempted = true
	obs, err = a.Observe(t.Context(), env, in)
	want = map[string]any{"observed": true, "status": int64(200), "body": `{"on":true}`, "json": map[string]any{"on": true}}
	if diff := cmp.Diff(want, obs.Output); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for range 2 { // the second time there is nothing left
		if err := a.Undo(t.Context(), env, in, nil); err != nil {
			t.Fatal(err)
		}
	}
	keys := []string{"PUT run-1/step-1", "DELETE run-1/step-1/undo", "DELETE run-1/step-1/undo"}
	if !slices.Equal(world.keys, keys) {
		t.Errorf("the server got the keys %q, want %q", world.keys, keys)
	}
}

func TestRequestStatuses(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		status    int
		extra     map[string]any
		reason    string
		effect    action.Extent
		retryable bool
	}{
		"Unauthorized": {401, nil, "AccessRefused", action.ExtentNone, false},
		"Forbidden":    {403, nil, "AccessRefused", action.ExtentNone, false},
		"TooMany":      {429, nil, "StatusRefused", action.ExtentNone, true},
		"Conflict":     {409, nil, "StatusRefused", action.ExtentUnknown, false},
		"Broken":       {500, nil, "StatusRefused", action.ExtentUnknown, false},
		"Redirect":     {307, nil, "StatusRefused", action.ExtentUnknown, false},
		"Unchanged":    {503, map[string]any{"unchangedStatus": []any{int64(503)}}, "StatusRefused", action.ExtentNone, true},
		"Ok":           {409, map[string]any{"okStatus": []any{int64(409)}}, "", "", false},
		"NotOk":        {200, map[string]any{"okStatus": []any{int64(201)}}, "StatusRefused", action.ExtentUnknown, false},
	}
	server := httptest.NewServer(&things{kept: map[string]string{}})
	t.Cleanup(server.Close)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := map[string]any{
				"method": "POST", "url": fmt.Sprintf("%s/status/%d?token=hunter2", server.URL, tc.status),
				"secretHeaders": map[string]any{"Authorization": bearer()},
			}
			maps.Copy(in, tc.extra)
			_, err := httpaction.Request(server.Client()).Run(t.Context(), secrets(), in, nil)
			if tc.reason == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			failure, ok := errors.AsType[*action.Error](err)
			if !ok || failure.Reason != tc.reason || failure.Effect != tc.effect || failure.Retryable != tc.retryable {
				t.Fatalf("got %#v", failure)
			}
			want := fmt.Sprintf("POST to %s/status/%d was answered with status %d: \"said by the server to ***\"", server.URL, tc.status, tc.status)
			if !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %s\nwant %s", err, want)
			}
		})
	}
}

func TestRequestObserve(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(&things{kept: map[string]string{}})
	t.Cleanup(server.Close)
	look := func(status int, extra map[string]any) (action.Observation, error) {
		o := map[string]any{"url": fmt.Sprintf("%s/status/%d", server.URL, status), "done": map[string]any{"status": int64(201)}}
		maps.Copy(o, extra)
		in := map[string]any{"method": "POST", "url": server.URL, "observe": o}
		return httpaction.Request(server.Client()).Observe(t.Context(), action.Env{Attempted: true}, in)
	}
	for status, want := range map[int]action.Status{201: action.Done, 200: action.NotStarted, 404: action.NotStarted, 204: action.NotStarted} {
		if obs, err := look(status, nil); err != nil || obs.Status != want {
			t.Errorf("%d: got %s, %v, want %s", status, obs.Status, err, want)
		}
	}
	if obs, err := look(202, map[string]any{"inProgress": map[string]any{"status": int64(202)}}); err != nil || obs.Status != action.InProgress {
		t.Errorf("got %+v, %v", obs, err)
	}
	for status, reason := range map[int]string{500: "ObserveUnclear", 401: "AccessRefused", 409: "ObserveUnclear"} {
		_, err := look(status, nil)
		if failure, ok := errors.AsType[*action.Error](err); !ok || failure.Reason != reason || failure.Effect != action.ExtentNone {
			t.Errorf("%d: got %v, want %s", status, err, reason)
		}
	}
	_, err := look(200, map[string]any{"notStarted": map[string]any{"status": int64(404)}})
	if want := "status must be 201, is 200: check the server, or describe the answer"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v", err)
	}
	undo := map[string]any{"method": "POST", "url": server.URL, "undo": map[string]any{"method": "DELETE", "url": server.URL + "/status/500"}}
	err = httpaction.Request(server.Client()).Undo(t.Context(), action.Env{}, undo, nil)
	if failure, ok := errors.AsType[*action.Error](err); !ok || failure.Reason != "UndoFailed" || failure.Effect != action.ExtentUnknown {
		t.Errorf("got %v", err)
	}
}

// TestRequestIsSentOnce lets the connection that was used before break: the
// standard library would send a request with a key again by itself.
func TestRequestIsSentOnce(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	sent := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			return
		}
		mu.Lock()
		sent++
		mu.Unlock()
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			conn.Close()
		}
	}))
	t.Cleanup(server.Close)
	client := server.Client()
	if _, err := httpaction.Get(client).Observe(t.Context(), action.Env{}, map[string]any{"url": server.URL}); err != nil {
		t.Fatal(err)
	}
	_, err := httpaction.Request(client).Run(t.Context(), action.Env{Key: "run-1/step-1"}, map[string]any{"method": "DELETE", "url": server.URL}, nil)
	failure, ok := errors.AsType[*action.Error](err)
	mu.Lock()
	defer mu.Unlock()
	if !ok || failure.Effect != action.ExtentUnknown || sent != 1 {
		t.Errorf("sent %d times: %v", sent, err)
	}
}

func TestRequestRefusesInputs(t *testing.T) {
	t.Parallel()
	for want, extra := range map[string]map[string]any{
		`field "url" is "ftp://h", needs http`:                  {"url": "ftp://h"},
		`field "observe.url" holds a user`:                      {"observe": map[string]any{"url": "http://u@h", "done": map[string]any{}}},
		`field "observe.done.json": "a..b" is not a path`:       {"observe": map[string]any{"url": "http://h", "done": map[string]any{"json": map[string]any{"a..b": true}}}},
		`field "observe.inProgress.status" is 42`:               {"observe": map[string]any{"url": "http://h", "done": map[string]any{}, "inProgress": map[string]any{"status": int64(42)}}},
		`"a b" cannot be the name of a header`:                  {"observe": map[string]any{"url": "http://h", "done": map[string]any{}, "notStarted": map[string]any{"headers": map[string]any{"a b": ""}}}},
		`field "undo.url" is "/x", needs http`:                  {"undo": map[string]any{"method": "PUT", "url": "/x"}},
		`fields "undo.body" and "undo.json" are both given`:     {"undo": map[string]any{"method": "PUT", "url": "http://h", "body": "x", "json": true}},
		`fields "body" and "json" are both given`:               {"body": "x", "json": map[string]any{}},
		`status 401 means two things: let okStatus`:             {"okStatus": []any{int64(401)}, "unchangedStatus": []any{int64(401)}},
		`field "headers": header "Cookie" carries a credential`: {"headers": map[string]any{"Cookie": "x"}},
		`field "timeout" is 2h0m0s`:                             {"timeout": "2h"},
	} {
		in := map[string]any{"method": "POST", "url": "http://h"}
		maps.Copy(in, extra)
		_, err := httpaction.Request(&http.Client{}).Preview(t.Context(), action.Env{}, in)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
