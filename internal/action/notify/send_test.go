package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	notifyaction "github.com/refitproject/refit/internal/action/notify"
	"github.com/refitproject/refit/internal/notify"
)

// inbox is a server that takes webhooks.
type inbox struct {
	mu       sync.Mutex
	got      []map[string]string
	refusals int
	hang     bool
}

func (i *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	data, err := io.ReadAll(r.Body)
	if i.hang {
		i.mu.Unlock()
		<-r.Context().Done()
		i.mu.Lock()
		return
	}
	if i.refusals != 0 {
		i.refusals--
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	var m map[string]string
	if err != nil || json.Unmarshal(data, &m) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	i.got = append(i.got, m)
}

func (i *inbox) texts() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	var out []string
	for _, m := range i.got {
		out = append(out, m["text"]+m["repeat"])
	}
	return out
}

// redirected sends to a server instead of the address, over the real sender.
type redirected struct{ to string }

func (r redirected) Deliver(ctx context.Context, kind notify.Kind, address string, m notify.Message) error {
	if !strings.Contains(address, "hunter2") {
		return errors.New("this is not the address")
	}
	return notify.Sender{HTTP: http.DefaultClient}.Deliver(ctx, kind, r.to+"/"+address, m)
}

// suite is a world with a server and a ledger of its own for each subtest: they
// are found by the folder of the step, which the action does not use otherwise.
func TestSendSuite(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(&inbox{})
	t.Cleanup(server.Close)
	ledgers := t.TempDir()
	actiontest.Run(t, actiontest.Suite{
		Action:   notifyaction.Send(redirected{server.URL}, notifyaction.Ledger{Dir: ledgers}),
		Examples: "testdata/send/*.yaml",
		World: func(t *testing.T) actiontest.World {
			t.Helper()
			w := actiontest.FolderWorld(t)
			w.Env.Key = t.Name() + w.Env.Dir // A step of its own.
			// What counts is whether the step has sent its message, and has not been
			// taken back.
			w.State = func(t *testing.T) string {
				t.Helper()
				obs, err := notifyaction.Send(redirected{server.URL}, notifyaction.Ledger{Dir: ledgers}).
					Observe(t.Context(), w.Env, example())
				if err != nil {
					t.Fatal(err)
				}
				return string(obs.Status)
			}
			return w
		},
		Crash: func(t *testing.T, w actiontest.World, in, before map[string]any, point int) bool {
			t.Helper()
			// Before the message, behind it and before the record, and at the end.
			switch point {
			case 0:
				return true
			case 1:
				_, _ = notifyaction.Send(redirected{server.URL}, notifyaction.Ledger{}).Run(t.Context(), w.Env, in, before)
				return true
			}
			_, _ = notifyaction.Send(redirected{server.URL}, notifyaction.Ledger{Dir: ledgers}).
				Run(t.Context(), w.Env, in, before)
			return false
		},
	})
}

func example() map[string]any {
	return map[string]any{
		"kind": "webhook", "address": map[string]any{"env": "HOOK"}, "title": "Begin", "text": "now", "undo": "back",
	}
}

// TestSend follows a message through crashes, repetitions and the way back.
func TestSend(t *testing.T) {
	t.Parallel()
	box := &inbox{}
	server := httptest.NewServer(box)
	t.Cleanup(server.Close)
	dir := t.TempDir() + "/sent"
	a := notifyaction.Send(redirected{server.URL}, notifyaction.Ledger{Dir: dir})
	env := action.Env{Key: "run-1/tell", Secrets: actiontest.Secrets{}, Now: time.Now}
	run := func() map[string]any {
		t.Helper()
		out, err := a.Run(t.Context(), env, example(), nil)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	run()
	run()
	if diff := cmp.Diff([]string{"now"}, box.texts()); diff != "" {
		t.Errorf("a step that is run twice sends once (-want +got):\n%s", diff)
	}
	if err := a.Undo(t.Context(), env, example(), nil); err != nil {
		t.Fatal(err)
	}
	env.Attempted = true
	if obs, err := a.Observe(t.Context(), env, example()); err != nil || obs.Status != action.NotStarted {
		t.Errorf("a step that was taken back: got %v, %v", obs, err)
	}
	run()
	if diff := cmp.Diff([]string{"now", "back", "nowtrue"}, box.texts()); diff != "" {
		t.Errorf("after the way back it is sent again, as a possible repetition (-want +got):\n%s", diff)
	}
}

func TestSendTrouble(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason   string
		refusals int
		hang     bool
		change   map[string]any
		sent     bool
		want     string
	}{
		"Again": {reason: "A service that is back soon is tried again.", refusals: 1, sent: true},
		"Down":  {reason: "A channel that is down does not fail the step.", refusals: -1},
		"Slow":  {reason: "Nor does one that hangs.", hang: true, change: map[string]any{"timeout": "50ms"}},
		"Required": {
			reason: "Unless the author wants it.", hang: true,
			change: map[string]any{"timeout": "50ms", "required": true},
			want:   `send the message "Begin" by webhook: it did not answer in time: try the channel with refit notify test`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(&inbox{refusals: tc.refusals, hang: tc.hang})
			t.Cleanup(server.Close)
			a := notifyaction.Send(redirected{server.URL}, notifyaction.Ledger{Dir: t.TempDir()})
			env := action.Env{Key: "run-1/tell", Secrets: actiontest.Secrets{}, Now: time.Now}
			in := example()
			maps.Copy(in, tc.change)
			out, err := a.Run(t.Context(), env, in, nil)
			if tc.want != "" {
				if err == nil || err.Error() != tc.want {
					t.Errorf("%s\ngot  %v\nwant %s", tc.reason, err, tc.want)
				}
				return
			}
			if err != nil || out["sent"] != tc.sent || (out["trouble"] == nil) != tc.sent {
				t.Errorf("%s\ngot %v, %v", tc.reason, out, err)
			}
			if strings.Contains(toText(out), "hunter2") {
				t.Errorf("the output holds the address: %v", out)
			}
		})
	}
}

func toText(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(data)
}
