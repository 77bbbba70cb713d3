package image

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// writeTree writes a folder as the tar of a layer. In the upper folder of an
// overlay, what was removed from the layers below is a device 0:0, and a folder
// that hides the one below has an attribute: both have names of their own in
// layers.
func writeTree(root string, to io.Writer) error {
	t := tree{w: tar.NewWriter(to), root: root, links: map[[2]uint64]string{}}
	// In the order of their names.
	if err := filepath.WalkDir(root, t.add); err != nil {
		return fmt.Errorf("write a layer: %w", err)
	}
	if err := t.w.Close(); err != nil {
		return fmt.Errorf("write a layer: %w", err)
	}
	return nil
}

type tree struct {
	w    *tar.Writer
	root string
	// links has the first name of each file that has several.
	links map[[2]uint64]string
}

const (
	removed = ".wh."
	hides   = ".wh..wh..opq"
)

func (t tree) add(file string, d fs.DirEntry, err error) error {
	if err != nil || file == t.root {
		return err
	}
	name, err := filepath.Rel(t.root, file)
	if err != nil {
		return err
	}
	info, err := d.Info()
	if err != nil {
		return err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("%q has no owner", name)
	}
	if info.Mode()&fs.ModeCharDevice != 0 && stat.Rdev == 0 {
		gone := filepath.Join(filepath.Dir(name), removed+filepath.Base(name))
		return t.w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: gone, Mode: 0o644})
	}
	if info.Mode()&fs.ModeSocket != 0 {
		return nil // Whoever listened there is gone.
	}
	target := ""
	if info.Mode()&fs.ModeSymlink != 0 {
		if target, err = os.Readlink(file); err != nil {
			return err
		}
	}
	header, err := tar.FileInfoHeader(info, target)
	if err != nil {
		return err
	}
	// Names of owners are those of this machine, numbers those of the image.
	header.Name, header.Uname, header.Gname = name, "", ""
	if d.IsDir() {
		return t.folder(file, header)
	}
	if info.Mode().IsRegular() && stat.Nlink > 1 {
		id := [2]uint64{stat.Dev, stat.Ino}
		if first, ok := t.links[id]; ok {
			header.Typeflag, header.Linkname, header.Size = tar.TypeLink, first, 0
			return t.w.WriteHeader(header)
		}
		t.links[id] = name
	}
	if err := t.w.WriteHeader(header); err != nil || !info.Mode().IsRegular() {
		return err
	}
	return t.content(file)
}

func (t tree) content(name string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(t.w, file)
	return errors.Join(err, file.Close())
}

func (t tree) folder(name string, header *tar.Header) error {
	header.Name += "/"
	if err := t.w.WriteHeader(header); err != nil {
		return err
	}
	value := make([]byte, 1)
	n, err := unix.Lgetxattr(name, "trusted.overlay.opaque", value)
	if err != nil || !strings.HasPrefix(string(value[:n]), "y") {
		return nil //nolint:nilerr // A folder without the attribute hides nothing.
	}
	return t.w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: header.Name + hides, Mode: 0o644})
}
