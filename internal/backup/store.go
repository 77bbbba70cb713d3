package backup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/action"
)

// Store keeps objects by name. Names are parts of [a-z0-9._-], joined by
// slashes. A store is safe for concurrent use, also by several programs.
type Store interface {
	// Address names the store in messages; it holds no secret.
	Address() string
	// Put keeps data under a name and returns when it is durable. Nobody ever
	// sees half of an object. A name that is taken is left as it is.
	Put(ctx context.Context, name string, data []byte) error
	// Open reads an object. The error wraps fs.ErrNotExist when there is none.
	Open(ctx context.Context, name string) (io.ReadCloser, error)
	// List returns all objects whose names begin with prefix, by name.
	List(ctx context.Context, prefix string) ([]Object, error)
	// Remove removes an object. One that is not there is no error.
	Remove(ctx context.Context, name string) error
}

// Object is what a store knows of an object without reading it.
type Object struct {
	Name string
	Size int64
	// Stored is when it was put there, by the clock of the store.
	Stored time.Time
}

// Opener opens stores by their addresses. The zero Opener opens folders, and S3
// servers without keys from the environment.
type Opener struct {
	// Environ is the environment, as "NAME=value": where the keys of an S3
	// server come from.
	Environ []string
	// Transport carries requests to an S3 server; nil for one with the usual
	// limits.
	Transport http.RoundTripper
}

// Open returns the store at address, file:///path or s3://bucket/prefix. Relative
// paths, file:path, are relative to dir. It contacts nothing but the folder of a
// file store, which must be there: a folder that is made at first need would be
// made again beneath a disk that is not mounted.
func (o Opener) Open(address, dir string) (Store, error) {
	u, err := url.Parse(address)
	if err != nil || u.User != nil {
		return nil, unquoted("the address of the backup store is no URL without a password")
	}
	if u.Scheme == "s3" {
		return o.openS3(address, u)
	}
	if u.Scheme != "file" {
		return nil, badAddress(address, "it begins with neither file: nor s3:")
	}
	path := cmp.Or(u.Path, u.Opaque)
	if path == "" || u.Host != "" || u.RawQuery != "" || strings.ContainsRune(path, 0) {
		return nil, badAddress(address, "after file: comes a path and nothing else")
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	return openFiles(address, path)
}

// addressRemedy is what to do about an address.
const addressRemedy = "write file:///path or s3://bucket/prefix?endpoint=https://host:port"

func badAddress(address, why string) error {
	return failure(ReasonStoreAddress, addressRemedy, false, "backup store %q: %s", address, why)
}

// unquoted says what is wrong with an address that may hold a password.
func unquoted(why string) error {
	return failure(ReasonStoreAddress, addressRemedy, false, "%s", why)
}

// namePattern admits names of objects that every store can hold.
var namePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*$`)

// read returns the content of a small object.
func read(ctx context.Context, s Store, name string, most int64) ([]byte, error) {
	r, err := s.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(r, most+1))
	if err = errors.Join(err, r.Close()); err != nil {
		return nil, storeFailure(s.Address(), "read", name, err)
	}
	if int64(len(data)) > most {
		return nil, errTooLarge
	}
	return data, nil
}

var errTooLarge = errors.New("it is larger than it can be")

// doing says what was being done to which object, or to the store as a whole.
func doing(what, name string) string {
	if name == "" {
		return what + " what it has"
	}
	return fmt.Sprintf("%s %q", what, name)
}

// storeFailure says what a store did not do.
func storeFailure(address, what, name string, err error) error {
	if action.ReasonOf(err) != "" {
		return err
	}
	const text = "backup store %q: %s: %w"
	what = doing(what, name)
	if ended := interrupted("backup store", err); ended != nil {
		return ended
	}
	err = bare(err)
	switch {
	case isFull(err):
		return failure(ReasonStoreFull, makeRoom, true,
			text, address, what, err)
	case isReadOnly(err), errors.Is(err, fs.ErrPermission):
		return failure(ReasonStoreReadOnly, "let Refit write there, or name another store", true,
			text, address, what, err)
	default:
		return failure(ReasonStoreTrouble, "see whether the store is in order", true, text, address, what, err)
	}
}
