package file_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	"github.com/refitproject/refit/internal/action/file"
)

// write makes the file name below dir, with the folders above it.
func write(tb testing.TB, dir, name, content string, mode os.FileMode) {
	tb.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		tb.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		tb.Fatal(err)
	}
}

func TestReadSuite(t *testing.T) {
	t.Parallel()
	actiontest.Run(t, actiontest.Suite{
		Action: file.Read(), Examples: "testdata/read/*.yaml",
		World: func(t *testing.T) actiontest.World {
			t.Helper()
			w := actiontest.FolderWorld(t)
			write(t, w.Env.Dir, "notes.txt", "one\ntwo\n", 0o640)
			write(t, w.Env.Dir, "sub/values.yaml", "hub: {image: {tag: 4.2.0}}\n", 0o600)
			return w
		},
	})
}

func TestRead(t *testing.T) {
	t.Parallel()
	const yamlText = "hub:\n  replicas: 3\n  cpu: 0.5\n"
	cases := map[string]struct {
		content, format string
		want            map[string]any
	}{
		"Raw":       {"a\nb\n", "raw", map[string]any{"text": "a\nb\n", "size": int64(4), "exists": true, "mode": "0640"}},
		"Default":   {"a\n", "", map[string]any{"text": "a\n", "value": nil}},
		"Digest":    {"abc", "none", map[string]any{"sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "text": nil}},
		"Binary":    {"\xff\x00", "none", map[string]any{"size": int64(2)}},
		"JSON":      {`{"n": 1, "f": 1.5}`, "json", map[string]any{"value": map[string]any{"n": int64(1), "f": 1.5}, "text": nil}},
		"YAML":      {yamlText, "yaml", map[string]any{"value": map[string]any{"hub": map[string]any{"replicas": int64(3), "cpu": 0.5}}}},
		"Lines":     {"a\r\n\nb", "lines", map[string]any{"value": []any{"a", "", "b"}}},
		"Empty":     {"", "raw", map[string]any{"exists": true, "size": int64(0), "text": nil}},
		"Largest":   {strings.Repeat("x", 1<<20), "none", map[string]any{"size": int64(1 << 20)}},
		"EmptyList": {"", "lines", map[string]any{"value": []any{}}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := action.Env{Dir: t.TempDir()}
			write(t, env.Dir, "file", tc.content, 0o640)
			in := map[string]any{"path": "file"}
			if tc.format != "" {
				in["format"] = tc.format
			}
			obs, err := file.Read().Observe(t.Context(), env, in)
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

func TestReadPaths(t *testing.T) {
	t.Parallel()
	env := action.Env{Dir: t.TempDir()}
	write(t, env.Dir, "file", "content", 0o600)
	if err := os.Symlink("file", filepath.Join(env.Dir, "link")); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"file", "./file", "link", filepath.Join(env.Dir, "file")} {
		obs, err := file.Read().Observe(t.Context(), env, map[string]any{"path": path})
		if err != nil || obs.Output["text"] != "content" {
			t.Errorf("%q: got %v, %v", path, obs.Output, err)
		}
	}
	obs, err := file.Read().Observe(t.Context(), env, map[string]any{"path": "none/at/all", "optional": true})
	if diff := cmp.Diff(map[string]any{"exists": false, "size": int64(0)}, obs.Output); diff != "" || err != nil {
		t.Errorf("a missing optional file: %v (-want +got):\n%s", err, diff)
	}
}

func TestReadErrors(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		in     map[string]any
		reason string
		want   string
	}{
		"Missing":  {map[string]any{"path": "gone"}, "FileNotFound", `read file "gone": no such file or directory: create it`},
		"Folder":   {map[string]any{"path": "."}, "NotAFile", `read file ".": is not a regular file`},
		"Optional": {map[string]any{"path": ".", "optional": true}, "NotAFile", "name a file"},
		"Device":   {map[string]any{"path": "/dev/zero"}, "NotAFile", "not a regular file"},
		"TooLarge": {map[string]any{"path": "large"}, "FileTooLarge", "is larger than 1048576 bytes"},
		"Binary":   {map[string]any{"path": "binary"}, "NotText", "it is not UTF-8 text: use format: none"},
		"BadJSON":  {map[string]any{"path": "text", "format": "json"}, "NotJSON", `read file "text" as JSON: invalid character`},
		"BadYAML":  {map[string]any{"path": "broken.yaml", "format": "yaml"}, "NotYAML", "broken.yaml:2"},
		"NoFolder": {map[string]any{"path": "text/below"}, "NotReadable", "not a directory"},
		"Empty":    {map[string]any{"path": ""}, "InvalidInput", `field "path"`},
		"NUL":      {map[string]any{"path": "a\x00b"}, "InvalidInput", `field "path"`},
	}
	dir := t.TempDir()
	write(t, dir, "large", strings.Repeat("x", 1<<20+1), 0o600)
	write(t, dir, "binary", "\xff\xfe", 0o600)
	write(t, dir, "text", "hello", 0o600)
	write(t, dir, "broken.yaml", "a: 1\nb: [1\n", 0o600)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := file.Read().Observe(t.Context(), action.Env{Dir: dir}, tc.in)
			failure, ok := errors.AsType[*action.Error](err)
			if !ok || failure.Reason != tc.reason || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %s: %s", err, tc.reason, tc.want)
			}
			if strings.Contains(fmt.Sprint(err), "\n") {
				t.Errorf("not one line: %q", err)
			}
		})
	}
}

// FuzzRead reads files of arbitrary content in every format: each gives a fact
// or an error with a reason, and never anything else.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{"", "a: 1", "{", "[1, 2]", "\xff", "a: &x [*x]", "- - - -", "1e999", "\t", "a: b\n---\nc: d"} {
		f.Add([]byte(seed), "yaml")
		f.Add([]byte(seed), "json")
		f.Add([]byte(seed), "lines")
	}
	f.Fuzz(func(t *testing.T, content []byte, format string) {
		env := action.Env{Dir: t.TempDir()}
		write(t, env.Dir, "file", string(content), 0o600)
		obs, err := file.Read().Observe(t.Context(), env, map[string]any{"path": "file", "format": format})
		if err == nil {
			if obs.Status != action.Done || obs.Output["size"] != int64(len(content)) {
				t.Errorf("got %+v", obs)
			}
			return
		}
		if failure, ok := errors.AsType[*action.Error](err); !ok || failure.Reason == "" || strings.Contains(err.Error(), "\n") {
			t.Errorf("got %q, want one line with a reason", err)
		}
	})
}
