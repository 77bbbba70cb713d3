package jupyterhub_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	"github.com/refitproject/refit/internal/action/jupyterhub"
	"github.com/refitproject/refit/internal/action/jupyterhub/hubtest"
)

const narrow = "narrow-token-of-a-service"

// token is the value of the reference in the examples.
func token() string {
	value, err := actiontest.Secrets{}.Resolve(context.Background(), map[string]any{"env": "HUB_TOKEN"})
	if err != nil {
		panic(err)
	}
	return value
}

var hubs = map[string]*hubtest.Shared{
	hubtest.Oldest: {Options: hubtest.Options{Version: hubtest.Oldest, Token: token(), Narrow: narrow}},
	hubtest.Newest: {Options: hubtest.Options{Version: hubtest.Newest, Token: token(), Narrow: narrow}},
}

func TestMain(m *testing.M) {
	code := m.Run()
	for _, shared := range hubs {
		shared.Stop()
	}
	os.Exit(code)
}

func world(t *testing.T) jupyterhub.World {
	t.Helper()
	return jupyterhub.World{HTTP: &http.Client{Transport: &http.Transport{}}, Done: jupyterhub.Ledger{Dir: t.TempDir()}}
}

var worlds atomic.Int64

// people is a world of a hub with users of its own: ada, whose server runs, and
// grace with a named one, when they are to.
func people(t *testing.T, h *hubtest.Hub, running bool) (actiontest.World, string) {
	t.Helper()
	prefix := fmt.Sprintf("w%d-", worlds.Add(1))
	w := actiontest.FolderWorld(t)
	w.Env.Now = time.Now
	w.Env.Key = prefix + t.Name()
	for _, name := range []string{"ada", "grace"} {
		h.Ask(t, http.MethodPost, "/users/"+prefix+name, http.StatusCreated)
		t.Cleanup(func() { h.Down(t, prefix+name) })
	}
	if running {
		h.Order(t, prefix+"ada", "")
		h.Order(t, prefix+"grace", "lab")
		h.Await(t, prefix+"ada", "")
		h.Await(t, prefix+"grace", "lab")
	}
	w.State = func(t *testing.T) string {
		t.Helper()
		// Worlds that are alike look alike, whatever their users are called.
		mine := strings.ReplaceAll(h.Servers(t, prefix), prefix, "")
		scratch := jupyterhub.ScratchUser(w.Env.Key)
		return mine + strings.ReplaceAll(h.Servers(t, scratch), scratch, "scratch")
	}
	w.Adapt = func(in map[string]any) {
		in["url"] = h.URL
		if list, ok := in["servers"].([]any); ok {
			for i := range list {
				list[i] = prefix + list[i].(string)
			}
			return
		}
		in["users"] = []any{prefix + "*"}
	}
	return w, prefix
}

// anybody is a world whose examples name no users.
func anybody(t *testing.T, h *hubtest.Hub) actiontest.World {
	t.Helper()
	w, _ := people(t, h, false)
	w.Adapt = func(in map[string]any) { in["url"] = h.URL }
	return w
}

// each runs a test on both releases.
func each(t *testing.T, f func(t *testing.T, h *hubtest.Hub)) {
	t.Helper()
	for _, version := range []string{hubtest.Oldest, hubtest.Newest} {
		t.Run(version, func(t *testing.T) { t.Parallel(); f(t, hubs[version].Hub(t)) })
	}
}

func TestUsersSuite(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *hubtest.Hub) {
		t.Helper()
		actiontest.Run(t, actiontest.Suite{
			Action: jupyterhub.Users(world(t)), Examples: "testdata/users/*.yaml",
			World: func(t *testing.T) actiontest.World { t.Helper(); w, _ := people(t, h, false); return w },
		})
	})
}

func TestStopSuite(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *hubtest.Hub) {
		t.Helper()
		actiontest.Run(t, actiontest.Suite{
			Action: jupyterhub.StopServers(world(t)), Examples: "testdata/stop/*.yaml",
			World: func(t *testing.T) actiontest.World { t.Helper(); w, _ := people(t, h, true); return w },
			Foreign: func(t *testing.T, _ actiontest.World, in map[string]any) {
				t.Helper()
				prefix := strings.TrimSuffix(in["users"].([]any)[0].(string), "*")
				h.Up(t, prefix+"ada", "")
				h.Up(t, prefix+"grace", "lab")
			},
		})
	})
}

func TestStartSuite(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *hubtest.Hub) {
		t.Helper()
		actiontest.Run(t, actiontest.Suite{
			Action: jupyterhub.StartServers(world(t)), Examples: "testdata/start/*.yaml",
			World: func(t *testing.T) actiontest.World { t.Helper(); w, _ := people(t, h, false); return w },
		})
	})
}

