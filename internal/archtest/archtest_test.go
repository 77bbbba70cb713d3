package archtest

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// TestRepository runs every check on the repository itself.
func TestRepository(t *testing.T) {
	t.Parallel()
	tree, err := Load(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range Checks() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			for _, p := range c.Run(tree) {
				t.Error(p)
			}
		})
	}
}

// TestChecks proves that each check can fail, and that it can pass. An archive
// testdata/<Check>*.txtar holds a small tree; the lines of its comment that
// begin with "want: " are all problems of the tree.
func TestChecks(t *testing.T) {
	t.Parallel()
	for _, c := range Checks() {
		archives, err := filepath.Glob(filepath.Join("testdata", c.Name+"*.txtar"))
		if err != nil {
			t.Fatal(err)
		}
		failing, passing := 0, 0
		for _, file := range archives {
			want, tree := readArchive(t, file)
			if len(want) > 0 {
				failing++
			} else {
				passing++
			}
			t.Run(filepath.Base(file), func(t *testing.T) {
				t.Parallel()
				var got []string
				for _, p := range c.Run(tree) {
					got = append(got, p.String())
				}
				slices.Sort(got)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("problems of the tree (-want +got):\n%s", diff)
				}
			})
		}
		if failing == 0 || passing == 0 {
			t.Errorf(
				"check %s: %d trees on which it fails and %d on which it passes, want at least one each",
				c.Name,
				failing,
				passing,
			)
		}
	}
}

func readArchive(t *testing.T, file string) (want []string, tree *Tree) {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(string(archive.Comment), "\n") {
		if text, ok := strings.CutPrefix(line, "want: "); ok {
			want = append(want, text)
		}
	}
	slices.Sort(want)
	fsys := fstest.MapFS{}
	for _, f := range archive.Files {
		fsys[f.Name] = &fstest.MapFile{Data: f.Data, Mode: 0o644}
	}
	return want, load(t, fsys)
}

func load(t *testing.T, fsys fs.FS) *Tree {
	t.Helper()
	tree, err := Load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// TestLoadRefuses checks that a file that cannot be parsed is not passed over.
func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	_, err := Load(fstest.MapFS{"internal/a/a.go": {Data: []byte("package\n")}})
	if err == nil || !strings.Contains(err.Error(), "internal/a/a.go:1") {
		t.Errorf("Load: error %v, want one that names internal/a/a.go:1", err)
	}
}

// TestLoadLeavesOut checks what is not code of the main module.
func TestLoadLeavesOut(t *testing.T) {
	t.Parallel()
	bad := &fstest.MapFile{Data: []byte("package\n")}
	tree := load(t, fstest.MapFS{
		"go.mod":                       {Data: []byte("module m\n")},
		"hack/go.mod":                  {Data: []byte("module h\n")},
		"hack/tool/main.go":            bad,
		"internal/a/testdata/x/bad.go": bad,
		"bin/left.go":                  bad,
		".git/hook.go":                 bad,
		"internal/a/a.go":              {Data: []byte("package a\n")},
	})
	if len(tree.Go) != 1 || tree.Go[0].Path != "internal/a/a.go" {
		t.Errorf("Load parsed %d files, want only internal/a/a.go", len(tree.Go))
	}
	if _, ok := tree.Files["bin/left.go"]; ok {
		t.Error("Load read bin, which is not part of the repository")
	}
}

// TestSplitName checks how names are split into words.
func TestSplitName(t *testing.T) {
	t.Parallel()
	cases := map[string][]string{
		"HTTPProbeURL": {"http", "probe", "url"},
		"MaxTasks":     {"max", "task", "tasks"},
		"dry-run":      {"dry", "run"},
		"x":            {"x"},
		"ParseIDs":     {"id", "ids", "parse"},
		"IDsByURL":     {"by", "id", "ids", "url"},
	}
	for name, want := range cases {
		if diff := cmp.Diff(want, splitName(name)); diff != "" {
			t.Errorf("splitName(%q) (-want +got):\n%s", name, diff)
		}
	}
}
