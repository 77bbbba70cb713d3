package image

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// Maker makes images.
type Maker struct {
	// Cache is where layers are kept.
	Cache string
	// Program returns the file of a program, which is built then.
	Program func(name string) (string, error)
	// Say tells what is done.
	Say func(format string, args ...any)
}

// With returns a maker that knows one more program.
func (m Maker) With(program, file string) Maker {
	others := m.Program
	m.Program = func(name string) (string, error) {
		if name == program {
			return file, nil
		}
		return others(name)
	}
	return m
}

// Image is a whole image: bytes are read from the cache when they are needed.
type Image struct {
	// Ref is the name by which pods use it.
	Ref string
	// Key names everything that went in.
	Key string
	// Size is how many bytes its layers have in the cache.
	Size int64

	image v1.Image
}

// Make makes the layers of a recipe that are not in the cache. all are the
// recipes that it may be made from.
func (m Maker) Make(ctx context.Context, r Recipe, all []Recipe) (Image, error) {
	image, err := m.make(ctx, r, all)
	if err != nil {
		return Image{}, fmt.Errorf("make image %q: %w", r.Name, err)
	}
	return image, nil
}

func (m Maker) make(ctx context.Context, r Recipe, all []Recipe) (Image, error) {
	layers, err := m.system(ctx, r, all)
	if err != nil {
		return Image{}, err
	}
	if len(r.Files)+len(r.Links)+len(r.Folders) > 0 {
		key, err := m.filesKey(r)
		if err != nil {
			return Image{}, err
		}
		// Not compressed: it is read more often than it is stored.
		files, err := m.keep(ctx, r.Name, key, false, func(w io.Writer) error { return m.layer(r, w) })
		if err != nil {
			return Image{}, err
		}
		layers = append(layers, files)
	}
	image, err := assemble(r, layers)
	if err != nil {
		return Image{}, err
	}
	config, err := image.ConfigName()
	if err != nil {
		return Image{}, fmt.Errorf("name the configuration: %w", err)
	}
	made := Image{Ref: r.Ref(), Key: config.Hex[:12], image: image}
	for _, l := range layers {
		made.Size += l.Bytes
	}
	return made, nil
}

// filesKey names what goes into the layer of files.
func (m Maker) filesKey(r Recipe) (string, error) {
	hash := sha256.New()
	text, err := json.Marshal([]any{r.Files, r.Links, r.Folders})
	if err != nil {
		return "", fmt.Errorf("name the files: %w", err)
	}
	hash.Write(text)
	for _, to := range slices.Sorted(maps.Keys(r.Files)) {
		switch f := r.Files[to]; {
		case f.Program != "":
			// Its folder is named after what it is made from.
			file, err := m.Program(f.Program)
			if err != nil {
				return "", err
			}
			hash.Write([]byte(filepath.Base(filepath.Dir(file))))
		case f.Host != "":
			content, err := os.ReadFile(f.Host)
			if err != nil {
				return "", fmt.Errorf("read a file of the machine: %w", err)
			}
			sum := sha256.Sum256(content)
			hash.Write(sum[:])
		}
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// assemble puts layers under the configuration of a recipe.
func assemble(r Recipe, layers []Layer) (v1.Image, error) {
	image := empty.Image
	for _, l := range layers {
		layer, err := l.layer()
		if err != nil {
			return nil, fmt.Errorf("read a layer: %w", err)
		}
		if image, err = mutate.AppendLayers(image, layer); err != nil {
			return nil, fmt.Errorf("add a layer: %w", err)
		}
	}
	file, err := image.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	file = file.DeepCopy()
	file.OS, file.Architecture = "linux", runtime.GOARCH
	search := "/usr/local/bin:/usr/bin:/bin"
	if r.From != "" || r.Debian != "" {
		search = "/opt/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	}
	file.Config = v1.Config{
		Entrypoint: r.Entrypoint, Cmd: r.Command, User: r.User, WorkingDir: r.Dir,
		Env: r.Env,
	}
	if !slices.ContainsFunc(r.Env, func(v string) bool { return strings.HasPrefix(v, "PATH=") }) {
		file.Config.Env = append([]string{"PATH=" + search}, r.Env...)
	}
	image, err = mutate.ConfigFile(image, file)
	if err != nil {
		return nil, fmt.Errorf("write the configuration: %w", err)
	}
	return image, nil
}

// Archive writes the image as an archive of docker.
func (i Image) Archive(w io.Writer) error {
	tag, err := name.NewTag(i.Ref)
	if err != nil {
		return fmt.Errorf("write image %q: %w", i.Ref, err)
	}
	if err := tarball.Write(tag, i.image, w); err != nil {
		return fmt.Errorf("write image %q: %w", i.Ref, err)
	}
	return nil
}

// layer writes the tar of a recipe; the same recipe gives the same bytes.
func (m Maker) layer(r Recipe, to io.Writer) error {
	w := tar.NewWriter(to)
	made := map[string]bool{"/": true}
	if r.From != "" {
		// What the system has must keep its mode.
		for dir := range strings.FieldsSeq("etc opt tmp usr usr/bin usr/local usr/local/bin var var/lib") {
			made["/"+dir] = true
		}
	}
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
		if strings.HasPrefix(f.Text, "#!") {
			header.Mode = 0o755
		}
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
