package image

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/refitproject/refit/test/cluster/internal/place"
)

// Layer is what the cache knows of one layer, beside its bytes.
type Layer struct {
	// Key names everything that went in.
	Key string `json:"key"`
	// Blob is the digest of the file, Diff that of the tar in it.
	Blob v1.Hash `json:"blob"`
	Diff v1.Hash `json:"diff"`
	// Bytes is the size of the file.
	Bytes int64 `json:"bytes"`
	// Packed is true when the file is compressed.
	Packed bool `json:"packed"`

	file string
}

// Digest implements partial.CompressedLayer.
func (l Layer) Digest() (v1.Hash, error) { return l.Blob, nil }

// DiffID implements partial.WithDiffID.
func (l Layer) DiffID() (v1.Hash, error) { return l.Diff, nil }

// Size implements partial.CompressedLayer.
func (l Layer) Size() (int64, error) { return l.Bytes, nil }

// MediaType implements partial.CompressedLayer.
func (l Layer) MediaType() (types.MediaType, error) {
	if l.Packed {
		return types.DockerLayer, nil
	}
	return types.DockerUncompressedLayer, nil
}

// Compressed implements partial.CompressedLayer: the file as it is.
func (l Layer) Compressed() (io.ReadCloser, error) { return os.Open(l.file) }

func (l Layer) layer() (v1.Layer, error) { return partial.CompressedToLayer(l) }

// keep returns the layer called name that was made from key, making it with
// write when it is not in the cache. Two makers of one layer wait for each other;
// one that is killed leaves nothing that looks like a layer.
func (m Maker) keep(ctx context.Context, name, key string, packed bool, write func(io.Writer) error) (Layer, error) {
	base := filepath.Join(m.Cache, "layers", name+"-"+key[:12])
	l, err := readLayer(base, key)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return l, err
	}
	lock, err := place.LockFile(base+".lock", true)
	if err != nil {
		return Layer{}, err
	}
	defer lock.Close() //nolint:errcheck // The kernel lets go of it.
	if l, err = readLayer(base, key); err == nil {
		return l, nil // Somebody else was quicker.
	}
	if ctx.Err() != nil {
		return Layer{}, context.Cause(ctx)
	}
	begin := time.Now()
	m.Say("make layer %s: once", name)
	l = Layer{Key: key, Packed: packed, file: base + ".layer"}
	if l, err = l.write(write); err != nil {
		return Layer{}, errors.Join(err, os.RemoveAll(l.file+".new"))
	}
	// The record is written last: without it there is no layer.
	if err := place.WriteJSON(base+".json", l); err != nil {
		return Layer{}, err
	}
	m.Say("make layer %s: done after %s, %d MiB", name, time.Since(begin).Round(100*time.Millisecond), l.Bytes>>20)
	return l, nil
}

func readLayer(base, key string) (Layer, error) {
	var l Layer
	if err := place.ReadJSON(base+".json", &l); err != nil {
		return Layer{}, err
	}
	l.file = base + ".layer"
	info, err := os.Stat(l.file)
	if err != nil {
		return Layer{}, fmt.Errorf("find a layer: %w", err)
	}
	if l.Key != key || info.Size() != l.Bytes {
		return Layer{}, fmt.Errorf("layer %q is not what its record says: %w", l.file, fs.ErrNotExist)
	}
	return l, nil
}

// write writes the file of a layer and learns what it is.
func (l Layer) write(content func(io.Writer) error) (Layer, error) {
	file, err := os.Create(l.file + ".new")
	if err != nil {
		return l, fmt.Errorf("write a layer: %w", err)
	}
	defer file.Close() //nolint:errcheck // It is closed below unless something else failed.
	blob, diff := sha256.New(), sha256.New()
	out := io.MultiWriter(file, blob)
	if !l.Packed {
		err = content(io.MultiWriter(out, diff))
	} else {
		// A system is large, and few clusters load it.
		zip, _ := gzip.NewWriterLevel(out, gzip.BestSpeed) // The level is one of theirs.
		err = errors.Join(content(io.MultiWriter(zip, diff)), zip.Close())
	}
	if err != nil {
		return l, err
	}
	info, err := file.Stat()
	if err != nil {
		return l, fmt.Errorf("write a layer: %w", err)
	}
	l.Bytes, l.Blob, l.Diff = info.Size(), digest(blob), digest(diff)
	if err := errors.Join(file.Sync(), file.Close(), os.Rename(l.file+".new", l.file)); err != nil {
		return l, fmt.Errorf("write a layer: %w", err)
	}
	return l, nil
}

func digest(h hash.Hash) v1.Hash {
	return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(h.Sum(nil))}
}
