package backup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/action"
)

var night = time.Date(2026, time.November, 28, 2, 0, 0, 0, time.UTC)

func worker(t *testing.T) Worker {
	t.Helper()
	return Worker{
		Host: "node-1", Tools: []Tool{{"refit", "test"}}, Scratch: t.TempDir(),
		Now: func() time.Time { return night },
	}
}

func fileStore(t *testing.T) (Store, string) {
	t.Helper()
	dir := t.TempDir()
	s, err := Opener{}.Open("file://"+dir, "")
	if err != nil {
		t.Fatal(err)
	}
	return s, dir
}

func newKey(t *testing.T) *Key {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	key, err := ParseKey("# made for a test\n" + id.String() + "\n")
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func put(tb testing.TB, path, content string) {
	tb.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		tb.Fatal(err)
	}
}

// oddTree has everything that is hard to save.
func oddTree(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	put(t, dir+"/plain.txt", "one\n")
	put(t, dir+"/empty", "")
	put(t, dir+"/a name\nof two lines", "two\n")
	put(t, dir+"/latin-\xe9\xff", "three\n")
	put(t, dir+"/"+strings.Repeat("n", 250)+"/"+strings.Repeat("m", 250)+"/deep", "four\n")
	put(t, dir+"/sub/script", "#!/bin/sh\n")
	put(t, dir+"/zeros", strings.Repeat("\x00", 3<<20)+"end")
	for _, step := range []error{
		os.Chmod(dir+"/sub/script", 0o4751),
		os.Symlink("../gone\xff", dir+"/sub/link"),
		os.Link(dir+"/plain.txt", dir+"/sub/again.txt"),
		os.Mkdir(dir+"/nothing in it", 0o700),
		syscall.Mkfifo(dir+"/pipe", 0o620),
		os.Chtimes(dir+"/plain.txt", time.Time{}, time.Date(1999, 12, 31, 23, 59, 59, 123456789, time.UTC)),
		os.Chmod(dir+"/sub", 0o550),
	} {
		if step != nil {
			t.Fatal(step)
		}
	}
	t.Cleanup(func() { _ = os.Chmod(dir+"/sub", 0o755) })
	return dir
}

// describeTree says everything of a tree that a backup has to keep.
func describeTree(t *testing.T, root string) string {
	t.Helper()
	var b strings.Builder
	names := map[inode]string{}
	err := filepath.Walk(root, func(path string, info fs.FileInfo, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		uid, gid := owner(info)
		fmt.Fprintf(&b, "%q %s %d:%d", rel, info.Mode(), uid, gid)
		if info.Mode().Type() != fs.ModeSymlink {
			fmt.Fprintf(&b, " %d", info.ModTime().UnixNano())
		}
		switch {
		case info.Mode().Type() == fs.ModeSymlink:
			to, _ := os.Readlink(path)
			fmt.Fprintf(&b, " -> %q", to)
		case info.Mode().IsRegular():
			data, _ := os.ReadFile(path)
			fmt.Fprintf(&b, " %d %s", len(data), digestOf(data))
			if id, several := identity(info); several {
				if names[id] == "" {
					names[id] = rel
				}
				fmt.Fprintf(&b, " is %q", names[id])
			}
		}
		b.WriteString("\n")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func (w Worker) mustMake(t *testing.T, r Request) *Entry {
	t.Helper()
	m, err := w.Make(t.Context(), r)
	if err != nil {
		t.Fatalf("make: %v", err)
	}
	e, err := Find(t.Context(), r.Store, m.ID)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEverythingComesBack(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]*Key{"Open": nil, "Encrypted": newKey(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachStore(t, func(t *testing.T, p place) {
				t.Helper()
				comesBack(t, p.open(t), key)
			})
		})
	}
}

func comesBack(t *testing.T, s Store, key *Key) {
	t.Helper()
	tree, w := oddTree(t), worker(t)
	e := w.mustMake(t, Request{Store: s, Name: "odd", Key: "r/s", Kind: Directory, Path: tree, Lock: key})
	want := Counts{Files: 7, Folders: 5, Links: 2, Others: 1, Bytes: 3<<20 + 3 + 4 + 4 + 6 + 5 + 10}
	if diff := cmp.Diff(want, e.Manifest.Counts); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
	for level := ReadBack; level <= Restored; level++ {
		if _, err := w.Prove(t.Context(), s, e, level, key); err != nil {
			t.Errorf("level %d: %v", level, err)
		}
	}
	e, err := Find(t.Context(), s, e.ID)
	if err != nil {
		t.Fatal(err)
	}
	if best, ok := e.Proof(); !ok || best.Level != Restored || len(e.Proofs) != 3 || best.Counts != want {
		t.Errorf("proofs %+v", e.Proofs)
	}
	to := t.TempDir()
	root, err := os.OpenRoot(to)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.RestoreFolder(t.Context(), s, e.Manifest, key, root, to); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(to+"/sub", 0o755) })
	if diff := cmp.Diff(describeTree(t, tree), describeTree(t, to)); diff != "" {
		t.Errorf("what was restored differs (-saved +restored):\n%s", diff)
	}
	if left, _ := os.ReadDir(w.Scratch); len(left) > 0 {
		t.Errorf("left in the scratch folder: %v", left)
	}
	var held syscall.Stat_t
	if err := syscall.Stat(to+"/zeros", &held); err != nil || held.Blocks*512 > 1<<20 {
		t.Errorf("a file of zeros takes %d bytes on the disk, %v", held.Blocks*512, err)
	}
}

