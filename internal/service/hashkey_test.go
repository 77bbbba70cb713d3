package service_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/all"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/service"
)

func TestSensitiveFactsAreKeyedHashes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{
		"platform.yaml": platformFile, "procedure.yaml": procedureFile(), "login.txt": "ana:" + secret,
	})
	first := w.plan(t)
	if err := w.SavePlan(w.path("plan.json"), first, false); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(w.dir, func(name string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Base(name) == "login.txt" {
			return err
		}
		data, err := os.ReadFile(name)
		if strings.Contains(string(data), secret) {
			t.Errorf("%s holds the secret", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := password(first); !strings.HasPrefix(got, "hmac-sha256:") {
		t.Errorf("the password is %q in the plan, want a keyed hash", got)
	}
	if second := w.plan(t); password(second) != password(first) {
		t.Error("the same value has two hashes")
	}
	// The hash is compared like any other fact.
	w.write(t, "login.txt", "ana:another")
	result := w.check(t, service.CheckRequest{PlanFile: w.path("plan.json"), PlatformFile: w.path("platform.yaml")})
	if !result.Verdict.Stale {
		t.Error("a sensitive fact changed, and the plan is not stale")
	}
}

func TestHashKey(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"platform.yaml": platformFile, "procedure.yaml": procedureFile(), "login.txt": "ana:" + secret,
	}
	t.Run("IsPrivate", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, files)
		w.plan(t)
		for name, want := range map[string]os.FileMode{"state": 0o700, "state/hash.key": 0o600} {
			info, err := os.Stat(w.path(name))
			if err != nil {
				t.Fatal(err)
			}
			if got := info.Mode().Perm(); got != want {
				t.Errorf("%s has mode %o, want %o", name, got, want)
			}
		}
		entries, err := os.ReadDir(w.path("state"))
		if err != nil || len(entries) != 1 {
			t.Errorf("the state folder holds %v (%v), want the key only", entries, err)
		}
	})
	t.Run("OpenToOthersIsRefused", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, files)
		w.write(t, "state/hash.key", strings.Repeat("k", 32))
		if err := os.Chmod(w.path("state/hash.key"), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := w.Plan(t.Context(), service.PlanRequest{Platform: w.path("platform.yaml")})
		if err == nil || !strings.Contains(err.Error(), "others may read it (mode 0644): chmod 600 it") {
			t.Errorf("got error %v", err)
		}
	})
	t.Run("DamagedIsNotReplaced", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, files)
		w.write(t, "state/hash.key", "short")
		_, err := w.Plan(t.Context(), service.PlanRequest{Platform: w.path("platform.yaml")})
		if err == nil || !strings.Contains(err.Error(), "it has 5 bytes instead of 32: remove it and plan again") {
			t.Errorf("got error %v", err)
		}
	})
	t.Run("OfAnotherMachineIsTold", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, files)
		if err := w.SavePlan(w.path("plan.json"), w.plan(t), false); err != nil {
			t.Fatal(err)
		}
		other := newWorld(t, files)
		result := other.check(t, service.CheckRequest{
			PlanFile: w.path("plan.json"), PlatformFile: other.path("platform.yaml"),
		})
		var told bool
		for _, f := range result.Stages[0].Facts {
			told = told || strings.Contains(f.Error, "the hash key of another machine")
		}
		if !told || !result.Verdict.Stale {
			t.Errorf("want stale and an explanation, got %+v", result.Stages)
		}
	})
	t.Run("IsMadeOnceByManyAtOnce", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, files)
		hashes := make([]string, 8)
		var group sync.WaitGroup
		for i := range hashes {
			other := newWorldIn(t, w)
			group.Go(func() {
				result, err := other.Plan(t.Context(), service.PlanRequest{Platform: w.path("platform.yaml")})
				if err != nil {
					t.Error(err)
					return
				}
				hashes[i] = password(result.Plan)
			})
		}
		group.Wait()
		if slices.Sort(hashes); hashes[0] != hashes[len(hashes)-1] {
			t.Errorf("several keys were used: %q", hashes)
		}
	})
}

// newWorldIn returns another service over the folder of w, as another process
// would have it.
func newWorldIn(t *testing.T, w *world) *world {
	t.Helper()
	other := newWorld(t, nil)
	registry, err := action.NewRegistry([]action.Action{peek(other.events), fileRead()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	other.Service, err = service.New(service.Options{
		Registry: registry, Shipped: fstest.MapFS{}, Version: "v1", StateDir: w.path("state"), Now: time.Now,
		LookPath: func(string) (string, error) { return "", nil }, Progress: func(service.Note) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	return other
}

func fileRead() action.Action {
	for _, a := range all.Actions(all.NewClients(nil)) {
		if a.Spec().Name == "file.read" {
			return a
		}
	}
	return nil
}

// password returns what the plan holds in the place of the password.
func password(p *plan.Plan) string {
	login, _ := p.Facts["login"].(map[string]any)
	text, _ := login["password"].(string)
	return text
}
