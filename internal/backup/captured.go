package backup

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
)

const (
	// secretBlock is the unit of the size of captured secrets: those who have no
	// key learn no more of the length of one.
	secretBlock = 1 << 10
	// secretHead is the length of the number before the secret.
	secretHead = 4
	// mostSecret is the size of the largest stream of one.
	mostSecret = 128 << 10
)

// Captured returns the secret that was captured as backup id, and makes sure that
// it is the one that whoever had the key has put there. No error holds anything
// of it.
func Captured(ctx context.Context, s Store, id string, key *Key) (string, error) {
	e, err := Find(ctx, s, id)
	if err == nil {
		err = e.Ready()
	}
	if err != nil {
		return "", err
	}
	m := e.Manifest
	if m.Kind != Secret {
		return "", failure(ReasonBackupNotFound, "name the backup that secret.capture has made", false,
			"backup %q: it holds a %s, not a secret", id, m.Kind)
	}
	r, err := newStreamReader(ctx, s, m, key, func(Part) {})
	if err != nil {
		return "", err
	}
	value, _, err := readCaptured(r, m, key)
	if err = errors.Join(err, r.Close()); err != nil {
		return "", streamFailure(m, err)
	}
	return value, nil
}

// NewestCaptured returns the id of the newest secret of a series. One that is not
// proved does not count: its step is not done. When two sources have captures of
// the name, nobody can say which one is meant.
func NewestCaptured(ctx context.Context, s Store, name string) (string, error) {
	entries, err := Catalog(ctx, s)
	if err != nil {
		return "", err
	}
	var newest *Entry
	for i := range entries {
		e := &entries[i]
		if m := e.Manifest; m == nil || m.Kind != Secret || m.Name != name {
			continue
		}
		if _, proved := e.Proof(); !e.Good() || !proved {
			continue
		}
		switch {
		case newest == nil:
			newest = e
		case newest.Manifest.Series() != e.Manifest.Series():
			return "", failure(ReasonBackupNotFound, "name the backup that is meant", false,
				"backup store %q: secrets were captured as %q from several sources", s.Address(), name)
		case e.Manifest.Sequence > newest.Manifest.Sequence:
			newest = e
		}
	}
	if newest == nil {
		return "", failure(ReasonBackupNotFound, "look at what the store holds", false,
			"backup store %q: no secret was captured as %q", s.Address(), name)
	}
	return newest.ID, nil
}

// writeSecret writes the stream of a captured secret: its length, itself, and
// noise up to the next block.
func writeSecret(out io.Writer, value string) (Counts, error) {
	size := (secretHead + len(value) + secretBlock - 1) / secretBlock * secretBlock
	stream := make([]byte, size)
	binary.BigEndian.PutUint32(stream, uint32(len(value))) //nolint:gosec // secrets are small
	n := secretHead + copy(stream[secretHead:], value)
	if _, err := rand.Read(stream[n:]); err != nil {
		return Counts{}, err
	}
	_, err := out.Write(stream)
	return Counts{Bytes: int64(size)}, err
}

// readCaptured reads what writeSecret has written and compares it with its keyed
// hash.
func readCaptured(r io.Reader, m *Manifest, key *Key) (string, Counts, error) {
	if !m.Encrypted() || key == nil {
		return "", Counts{}, errors.New("it holds a secret and is not encrypted: nobody who captures writes that")
	}
	stream, err := io.ReadAll(io.LimitReader(r, mostSecret+1))
	if err != nil {
		return "", Counts{}, err
	}
	if len(stream) > mostSecret || len(stream) < secretHead {
		return "", Counts{}, errors.New("its length cannot be that of a secret")
	}
	length := int64(binary.BigEndian.Uint32(stream))
	if length > int64(len(stream)-secretHead) {
		return "", Counts{}, errors.New("the secret in it is cut off")
	}
	value := string(stream[secretHead : secretHead+length])
	if !hmac.Equal([]byte(key.keyed(m.ID, value)), []byte(m.Keyed)) {
		return "", Counts{}, errors.New("the secret in it is not the one that was captured")
	}
	return value, Counts{Bytes: int64(len(stream))}, nil
}
