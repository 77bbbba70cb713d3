package file_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	"github.com/refitproject/refit/internal/action/file"
)

func TestEditSuite(t *testing.T) {
	t.Parallel()
	actiontest.Run(t, actiontest.Suite{
		Action: file.EditYAML(file.System{}), Examples: "testdata/edit/*.yaml", World: filesWorld,
		Crash: crashOf(file.EditYAML), Foreign: foreign,
	})
}

func TestEditShowsTheDifference(t *testing.T) {
	t.Parallel()
	w := filesWorld(t)
	in := map[string]any{"path": "sub/values.yaml", "to": "new.yaml", "edits": []any{map[string]any{"set": "hub.image.tag", "value": "4.2.0"}}}
	a := file.EditYAML(file.System{})
	preview, err := a.Preview(t.Context(), w.Env, in)
	if err != nil {
		t.Fatal(err)
	}
	out, err := a.Run(t.Context(), w.Env, in, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := "diff sub/values.yaml new.yaml\n--- sub/values.yaml\n+++ new.yaml\n@@ -1,4 +1,4 @@\n # Values of the hub.\n hub:\n   image:\n" +
		"-    tag: 4.1.0 # pinned\n+    tag: 4.2.0 # pinned\n"
	if diff := cmp.Diff(want, out["diff"]); diff != "" || preview.Diff != want || out["changed"] != true {
		t.Errorf("-want +got:\n%s\npreview:\n%s", diff, preview.Diff)
	}
	if got, _ := os.ReadFile(filepath.Join(w.Env.Dir, "new.yaml")); !strings.Contains(string(got), "tag: 4.2.0 # pinned") {
		t.Errorf("got %s", got)
	}
	in["hideDiff"], in["path"], in["to"] = true, "new.yaml", "newer.yaml"
	out, err = a.Run(t.Context(), w.Env, in, nil)
	if err != nil || out["diff"] != nil || out["changed"] != false {
		t.Errorf("got %v, %v", out, err)
	}
}

func TestEditErrors(t *testing.T) {
	t.Parallel()
	set := func(path string) []any { return []any{map[string]any{"set": path, "value": int64(1)}} }
	cases := map[string]struct {
		in     map[string]any
		reason string
		want   string
	}{
		"Source":  {map[string]any{"path": "gone", "to": "x", "edits": set("a")}, "FileNotFound", `read file "gone"`},
		"NotYAML": {map[string]any{"path": "broken", "to": "x", "edits": set("a")}, "NotYAML", `edit file "broken": yaml: `},
		"Place":   {map[string]any{"path": "sub/values.yaml", "to": "x", "edits": []any{map[string]any{"delete": "hub.none"}}}, "NoPlace", `edit file "sub/values.yaml": delete hub.none: no such place: it is not there: correct the path in edits`},
		"InPlace": {map[string]any{"path": "a", "to": "a", "edits": set("a")}, "InvalidInput", "nothing is edited in place"},
		"Nothing": {map[string]any{"path": "a", "to": "b", "edits": []any{}}, "InvalidInput", `field "edits" is empty`},
		"Path":    {map[string]any{"path": "a", "to": "b", "edits": set("a..b")}, "InvalidInput", `field "edits[0]": "a..b" is not a path`},
		"Two":     {map[string]any{"path": "a", "to": "b", "edits": []any{map[string]any{"set": "a", "delete": "b"}}}, "InvalidInput", "give one of set, delete and append"},
		"None":    {map[string]any{"path": "a", "to": "b", "edits": []any{map[string]any{"value": "a"}}}, "InvalidInput", "give one of set, delete and append"},
		"Value":   {map[string]any{"path": "a", "to": "b", "edits": []any{map[string]any{"delete": "a", "value": "b"}}}, "InvalidInput", "a delete has no value"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := filesWorld(t)
			write(t, w.Env.Dir, "broken", "a: [", 0o600)
			_, err := file.EditYAML(file.System{}).Run(t.Context(), w.Env, tc.in, nil)
			failure, ok := errors.AsType[*action.Error](err)
			if !ok || failure.Reason != tc.reason || failure.Effect != action.ExtentNone || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %#v: %v, want %s: %s", failure, err, tc.reason, tc.want)
			}
		})
	}
}
