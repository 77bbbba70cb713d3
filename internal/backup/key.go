package backup

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strings"

	"filippo.io/age"
)

// Key encrypts and opens backups. A nil Key is none. It is safe for concurrent
// use.
type Key struct {
	identities []age.Identity
	recipients []age.Recipient
	public     []string
	tag        []byte
	secrets    []byte
	items      []byte
}

// ParseKey reads an age key as age-keygen writes it: one identity a line,
// AGE-SECRET-KEY-1…; empty lines and those that begin with # do not count. New
// backups are encrypted for all of them. The error holds nothing of text.
func ParseKey(text string) (*Key, error) {
	identities, err := age.ParseIdentities(strings.NewReader(text))
	if err != nil || len(identities) == 0 {
		// What the library says may quote the key.
		return nil, failure(ReasonWrongKey, "make one with age-keygen, and give the whole file", false,
			"the key of the backup is no age identity (AGE-SECRET-KEY-1…)")
	}
	key := &Key{identities: identities}
	sum := sha256.New()
	for _, id := range identities {
		switch id := id.(type) {
		case *age.X25519Identity:
			key.add(id.Recipient(), id.Recipient().String())
			sum.Write([]byte(id.String()))
		case *age.HybridIdentity:
			key.add(id.Recipient(), id.Recipient().String())
			sum.Write([]byte(id.String()))
		default:
			return nil, failure(ReasonWrongKey, "make one with age-keygen", false,
				"the key of the backup is of a kind that Refit does not know")
		}
	}
	if _, err := key.encrypt(nil, nil); err != nil { // old and new kinds of keys do not go together
		return nil, failure(ReasonWrongKey, "give one key, or keys of one kind", false,
			"the keys of the backup cannot be used together")
	}
	key.tag = derive(sum.Sum(nil), "refit backup: names of parts")
	key.secrets = derive(sum.Sum(nil), "refit backup: captured secrets")
	key.items = derive(sum.Sum(nil), "refit backup: objects")
	return key, nil
}

// derive returns a key for one use.
func derive(from []byte, use string) []byte {
	mac := hmac.New(sha256.New, from)
	mac.Write([]byte(use))
	return mac.Sum(nil)
}

// keyed returns the keyed hash of the secret that is captured as backup id.
func (k *Key) keyed(id, value string) string {
	return hex.EncodeToString(derive(k.secrets, id+"\x00"+value))
}

func (k *Key) add(r age.Recipient, public string) {
	k.recipients = append(k.recipients, r)
	k.public = append(k.public, public)
}

// Recipients returns the public halves.
func (k *Key) Recipients() []string {
	if k == nil {
		return nil
	}
	return k.public
}

// tagOf returns what names data without saying anything about it to those who
// have no key; "" without a key.
func (k *Key) tagOf(data []byte) string {
	if k == nil {
		return ""
	}
	mac := hmac.New(sha256.New, k.tag)
	mac.Write(data)
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// encrypt returns data as an age file, in the memory of into; data itself
// without a key.
func (k *Key) encrypt(data, into []byte) ([]byte, error) {
	if k == nil {
		return data, nil
	}
	b := bytes.NewBuffer(into[:0])
	w, err := age.Encrypt(b, k.recipients...)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// decrypt returns what encrypt was given, in the memory of into.
func (k *Key) decrypt(data, into []byte) ([]byte, error) {
	r, err := age.Decrypt(bytes.NewReader(data), k.identities...)
	if err != nil {
		return nil, err
	}
	b := bytes.NewBuffer(into[:0])
	_, err = io.Copy(b, r)
	return b.Bytes(), err
}

// Opens says why the key cannot open a backup, nil when it can or none is needed.
func (k *Key) Opens(m *Manifest) error {
	if !m.Encrypted() {
		return nil
	}
	if k == nil {
		return failure(ReasonWrongKey, "give the key", false, "backup %q: it is encrypted for %s, and no key was given",
			m.ID, strings.Join(m.Recipients, ", "))
	}
	for _, mine := range k.public {
		if slices.Contains(m.Recipients, mine) {
			return nil
		}
	}
	return wrongKey(m)
}

func wrongKey(m *Manifest) error {
	return failure(ReasonWrongKey, "give the key that it was made with", false,
		"backup %q: the key does not open it, it is encrypted for %s", m.ID, strings.Join(m.Recipients, ", "))
}

// isNoMatch tells whether an age file is for somebody else.
func isNoMatch(err error) bool {
	_, ok := errors.AsType[*age.NoIdentityMatchError](err)
	return ok
}