func TestCheckSuite(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *hubtest.Hub) {
		t.Helper()
		actiontest.Run(t, actiontest.Suite{
			Action: jupyterhub.Check(world(t)), Examples: "testdata/check/*.yaml",
			World: func(t *testing.T) actiontest.World { t.Helper(); return anybody(t, h) },
		})
	})
}

func TestSpawnSuite(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *hubtest.Hub) {
		t.Helper()
		actiontest.Run(t, actiontest.Suite{
			Action: jupyterhub.Spawn(world(t)), Examples: "testdata/spawn/*.yaml",
			World: func(t *testing.T) actiontest.World { t.Helper(); return anybody(t, h) },
		})
	})
}

func TestStopAndStartAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *hubtest.Hub) {
		t.Helper()
		w, prefix := people(t, h, true)
		in := map[string]any{"token": map[string]any{"env": "HUB_TOKEN"}}
		w.Adapt(in)
		before := w.State(t)
		stop, start := jupyterhub.StopServers(world(t)), jupyterhub.StartServers(world(t))
		obs, err := stop.Observe(t.Context(), w.Env, in)
		if err != nil {
			t.Fatal(err)
		}
		want := []action.Member{{Key: prefix + "ada"}, {Key: prefix + "grace/lab"}}
		if diff := cmp.Diff(want, obs.Members); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
		w.Env.Members = obs.Members
		out, err := stop.Run(t.Context(), w.Env, in, obs.Before)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.State(t); got != "ada\ngrace\n" {
			t.Errorf("after stopping: %s", got)
		}
		servers := append(out["stopped"].([]any), prefix+"gone", prefix+"gone/lab")
		again := map[string]any{"url": h.URL, "token": in["token"], "servers": servers}
		started, err := start.Run(t.Context(), w.Env, again, nil)
		if err != nil {
			t.Fatal(err)
		}
		wantStarted := map[string]any{"running": int64(2), "gone": []any{prefix + "gone", prefix + "gone/lab"}, "failed": []any{}}
		if diff := cmp.Diff(wantStarted, started); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if diff := cmp.Diff(before, w.State(t)); diff != "" {
			t.Errorf("the servers are not those from before (-before +after):\n%s", diff)
		}
	})
}

// TestStartFails starts a server that cannot come up.
func TestStartFails(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *hubtest.Hub) {
		t.Helper()
		w, prefix := people(t, h, false)
		broken := "broken-" + prefix
		h.Ask(t, http.MethodPost, "/users/"+broken, http.StatusCreated)
		in := map[string]any{"url": h.URL, "token": map[string]any{"env": "HUB_TOKEN"}, "servers": []any{broken, prefix + "ada"}}
		start := jupyterhub.StartServers(world(t))
		_, err := start.Run(t.Context(), w.Env, in, nil)
		want := fmt.Sprintf("hub %s: 1 of 2 servers are not started: %s: ", h.URL, broken)
		if action.ReasonOf(err) != "NotStarted" || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("got %v, want %s", err, want)
		}
		in["mayFail"] = int64(1)
		out, err := start.Run(t.Context(), w.Env, in, nil)
		if err != nil || !cmp.Equal(out["failed"], any([]any{broken})) || out["running"] != int64(1) {
			t.Errorf("with mayFail: %v, %v", out, err)
		}
	})
}

// TestStopWaitsForAStart stops a server that is on its way.
func TestStopWaitsForAStart(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *hubtest.Hub) {
		t.Helper()
		w, prefix := people(t, h, false)
		slow := "slow-" + prefix
		h.Ask(t, http.MethodPost, "/users/"+slow, http.StatusCreated)
		h.Ask(t, http.MethodPost, "/users/"+slow+"/server", http.StatusAccepted)
		in := map[string]any{"url": h.URL, "token": map[string]any{"env": "HUB_TOKEN"}, "users": []any{slow}}
		stop := jupyterhub.StopServers(world(t))
		obs, err := stop.Observe(t.Context(), w.Env, in)
		if err != nil || len(obs.Members) != 1 {
			t.Fatalf("%v, %+v", err, obs)
		}
		w.Env.Members = obs.Members
		if _, err := stop.Run(t.Context(), w.Env, in, nil); err != nil {
			t.Fatal(err)
		}
		if got := h.Servers(t, slow); got != slow+"\n" {
			t.Errorf("after stopping: %s", got)
		}
	})
}