// TestSameContentSameParts tests what resuming rests on, and that a second
// attempt of the same effect stores nothing again.
func TestSameContentSameParts(t *testing.T) {
	t.Parallel()
	tree := t.TempDir()
	put(t, tree+"/big", noise(1, 40<<20))
	for name, key := range map[string]*Key{"Open": nil, "Encrypted": newKey(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachStore(t, func(t *testing.T, p place) {
				t.Helper()
				resumes(t, p.open(t), key, tree)
			})
		})
	}
}

func resumes(t *testing.T, s Store, key *Key, tree string) {
	t.Helper()
	w := worker(t)
	counting := &faulty{Store: s, after: 2}
	r := Request{Store: counting, Name: "big", Key: "r/s", Origin: "o", Kind: Directory, Path: tree, Lock: key}
	if _, err := w.Make(t.Context(), r); action.ReasonOf(err) != ReasonStoreGone {
		t.Fatalf("got %v, want the error of the store", err)
	}
	if list, _ := s.List(t.Context(), ""); len(list) == 0 {
		t.Fatal("nothing was stored before the store went away")
	}
	counting.after = 1000
	stored := counting.puts
	e := w.mustMake(t, r)
	parts := len(e.Manifest.Parts)
	if parts < 3 || counting.puts-stored >= parts+1 {
		t.Errorf("%d parts, of which the second attempt stored %d", parts, counting.puts-stored-1)
	}
	if _, err := w.Prove(t.Context(), s, e, Restored, key); err != nil {
		t.Error(err)
	}
	again := counting.puts
	if m, err := w.Make(t.Context(), r); err != nil || m.ID != e.ID || counting.puts != again {
		t.Errorf("a third attempt stored something: %v", err)
	}
}

// noise returns a text that cannot be compressed.
func noise(seed uint64, n int) string {
	var b bytes.Buffer
	source := rand.NewChaCha8([32]byte{byte(seed)})
	buffer := make([]byte, n)
	_, _ = source.Read(buffer)
	b.Write(buffer)
	return b.String()
}

// faulty is a store that has gone away after a number of puts, which come one
// after the other.
type faulty struct {
	Store
	after int
	lie   bool
	// on is called before each put with its number; it may be nil.
	on func(n int)

	mu   sync.Mutex
	puts int
}

func (f *faulty) Put(ctx context.Context, name string, data []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.puts++
	if f.on != nil {
		f.on(f.puts)
	}
	if f.puts <= f.after {
		return f.Store.Put(ctx, name, data)
	}
	if f.lie {
		return nil
	}
	return failure(ReasonStoreGone, "", true, "it has gone")
}

func TestStoreThatLies(t *testing.T) {
	t.Parallel()
	tree, w := t.TempDir(), worker(t)
	put(t, tree+"/big", noise(2, 40<<20))
	s, _ := fileStore(t)
	for after := range 4 {
		liar := &faulty{Store: s, after: after, lie: true}
		r := Request{Store: liar, Name: "big", Key: fmt.Sprint("r/", after), Kind: Directory, Path: tree}
		m, err := w.Make(t.Context(), r)
		if err != nil { // the manifest is not there
			continue
		}
		e, err := Find(t.Context(), liar, m.ID)
		if err != nil {
			continue
		}
		if _, err := w.Check(t.Context(), liar, e, ReadBack, nil); !IsDamage(err) && action.ReasonOf(err) != ReasonBackupIncomplete {
			t.Errorf("a store that keeps nothing after %d objects: %v", after, err)
		}
	}
}

