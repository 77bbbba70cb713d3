package backup

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
)

// mostLine is the size of the largest object: clusters take no larger ones.
const mostLine = 16 << 20

// Item is what a manifest says of one object of a namespace.
type Item struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// Name is left out of the manifest of a backup that is encrypted.
	Name string `json:"name,omitempty"`
	// Digest is the sha256 of its line; with a key a keyed hash of the line and the id
	// of the backup, of which nobody without the key can guess a value.
	Digest string `json:"digest"`
}

// ItemWriter writes the stream of a namespace.
type ItemWriter struct {
	out   io.Writer
	key   *Key
	id    string
	items []Item
}

// Head writes the line that comes first; head is JSON on one line.
func (w *ItemWriter) Head(head []byte) error { return writeLine(w.out, head) }

// Write writes an object, as JSON on one line.
func (w *ItemWriter) Write(apiVersion, kind, name string, line []byte) error {
	item := Item{APIVersion: apiVersion, Kind: kind, Name: name, Digest: w.key.itemDigest(w.id, line)}
	if w.key != nil {
		item.Name = ""
	}
	w.items = append(w.items, item)
	return writeLine(w.out, line)
}

func writeLine(out io.Writer, line []byte) error {
	if len(line) > mostLine || bytes.IndexByte(line, '\n') >= 0 {
		return fmt.Errorf("an object of %d bytes cannot be a line of a backup", len(line))
	}
	_, err := out.Write(append(slices.Clip(line), '\n'))
	return err
}

// itemDigest returns the digest of the line of an object.
func (k *Key) itemDigest(id string, line []byte) string {
	if k == nil {
		return digestOf(line)
	}
	return hex.EncodeToString(derive(k.items, id+"\x00"+string(line)))
}

// ItemReader reads the stream of a namespace. Each of its functions is called once.
type ItemReader interface {
	// Head returns the line that comes first.
	Head() ([]byte, error)
	// Each calls visit with the line of each object, which is the one that was saved.
	Each(visit func(item Item, line []byte) error) error
}

// items implements ItemReader.
type items struct {
	m   *Manifest
	key *Key
	in  *bufio.Reader
}

// eachItem hands the stream to do, and reads what do leaves unread.
func eachItem(m *Manifest, key *Key, r io.Reader, do func(ItemReader) error) error {
	if !m.Encrypted() {
		key = nil // one that was given and is not needed
	}
	in := &items{m: m, key: key, in: bufio.NewReaderSize(r, 256<<10)}
	if err := do(in); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, onlyReader{in.in})
	return err
}

// line reads the next line. What is returned is the reader's no longer.
func (i *items) line() ([]byte, error) {
	var line []byte
	for {
		piece, err := i.in.ReadSlice('\n')
		if line = append(line, piece...); len(line) > mostLine+1 {
			return nil, errors.New("a line of it is longer than any object")
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		return bytes.TrimSuffix(line, []byte("\n")), err
	}
}

// Head implements ItemReader.
func (i *items) Head() ([]byte, error) {
	line, err := i.line()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("it has no beginning")
	}
	return line, err
}

// Each implements ItemReader.
func (i *items) Each(visit func(item Item, line []byte) error) error {
	for n, item := range i.m.Items {
		line, err := i.line()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("it has %d objects, and its manifest lists %d", n, len(i.m.Items))
		}
		if err != nil {
			return err
		}
		if !hmac.Equal([]byte(i.key.itemDigest(i.m.ID, line)), []byte(item.Digest)) {
			return fmt.Errorf("object %d, a %s, is not the one that was saved", n+1, item.Kind)
		}
		if err := visit(item, line); err != nil {
			return err
		}
	}
	if line, err := i.line(); !errors.Is(err, io.EOF) || len(line) > 0 {
		return errors.Join(err, fmt.Errorf("there is more in it than the %d objects of its manifest", len(i.m.Items)))
	}
	return nil
}
