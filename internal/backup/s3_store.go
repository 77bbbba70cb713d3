package backup

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/refitproject/refit/internal/wait"
)

const (
	// awsEndpoint is the server of addresses that name none.
	awsEndpoint = "s3.amazonaws.com"
	// requestTries is how often a request is sent when the server does not
	// answer or says that it is busy, for some two seconds together.
	requestTries = 5
	// readTries is how often the reading of one object is taken up again.
	readTries = 3
)

// prefixPattern admits prefixes that every server takes.
var prefixPattern = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$`)

// bucket is a store in a bucket of an S3 server, below a prefix.
type bucket struct {
	address, name string
	// prefix is empty or ends with a slash.
	prefix string
	server minio.Core
}

var _ Store = (*bucket)(nil)

// openS3 opens a store. Nothing is asked yet, also no keys.
func (o Opener) openS3(address string, u *url.URL) (Store, error) {
	a, err := parseS3(address, u)
	if err != nil {
		return nil, err
	}
	keys := newS3Keys(o.Environ)
	options := &minio.Options{
		Creds: credentials.New(keys), Secure: a.secure, Transport: o.Transport, Region: a.region,
		BucketLookup: minio.BucketLookupPath, MaxRetries: requestTries,
	}
	if a.host == "" {
		a.host, options.BucketLookup = awsEndpoint, minio.BucketLookupAuto
		options.Region = cmp.Or(a.region, keys.variable("AWS_REGION"), keys.variable("AWS_DEFAULT_REGION"))
	}
	client, err := minio.New(a.host, options)
	if err != nil {
		return nil, badAddress(address, "its endpoint is no host with a port")
	}
	b := &bucket{address: address, name: a.bucket, server: minio.Core{Client: client}}
	if a.prefix != "" {
		b.prefix = a.prefix + "/"
	}
	return b, nil
}

// Address implements Store.
func (b *bucket) Address() string { return b.address }

// Put implements Store. The server gets the digest of the whole object and refuses
// other bytes. An object that is there is left alone by the server itself.
func (b *bucket) Put(ctx context.Context, name string, data []byte) error {
	if err := ctx.Err(); err != nil {
		return storeFailure(b.address, "write", name, err)
	}
	if !namePattern.MatchString(name) {
		return failure(ReasonStoreTrouble, "", false, "backup store %q: %q is no name of an object", b.address, name)
	}
	if err := b.put(ctx, name, data); err != nil {
		return b.failed(ctx, "write", name, err)
	}
	// A store that says yes and keeps nothing is met now and then.
	info, err := b.server.StatObject(ctx, b.name, b.prefix+name, minio.StatObjectOptions{})
	if codeOf(err) == minio.NoSuchKey {
		return failure(ReasonStoreTrouble, "see whether the store is in order", true,
			"backup store %q: %q is not there, although it was just written", b.address, name)
	}
	if err != nil {
		return b.failed(ctx, "write", name, err)
	}
	if info.Size != int64(len(data)) {
		return failure(ReasonStoreTrouble, "see whether the store is in order", true,
			"backup store %q: %q has %d bytes, although %d were written", b.address, name, info.Size, len(data))
	}
	return nil
}

// put sends an object. One that is there already is no error: it may also have
// come from the try before, whose answer was lost.
func (b *bucket) put(ctx context.Context, name string, data []byte) error {
	const conflicts, pause = 10, 200 * time.Millisecond
	for n := 0; ; n++ {
		options := minio.PutObjectOptions{DisableContentSha256: true} // it is signed as a whole instead
		options.SetMatchETagExcept("*")
		_, err := b.server.PutObject(ctx, b.name, b.prefix+name, bytes.NewReader(data), int64(len(data)),
			"", digestOf(data), options)
		switch codeOf(err) {
		case minio.PreconditionFailed:
			return nil
		case codeConflict: // somebody else is writing it: it is decided in a moment whether he does
			if n < conflicts && wait.For(ctx, pause) == nil {
				continue
			}
		}
		return err
	}
}

// Open implements Store.
func (b *bucket) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	o := &s3Object{ctx: ctx, bucket: b, name: name}
	err := o.open()
	if codeOf(err) == minio.NoSuchKey {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	if err != nil {
		return nil, b.failed(ctx, "read", name, err)
	}
	return o, nil
}

// List implements Store.
func (b *bucket) List(ctx context.Context, prefix string) ([]Object, error) {
	var out []Object
	options := minio.ListObjectsOptions{Prefix: b.prefix + prefix, Recursive: true}
	for o := range b.server.ListObjectsIter(ctx, b.name, options) {
		if o.Err != nil {
			return nil, b.failed(ctx, "list", prefix, o.Err)
		}
		name, below := strings.CutPrefix(o.Key, b.prefix)
		if !below || name == "" || strings.HasSuffix(name, "/") { // some programs mark folders so
			continue
		}
		out = append(out, Object{Name: name, Size: o.Size, Stored: o.LastModified})
	}
	if err := ctx.Err(); err != nil { // a list that was cut off is none
		return nil, b.failed(ctx, "list", prefix, err)
	}
	slices.SortFunc(out, func(a, b Object) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// Remove implements Store.
func (b *bucket) Remove(ctx context.Context, name string) error {
	err := b.server.RemoveObject(ctx, b.name, b.prefix+name, minio.RemoveObjectOptions{})
	if err != nil && codeOf(err) != minio.NoSuchKey {
		return b.failed(ctx, "remove", name, err)
	}
	return nil
}

// s3Object reads an object. When the connection breaks it goes on where it was.
type s3Object struct {
	ctx    context.Context //nolint:containedctx // it ends with the reader, whose Read has none
	bucket *bucket
	name   string

	body  io.ReadCloser
	etag  string
	size  int64
	at    int64
	tries int
}

// open asks for what was not read yet.
func (o *s3Object) open() error {
	options := minio.GetObjectOptions{}
	if o.at > 0 {
		if err := errors.Join(options.SetRange(o.at, 0), options.SetMatchETag(o.etag)); err != nil {
			return err
		}
	}
	b := o.bucket
	body, info, header, err := b.server.GetObject(o.ctx, b.name, b.prefix+o.name, options)
	if err != nil {
		return err
	}
	if o.at > 0 && header.Get("Content-Range") == "" {
		return errors.Join(errors.New("the server does not send the rest of an object"), body.Close())
	}
	if o.at == 0 {
		o.etag, o.size = info.ETag, info.Size
	}
	o.body = body
	return nil
}

// Read implements io.Reader. An end before all bytes have come is trouble of the
// connection, never the end of the object.
func (o *s3Object) Read(p []byte) (int, error) {
	for {
		n, err := o.body.Read(p)
		o.at += int64(n)
		switch {
		case n > 0:
			return n, nil // an error comes again
		case err == nil:
			continue
		case o.at >= o.size && errors.Is(err, io.EOF):
			return 0, io.EOF
		case o.tries >= readTries:
			return 0, o.bucket.failed(o.ctx, "read", o.name, err)
		}
		o.tries++
		_ = o.body.Close() // it is broken
		if err := o.open(); err != nil {
			o.body = http.NoBody
			return 0, o.bucket.failed(o.ctx, "read", o.name, err)
		}
	}
}

// Close implements io.Closer.
func (o *s3Object) Close() error { return o.body.Close() }
