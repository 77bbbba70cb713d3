package planted

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// planted is one secret.
type planted struct {
	name, value string
	needles     [][]byte
}

// plant makes a secret that JSON, URLs and shells write in another way. Its
// halves stand in no other text, so whatever is done to what joins them, they are
// found.
func plant(name string) *planted {
	left, right := half(), half()
	return planting(name, left+`"/+&=% `+right, left, right)
}

// half is twice as long as what is enough to know it by.
func half() string { return rand.Text()[:2*piece] }

// piece is how much of a secret is enough to know it by: 60 bits. A text that was
// cut within a secret still has its beginning or its end.
const piece = 12

// planting returns a secret that is given, with parts that are searched too.
func planting(name, value string, parts ...string) *planted {
	p := &planted{name: name, value: value}
	for _, part := range slices.Clone(parts) {
		parts = append(parts, part[:piece], part[len(part)-piece:])
	}
	for _, s := range append(parts, value) {
		p.add(s, url.QueryEscape(s), url.PathEscape(s), escaped(s))
		p.add(hex.EncodeToString([]byte(s)), strings.ToUpper(hex.EncodeToString([]byte(s))))
		for _, e := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			p.add(shifted(e, s)...)
		}
	}
	// A digest without a key lets everybody test a guess.
	for _, s := range []string{value, value + "\n"} {
		sum := sha256.Sum256([]byte(s))
		p.add(hex.EncodeToString(sum[:]), base64.StdEncoding.EncodeToString(sum[:]))
	}
	return p
}

func (p *planted) add(needles ...string) {
	for _, n := range needles {
		p.needles = append(p.needles, []byte(n))
	}
}

func escaped(s string) string {
	text, _ := json.Marshal(s) //nolint:errchkjson // a text always has a form
	return strings.Trim(string(text), `"`)
}

// shifted returns what base64 makes of s wherever it begins: without the
// characters that depend on what stands around it.
func shifted(e *base64.Encoding, s string) []string {
	var out []string
	for before := range 3 {
		text := e.EncodeToString([]byte(strings.Repeat("\x00", before) + s))
		from, to := (before*8+5)/6, (before+len(s))*8/6
		out = append(out, text[from:to])
	}
	return out
}

// in returns what of the secret stands in data, with its surroundings; "" when
// nothing does.
func (p *planted) in(data []byte) string {
	for _, n := range p.needles {
		if i := bytes.Index(data, n); i >= 0 {
			return string(bytes.ToValidUTF8(data[max(0, i-120):min(len(data), i+len(n)+60)], []byte("?")))
		}
	}
	return ""
}

// TestNeedles hides a secret in all ways that the search has to see through.
func TestNeedles(t *testing.T) {
	t.Parallel()
	p := plant("x")
	twice := escaped(escaped(p.value))
	sum := sha256.Sum256([]byte(p.value))
	for name, text := range map[string]string{
		"Plain": p.value, "JSON": escaped(p.value), "JSONTwice": twice, "Query": url.QueryEscape(p.value),
		"Path": url.PathEscape(p.value), "Hex": hex.EncodeToString([]byte("a" + p.value)),
		"BasicAuth": base64.StdEncoding.EncodeToString([]byte("user:" + p.value)),
		"Shift1":    base64.StdEncoding.EncodeToString([]byte("u" + p.value + "x")),
		"Shift2":    base64.URLEncoding.EncodeToString([]byte("us" + p.value + "xy")),
		"Left":      p.value[:piece], "Right": p.value[len(p.value)-piece:], "Cut": p.value[:piece+3],
		"CutBasicAuth": base64.StdEncoding.EncodeToString([]byte("user:" + p.value))[:30],
		"Digest":       hex.EncodeToString(sum[:]),
	} {
		if p.in([]byte("before "+text+" behind")) == "" {
			t.Errorf("%s: not found in %q", name, text)
		}
	}
	if found := p.in([]byte("*** and " + plant("y").value)); found != "" {
		t.Errorf("found in what does not hold it: %q", found)
	}
}
