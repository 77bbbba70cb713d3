package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// A maker that fails or is killed leaves no layer; a layer that is not what its
// record says is made again.
func TestKeep(t *testing.T) {
	t.Parallel()
	m := Maker{Cache: t.TempDir(), Say: t.Logf}
	name, made := strings.Repeat("k", 64), 0
	content := "some content"
	keep := func(fail error) (Layer, error) {
		return m.keep(t.Context(), "x", name, true, func(w io.Writer) error {
			made++
			if _, err := io.WriteString(w, content); err != nil {
				return err
			}
			return fail
		})
	}
	broken := errors.New("broken")
	if _, err := keep(broken); !errors.Is(err, broken) {
		t.Fatalf("got %v", err)
	}
	if left, _ := filepath.Glob(m.Cache + "/layers/*.new"); len(left) > 0 {
		t.Errorf("left %q", left)
	}
	l, err := keep(nil)
	if err != nil || made != 2 {
		t.Fatalf("made %d times, %v", made, err)
	}
	layer, err := l.layer()
	if err != nil {
		t.Fatal(err)
	}
	plain, err := layer.Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(plain); err != nil || string(text) != content {
		t.Errorf("it holds %q, %v", text, err)
	}
	if again, err := keep(nil); err != nil || made != 2 || again != l {
		t.Errorf("made %d times, %+v, %v", made, again, err)
	}
	if err := os.Truncate(l.file, 3); err != nil {
		t.Fatal(err)
	}
	if again, err := keep(nil); err != nil || made != 3 || again != l {
		t.Errorf("after it was cut off: made %d times, %+v, %v", made, again, err)
	}
}

func TestWriteTree(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	path := func(name string) string { return filepath.Join(root, name) }
	for _, err := range []error{
		os.MkdirAll(path("usr/bin"), 0o755), os.WriteFile(path("usr/bin/a"), []byte("#!"), 0o755),
		os.Chmod(path("usr/bin/a"), 0o4755|os.ModeSetuid), os.Link(path("usr/bin/a"), path("usr/bin/b")),
		os.Symlink("usr/bin", path("bin")), os.Mkdir(path("tmp"), 0o755), os.Chmod(path("tmp"), 0o777|os.ModeSticky),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", path("socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	want := []string{
		"Lrwxrwxrwx bin usr/bin", "dtrwxrwxrwx tmp/ ", "drwxr-xr-x usr/ ", "drwxr-xr-x usr/bin/ ", "urwxr-xr-x usr/bin/a ",
		"urwxr-xr-x usr/bin/b usr/bin/a",
	}
	if os.Getuid() == 0 { // Only root can make what an overlay makes.
		for _, err := range []error{
			unix.Mknod(path("usr/gone"), unix.S_IFCHR, 0), unix.Setxattr(path("tmp"), "trusted.overlay.opaque", []byte("y"), 0),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		want = append(want[:2:2], append([]string{"-rw-r--r-- tmp/.wh..wh..opq "}, want[2:]...)...)
		want = append(want, "-rw-r--r-- usr/.wh.gone ")
	}
	var text bytes.Buffer
	if err := writeTree(root, &text); err != nil {
		t.Fatal(err)
	}
	var got []string
	for files := tar.NewReader(&text); ; {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Uname != "" || h.Uid != os.Getuid() {
			t.Errorf("%s belongs to %q, %d", h.Name, h.Uname, h.Uid)
		}
		got = append(got, h.FileInfo().Mode().String()+" "+h.Name+" "+h.Linkname)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

// What is installed is made again when the system below, what is wanted or the
// way changes, and only then.
func TestKey(t *testing.T) {
	t.Parallel()
	pkgs := []string{"a"}
	first := key("below", pkgs, []string{"b"})
	if key("below", pkgs, []string{"b"}) != first {
		t.Error("the same gives another key")
	}
	for name, other := range map[string]string{
		"below": key("other", pkgs, []string{"b"}), "packages": key("below", []string{"a", "b"}, []string(nil)),
		"kind": key("below", []string{"b"}, pkgs),
	} {
		if other == first {
			t.Errorf("%s: the key stays the same", name)
		}
	}
}

func TestReadList(t *testing.T) {
	t.Parallel()
	const text = `REF                      TYPE  DIGEST  SIZE     PLATFORMS   LABELS
localhost/refit/a:1      x/y   sha256:1  1.0 MiB linux/amd64 io.cri-containerd.image=managed,refit.testbed/key=0123
localhost/refit/b:1      x/y   sha256:2  1.0 MiB linux/amd64 io.cri-containerd.image=managed
`
	want := map[string]string{"localhost/refit/a:1": "0123", "localhost/refit/b:1": ""}
	if diff := cmp.Diff(want, readList(text)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLastError(t *testing.T) {
	t.Parallel()
	const text = "Reading package lists...\nE: Unable to locate package x\nsome more\n"
	if got := lastError(text); got != "E: Unable to locate package x" {
		t.Errorf("got %q", got)
	}
	if got := lastError("a\nb\n"); got != "b" {
		t.Errorf("got %q", got)
	}
}

// A system that is not there is refused before anything is made.
func TestFromUnknown(t *testing.T) {
	t.Parallel()
	m := Maker{Cache: t.TempDir(), Say: t.Logf}
	r := Recipe{Name: "x", Tag: "1", From: "nowhere", Packages: []string{"a"}}
	if _, err := m.Make(t.Context(), r, []Recipe{{Name: "nowhere"}}); err == nil || !strings.Contains(err.Error(),
		`make image "x": from "nowhere": there is no recipe of such a Debian system`) {
		t.Errorf("got %v", err)
	}
}