func TestWrongKey(t *testing.T) {
	t.Parallel()
	tree, w, right := t.TempDir(), worker(t), newKey(t)
	put(t, tree+"/secret", "the word is not in the store")
	s, dir := fileStore(t)
	e := w.mustMake(t, Request{Store: s, Name: "x", Key: "r/s", Kind: Directory, Path: tree, Lock: right})
	for name, tc := range map[string]struct {
		key  *Key
		want string
	}{
		"None":  {nil, "and no key was given: give the key"},
		"Other": {newKey(t), "the key does not open it, it is encrypted for " + right.Recipients()[0] + ": give the key that it was made with"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := w.Check(t.Context(), s, e, Restored, tc.key)
			if action.ReasonOf(err) != ReasonWrongKey || !strings.HasSuffix(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
			if _, err := w.Check(t.Context(), s, e, ReadBack, tc.key); err != nil {
				t.Errorf("reading back needs no key: %v", err)
			}
		})
	}
	_ = filepath.Walk(dir, func(path string, info fs.FileInfo, _ error) error {
		if data, _ := os.ReadFile(path); bytes.Contains(data, []byte("the word")) {
			t.Errorf("%s holds what was encrypted", path)
		}
		if perm := info.Mode().Perm(); perm&0o077 != 0 && path != dir {
			t.Errorf("%s has the permissions %o", path, perm)
		}
		return nil
	})
	for _, text := range []string{"", "AGE-SECRET-KEY-1XYZ", "hunter2"} {
		if _, err := ParseKey(text); action.ReasonOf(err) != ReasonWrongKey || text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("key %q: %v", text, err)
		}
	}
}

// TestTwoWriters lets several make the same backup, and others, in one store.
func TestTwoWriters(t *testing.T) {
	t.Parallel()
	eachStore(t, twoWriters)
}

func twoWriters(t *testing.T, p place) {
	t.Helper()
	tree, w := t.TempDir(), worker(t)
	put(t, tree+"/big", noise(3, 24<<20))
	errs := make(chan error)
	const writers = 6
	for i := range writers {
		own := p.open(t)
		go func() {
			_, err := w.Make(context.Background(), Request{
				Store: own, Name: "big", Key: fmt.Sprint("r/", i%2), Kind: Directory, Path: tree,
			})
			errs <- err
		}()
	}
	for range writers {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	s := p.open(t)
	entries, err := Catalog(t.Context(), s)
	if err != nil || len(entries) != 2 {
		t.Fatalf("%d backups, %v", len(entries), err)
	}
	for i := range entries {
		if _, err := w.Check(t.Context(), s, &entries[i], Restored, nil); err != nil {
			t.Error(err)
		}
	}
}

func TestSourceThatChanges(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		change func(dir string) error
		want   string
	}{
		"Grows":    {func(d string) error { return appendTo(d + "/b/big") }, "b/big\": it was changed while it was read"},
		"Shorter":  {func(d string) error { return os.Truncate(d+"/b/big", 1<<20) }, "b/big\": it became shorter while it was read"},
		"Replaced": {func(d string) error { return replaceFile(d + "/b/big") }, "was changed while it was read"},
		"Before":   {func(d string) error { return appendTo(d + "/a") }, "a\": it or something near it was changed while it was read"},
		"Gone":     {func(d string) error { return os.Remove(d + "/c") }, "c\": it was removed while it was read"},
		"New":      {func(d string) error { return appendTo(d + "/new") }, "it or something near it was changed while it was read"},
		"Root":     {func(d string) error { return os.Rename(d, d+"-away") }, "it was replaced while it was read"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tree, w := filepath.Join(t.TempDir(), "tree"), worker(t)
			put(t, tree+"/a", "a")
			put(t, tree+"/b/big", noise(4, 9<<20))
			put(t, tree+"/c", "c")
			s, _ := fileStore(t)
			changed := false
			w.Report = func(p action.Progress) {
				if p.Done > 2<<20 && !changed {
					changed = true
					if err := tc.change(tree); err != nil {
						t.Error(err)
					}
				}
			}
			_, err := w.Make(t.Context(), Request{Store: s, Name: "x", Key: "r/s", Kind: Directory, Path: tree})
			if r := action.ReasonOf(err); r != ReasonSourceChanged && r != ReasonSourceNotFound || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want %q", err, tc.want)
			}
			if list, _ := s.List(t.Context(), ""); slices.ContainsFunc(list, func(o Object) bool { return strings.Contains(o.Name, "manifest") }) {
				t.Errorf("it made a backup of it: %v", list)
			}
		})
	}
}

