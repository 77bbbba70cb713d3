package image

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/compression"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/refitproject/refit/test/cluster/internal/place"
)

// Maker makes images.
type Maker struct {
	// Cache is where archives are kept.
	Cache string
	// Program returns the file of a program, which is built then.
	Program func(name string) (string, error)
	// Say tells what is done.
	Say func(format string, args ...any)
}

// Archive is where the image of a recipe is, whether it is made or not. What
// the recipe takes from has to be there.
func (m Maker) Archive(r Recipe) (string, error) {
	hash := sha256.New()
	text, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("name image %q: %w", r.Name, err)
	}
	hash.Write(text)
	for _, to := range slices.Sorted(maps.Keys(r.Files)) {
		switch f := r.Files[to]; {
		case f.Program != "":
			// Its folder is named after what it is made from.
			file, err := m.Program(f.Program)
			if err != nil {
				return "", fmt.Errorf("image %q: %w", r.Name, err)
			}
			hash.Write([]byte(filepath.Base(filepath.Dir(file))))
		case f.Host != "":
			content, err := os.ReadFile(f.Host)
			if err != nil {
				return "", fmt.Errorf("image %q: %w", r.Name, err)
			}
			sum := sha256.Sum256(content)
			hash.Write(sum[:])
		}
	}
	key := hex.EncodeToString(hash.Sum(nil))[:12]
	return filepath.Join(m.Cache, r.Name+"-"+r.Tag+"-"+key+".tar"), nil
}

// Make makes the image of a recipe unless it is there, and returns its archive.
func (m Maker) Make(ctx context.Context, r Recipe) (string, error) {
	file, err := m.Archive(r)
	if err != nil {
		return "", err
	}
	_, err = os.Stat(file)
	if err == nil {
		return file, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("find image %q: %w", r.Name, err)
	}
	lock, err := place.LockFile(filepath.Join(m.Cache, r.Name+".lock"), true)
	if err != nil {
		return "", err
	}
	defer lock.Close() //nolint:errcheck // The kernel lets go of it.
	if err := ctx.Err(); err != nil {
		return "", context.Cause(ctx)
	}
	m.Say("make image %s", r.Ref())
	image, err := m.image(r)
	if err != nil {
		return "", fmt.Errorf("make image %q: %w", r.Name, err)
	}
	tag, err := name.NewTag(r.Ref())
	if err != nil {
		return "", fmt.Errorf("make image %q: %w", r.Name, err)
	}
	if err := tarball.WriteToFile(file+".new", tag, image); err != nil {
		return "", fmt.Errorf("make image %q: %w", r.Name, err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		return "", fmt.Errorf("make image %q: %w", r.Name, err)
	}
	return file, nil
}

func (m Maker) image(r Recipe) (v1.Image, error) {
	// Not compressed: it is read more often than it is stored.
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		read, write := io.Pipe()
		go func() { write.CloseWithError(m.layer(r, write)) }()
		return read, nil
	}, tarball.WithCompression(compression.None))
	if err != nil {
		return nil, fmt.Errorf("make a layer: %w", err)
	}
	image, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		return nil, fmt.Errorf("add a layer: %w", err)
	}
	file, err := image.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	file = file.DeepCopy()
	file.OS, file.Architecture = "linux", runtime.GOARCH
	file.Config = v1.Config{
		Entrypoint: r.Entrypoint, Cmd: r.Command, User: r.User,
		Env: append([]string{"PATH=/usr/local/bin:/usr/bin:/bin"}, r.Env...),
	}
	image, err = mutate.ConfigFile(image, file)
	if err != nil {
		return nil, fmt.Errorf("write the configuration: %w", err)
	}
	return image, nil
}

// layer writes the tar of a recipe; the same recipe gives the same bytes.
func (m Maker) layer(r Recipe, to io.Writer) error {
	w := tar.NewWriter(to)
	made := map[string]bool{"/": true}
	for _, dir := range slices.Sorted(slices.Values(r.Folders)) {
		if err := mkdir(w, dir, 0o1777, made); err != nil {
			return err
		}
	}
	for _, file := range slices.Sorted(maps.Keys(r.Files)) {
		if err := mkdir(w, path.Dir(file), 0o755, made); err != nil {
			return err
		}
		if err := m.file(w, file, r.Files[file]); err != nil {
			return fmt.Errorf("add %q: %w", file, err)
		}
	}
	for _, link := range slices.Sorted(maps.Keys(r.Links)) {
		if err := mkdir(w, path.Dir(link), 0o755, made); err != nil {
			return err
		}
		header := &tar.Header{
			Typeflag: tar.TypeSymlink, Name: strings.TrimPrefix(link, "/"), Linkname: r.Links[link], Mode: 0o777,
		}
		if err := w.WriteHeader(header); err != nil {
			return fmt.Errorf("add %q: %w", link, err)
		}
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("end a layer: %w", err)
	}
	return nil
}

// mkdir adds a folder with those above it, each once.
func mkdir(w *tar.Writer, dir string, mode int64, made map[string]bool) error {
	if made[dir] {
		return nil
	}
	if err := mkdir(w, path.Dir(dir), 0o755, made); err != nil {
		return err
	}
	made[dir] = true
	header := &tar.Header{Typeflag: tar.TypeDir, Name: strings.TrimPrefix(dir, "/") + "/", Mode: mode}
	if err := w.WriteHeader(header); err != nil {
		return fmt.Errorf("add %q: %w", dir, err)
	}
	return nil
}

func (m Maker) file(w *tar.Writer, name string, f File) error {
	header := &tar.Header{Typeflag: tar.TypeReg, Name: strings.TrimPrefix(name, "/"), Mode: 0o644}
	if f.Text != "" {
		header.Size = int64(len(f.Text))
		return write(w, header, bytes.NewReader([]byte(f.Text)))
	}
	from := f.Host
	if f.Program != "" {
		file, err := m.Program(f.Program)
		if err != nil {
			return err
		}
		from = file
	}
	file, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	defer file.Close() //nolint:errcheck // It was only read.
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	header.Size = info.Size()
	if info.Mode()&0o111 != 0 {
		header.Mode = 0o755
	}
	return write(w, header, file)
}

func write(w *tar.Writer, header *tar.Header, from io.Reader) error {
	if err := w.WriteHeader(header); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	if _, err := io.Copy(w, from); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}
