package backup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/minio/minio-go/v7"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/backup/miniotest"
)

// server is the S3 server of the tests of this package that do not harm it.
var server miniotest.Shared

func TestMain(m *testing.M) {
	code := m.Run()
	server.Stop()
	os.Exit(code)
}

// place is where a store keeps its objects, as somebody sees it who does not go
// through the store.
type place interface {
	open(t *testing.T) Store
	names(t *testing.T) []string
	load(t *testing.T, name string) []byte
	save(t *testing.T, name string, data []byte)
	remove(t *testing.T, name string)
}

// folder is the place of a file store.
type folder string

func (f folder) open(t *testing.T) Store {
	t.Helper()
	s, err := Opener{}.Open("file://"+string(f), "")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (f folder) names(t *testing.T) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(string(f), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			names = append(names, strings.TrimPrefix(path, string(f)+"/"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func (f folder) load(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(string(f), name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func (f folder) save(t *testing.T, name string, data []byte) {
	t.Helper()
	put(t, filepath.Join(string(f), name), string(data))
}

func (f folder) remove(t *testing.T, name string) {
	t.Helper()
	if err := os.Remove(filepath.Join(string(f), name)); err != nil {
		t.Fatal(err)
	}
}

// inBucket is the place of an S3 store.
type inBucket struct {
	server *miniotest.Server
	client *minio.Client
	bucket string
}

const testPrefix = "hub/backups"

func newBucket(t *testing.T, s *miniotest.Server) inBucket {
	t.Helper()
	return inBucket{s, s.Client(t), s.Bucket(t)}
}

func (b inBucket) open(t *testing.T) Store {
	t.Helper()
	return openS3(t, b.server.Address(b.bucket, testPrefix), b.server.Environ())
}

func openS3(t *testing.T, address string, environ []string) Store {
	t.Helper()
	s, err := Opener{Environ: environ}.Open(address, "")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (b inBucket) names(t *testing.T) []string {
	t.Helper()
	var names []string
	for o := range b.client.ListObjectsIter(t.Context(), b.bucket, minio.ListObjectsOptions{Recursive: true}) {
		if o.Err != nil {
			t.Fatal(o.Err)
		}
		names = append(names, strings.TrimPrefix(o.Key, testPrefix+"/"))
	}
	return names
}

func (b inBucket) load(t *testing.T, name string) []byte {
	t.Helper()
	o, err := b.client.GetObject(t.Context(), b.bucket, testPrefix+"/"+name, minio.GetObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(o)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func (b inBucket) save(t *testing.T, name string, data []byte) {
	t.Helper()
	_, err := b.client.PutObject(t.Context(), b.bucket, testPrefix+"/"+name, bytes.NewReader(data), int64(len(data)), minio.PutObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

func (b inBucket) remove(t *testing.T, name string) {
	t.Helper()
	if err := b.client.RemoveObject(t.Context(), b.bucket, testPrefix+"/"+name, minio.RemoveObjectOptions{}); err != nil {
		t.Fatal(err)
	}
}

// eachStore runs a test with a store of every kind.
func eachStore(t *testing.T, test func(t *testing.T, p place)) {
	t.Helper()
	t.Run("file", func(t *testing.T) {
		t.Parallel()
		test(t, folder(t.TempDir()))
	})
	t.Run("s3", func(t *testing.T) {
		t.Parallel()
		test(t, newBucket(t, server.Server(t)))
	})
}

func mustPut(t *testing.T, s Store, name, content string) {
	t.Helper()
	if err := s.Put(t.Context(), name, []byte(content)); err != nil {
		t.Fatal(err)
	}
}

func mustRead(t *testing.T, s Store, name string) string {
	t.Helper()
	data, err := read(t.Context(), s, name, 64<<20)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestStores is what every store promises; see Store.
func TestStores(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		check  func(t *testing.T, p place, s Store)
	}{
		"Content": {"what was put comes back byte by byte", func(t *testing.T, p place, s Store) {
			t.Helper()
			large := noise(11, 9<<20+1)
			mustPut(t, s, "a/empty", "")
			mustPut(t, s, "a/large", large)
			mustPut(t, s, "a/b/c.d_e-f", "deep")
			again := p.open(t)
			if mustRead(t, again, "a/empty") != "" || mustRead(t, again, "a/large") != large || mustRead(t, again, "a/b/c.d_e-f") != "deep" {
				t.Error("something else came back")
			}
		}},
		"Taken": {"a name that is taken is left as it is", func(t *testing.T, p place, s Store) {
			t.Helper()
			mustPut(t, s, "a/x", "first")
			mustPut(t, p.open(t), "a/x", "other")
			if got := mustRead(t, s, "a/x"); got != "first" {
				t.Errorf("it holds %q", got)
			}
			err := s.Put(t.Context(), "a/x", []byte("longer than before"))
			if action.ReasonOf(err) != ReasonStoreTrouble || !strings.Contains(err.Error(), `"a/x" has 5 bytes, although 18 were written`) {
				t.Errorf("of another size: %v", err)
			}
			if got := mustRead(t, s, "a/x"); got != "first" {
				t.Errorf("it holds %q", got)
			}
		}},
		"Race": {"of many who take a name one wins, and nobody sees half of it", func(t *testing.T, p place, s Store) {
			t.Helper()
			const writers, size = 8, 1 << 20
			errs := make(chan error)
			for i := range writers {
				own := p.open(t)
				go func() { errs <- own.Put(t.Context(), "a/x", bytes.Repeat([]byte{byte('a' + i)}, size)) }()
			}
			for range writers {
				if err := <-errs; err != nil {
					t.Error(err)
				}
				got := mustRead(t, s, "a/x")
				if len(got) != size || strings.Count(got, got[:1]) != size {
					t.Error("it holds bytes of several")
				}
			}
			if names := p.names(t); len(names) != 1 {
				t.Errorf("left behind: %v", names)
			}
		}},
		"Missing": {"an object that is not there is told from trouble", func(t *testing.T, _ place, s Store) {
			t.Helper()
			mustPut(t, s, "a/x", "here")
			for _, name := range []string{"a/y", "b/x"} {
				if r, err := s.Open(t.Context(), name); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("%s: %v, %v", name, r, err)
				}
			}
		}},
		"List": {"objects are listed by name, with size and time", func(t *testing.T, p place, s Store) {
			t.Helper()
			if list, err := s.List(t.Context(), ""); err != nil || len(list) != 0 {
				t.Errorf("of nothing: %v, %v", list, err)
			}
			names := []string{"a-b/x", "a.b/x", "a/part-000001", "a/part-000010", "a/part-2", "a/z", "b/x"}
			for i, name := range names {
				mustPut(t, s, names[len(names)-1-i], name)
			}
			p.save(t, "notes.txt", []byte("of a person"))
			for prefix, want := range map[string][]string{
				"":        append(slices.Clone(names), "notes.txt"),
				"a/":      names[2:6],
				"a/part-": names[2:5],
				"a":       names[:6],
				"c/":      nil,
			} {
				list, err := s.List(t.Context(), prefix)
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, o := range list {
					got = append(got, o.Name)
					if o.Size != int64(len(p.load(t, o.Name))) || time.Since(o.Stored).Abs() > time.Hour {
						t.Errorf("%+v", o)
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%q (-want +got):\n%s", prefix, diff)
				}
			}
		}},
		"Many": {"more objects are listed than fit into one answer", func(t *testing.T, _ place, s Store) {
			t.Helper()
			const objects, workers = 1100, 4
			errs := make(chan error)
			for w := range workers {
				go func() {
					var err error
					for i := w; i < objects; i += workers {
						err = errors.Join(err, s.Put(t.Context(), fmt.Sprintf("a/%04d", i), nil))
					}
					errs <- err
				}()
			}
			for range workers {
				if err := <-errs; err != nil {
					t.Fatal(err)
				}
			}
			if list, err := s.List(t.Context(), "a/"); err != nil || len(list) != objects || list[objects-1].Name != "a/1099" {
				t.Errorf("%d objects, %v", len(list), err)
			}
		}},
		"Remove": {"removing twice is no error, and a name can be taken again", func(t *testing.T, p place, s Store) {
			t.Helper()
			mustPut(t, s, "a/x", "first")
			mustPut(t, s, "a/y", "stays")
			for range 2 {
				if err := s.Remove(t.Context(), "a/x"); err != nil {
					t.Error(err)
				}
			}
			if err := s.Remove(t.Context(), "never/there"); err != nil {
				t.Error(err)
			}
			if _, err := s.Open(t.Context(), "a/x"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("it is there: %v", err)
			}
			mustPut(t, s, "a/x", "second")
			if diff := cmp.Diff([]string{"a/x", "a/y"}, p.names(t)); diff != "" || mustRead(t, s, "a/x") != "second" {
				t.Errorf("-want +got:\n%s", diff)
			}
		}},
		"Names": {"names that not every store can hold are refused", func(t *testing.T, p place, s Store) {
			t.Helper()
			for _, name := range []string{"", "/a", "a/", "a//b", "../a", "a/../b", ".a", "A", "a b", "ä", "a\n"} {
				if err := s.Put(t.Context(), name, []byte("x")); action.ReasonOf(err) != ReasonStoreTrouble || strings.Contains(err.Error(), "\n") {
					t.Errorf("%q: %v", name, err)
				}
			}
			if names := p.names(t); len(names) != 0 {
				t.Errorf("stored: %v", names)
			}
		}},
		"Cancelled": {"work that is ended from outside says so", func(t *testing.T, _ place, s Store) {
			t.Helper()
			mustPut(t, s, "a/x", "x")
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_, listed := s.List(ctx, "")
			for what, err := range map[string]error{"put": s.Put(ctx, "a/y", nil), "list": listed} {
				if action.ReasonOf(err) != ReasonInterrupted {
					t.Errorf("%s: %v", what, err)
				}
			}
		}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			t.Log(tc.reason)
			eachStore(t, func(t *testing.T, p place) {
				t.Helper()
				tc.check(t, p, p.open(t))
			})
		})
	}
}
