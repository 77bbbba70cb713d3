package observe

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/refitproject/refit/internal/plan"
)

// hashPrefix heads every keyed hash. Behind it come the id of the key and the
// hash itself: "hmac-sha256:3f2a90c1:…".
const hashPrefix = "hmac-sha256:"

// Hasher replaces sensitive values by keyed hashes: equal values have equal
// hashes, and nobody without the key can find a value by trying. It is safe for
// concurrent use.
type Hasher struct {
	key []byte
	id  string
}

// NewHasher returns the hasher of a key, which must not be changed afterwards.
func NewHasher(key []byte) *Hasher {
	h := &Hasher{key: key}
	h.id = hex.EncodeToString(h.sum([]byte("id of the key")))[:8]
	return h
}

// Keyed returns the keyed hash of a text.
func (h *Hasher) Keyed(text string) string {
	return hashPrefix + h.id + ":" + hex.EncodeToString(h.sum([]byte(text)))
}

func (h *Hasher) sum(data []byte) []byte {
	mac := hmac.New(sha256.New, h.key)
	_, _ = mac.Write(data) // a hash never fails to write
	return mac.Sum(nil)
}

// keyID returns the id of the key that made a keyed hash, "" for any other
// value.
func keyID(v any) string {
	s, ok := v.(string)
	if !ok {
		return ""
	}
	rest, ok := strings.CutPrefix(s, hashPrefix)
	if !ok {
		return ""
	}
	id, _, _ := strings.Cut(rest, ":")
	return id
}

// OtherKey explains a change that is none: a sensitive fact was hashed with
// another key, so that nobody can tell whether it changed. It is empty for
// every other change.
func OtherKey(c plan.FactChange) string {
	expected, observed := keyID(c.Expected), keyID(c.Observed)
	if expected == "" || observed == "" || expected == observed {
		return ""
	}
	return "the plan was made with the hash key of another machine, so the value cannot be compared: plan again here"
}
