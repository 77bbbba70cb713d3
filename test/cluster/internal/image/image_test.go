package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

func maker(t *testing.T) Maker {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "tiny-v1-0123", "tiny")
	if err := os.MkdirAll(filepath.Dir(program), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, []byte("program"), 0o755); err != nil {
		t.Fatal(err)
	}
	return Maker{
		Cache: filepath.Join(dir, "images"),
		Program: func(name string) (string, error) {
			if name != "tiny/tiny" {
				return "", errors.New("there is no such program")
			}
			return program, nil
		},
		Say: t.Logf,
	}
}

const recipe = `
summary: For a test.
tag: "1"
entrypoint: [/bin/tiny]
env: [A=b]
user: "7"
folders: [/tmp]
files:
  /bin/tiny: {program: tiny/tiny}
  /etc/motd: {text: "hello\n"}
links: {/bin/other: tiny}
`

func TestMake(t *testing.T) {
	t.Parallel()
	m := maker(t)
	r, err := Load("test", []byte(recipe))
	if err != nil {
		t.Fatal(err)
	}
	made, err := m.Make(t.Context(), r, nil)
	if err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(t.TempDir(), "image.tar")
	if err := os.WriteFile(archive, written(t, made), 0o600); err != nil {
		t.Fatal(err)
	}
	image, err := tarball.ImageFromPath(archive, nil)
	if err != nil {
		t.Fatal(err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if c := config.Config; c.User != "7" || c.Entrypoint[0] != "/bin/tiny" || c.Env[1] != "A=b" {
		t.Errorf("configuration %+v", c)
	}
	if err := validate.Image(image); err != nil {
		t.Error(err)
	}
	layers, err := image.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatalf("%d layers, %v", len(layers), err)
	}
	layer, err := layers[0].Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for files := tar.NewReader(layer); ; {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(files)
		if err != nil {
			t.Fatal(err)
		}
		got.WriteString(h.FileInfo().Mode().String() + " " + h.Name + " " + h.Linkname + string(bytes.TrimSpace(text)) + "\n")
	}
	const want = `dtrwxrwxrwx tmp/ 
drwxr-xr-x bin/ 
-rwxr-xr-x bin/tiny program
drwxr-xr-x etc/ 
-rw-r--r-- etc/motd hello
Lrwxrwxrwx bin/other tiny
`
	if got.String() != want {
		t.Errorf("the layer holds\n%swant\n%s", got.String(), want)
	}
}

func written(t *testing.T, i Image) []byte {
	t.Helper()
	var text bytes.Buffer
	if err := i.Archive(&text); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

func TestMakeOnce(t *testing.T) {
	t.Parallel()
	m := maker(t)
	said := 0
	m.Say = func(string, ...any) { said++ }
	r, err := Load("test", []byte(recipe))
	if err != nil {
		t.Fatal(err)
	}
	image := func(r Recipe) Image {
		t.Helper()
		i, err := m.Make(t.Context(), r, nil)
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	first := image(r)
	if once := said; once == 0 || image(r).Key != first.Key || said != once {
		t.Error("the same recipe was made twice")
	}
	// A cache that was lost is made again, of the same bytes.
	bytesBefore := written(t, first)
	if err := os.RemoveAll(m.Cache); err != nil {
		t.Fatal(err)
	}
	if again := image(r); again.Key != first.Key || !bytes.Equal(written(t, again), bytesBefore) {
		t.Error("the same recipe gave other bytes")
	}
	r.Command = []string{"x"}
	if other := image(r); other.Key == first.Key {
		t.Errorf("another recipe has the key %s", other.Key)
	}
	r.Files = map[string]File{"/x": {Program: "none/none"}}
	if _, err := m.Make(t.Context(), r, nil); err == nil {
		t.Error("an image without its program was made")
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"unknown key":         {"tag: '1'\nsummary: x\nfile: {}", "unknown field"},
		"no tag":              {"summary: x\nfiles: {/a: {text: x}}", "tag and summary are needed"},
		"no files":            {"tag: '1'\nsummary: x", "it has no files"},
		"relative":            {"tag: '1'\nsummary: x\nfiles: {a: {text: x}}", `file "a": the path has to be absolute`},
		"upwards":             {"tag: '1'\nsummary: x\nfiles: {/../a: {text: x}}", "the path has to be absolute and clean"},
		"two sources":         {"tag: '1'\nsummary: x\nfiles: {/a: {text: x, host: /x}}", "exactly one of program, host and text"},
		"packages of nothing": {"tag: '1'\nsummary: x\nfiles: {/a: {text: x}}\npackages: [a]", "need a Debian system below"},
		"system with more":    {"tag: '1'\nsummary: x\ndebian: bookworm\npackages: [a]", "a system has nothing beside it"},
		"python, any version": {"tag: '1'\nsummary: x\nfrom: a\npython: [b]", `python "b": it has to be name==version`},
		"npm, any version":    {"tag: '1'\nsummary: x\nfrom: a\nnpm: ['@a/b']", `npm "@a/b": it has to be name@version`},
		"a link of Debian":    {"tag: '1'\nsummary: x\nfrom: a\nfiles: {/bin/a: {text: x}}", "/bin is a link in Debian"},
		"bad link":            {"tag: '1'\nsummary: x\nfiles: {/a: {text: x}}\nlinks: {b: /a}", `link "b"`},
	} {
		_, err := Load("test", []byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), `"test"`) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRecipes(t *testing.T) {
	t.Parallel()
	all, err := LoadAll(filepath.Join("..", "..", "images"))
	if err != nil || len(all) < 4 {
		t.Fatalf("%d recipes, %v", len(all), err)
	}
	systems := map[string]bool{"": true}
	for _, r := range all {
		systems[r.Name] = r.Debian != ""
	}
	for _, r := range all {
		if !systems[r.From] {
			t.Errorf("%s: from %q: there is no such system", r.Name, r.From)
		}
		for to, f := range r.Files {
			if f.Program != "" && !strings.Contains(f.Program, "/") {
				t.Errorf("%s: file %s: program %q names no module", r.Name, to, f.Program)
			}
		}
	}
}
