package backup

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/refitproject/refit/internal/action"
)

// TestSecretNeedsKey makes sure that no caller can store a secret in clear.
func TestSecretNeedsKey(t *testing.T) {
	t.Parallel()
	store, err := Opener{}.Open("file:.", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r := Request{Store: store, Name: "hub", Key: "k", Kind: Secret, Path: `file "x"`, Value: "hunter2"}
	_, err = Worker{Now: time.Now}.Make(t.Context(), r)
	if action.ReasonOf(err) != action.ReasonInvalidInput || !strings.Contains(err.Error(), "a secret is kept encrypted only") {
		t.Errorf("got %v", err)
	}
	if list, err := store.List(t.Context(), ""); err != nil || len(list) != 0 {
		t.Errorf("the store has %v, %v", list, err)
	}
}

// TestReadCaptured reads streams that nobody has written with the key.
func TestReadCaptured(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	m := &Manifest{ID: "hub-0123456789abcdef", Recipients: key.Recipients(), Keyed: key.keyed("hub-0123456789abcdef", "hunter2")}
	var good bytes.Buffer
	if _, err := writeSecret(&good, "hunter2"); err != nil {
		t.Fatal(err)
	}
	open := *m
	open.Recipients = nil
	cases := map[string]struct {
		m      *Manifest
		stream []byte
		want   string
	}{
		"Good":     {m, good.Bytes(), "<nil>"},
		"Open":     {&open, good.Bytes(), "it holds a secret and is not encrypted"},
		"Short":    {m, []byte{0, 0}, "its length cannot be that of a secret"},
		"Long":     {m, make([]byte, mostSecret+1), "its length cannot be that of a secret"},
		"Cut":      {m, good.Bytes()[:8], "the secret in it is cut off"},
		"Huge":     {m, []byte{0xff, 0xff, 0xff, 0xff, 1}, "the secret in it is cut off"},
		"Another":  {m, append([]byte{0, 0, 0, 7}, "hunter3"...), "is not the one that was captured"},
		"Shorter":  {m, append([]byte{0, 0, 0, 6}, "hunter2"...), "is not the one that was captured"},
		"NoSecret": {m, make([]byte, secretBlock), "is not the one that was captured"},
	}
	for name, tc := range cases {
		value, _, err := readCaptured(bytes.NewReader(tc.stream), tc.m, key)
		text := "<nil>"
		if err != nil {
			text = err.Error()
		}
		if !strings.Contains(text, tc.want) || (err == nil) != (value == "hunter2") {
			t.Errorf("%s: got %q, %s, want %s", name, value, text, tc.want)
		}
	}
}
