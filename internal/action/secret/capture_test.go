package secret_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	secretaction "github.com/refitproject/refit/internal/action/secret"
	"github.com/refitproject/refit/internal/backup"
	"github.com/refitproject/refit/internal/secret"
)

const keyVariable = "BACKUP_KEY"

func newKey(t *testing.T) string {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return id.String()
}

// withKey gives a key beside the planted secrets.
type withKey struct {
	actiontest.Secrets
	key string
}

func (s withKey) Resolve(ctx context.Context, ref map[string]any) (string, error) {
	if ref["env"] == keyVariable {
		return s.key, nil
	}
	return s.Secrets.Resolve(ctx, ref)
}

func host() (string, error) { return "node-1", nil }

// store is a world with an empty store and a key.
func store(t *testing.T) actiontest.World {
	t.Helper()
	w := actiontest.FolderWorld(t)
	if err := os.Mkdir(filepath.Join(w.Env.Dir, "store"), 0o700); err != nil {
		t.Fatal(err)
	}
	w.Env.Secrets = withKey{key: newKey(t)}
	w.State = func(t *testing.T) string {
		t.Helper()
		found, err := filepath.Glob(w.Env.Dir + "/store/*/*")
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, name := range found { // what is in them differs with each key
			kind, _, _ := strings.Cut(filepath.Base(name), ".")
			b.WriteString(filepath.Base(filepath.Dir(name)) + " " + kind[:min(len(kind), 11)] + "\n")
		}
		return b.String()
	}
	return w
}

var errCrash = errors.New("the process has ended")

// dying is a store that ends the process before a change, counted from 0.
type dying struct {
	backup.Store
	point *int
}

func (d dying) change(do func() error) error {
	if *d.point--; *d.point < 0 {
		return errCrash
	}
	return do()
}

func (d dying) Put(ctx context.Context, name string, data []byte) error {
	return d.change(func() error { return d.Store.Put(ctx, name, data) })
}

func (d dying) Remove(ctx context.Context, name string) error {
	return d.change(func() error { return d.Store.Remove(ctx, name) })
}

func TestCaptureSuite(t *testing.T) {
	t.Parallel()
	actiontest.Run(t, actiontest.Suite{
		Action: secretaction.Capture(secretaction.World{Hostname: host}), Examples: "testdata/capture/*.yaml", World: store,
		Crash: func(t *testing.T, w actiontest.World, in, before map[string]any, point int) bool {
			t.Helper()
			dies := secretaction.World{Hostname: host, Open: func(address, dir string) (backup.Store, error) {
				s, err := backup.Opener{}.Open(address, dir)
				return dying{s, &point}, err
			}}
			_, err := secretaction.Capture(dies).Run(t.Context(), w.Env, in, before)
			if (err != nil) != (point < 0) {
				t.Errorf("Run: %v", err)
			}
			return point < 0
		},
	})
}

const password = "correct horse battery staple"

// hub is a service on this machine whose password a file holds.
type hub struct {
	env  action.Env
	in   map[string]any
	file string
}

func newHub(t *testing.T) *hub {
	t.Helper()
	dir := t.TempDir()
	h := &hub{file: filepath.Join(dir, "password.txt"), in: map[string]any{
		"secret": map[string]any{"file": "password.txt", "prefix": "pw:"}, "name": "hub", "store": "file:store",
		"key": map[string]any{"env": keyVariable},
	}}
	if err := os.Mkdir(filepath.Join(dir, "store"), 0o700); err != nil {
		t.Fatal(err)
	}
	h.write(t, password)
	h.env = actiontest.FolderWorld(t).Env
	h.env.Dir = dir
	h.env.Secrets = secret.Resolver{Environ: []string{keyVariable + "=" + newKey(t)}, Dir: dir}
	return h
}

