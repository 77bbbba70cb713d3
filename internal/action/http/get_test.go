package http_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	httpaction "github.com/refitproject/refit/internal/action/http"
	"github.com/refitproject/refit/internal/secret"
)

// hub is a server with the behaviours that the action must stand.
func hub() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/hub/api", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Header().Add("X-Versions", "1")
		w.Header().Add("X-Versions", "2")
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "hunter2"})
		fmt.Fprint(w, `{"version": "4.2.0", "servers": 3}`)
	})
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Echo", r.Header.Get("Authorization"))
		fmt.Fprintf(w, "host=%s auth=%s token=%s referer=%s agent=%s",
			r.Host, r.Header.Get("Authorization"), r.Header.Get("X-Token"), r.Referer(), r.UserAgent())
	})
	mux.HandleFunc("/broken", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"version":`)
	})
	mux.HandleFunc("/problem", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprint(w, `{"title": "down"}`)
	})
	mux.HandleFunc("/large", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat("x", 1<<20+1)) })
	mux.HandleFunc("/binary", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "a\xffb") })
	mux.HandleFunc("/hang", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("/cut", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		fmt.Fprint(w, "half")
	})
	mux.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/loop", http.StatusFound) })
	mux.HandleFunc("/to", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Query().Get("url"), http.StatusFound)
	})
	return mux
}

// serve starts the hub on loopback.
func serve(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(hub())
	t.Cleanup(server.Close)
	return server
}

// clientOf returns a client that reaches server under every host name.
func clientOf(server *httptest.Server) *http.Client {
	transport := server.Client().Transport.(*http.Transport).Clone()
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
	}
	return &http.Client{Transport: transport}
}

// secrets is what references of these tests find.
func secrets() action.Env {
	return action.Env{Secrets: secret.Resolver{
		Environ: []string{"TOKEN=hunter2", "OTHER=hunter3\"quoted", "LINES=hunter2\nhunter3", "SCHEME=gopher"},
	}}
}

// bearer is a reference to a token.
func bearer() map[string]any { return map[string]any{"env": "TOKEN", "prefix": "Bearer "} }

// TestGetRemovesSecretsFromJSON lets a server repeat a secret as JSON escapes
// it, which is another text than the secret.
func TestGetRemovesSecretsFromJSON(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"sent": %q, "odd": "\u0068unter3\"quoted", "hunter3\"quoted": 1}`, r.Header.Get("X-Token"))
	}))
	t.Cleanup(server.Close)
	obs, err := httpaction.Get(server.Client()).Observe(t.Context(), secrets(), map[string]any{
		"url": server.URL, "secretHeaders": map[string]any{"X-Token": map[string]any{"env": "OTHER"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"sent": "***", "odd": "***", "***": int64(1)}
	if diff := cmp.Diff(any(want), obs.Output["json"]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestGetSuite(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(hub())
	t.Cleanup(server.Close)
	plain := serve(t)
	// One transport for both schemes: port 443 is the server with TLS.
	transport := server.Client().Transport.(*http.Transport).Clone()
	transport.TLSClientConfig.ServerName = "example.com" // the name in the test certificate
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		to := plain
		if strings.HasSuffix(address, ":443") {
			to = server
		}
		return (&net.Dialer{}).DialContext(ctx, network, to.Listener.Addr().String())
	}
	actiontest.Run(t, actiontest.Suite{
		Action: httpaction.Get(&http.Client{Transport: transport}), Examples: "testdata/get/*.yaml",
		Slow: map[string]any{"url": "http://hub.example.org/hang", "timeout": "2m"},
	})
}

func TestGet(t *testing.T) {
	t.Parallel()
	server := serve(t)
	cases := map[string]struct {
		in   map[string]any
		want map[string]any
	}{
		"JSON":       {map[string]any{"url": "/hub/api"}, map[string]any{"status": int64(200), "json": map[string]any{"version": "4.2.0", "servers": int64(3)}, "body": `{"version": "4.2.0", "servers": 3}`}},
		"Status":     {map[string]any{"url": "/problem"}, map[string]any{"status": int64(503), "json": map[string]any{"title": "down"}}},
		"NotFound":   {map[string]any{"url": "/none"}, map[string]any{"status": int64(404), "json": nil}},
		"BrokenJSON": {map[string]any{"url": "/broken"}, map[string]any{"status": int64(200), "json": nil, "body": `{"version":`}},
		"Binary":     {map[string]any{"url": "/binary"}, map[string]any{"body": "a\uFFFDb"}},
		"Redirect":   {map[string]any{"url": "/to?url=/hub/api"}, map[string]any{"status": int64(200), "json": map[string]any{"version": "4.2.0", "servers": int64(3)}}},
		"Headers":    {map[string]any{"url": "/echo", "headers": map[string]any{"User-Agent": "probe", "Host": "other.example.org"}}, map[string]any{"body": "host=other.example.org auth= token= referer= agent=probe"}},
		"Scrubbed":   {map[string]any{"url": "/echo", "secretHeaders": map[string]any{"Authorization": bearer(), "X-Token": map[string]any{"env": "OTHER"}}}, map[string]any{"body": "host=hub.example.org auth=*** token=*** referer= agent=Go-http-client/1.1"}},
		"MaxBytes":   {map[string]any{"url": "/hub/api", "maxBytes": int64(34)}, map[string]any{"status": int64(200)}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.in["url"] = "http://hub.example.org" + tc.in["url"].(string)
			obs, err := httpaction.Get(clientOf(server)).Observe(t.Context(), secrets(), tc.in)
			if err != nil {
				t.Fatal(err)
			}
			for key, want := range tc.want {
				if diff := cmp.Diff(want, obs.Output[key]); diff != "" {
					t.Errorf("%s (-want +got):\n%s", key, diff)
				}
			}
		})
	}
}

func TestGetResponseHeaders(t *testing.T) {
	t.Parallel()
	obs, err := httpaction.Get(clientOf(serve(t))).Observe(t.Context(), action.Env{}, map[string]any{"url": "http://h/hub/api"})
	if err != nil {
		t.Fatal(err)
	}
	headers, _ := obs.Output["headers"].(map[string]any)
	if headers["x-versions"] != "1, 2" || headers["content-type"] != "application/json; charset=utf-8" {
		t.Errorf("got %v", headers)
	}
	if _, there := headers["set-cookie"]; there {
		t.Error("a cookie is a credential and must not become a fact")
	}
}

func TestGetRedirectsKeepCredentialsHome(t *testing.T) {
	t.Parallel()
	server := serve(t)
	ask := func(to string) string {
		obs, err := httpaction.Get(clientOf(server)).Observe(t.Context(), secrets(), map[string]any{
			"url":           "http://hub.example.org/to?url=" + to,
			"headers":       map[string]any{"User-Agent": "probe"},
			"secretHeaders": map[string]any{"Authorization": bearer(), "X-Token": map[string]any{"env": "OTHER"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(obs.Output["body"])
	}
	want := "host=hub.example.org auth=*** token=*** referer= agent=probe"
	if got := ask("/echo"); got != want {
		t.Errorf("same host: got %q, want %q", got, want)
	}
	want = "host=evil.example.net auth= token= referer= agent="
	if got := ask("http://evil.example.net/echo"); !strings.HasPrefix(got, want) || strings.Contains(got, "probe") {
		t.Errorf("other host: got %q, want %q", got, want)
	}
}

func TestGetErrors(t *testing.T) {
	t.Parallel()
	server := serve(t)
	unused, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused := unused.Addr().String()
	unused.Close()
	cases := map[string]struct {
		url       string
		extra     map[string]any
		reason    string
		retryable bool
		want      string
	}{
		"Refused":    {"http://" + refused + "/x?token=hunter2#f", nil, "ConnectionRefused", true, "ask http://" + refused + "/x: connection refused: check that the server runs"},
		"TooLarge":   {server.URL + "/large", nil, "BodyTooLarge", false, "more than 1048576 bytes"},
		"MaxBytes":   {server.URL + "/hub/api", map[string]any{"maxBytes": int64(33)}, "BodyTooLarge", false, "more than 33 bytes"},
		"Timeout":    {server.URL + "/hang", map[string]any{"timeout": "50ms"}, "Timeout", true, "no complete answer within 50ms"},
		"Loop":       {server.URL + "/loop", nil, "RedirectRefused", false, "it redirects more than 5 times"},
		"Cut":        {server.URL + "/cut", nil, "RequestFailed", true, "unexpected EOF"},
		"Foreign":    {server.URL + "/to?url=ftp://user:hunter2@host/?token=hunter2", nil, "RequestFailed", true, "unsupported protocol scheme"},
		"BadHop":     {server.URL + "/to?url=http://h/%25zz%3Ftoken=hunter2", nil, "RequestFailed", true, "ask "},
		"Scheme":     {"ftp://host/?token=hunter2", nil, "InvalidInput", false, `field "url" is "ftp://host/", needs http:// or https://`},
		"Relative":   {"/hub/api", nil, "InvalidInput", false, "needs http://"},
		"NoHost":     {"http:///x", nil, "InvalidInput", false, "names no host"},
		"User":       {"http://u:hunter2@host/", nil, "InvalidInput", false, "holds a user: send credentials in secretHeaders"},
		"NoURL":      {"http://ho st/?token=hunter2", nil, "InvalidInput", false, `field "url" is not an address`},
		"Name":       {"http://host", map[string]any{"headers": map[string]any{"a b": "hunter2"}}, "InvalidInput", false, `"a b" cannot be the name of a header`},
		"Value":      {"http://host", map[string]any{"headers": map[string]any{"X-Name": "hunter2\n"}}, "InvalidInput", false, `header "X-Name" holds a control character`},
		"Credential": {"http://host", map[string]any{"headers": map[string]any{"authorization": "Bearer hunter2"}}, "InvalidInput", false, `field "headers": header "authorization" carries a credential, which would stand in the plan: move it to secretHeaders, with a reference such as {env: NAME}`},
		"Cookie":     {"http://host", map[string]any{"headers": map[string]any{"Cookie": "s=hunter2"}}, "InvalidInput", false, `header "Cookie" carries a credential`},
		"Proxy":      {"http://host", map[string]any{"headers": map[string]any{"Proxy-Authorization": "hunter2"}}, "InvalidInput", false, `header "Proxy-Authorization" carries a credential`},
		"APIKey":     {"http://host", map[string]any{"headers": map[string]any{"X_Api_Key": "hunter2"}}, "InvalidInput", false, `header "X_Api_Key" carries a credential`},
		"Vault":      {"http://host", map[string]any{"headers": map[string]any{"X-Vault-Token": "hunter2"}}, "InvalidInput", false, `header "X-Vault-Token" carries a credential`},
		"Twice":      {"http://host", map[string]any{"headers": map[string]any{"X-A": "a"}, "secretHeaders": map[string]any{"x-a": bearer()}}, "InvalidInput", false, `header "x-a" is given twice`},
		"Literal":    {"http://host", map[string]any{"secretHeaders": map[string]any{"X-A": "hunter2"}}, "InvalidInput", false, `/secretHeaders/X-A: must be a reference to a secret, is a string: write {env: NAME}`},
		"Unset":      {"http://host", map[string]any{"secretHeaders": map[string]any{"X-A": map[string]any{"env": "NONE"}}}, "SecretUnavailable", false, `secretHeaders "X-A": secret from environment variable "NONE": it is not set: set it where Refit is started`},
		"TwoLines":   {"http://host", map[string]any{"secretHeaders": map[string]any{"X-A": map[string]any{"env": "LINES"}}}, "SecretUnavailable", false, `header "X-A" holds a control character`},
		"InRedirect": {server.URL + "/to?url=gopher://h/", map[string]any{"secretHeaders": map[string]any{"X-A": map[string]any{"env": "SCHEME"}}}, "RequestFailed", true, `unsupported protocol scheme "***"`},
		"Hours":      {"http://host", map[string]any{"timeout": "2h"}, "InvalidInput", false, `field "timeout"`},
		"Bytes":      {"http://host", map[string]any{"maxBytes": int64(1<<20 + 1)}, "InvalidInput", false, `field "maxBytes"`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := map[string]any{"url": tc.url}
			maps.Copy(in, tc.extra)
			_, err := httpaction.Get(&http.Client{Transport: httpaction.Transport()}).Observe(t.Context(), secrets(), in)
			failure, ok := errors.AsType[*action.Error](err)
			if !ok || failure.Reason != tc.reason || failure.Retryable != tc.retryable || failure.Effect != action.ExtentNone {
				t.Fatalf("got %#v: %v, want reason %s", failure, err, tc.reason)
			}
			text := err.Error()
			if !strings.Contains(text, tc.want) || strings.Contains(text, "hunter2") || strings.Contains(text, "\n") {
				t.Errorf("got %q, want one line with %q and without secrets", text, tc.want)
			}
		})
	}
}

func TestGetHostNotFound(t *testing.T) {
	t.Parallel()
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "hub.example.org", IsNotFound: true}}
	}}
	_, err := httpaction.Get(&http.Client{Transport: transport}).Observe(t.Context(), action.Env{}, map[string]any{"url": "http://hub.example.org/?t=hunter2"})
	want := "ask http://hub.example.org/: the host name was not found: check the name of the host and the name server"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestGetTLS(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(hub())
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // a refused handshake is what is tested
	server.StartTLS()
	t.Cleanup(server.Close)
	_, err := httpaction.Get(&http.Client{}).Observe(t.Context(), action.Env{}, map[string]any{"url": server.URL + "/hub/api"})
	if failure, ok := errors.AsType[*action.Error](err); !ok || failure.Reason != "CertificateRejected" || failure.Retryable {
		t.Errorf("an unknown authority: got %v", err)
	}
	in := map[string]any{"url": server.URL + "/to?url=http://127.0.0.1:1/x"}
	_, err = httpaction.Get(server.Client()).Observe(t.Context(), action.Env{}, in)
	if failure, ok := errors.AsType[*action.Error](err); !ok || failure.Reason != "RedirectRefused" {
		t.Errorf("from https to http: got %v", err)
	}
}

func TestGetInterrupted(t *testing.T) {
	t.Parallel()
	server := serve(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := httpaction.Get(server.Client()).Observe(ctx, action.Env{}, map[string]any{"url": server.URL + "/hang"})
	failure, ok := errors.AsType[*action.Error](err)
	if !ok || failure.Reason != "Interrupted" || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want Interrupted with its cause", err)
	}
}

// TestRedirectToNoAddress is answered with a secret in the place of an address:
// the parser quotes the part that it stumbles over.
func TestRedirectToNoAddress(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "gopher://h/"+r.Header.Get("X-Secret"))
		w.WriteHeader(http.StatusFound)
	}))
	t.Cleanup(server.Close)
	env := action.Env{Secrets: secret.Resolver{Environ: []string{"TOKEN=hunter2%@!"}}}
	_, err := httpaction.Get(server.Client()).Observe(t.Context(), env, map[string]any{
		"url": server.URL, "secretHeaders": map[string]any{"X-Secret": map[string]any{"env": "TOKEN"}},
	})
	want := "ask " + server.URL + ": it redirects to something that is no address: give the address that it should lead to"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
