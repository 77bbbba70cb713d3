package backup

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/refitproject/refit/internal/action"
)

// TestItems saves a namespace, open and encrypted, reads it back, and changes what the
// manifest says of it.
func TestItems(t *testing.T) {
	t.Parallel()
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	key, err := ParseKey(identity.String())
	if err != nil {
		t.Fatal(err)
	}
	for name, lock := range map[string]*Key{"Open": nil, "Encrypted": key} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, err := Opener{}.Open("file:"+t.TempDir(), "/")
			if err != nil {
				t.Fatal(err)
			}
			w := Worker{Host: "node-1", Now: time.Now}
			m, err := w.Make(t.Context(), Request{
				Store: store, Name: "jhub", Key: "run-1/step-1", Kind: Namespace, Path: "namespace jhub", Lock: lock,
				SaveObjects: func(_ context.Context, out *ItemWriter) error {
					err := out.Head([]byte(`{"head":1}`))
					for _, line := range []string{`{"a":"hunter2"}`, `{"b":"` + strings.Repeat("x", 1<<20) + `"}`} {
						if err == nil {
							err = out.Write("v1", "Secret", "name-of-it", []byte(line))
						}
					}
					return err
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			checkItems(t, w, store, m, lock, key)
		})
	}
	if err := (Request{Name: "jhub", Kind: Namespace}).Check(); err == nil {
		t.Error("nobody reads the cluster, and nobody says so")
	}
	if err := (&ItemWriter{}).Write("v1", "Secret", "x", []byte("two\nlines")); err == nil {
		t.Error("a line has no second one")
	}
}

func checkItems(t *testing.T, w Worker, store Store, m *Manifest, lock, key *Key) {
	t.Helper()
	text := fmt.Sprint(m.Items)
	if m.Counts.Objects != 2 || strings.Contains(text, "name-of-it") != (lock == nil) ||
		strings.Contains(text, digestOf([]byte(`{"a":"hunter2"}`))) != (lock == nil) {
		t.Errorf("the manifest says %v, %s", m.Counts, text)
	}
	reading := func(m *Manifest) (string, error) {
		var got []string
		err := w.ReadObjects(t.Context(), store, m, key, func(items ItemReader) error {
			head, err := items.Head()
			got = append(got, string(head))
			if err != nil {
				return err
			}
			return items.Each(func(item Item, line []byte) error {
				got = append(got, fmt.Sprint(item.Kind, len(line)))
				return nil
			})
		})
		return strings.Join(got, " "), err
	}
	if got, err := reading(m); err != nil || got != `{"head":1} Secret15 Secret1048584` {
		t.Errorf("it reads %s, %v", got, err)
	}
	e, err := Find(t.Context(), store, m.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Check(t.Context(), store, e, Parsed, key); action.ReasonOf(err) != ReasonServerNeeded ||
		!strings.Contains(err.Error(), "kube.verify") {
		t.Errorf("without a cluster: %v", err)
	}
	w.Objects = func(_ context.Context, _ int, items ItemReader) error {
		if _, err := items.Head(); err != nil {
			return err
		}
		return items.Each(func(Item, []byte) error { return nil })
	}
	if proof, err := w.Check(t.Context(), store, e, Restored, key); err != nil || proof.Counts != m.Counts ||
		!strings.HasPrefix(proof.Counts.String(), "2 objects, ") {
		t.Errorf("proof: %v, %v", proof, err)
	}
	for what, change := range map[string]func(*Manifest){
		"digest": func(m *Manifest) { m.Items[1].Digest = m.Items[0].Digest },
		"fewer":  func(m *Manifest) { m.Items = m.Items[:1] },
		"more":   func(m *Manifest) { m.Items = append(m.Items, m.Items[0]) },
	} {
		other := *m
		other.Items = append([]Item{}, m.Items...)
		change(&other)
		if _, err := reading(&other); !IsDamage(err) {
			t.Errorf("with another %s: %v", what, err)
		}
		if len(other.Items) != len(m.Items) && other.check(m.ID) == nil {
			t.Errorf("with %s items the manifest is believed", what)
		}
	}
	parts, err := filepath.Glob(filepath.Join(strings.TrimPrefix(store.Address(), "file:"), m.ID, "part-*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range parts {
		if data, err := os.ReadFile(part); err != nil || strings.Contains(string(data), "hunter2") && lock != nil {
			t.Errorf("a value can be read in %s: %v", part, err)
		}
	}
}
