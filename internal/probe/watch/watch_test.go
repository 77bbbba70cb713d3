package watch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/probe"
)

// programs answers with an error, or hangs.
type programs struct {
	err  error
	hang bool
}

func (p programs) Output(ctx context.Context, _ string, _ []string, _ int) (string, error) {
	if p.hang {
		<-ctx.Done()
		return "", ctx.Err()
	}
	return "", p.err
}

// listen returns the address of a port that takes connections, or refuses them.
func listen(t *testing.T, open bool) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if open {
		t.Cleanup(func() { _ = l.Close() })
	} else {
		_ = l.Close()
	}
	return l.Addr().String()
}

func TestSample(t *testing.T) {
	t.Parallel()
	var status atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hang" {
			<-r.Context().Done()
			return
		}
		w.Header().Set("Location", "/hang")
		w.WriteHeader(int(status.Load()))
	}))
	t.Cleanup(server.Close)
	web := func(path string) map[string]any { return map[string]any{"url": server.URL + path + "?token=hunter2"} }
	const refused = "it cannot be reached: connect: connection refused"
	for _, tc := range []struct {
		reason, kind string
		status       int64
		config       map[string]any
		programs     programs
		want         string
	}{
		{reason: "200 is up", kind: "http", status: 200, config: web("/")},
		{reason: "a redirect is an answer and is not followed", kind: "http", status: 302, config: web("/")},
		{reason: "503 is down", kind: "http", status: 503, config: web("/"), want: "it answered with status 503"},
		{
			reason: "the author says which codes are up", kind: "http", status: 503,
			config: map[string]any{"url": server.URL, "status": []any{int64(503)}},
		},
		{reason: "no answer is down", kind: "http", config: web("/hang"), want: "it did not answer in time"},
		{
			reason: "nothing there is down, and the query stays hidden", kind: "http", want: refused,
			config: map[string]any{"url": "http://" + listen(t, false) + "/?token=hunter2"},
		},
		{reason: "a port that listens is up", kind: "tcp", config: map[string]any{"address": listen(t, true)}},
		{
			reason: "one that does not is down", kind: "tcp", want: refused,
			config: map[string]any{"address": listen(t, false)},
		},
		{reason: "0 is up", kind: "exec", config: map[string]any{"command": []any{"true"}}},
		{
			reason: "anything else is down", kind: "exec", config: map[string]any{"command": []any{"false"}},
			programs: programs{err: errors.New("it ended with 1")}, want: "it ended with 1",
		},
		{
			reason: "a program that hangs is down", kind: "exec", config: map[string]any{"command": []any{"sleep"}},
			programs: programs{hang: true}, want: "the program did not end in time",
		},
		{reason: "a plan of a later version", kind: "grpc", want: `there is no kind of probe "grpc"`},
	} {
		status.Store(tc.status)
		s := &sampler{
			probe: plan.Probe{Kind: tc.kind, Config: tc.config}, client: server.Client(), programs: tc.programs,
		}
		patience := 20 * time.Second
		if strings.Contains(tc.want, "in time") {
			patience = 200 * time.Millisecond
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		got := ""
		if err := s.sample(ctx); err != nil {
			got = err.Error()
		}
		cancel()
		if got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.reason, got, tc.want)
		}
	}
}

// TestWatch measures until the run has ended, and only one process does.
func TestWatch(t *testing.T) {
	t.Parallel()
	var broken, over atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if broken.Load() {
			w.WriteHeader(http.StatusBadGateway)
		}
	}))
	t.Cleanup(server.Close)
	o := Options{
		Dir: filepath.Join(t.TempDir(), "probes"), Run: "r1", HTTP: server.Client(), Now: time.Now,
		Changed: func(context.Context, probe.Plan, probe.Span, bool) error { return nil },
		Over:    func(context.Context) (bool, error) { return over.Load(), nil },
		Plan: &plan.Plan{Probes: []plan.Probe{{
			Name: "web", Component: "hub", Kind: "http",
			Config: map[string]any{"url": server.URL, "every": "10ms", "timeout": "5s"},
		}}},
	}
	done := make(chan error, 1)
	go func() { done <- Watch(t.Context(), o) }()
	samples := Samples{Dir: o.Dir, Run: "r1"}
	seen := func(up bool) func() bool {
		return func() bool {
			spans, err := samples.Read()
			return err == nil && slices.ContainsFunc(spans, func(s probe.Span) bool { return s.Up == up })
		}
	}
	wait(t, seen(true))
	if running, err := Running(o.Dir, "r1"); err != nil || !running {
		t.Errorf("nobody seems to measure: %v", err)
	}
	if err := Watch(t.Context(), o); err != nil {
		t.Errorf("a second one must end at once: %v", err)
	}
	broken.Store(true)
	wait(t, seen(false))
	over.Store(true)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if running, err := Running(o.Dir, "r1"); err != nil || running {
		t.Errorf("it has ended and seems to measure: %v", err)
	}
	spans, err := samples.Read()
	if err != nil {
		t.Fatal(err)
	}
	got := probe.Measure(PlansOf(o.Plan), spans, spans[0].From, spans[len(spans)-1].To)
	if len(got) != 1 || got[0].Down == 0 || got[0].Up == 0 || got[0].Outages[0].Why != "it answered with status 502" {
		t.Errorf("got %+v", got)
	}
}