func appendTo(path string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString("more")
	return errors.Join(err, f.Close())
}

func replaceFile(path string) error {
	if err := os.WriteFile(path+".new", []byte("other"), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func TestBadSources(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, dir+"/file", "x")
	s, _ := fileStore(t)
	for name, tc := range map[string]struct {
		r    Request
		want string
	}{
		"Gone":     {Request{Kind: Directory, Path: dir + "/gone"}, `/gone": no such file or directory: correct the path`},
		"File":     {Request{Kind: Directory, Path: dir + "/file"}, `it is not a folder: name a folder`},
		"Database": {Request{Kind: SQLite, Path: dir + "/file"}, `it is damaged, or no SQLite database`},
		"NoFile":   {Request{Kind: SQLite, Path: dir + "/gone"}, `no such file or directory: correct the path`},
		"Name":     {Request{Kind: Directory, Path: dir, Name: "Größe"}, `cannot be the name of a backup`},
		"Pattern":  {Request{Kind: Directory, Path: dir, Excluded: []string{"[x"}}, `"[x" is no pattern`},
		"Outside":  {Request{Kind: Directory, Path: dir, Excluded: []string{"/etc"}}, `"/etc" is no pattern`},
		"Level":    {Request{Kind: Directory, Path: dir, Level: 99}, `level 99 is not between`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.r.Store, tc.r.Key = s, name
			if tc.r.Name == "" {
				tc.r.Name = "x"
			}
			_, err := worker(t).Make(t.Context(), tc.r)
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

func TestExcluded(t *testing.T) {
	t.Parallel()
	tree, w := t.TempDir(), worker(t)
	for _, name := range []string{"keep", "cache/x", "logs/a.gz", "logs/b.log"} {
		put(t, tree+"/"+name, "x")
	}
	s, _ := fileStore(t)
	e := w.mustMake(t, Request{
		Store: s, Name: "x", Key: "r/s", Kind: Directory, Path: tree, Excluded: []string{"cache", "logs/*.gz"},
	})
	if want := (Counts{Files: 2, Folders: 2, Bytes: 2}); e.Manifest.Counts != want {
		t.Errorf("counted %v, want %v", e.Manifest.Counts, want)
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"":                            "begins with neither file: nor s3:",
		"/var/backup":                 "begins with neither file: nor s3:",
		"file://host/path":            "after file: comes a path",
		"file:///gone/for/good":       `folder "/gone/for/good": no such file or directory: create the folder, or mount`,
		"s3://me:hunter2@bucket/path": "no URL without a password",
		"ftp://x":                     "begins with neither file: nor s3:",
	} {
		_, err := Opener{}.Open(address, "/")
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: got %v, want %q", address, err, want)
		}
	}
}

func TestStoreThatVanishes(t *testing.T) {
	t.Parallel()
	tree, w := t.TempDir(), worker(t)
	put(t, tree+"/big", noise(5, 40<<20))
	dir := filepath.Join(t.TempDir(), "store")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s, err := Opener{}.Open("file:"+dir, "")
	if err != nil {
		t.Fatal(err)
	}
	gone := false
	w.Report = func(p action.Progress) {
		if p.Done > 20<<20 && !gone {
			gone = true
			// As a disk that is unmounted: at once another folder is in its place.
			away := dir + "-away"
			if err := errors.Join(os.Rename(dir, away), os.Mkdir(dir, 0o700), os.RemoveAll(away)); err != nil {
				t.Error(err)
			}
		}
	}
	_, err = w.Make(t.Context(), Request{Store: s, Name: "x", Key: "r/s", Kind: Directory, Path: tree})
	if action.ReasonOf(err) != ReasonStoreGone || !strings.Contains(err.Error(), "has gone: bring the folder back") {
		t.Errorf("got %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("it wrote beneath the disk that is not mounted: %v", left)
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	tree, w := t.TempDir(), worker(t)
	put(t, tree+"/big", noise(6, 40<<20))
	s, _ := fileStore(t)
	ctx, cancel := context.WithCancel(t.Context())
	w.Report = func(p action.Progress) {
		if p.Done > 10<<20 {
			cancel()
		}
	}
	_, err := w.Make(ctx, Request{Store: s, Name: "x", Key: "r/s", Kind: Directory, Path: tree})
	if action.ReasonOf(err) != ReasonInterrupted {
		t.Errorf("got %v", err)
	}
}