func (h *hub) write(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile(h.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func capture() action.Action { return secretaction.Capture(secretaction.World{Hostname: host}) }

func (h *hub) run(t *testing.T) map[string]any {
	t.Helper()
	out, err := capture().Run(t.Context(), h.env, h.in, nil)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (h *hub) observe(t *testing.T) action.Observation {
	t.Helper()
	h.env.Attempted = true
	obs, err := capture().Observe(t.Context(), h.env, h.in)
	if err != nil {
		t.Fatal(err)
	}
	return obs
}

// TestCaptureOutlives deletes the source: the reference still gives the value, to
// those who have the key, and the capture is still seen to be done.
func TestCaptureOutlives(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	ref, _ := h.run(t)["reference"].(map[string]any)
	for _, change := range []func() error{
		func() error { return os.WriteFile(h.file, []byte("rotated by the upgrade"), 0o600) },
		func() error { return os.Remove(h.file) },
	} {
		if err := change(); err != nil {
			t.Fatal(err)
		}
		if got, err := h.env.Secrets.Resolve(t.Context(), ref); err != nil || got != "pw:"+password {
			t.Errorf("got %q, %v", got, err)
		}
		if obs := h.observe(t); obs.Status != action.Done || !cmp.Equal(obs.Output["reference"], any(ref)) {
			t.Errorf("Observe: %+v", obs)
		}
		if _, err := capture().Run(t.Context(), h.env, h.in, nil); err != nil {
			t.Errorf("Run once more asks the source: %v", err)
		}
	}
	other := secret.Resolver{Environ: []string{keyVariable + "=" + newKey(t)}, Dir: h.env.Dir}
	if got, err := other.Resolve(t.Context(), ref); err == nil || got != "" || !strings.Contains(err.Error(), "the key does not open it") {
		t.Errorf("with another key: got %q, %v", got, err)
	}
	if got, err := (secret.Resolver{Dir: h.env.Dir}).Resolve(t.Context(), ref); err == nil || got != "" {
		t.Errorf("without the key: got %q, %v", got, err)
	}
}

// TestCaptureOfOthers makes sure that another step and another run get a capture
// of their own, of the value of their time.
func TestCaptureOfOthers(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	first := h.run(t)
	h.write(t, "second")
	for _, other := range []action.Env{{Key: "run-2/step-1"}, {Key: h.env.Key, Origin: "another machine"}} {
		env := h.env
		env.Key, env.Origin = other.Key, other.Origin
		out, err := capture().Run(t.Context(), env, h.in, nil)
		if err != nil || cmp.Equal(out["reference"], first["reference"]) {
			t.Fatalf("got %v, %v", out, err)
		}
		ref, _ := out["reference"].(map[string]any)
		if got, err := h.env.Secrets.Resolve(t.Context(), ref); err != nil || got != "pw:second" {
			t.Errorf("got %q, %v", got, err)
		}
	}
}

// TestCaptureByName asks for the newest of a series, as a way back does that was
// written before anything was captured.
func TestCaptureByName(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	byName := secret.Captured{Name: "hub", Store: "file:store", Key: map[string]any{"env": keyVariable}}.Plain("pw:")
	expect := func(want, problem string) {
		t.Helper()
		got, err := h.env.Secrets.Resolve(t.Context(), byName)
		if got != want || (err == nil) != (problem == "") || err != nil && !strings.Contains(err.Error(), problem) {
			t.Errorf("got %q, %v, want %q, %q", got, err, want, problem)
		}
	}
	expect("", `captured secret "hub": backup store "file:store": no secret was captured as "hub": look at what`)
	h.run(t)
	expect("pw:"+password, "")
	h.write(t, "second")
	h.env.Key = "run-2/step-1"
	h.run(t)
	expect("pw:second", "")
	h.in["secret"] = map[string]any{"env": keyVariable}
	h.env.Key = "run-3/step-1"
	h.run(t)
	expect("", `secrets were captured as "hub" from several sources: name the backup that is meant`)
}

// TestCaptureIsNothingToRead looks for the secret in the store, and for its
// length.
func TestCaptureIsNothingToRead(t *testing.T) {
	t.Parallel()
	sizes := map[int64]bool{}
	for _, value := range []string{"x", password, strings.Repeat("a", 900)} {
		h := newHub(t)
		h.write(t, value)
		h.run(t)
		state := actiontest.FolderState(t, filepath.Join(h.env.Dir, "store"))
		if !strings.Contains(state, `\"kind\":\"secret\"`) {
			t.Fatalf("the manifest is not in what is looked at: %s", state)
		}
		if len(value) > 1 && strings.Contains(state, value) {
			t.Errorf("the secret is in the store: %s", state)
		}
		s, err := backup.Opener{}.Open("file:store", h.env.Dir)
		if err != nil {
			t.Fatal(err)
		}
		entries, err := backup.Catalog(t.Context(), s)
		if err != nil || len(entries) != 1 || !entries[0].Good() {
			t.Fatalf("got %+v, %v", entries, err)
		}
		if p, ok := entries[0].Proof(); !ok || p.Level != backup.Restored {
			t.Errorf("it is not proved: %+v", p)
		}
		sizes[entries[0].Manifest.Size] = true
	}
	if len(sizes) != 1 {
		t.Errorf("the size tells secrets apart: %v", sizes)
	}
}

// TestCaptureDamaged damages what was stored, and puts something else in its
// place that the same key opens.
func TestCaptureDamaged(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		damage func(t *testing.T, h *hub)
		want   string
	}{
		"Bytes": {func(t *testing.T, h *hub) {
			t.Helper()
			part := glob(t, h, "part-*")
			data, err := os.ReadFile(part)
			if err != nil {
				t.Fatal(err)
			}
			data[len(data)-1] ^= 1
			if err := os.WriteFile(part, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}, "does not hold the bytes"},
		"Gone": {func(t *testing.T, h *hub) {
			t.Helper()
			if err := os.Remove(glob(t, h, "part-*")); err != nil {
				t.Fatal(err)
			}
		}, "is missing"},
		"AnotherCapture": {func(t *testing.T, h *hub) { t.Helper(); graft(t, h) }, "is not the one that was captured"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			ref, _ := h.run(t)["reference"].(map[string]any)
			tc.damage(t, h)
			if got, err := h.env.Secrets.Resolve(t.Context(), ref); err == nil || got != "" || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %q, %v, want %q", got, err, tc.want)
			}
			if obs := h.observe(t); obs.Status != action.Partial || !strings.Contains(obs.Reason, tc.want) {
				t.Errorf("Observe: %+v, want %q", obs, tc.want)
			}
			h.run(t)
			if got, err := h.env.Secrets.Resolve(t.Context(), ref); err != nil || got != "pw:"+password {
				t.Errorf("captured again: got %q, %v", got, err)
			}
			if obs := h.observe(t); obs.Status != action.Done {
				t.Errorf("Observe: %+v", obs)
			}
		})
	}
}

func glob(t *testing.T, h *hub, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(h.env.Dir, "store", "*", pattern))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: %v, %v", pattern, found, err)
	}
	return found[0]
}