// TestTransitions tells of the first sample and of each other state, not more often
// than every ten seconds, and again until it is heard.
func TestTransitions(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, time.November, 21, 2, 0, 0, 0, time.UTC)
	now, deaf := began, false
	var told []string
	w := newWatcher(Options{
		Now: func() time.Time { return now },
		Changed: func(_ context.Context, _ probe.Plan, s probe.Span, unmeasured bool) error {
			if deaf {
				return errors.New("nobody hears")
			}
			told = append(told, fmt.Sprintf("up=%t since +%s unmeasured=%t %s", s.Up, s.From.Sub(began), unmeasured, s.Why))
			return nil
		},
	}, []probe.Plan{{Name: "web", Component: "hub"}})
	down := errors.New("refused")
	for _, c := range []struct {
		at   int
		err  error
		deaf bool
		want string
	}{
		{0, nil, true, ""},
		{1, nil, false, "up=true since +0s unmeasured=true "},
		{2, nil, false, ""},
		{3, down, false, ""},
		{4, down, false, ""},
		{11, down, true, ""},
		{12, down, false, "up=false since +3s unmeasured=false refused"},
		{13, nil, false, ""},
		{14, down, false, ""},
		{30, down, false, ""},
		{31, nil, false, "up=true since +31s unmeasured=false "},
	} {
		now, deaf, told = began.Add(time.Duration(c.at)*time.Second), c.deaf, nil
		w.note("web", now, c.err)
		w.tell(t.Context())
		if got := strings.Join(told, "; "); got != c.want {
			t.Errorf("at %ds: got %q, want %q", c.at, got, c.want)
		}
	}
}

// TestGone ends when the state folder was removed, and leaves nothing there.
func TestGone(t *testing.T) {
	t.Parallel()
	o := Options{
		Dir: filepath.Join(t.TempDir(), "probes"), Run: "r1", HTTP: http.DefaultClient, Now: time.Now,
		Over: func(context.Context) (bool, error) { return false, nil }, Plan: &plan.Plan{},
	}
	done := make(chan error, 1)
	go func() { done <- Watch(t.Context(), o) }()
	wait(t, func() bool { _, err := os.Stat(lockFile(o.Dir, "r1")); return err == nil })
	if err := os.RemoveAll(o.Dir); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Error("it goes on for a run that is not there any more")
	}
}

func wait(t *testing.T, what func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(30 * time.Second)
	for !what() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatal("waited in vain")
		}
	}
}

// TestSamplesAreBounded writes far more than the file may hold.
func TestSamplesAreBounded(t *testing.T) {
	t.Parallel()
	gap := func(string) time.Duration { return time.Second }
	at := time.Date(2026, time.November, 21, 2, 0, 0, 0, time.UTC)
	flat, wild := Samples{Dir: t.TempDir(), Run: "flat"}, Samples{Dir: t.TempDir(), Run: "wild"}
	for range 20 {
		var calm, torn []probe.Span
		for range 5000 {
			at = at.Add(time.Second)
			s := probe.Span{Probe: "web", Up: true, From: at, To: at, Samples: 1}
			calm = append(calm, s)
			s.Up, s.Why = at.Second()%2 == 0, strings.Repeat("x", 100)
			torn = append(torn, s)
		}
		if err := errors.Join(flat.add(calm, gap), wild.add(torn, gap)); err != nil {
			t.Fatal(err)
		}
		for _, s := range []Samples{flat, wild} {
			if info, err := os.Stat(s.file()); err != nil || info.Size() > mostBytes {
				t.Fatalf("the file %s has %d bytes, %v", s.Run, info.Size(), err)
			}
		}
	}
	spans, err := flat.Read()
	if err != nil {
		t.Fatal(err)
	}
	if got := probe.Merge(spans, gap); len(got) != 1 || got[0].Samples != 100_000 {
		t.Errorf("samples that came to the same were lost: %+v", got)
	}
	if spans, err = wild.Read(); err != nil || !spans[len(spans)-1].To.Equal(at) {
		t.Errorf("the newest are gone: %v", err)
	}
}

// TestCutOff passes a line over that a process has left half written.
func TestCutOff(t *testing.T) {
	t.Parallel()
	s := Samples{Dir: t.TempDir(), Run: "r1"}
	at := time.Date(2026, time.November, 21, 2, 0, 0, 0, time.UTC)
	span := probe.Span{Probe: "web", Up: true, From: at, To: at, Samples: 1}
	line, err := probe.EncodeSpan(span)
	if err != nil {
		t.Fatal(err)
	}
	text := string(line) + string(line[:20]) + "\n" + string(line)
	if err := os.WriteFile(s.file(), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := s.Read()
	if diff := cmp.Diff([]probe.Span{span, span}, got); diff != "" || err != nil {
		t.Errorf("got %v (-want +got):\n%s", err, diff)
	}
}
