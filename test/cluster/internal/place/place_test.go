package place

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLoad(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reason string
		env    map[string]string
		want   Roots
		err    string
	}{
		"home": {
			"the folders of most people",
			map[string]string{"HOME": "/ada"},
			Roots{"/ada/.local/state/refit/cluster", "/ada/.cache/refit/cluster"},
			"",
		},
		"xdg": {
			"both named",
			map[string]string{"XDG_STATE_HOME": "/s", "XDG_CACHE_HOME": "/c"},
			Roots{"/s/refit/cluster", "/c/refit/cluster"},
			"",
		},
		"relative": {
			"a relative folder is none",
			map[string]string{"XDG_STATE_HOME": "s"},
			Roots{},
			"neither XDG_STATE_HOME nor HOME is an absolute path",
		},
	} {
		got, err := Load(func(name string) string { return c.env[name] })
		if c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) || c.err == "" && err != nil {
			t.Errorf("%s: %s: %v", name, c.reason, err)
		}
		if err == nil && got != c.want {
			t.Errorf("%s: %s: got %+v, want %+v", name, c.reason, got, c.want)
		}
	}
}

func TestHidden(t *testing.T) {
	t.Parallel()
	for dir, hidden := range map[string]bool{"/var/lib/jenkins/x": true, "/run": true, "/runner/x": false, "/root": false} {
		if got := (Roots{State: "/root", Cache: dir}).Hidden(); (got != "") != hidden {
			t.Errorf("%s: hidden %q", dir, got)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	r := Roots{State: filepath.Join(t.TempDir(), "state")}
	if names, err := r.Names(); err != nil || names != nil {
		t.Fatalf("before the first: %v, %v", names, err)
	}
	for _, name := range []string{"b", "a", "a.removed"} {
		if err := os.MkdirAll(filepath.Join(r.State, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if names, err := r.Names(); err != nil || strings.Join(names, " ") != "a b" {
		t.Errorf("names %v, %v", names, err)
	}
	for name, ok := range map[string]bool{
		"a": true, "demo-2": true, "": false, "Demo": false, "../x": false, "a.b": false, "abcdefghij": true,
		"abcdefghijk": false, "2a": false,
	} {
		if _, err := r.Cluster(name); (err == nil) != ok {
			t.Errorf("name %q: %v", name, err)
		}
	}
}

func TestLock(t *testing.T) {
	t.Parallel()
	c, err := Roots{State: t.TempDir()}.Cluster("a")
	if err != nil {
		t.Fatal(err)
	}
	first, err := c.Lock()
	if err != nil {
		t.Fatal(err)
	}
	const want = `cluster "a": another refit-testbed is working on it: wait until it has ended`
	if _, err := c.Lock(); err == nil || err.Error() != want {
		t.Errorf("a lock that is held: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := c.Lock()
	if err != nil {
		t.Fatalf("a lock that was given back: %v", err)
	}
	_ = again.Close() // It is the last.
}

func TestWriteFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := filepath.Join(dir, "below", "x")
	for _, text := range []string{"one", "two"} {
		if err := WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(name); err != nil || string(got) != text {
			t.Errorf("got %q, %v", got, err)
		}
	}
	info, err := os.Stat(name)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(filepath.Join(dir, "folder"), nil, 0o600); err == nil {
		t.Error("a folder was replaced by a file")
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".new-*")); err != nil || len(left) > 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
}