// graft puts the parts of another capture in the place of those that are there.
// What names them is not encrypted, so everybody who can write to the store can.
func graft(t *testing.T, h *hub) {
	t.Helper()
	other := *h
	other.env.Key = "run-2/other"
	h.write(t, "of somebody else")
	other.run(t)
	h.write(t, password)
	s, err := backup.Opener{}.Open("file:store", h.env.Dir)
	if err != nil {
		t.Fatal(err)
	}
	mine, theirs := backup.ID("hub", h.env.Key, ""), backup.ID("hub", other.env.Key, "")
	entry, err := backup.Find(t.Context(), s, theirs)
	if err != nil {
		t.Fatal(err)
	}
	manifest := *entry.Manifest
	mineEntry, err := backup.Find(t.Context(), s, mine)
	if err != nil {
		t.Fatal(err)
	}
	manifest.ID, manifest.Keyed, manifest.Key = mine, mineEntry.Manifest.Keyed, mineEntry.Manifest.Key
	dir := filepath.Join(h.env.Dir, "store")
	for _, p := range manifest.Parts {
		if err := os.Link(filepath.Join(dir, theirs, p.Name), filepath.Join(dir, mine, p.Name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, mine, "manifest.jsonl"), sealed(t, manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, theirs)); err != nil {
		t.Fatal(err)
	}
}

// sealed writes a manifest as everybody can: see docs/adr/0010-form-of-backups.md.
func sealed(t *testing.T, m backup.Manifest) []byte {
	t.Helper()
	line, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	line = append(line, '\n')
	return fmt.Appendf(line, "{\"sha256\":\"%x\"}\n", sha256.Sum256(line))
}

func TestCaptureErrors(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		change       map[string]any
		reason, want string
	}{
		"NoSource": {
			map[string]any{"secret": map[string]any{"env": "NONE"}},
			action.ReasonSecretUnavailable,
			`secret "secret": secret from environment variable "NONE": it is not set: set it where Refit is started`,
		},
		"NoKey": {
			map[string]any{"key": map[string]any{"env": "NONE"}},
			action.ReasonSecretUnavailable,
			`key "key": secret from environment variable "NONE": it is not set: set it where Refit is started`,
		},
		"NotAKey": {
			map[string]any{"key": map[string]any{"file": "password.txt"}},
			backup.ReasonWrongKey,
			`the key of the backup is no age identity (AGE-SECRET-KEY-1…): make one with age-keygen, and give the whole file`,
		},
		"NoStore": {
			map[string]any{"store": "file:none"},
			backup.ReasonStoreGone,
			`create the folder, or mount the disk that belongs there`,
		},
		"Name": {map[string]any{"name": "Hub Database"}, action.ReasonInvalidInput, `field "name" has up to 63 of`},
		"CapturedKey": {
			map[string]any{"key": secret.Captured{Backup: "b", Store: "s", Key: map[string]any{"env": "K"}}.Plain("")},
			action.ReasonInvalidInput, `field "key" must not be a captured secret`,
		},
		"Literal": {map[string]any{"secret": password}, action.ReasonInvalidInput, `must be a reference to a secret`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			maps.Copy(h.in, tc.change)
			out, err := capture().Run(t.Context(), h.env, h.in, nil)
			failed, ok := errors.AsType[*action.Error](err)
			if !ok || failed.Reason != tc.reason || failed.Effect != action.ExtentNone || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("got %v, %v, want %s: %s", out, err, tc.reason, tc.want)
			}
			if strings.Contains(err.Error(), password) {
				t.Errorf("the error holds the secret: %v", err)
			}
			if state := actiontest.FolderState(t, filepath.Join(h.env.Dir, "store")); strings.Count(state, "\n") != 1 {
				t.Errorf("something is in the store: %s", state)
			}
		})
	}
}