func TestUsersCounts(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *hubtest.Hub) {
		t.Helper()
		w, prefix := people(t, h, true)
		in := map[string]any{"token": map[string]any{"env": "HUB_TOKEN"}}
		w.Adapt(in)
		obs, err := jupyterhub.Users(world(t)).Observe(t.Context(), w.Env, in)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]any{
			"version": h.Version, "users": int64(2), "admins": int64(0), "running": int64(2), "ready": int64(2), "pending": int64(0),
			"names": []any{prefix + "ada", prefix + "grace"}, "servers": []any{prefix + "ada", prefix + "grace/lab"},
			"truncated": false, "usersDigest": obs.Output["usersDigest"], "serversDigest": obs.Output["serversDigest"],
		}
		if diff := cmp.Diff(want, obs.Output); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

// fixed gives the same value for every reference.
type fixed string

func (f fixed) Resolve(context.Context, map[string]any) (string, error) { return string(f), nil }

func TestErrors(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *hubtest.Hub) {
		t.Helper()
		cases := map[string]struct {
			token, url, reason, want string
		}{
			"Narrow":   {narrow, h.URL, "AccessRefused", "it does not show the servers of user"},
			"BadToken": {"wrong-hunter2", h.URL, "AccessRefused", "it refuses to get /users"},
			"Path":     {token(), h.URL + "/none", "NotAHub", "give the address that people open, without /hub"},
			"Nobody":   {token(), "http://127.0.0.1:1", "HubUnavailable", "connection refused"},
			"Control":  {"a\nb", h.URL, "SecretUnavailable", "cannot be a token"},
		}
		people(t, h, false)
		for name, tc := range cases {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				env := actiontest.FolderWorld(t).Env
				env.Secrets = fixed(tc.token)
				_, err := jupyterhub.Users(world(t)).Observe(t.Context(), env, map[string]any{"url": tc.url, "token": map[string]any{"env": "T"}})
				if action.ReasonOf(err) != tc.reason || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), tc.token) {
					t.Errorf("got %s: %v, want %s: %s", action.ReasonOf(err), err, tc.reason, tc.want)
				}
			})
		}
	})
}

func TestCheck(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *hubtest.Hub) {
		t.Helper()
		w, _ := people(t, h, false)
		in := map[string]any{"url": h.URL, "version": "4.0.0"}
		obs, err := jupyterhub.Check(world(t)).Observe(t.Context(), w.Env, in)
		want := fmt.Sprintf("hub %s: its version must be 4.0.0, is %s", h.URL, h.Version)
		if err != nil || obs.Status != action.Failed || obs.Reason != want {
			t.Errorf("%v, %+v", err, obs)
		}
		in["version"] = h.Version
		if obs, err = jupyterhub.Check(world(t)).Observe(t.Context(), w.Env, in); err != nil || obs.Status != action.Done {
			t.Errorf("%v, %+v", err, obs)
		}
		in["token"], in["usersDigest"] = map[string]any{"env": "HUB_TOKEN"}, strings.Repeat("0", 64)
		obs, err = jupyterhub.Check(world(t)).Observe(t.Context(), w.Env, in)
		if err != nil || obs.Status != action.Failed || !strings.Contains(obs.Reason, "users are not those from before") {
			t.Errorf("%v, %+v", err, obs)
		}
	})
}

// TestCheckWaits asks a hub that is down and comes up.
func TestCheckWaits(t *testing.T) {
	t.Parallel()
	h := hubtest.Start(t, hubtest.Options{Version: hubtest.Newest, Token: token(), Narrow: narrow, Down: true})
	up := make(chan struct{})
	env := actiontest.FolderWorld(t).Env
	env.Now = time.Now
	asked := false
	env.Progress = func(action.Progress) {
		if !asked {
			asked = true
			go func() { defer close(up); h.Restart(t) }()
		}
	}
	obs, err := jupyterhub.Check(world(t)).Observe(t.Context(), env, map[string]any{"url": h.URL, "for": "2m", "version": h.Version})
	if err != nil || obs.Status != action.Done || !asked {
		t.Errorf("%v, %+v", err, obs)
	}
	if asked {
		<-up
	}
}

// TestSpawnRealServer starts a real jupyterhub-singleuser.
func TestSpawnRealServer(t *testing.T) {
	t.Parallel()
	h := hubtest.Start(t, hubtest.Options{Version: hubtest.Newest, Token: token(), Narrow: narrow, Real: true})
	w := actiontest.FolderWorld(t)
	w.Env.Now = time.Now
	out, err := jupyterhub.Spawn(world(t)).Run(t.Context(), w.Env, map[string]any{"url": h.URL, "token": map[string]any{"env": "HUB_TOKEN"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if name, _ := out["user"].(string); !strings.HasPrefix(name, "refit-check-") {
		t.Errorf("got %v", out)
	}
	if left := h.Servers(t, ""); left != "" {
		t.Errorf("left are %s", left)
	}
}
