package backup

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/refitproject/refit/internal/action"
)

// corruptionsInBucket is how many are tried on each kind of backup on S3.
const corruptionsInBucket = 15

var corruptions = flag.Int("corruptions", 120, "how many corruptions TestCorruption tries; the promise is tested with 1000")

// TestCorruption damages backups at random, with and without encryption: flipped
// bits, cut ends, added bytes, missing objects, objects in the place of others.
// Each has to be found at every level, also by a check that only looks.
func TestCorruption(t *testing.T) {
	t.Parallel()
	w := worker(t)
	tree := t.TempDir()
	put(t, tree+"/a", strings.Repeat("all work and no play\n", 1000))
	put(t, tree+"/b", noise(7, 20<<20)) // more than one part
	eachStore(t, func(t *testing.T, p place) {
		t.Helper()
		tries := *corruptions / 2
		if _, remote := p.(inBucket); remote {
			tries = min(tries, corruptionsInBucket)
		}
		for name, key := range map[string]*Key{"Open": nil, "Encrypted": newKey(t)} {
			s := p.open(t)
			e := w.mustMake(t, Request{Store: s, Name: "x", Key: name, Kind: Directory, Path: tree, Lock: key})
			if _, err := w.Prove(t.Context(), s, e, Restored, key); err != nil {
				t.Fatal(err)
			}
			names := slices.DeleteFunc(p.names(t), func(n string) bool { return !strings.HasPrefix(n, e.ID) })
			if len(names) < 4 {
				t.Fatalf("%d objects", len(names))
			}
			found := map[string]int{}
			for seed := range uint64(tries) {
				found[damageOnce(t, w, p, s, e.ID, key, names, seed)]++
			}
			t.Logf("%s: every one found: %v", name, found)
			if err := verified(t, w, s, e.ID, key, Parsed); err != nil {
				t.Errorf("after all was put back: %v", err)
			}
		}
	})
}

// damageOnce damages one object, looks whether that is found, and puts it back.
func damageOnce(t *testing.T, w Worker, p place, s Store, id string, key *Key, names []string, seed uint64) string {
	t.Helper()
	dice := rand.New(rand.NewPCG(seed, 4))
	name := names[dice.IntN(len(names))]
	isProof := strings.Contains(name, "/proof-")
	whole := p.load(t, name)
	bad := append([]byte{}, whole...)
	at := dice.IntN(len(whole))
	what := [...]string{"flip", "truncation", "missing", "longer", "zeros", "other", "flips"}[dice.IntN(7)]
	switch what {
	case "flip":
		bad[at] ^= 1 << dice.IntN(8)
	case "flips":
		for range 1 + dice.IntN(20) {
			bad[dice.IntN(len(bad))] ^= byte(1 + dice.IntN(255))
		}
	case "truncation":
		bad = bad[:at]
	case "longer":
		bad = append(bad, byte(dice.IntN(256)))
	case "zeros":
		clear(bad[at:])
	case "other":
		bad = p.load(t, names[(dice.IntN(len(names)-1)+1)%len(names)])
	}
	if string(bad) == string(whole) && what != "missing" {
		bad = append(bad, 'x')
	}
	if what == "missing" && isProof { // then there is no proof any more, and nothing claims one
		what, bad = "truncation", bad[:at]
	}
	if what == "missing" {
		p.remove(t, name)
	} else {
		p.save(t, name, bad)
	}
	level := 1 + dice.IntN(2)
	if err := verified(t, w, s, id, key, level); err == nil {
		t.Errorf("seed %d: %s of %s at %d was not found at level %d", seed, what, path.Base(name), at, level)
	} else if strings.Contains(err.Error(), "\n") || !IsDamage(err) && action.ReasonOf(err) != ReasonBackupIncomplete {
		t.Errorf("seed %d: %s of %s: %q (%s)", seed, what, path.Base(name), err, action.ReasonOf(err))
	}
	p.save(t, name, whole)
	return what
}

func verified(t *testing.T, w Worker, s Store, id string, key *Key, level int) error {
	t.Helper()
	e, err := Find(t.Context(), s, id)
	if err != nil {
		return err
	}
	_, err = w.Check(t.Context(), s, e, level, key)
	return err
}

// TestAllDamageIsNamed tests that a check does not stop at the first part.
func TestAllDamageIsNamed(t *testing.T) {
	t.Parallel()
	w, tree := worker(t), t.TempDir()
	put(t, tree+"/b", noise(8, 60<<20))
	s, dir := fileStore(t)
	e := w.mustMake(t, Request{Store: s, Name: "x", Key: "r/s", Kind: Directory, Path: tree})
	parts := e.Manifest.Parts
	if err := os.Remove(filepath.Join(dir, e.ID, parts[0].Name)); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(dir, e.ID, parts[2].Name), 7); err != nil {
		t.Fatal(err)
	}
	err := verified(t, w, s, e.ID, nil, Restored)
	want := fmt.Sprintf("backup %q: part %q is missing; part %q ends after 7 of %d bytes: restore another backup, "+
		"and find out what the store did", e.ID, parts[0].Name, parts[2].Name, parts[2].Size)
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// FuzzUnseal feeds what a store may hand out to the readers of small objects.
func FuzzUnseal(f *testing.F) {
	good, err := sealed(Manifest{Format: 1, ID: "x-0123456789abcdef", Parts: []Part{{Name: "part-000001." + digestOf(nil) + ".zst"}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte("{}\n"))
	f.Fuzz(func(_ *testing.T, data []byte) {
		m := &Manifest{}
		if unseal(data, m) == nil {
			_ = m.check("x-0123456789abcdef")
		}
	})
}

// FuzzFrameSize feeds what may stand in a part to the reader of frames.
func FuzzFrameSize(f *testing.F) {
	f.Add([]byte{0x28, 0xb5, 0x2f, 0xfd, 0x24, 0, 1, 0, 0, 0x99, 0xe9, 0xd8, 0x51})
	f.Fuzz(func(t *testing.T, data []byte) {
		if n, content, err := frameSize(data); err == nil && (n <= 0 || n > len(data) || content > chunkSize) {
			t.Errorf("a frame of %d bytes and %d of content in %d bytes", n, content, len(data))
		}
	})
}
