package http_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	httpaction "github.com/refitproject/refit/internal/action/http"
)

func TestCheckSuite(t *testing.T) {
	t.Parallel()
	server := serve(t)
	transport := roundTripper(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.URL.Scheme = "http"
		return clientOf(server).Transport.RoundTrip(r)
	})
	actiontest.Run(t, actiontest.Suite{
		Action: httpaction.Check(&http.Client{Transport: transport}), Examples: "testdata/check/*.yaml",
		Slow: map[string]any{"url": "http://hub.example.org/none", "for": "2m", "every": "1s"},
	})
}

func TestCheck(t *testing.T) {
	t.Parallel()
	const where = "http://hub.example.org"
	cases := map[string]struct {
		path   string
		expect map[string]any
		want   string // why it failed, "" when it did not
	}{
		"Any":     {"/hub/api", nil, ""},
		"JSON":    {"/hub/api", map[string]any{"status": int64(200), "json": map[string]any{"version": "4.2.0", "servers": 3.0}}, ""},
		"Header":  {"/hub/api", map[string]any{"headers": map[string]any{"X-Versions": "1, 2"}}, ""},
		"Status":  {"/none", nil, "status must be 200 to 299, is 404"},
		"Wanted":  {"/none", map[string]any{"status": int64(404)}, ""},
		"Other":   {"/hub/api", map[string]any{"status": int64(503)}, "status must be 503, is 200"},
		"Version": {"/hub/api", map[string]any{"json": map[string]any{"version": "4.3.0"}}, `json version must be "4.3.0", is "4.2.0"`},
		"Several": {"/hub/api", map[string]any{"headers": map[string]any{"x-none": "1", "X-Versions": "3"}, "json": map[string]any{"none.such": nil, "servers": "3"}}, `header X-Versions must be "3", is "1, 2"; header x-none must be "1", is not there; json none.such must be null, is not there; json servers must be "3", is 3`},
		"NotJSON": {"/echo", map[string]any{"json": map[string]any{"a": true}}, "the body must be JSON, is not"},
		"Cut":     {"/cut", nil, "ask http://hub.example.org/cut: unexpected EOF"},
	}
	server := serve(t)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := map[string]any{"url": where + tc.path}
			if tc.expect != nil {
				in["expect"] = tc.expect
			}
			obs, err := httpaction.Check(clientOf(server)).Observe(t.Context(), action.Env{}, in)
			if err != nil {
				t.Fatal(err)
			}
			want := action.Observation{Status: action.Failed, Reason: where + tc.path + ": " + tc.want + " (tries: 1)"}
			if tc.want == "" {
				want = action.Observation{Status: action.Done, Output: map[string]any{"status": obs.Output["status"], "tries": int64(1)}}
			}
			if diff := cmp.Diff(want, obs); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestCheckPolls asks a server that becomes ready after a number of tries.
func TestCheckPolls(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		in    map[string]any
		ready int // the try that succeeds
		ends  time.Duration
		tries int
		took  time.Duration
		want  string
	}{
		"For":       {map[string]any{"for": "1m"}, 4, time.Hour, 4, 15 * time.Second, "done"},
		"ForEnds":   {map[string]any{"for": "1m", "every": "25s"}, 99, time.Hour, 3, time.Minute, "failed"},
		"Attempts":  {map[string]any{"attempts": int64(3), "every": "1s"}, 99, time.Hour, 3, 2 * time.Second, "failed"},
		"Both":      {map[string]any{"attempts": int64(9), "for": "3500ms", "every": "1s"}, 99, time.Hour, 4, 3500 * time.Millisecond, "failed"},
		"Once":      {map[string]any{}, 2, time.Hour, 1, 0, "failed"},
		"StepEnds":  {map[string]any{"for": "1h"}, 99, 12 * time.Second, 3, 12 * time.Second, "Interrupted"},
		"FirstTime": {map[string]any{"for": "1h"}, 1, time.Hour, 1, 0, "done"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tries := 0
				transport := roundTripper(func(*http.Request) (*http.Response, error) {
					tries++
					if tries < tc.ready {
						return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
					}
					return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("")), Header: http.Header{}}, nil
				})
				ctx, cancel := context.WithTimeout(t.Context(), tc.ends)
				defer cancel()
				tc.in["url"] = "http://hub.example.org/"
				began, notes := time.Now(), 0
				env := action.Env{Progress: func(p action.Progress) {
					if strings.Contains(p.Note, "connection refused") {
						notes++
					}
				}}
				obs, err := httpaction.Check(&http.Client{Transport: transport}).Observe(ctx, env, tc.in)
				got := string(obs.Status)
				if failure, ok := errors.AsType[*action.Error](err); ok {
					got = failure.Reason
				}
				if got != tc.want || tries != tc.tries || time.Since(began) != tc.took {
					t.Errorf("got %s, %v after %d tries and %s, want %s after %d and %s", got, err, tries, time.Since(began), tc.want, tc.tries, tc.took)
				}
				if text := fmt.Sprint(obs.Reason, err); tc.want != "done" && (notes != tries || !strings.Contains(text, "connection refused")) {
					t.Errorf("nobody learns why: %d notes, %s", notes, text)
				}
			})
		})
	}
}

func TestCheckRefusesInputs(t *testing.T) {
	t.Parallel()
	for want, extra := range map[string]map[string]any{
		`field "attempts" is -1`:                {"attempts": int64(-1)},
		`field "every" is 1ms`:                  {"every": "1ms", "for": "1m"},
		`"every" says nothing without "for"`:    {"every": "1s"},
		`field "expect.json": "" is not a path`: {"expect": map[string]any{"json": map[string]any{"": true}}},
		`field "url" is not an address`:         {"url": "http://ho st"},
		`carries a credential`:                  {"headers": map[string]any{"Authorization": "x"}},
	} {
		in := map[string]any{"url": "http://h"}
		maps.Copy(in, extra)
		_, err := httpaction.Check(&http.Client{}).Preview(t.Context(), action.Env{}, in)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	in := map[string]any{"url": "http://h", "secretHeaders": map[string]any{"X-A": map[string]any{"env": "NONE"}}, "for": "1h"}
	if _, err := httpaction.Check(&http.Client{}).Observe(t.Context(), secrets(), in); err == nil || !strings.Contains(err.Error(), "it is not set") {
		t.Errorf("a secret that is missing is not polled for: %v", err)
	}
}
