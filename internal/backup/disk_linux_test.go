package backup

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/backup/miniotest"
	"github.com/refitproject/refit/internal/disk/disktest"
)

// TestFullDisks lets a real disk fill up: that of the store, and that on which a
// backup is restored. With room the next attempt goes on.
func TestFullDisks(t *testing.T) {
	t.Parallel()
	w, tree := worker(t), t.TempDir()
	put(t, tree+"/big", noise(9, 40<<20))
	dir := disktest.Small(t, "30m")
	s, err := Opener{}.Open("file://"+dir, "")
	if err != nil {
		t.Fatal(err)
	}
	r := Request{Store: s, Name: "x", Key: "r/s", Kind: Directory, Path: tree}
	_, err = w.Make(t.Context(), r)
	if action.ReasonOf(err) != ReasonStoreFull || !strings.HasSuffix(err.Error(), "no space left on device: make room there, or remove old ones with refit backup prune") {
		t.Fatalf("got %v", err)
	}
	if left, _ := filepath.Glob(dir + "/*/" + unfinished + "*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT, "size=100m"); err != nil {
		t.Fatal(err)
	}
	e := w.mustMake(t, r)
	w.Scratch = disktest.Small(t, "10m")
	if _, err := w.Check(t.Context(), s, e, Restored, nil); action.ReasonOf(err) != ReasonDiskFull {
		t.Errorf("got %v", err)
	}
	if left, _ := os.ReadDir(w.Scratch); len(left) > 0 {
		t.Errorf("left in the scratch folder: %v", left)
	}
}

func TestReadOnlyStore(t *testing.T) {
	t.Parallel()
	w, tree := worker(t), t.TempDir()
	put(t, tree+"/a", "x")
	dir := disktest.Small(t, "10m")
	s, err := Opener{}.Open("file://"+dir, "")
	if err != nil {
		t.Fatal(err)
	}
	e := w.mustMake(t, Request{Store: s, Name: "x", Key: "r/s", Kind: Directory, Path: tree})
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, "mode=0700"); err != nil {
		t.Fatal(err)
	}
	_, err = w.Make(t.Context(), Request{Store: s, Name: "x", Key: "r/t", Kind: Directory, Path: tree})
	if action.ReasonOf(err) != ReasonStoreReadOnly || !strings.HasSuffix(err.Error(), "read-only file system: let Refit write there, or name another store") {
		t.Errorf("got %v", err)
	}
	if _, err := w.Check(t.Context(), s, e, Restored, nil); err != nil {
		t.Errorf("reading needs no writing: %v", err)
	}
}

// TestUnmounted takes the disk of the store away in the middle.
func TestUnmounted(t *testing.T) {
	t.Parallel()
	w, tree := worker(t), t.TempDir()
	put(t, tree+"/a", "x")
	dir := disktest.Small(t, "10m")
	s, err := Opener{}.Open("file://"+dir, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
		t.Fatal(err)
	}
	_, err = w.Make(t.Context(), Request{Store: s, Name: "x", Key: "r/s", Kind: Directory, Path: tree})
	if action.ReasonOf(err) != ReasonStoreGone {
		t.Errorf("got %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("it wrote beneath the disk: %v", left)
	}
}

// TestFullServer lets the disk of an S3 server fill up.
func TestFullServer(t *testing.T) {
	t.Parallel()
	w, tree := worker(t), t.TempDir()
	put(t, tree+"/big", noise(15, 60<<20))
	dir := disktest.Small(t, "40m")
	own := miniotest.StartIn(t, dir)
	p := newBucket(t, own)
	stays := good(t, w, p.open(t))
	r := Request{Store: p.open(t), Name: "x", Key: "r/s", Kind: Directory, Path: tree}
	_, err := w.Make(t.Context(), r)
	oneLine(t, err, ReasonStoreFull, "make room there, or remove old ones with refit backup prune")
	stays(p.open(t))
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT, "size=200m"); err != nil {
		t.Fatal(err)
	}
	own.Kill() // it remembers for a while how much room there is
	own.Restart(t)
	if err := verified(t, w, r.Store, w.mustMake(t, r).ID, nil, Restored); err != nil {
		t.Error(err)
	}
}
