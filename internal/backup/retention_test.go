package backup

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// made returns a backup of a series as the catalog shows it; began and written
// are days.
func made(sequence int64, began, written, proof int) Entry {
	id := fmt.Sprintf("x-%016x", sequence)
	day := func(n int) time.Time { return night.AddDate(0, 0, n) }
	e := Entry{
		ID: id, Digest: "d", Written: day(written), Stored: day(written), Objects: 2,
		Manifest: &Manifest{ID: id, Name: "x", Sequence: sequence, Began: day(began)},
	}
	if proof > 0 {
		e.Proofs = []Proof{{Level: proof, At: day(began)}}
	}
	return e
}

func spoilt(e Entry) Entry {
	e.Problem = damaged(e.ID, "part 1 is missing")
	return e
}

func TestJudge(t *testing.T) {
	t.Parallel()
	const month = 30 * 24 * time.Hour
	cases := map[string]struct {
		reason  string
		entries []Entry
		policy  Policy
		want    []int64 // the sequences of those that go
	}{
		"Last":     {"the last two stay", []Entry{made(1, 1, 1, 3), made(2, 2, 2, 3), made(3, 3, 3, 3)}, Policy{Last: 2}, []int64{1}},
		"Within":   {"what is older than a month goes", []Entry{made(1, 1, 1, 3), made(2, 50, 50, 3), made(3, 60, 60, 3)}, Policy{Within: month}, []int64{1}},
		"OnlyBad":  {"the last good one stays although it is old", []Entry{made(1, 1, 1, 3), spoilt(made(2, 60, 60, 3)), spoilt(made(3, 61, 61, 3))}, Policy{Last: 1}, nil},
		"Unproved": {"a proved one stays until a newer one is proved", []Entry{made(1, 1, 1, 3), made(2, 60, 60, 0)}, Policy{Last: 1}, nil},
		"Lower":    {"the best proof stays beside the newest", []Entry{made(1, 1, 1, 3), made(2, 60, 60, 1), made(3, 61, 61, 1)}, Policy{Last: 1}, []int64{2}},
		"Future":   {"a writer whose clock was in the future makes nothing old", []Entry{made(1, 1, 1, 3), made(2, 2, 2, 3), made(3, 4000, 3, 3)}, Policy{Within: month}, nil},
		"Past":     {"a writer whose clock was in the past neither", []Entry{made(1, 100, 100, 3), made(2, -4000, 101, 3), made(3, 102, 102, 3)}, Policy{Within: month}, nil},
		"Store":    {"a store whose clock jumped makes nothing old", []Entry{made(1, 1, 1, 3), made(2, 2, 2, 3), made(3, 3, 5000, 3)}, Policy{Within: month}, nil},
		"Copied":   {"a store that was copied has lost its times", []Entry{made(1, 1, 90, 3), made(2, 80, 90, 3)}, Policy{Within: month}, nil},
		"Backward": {"the order is that of the sequence, not of the clock", []Entry{made(1, 200, 200, 3), made(2, 1, 201, 3)}, Policy{Last: 1}, nil},
		"Held":     {"a run may need it", []Entry{made(1, 1, 1, 3), made(2, 2, 2, 3)}, Policy{Last: 1, Held: func(*Manifest) string { return "run r-1 may need it" }}, nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var gone []int64
			for _, v := range Judge(tc.entries, tc.policy) {
				if !v.Keep {
					gone = append(gone, v.Entry.Manifest.Sequence)
				}
			}
			if diff := cmp.Diff(tc.want, gone); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestLastGoodStays tries every mixture of clocks, damage, proofs and policies:
// of each series with a good backup, the newest good one that is proved stays,
// and that without any proof the newest that is whole.
func TestLastGoodStays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		day := rapid.IntRange(-10000, 10000)
		var entries []Entry
		for i := range rapid.IntRange(1, 12).Draw(t, "backups") {
			e := made(int64(i), day.Draw(t, "began"), day.Draw(t, "written"), rapid.IntRange(0, 3).Draw(t, "proof"))
			e.Manifest.Name = rapid.SampledFrom([]string{"a", "b"}).Draw(t, "series")
			if rapid.Bool().Draw(t, "damaged") {
				e = spoilt(e)
			}
			entries = append(entries, e)
		}
		want := map[string]string{}
		for _, proved := range []bool{false, true} {
			for _, e := range entries {
				if _, ok := e.Proof(); e.Good() && (ok || !proved) {
					want[e.Manifest.Name] = e.ID
				}
			}
		}
		shuffled := rapid.Permutation(entries).Draw(t, "order")
		p := Policy{Last: rapid.IntRange(0, 3).Draw(t, "last"), Within: time.Duration(rapid.IntRange(0, 1000).Draw(t, "hours")) * time.Hour}
		verdicts := Judge(slices.Clone(shuffled), p)
		if len(verdicts) != len(entries) {
			t.Fatalf("%d verdicts for %d backups", len(verdicts), len(entries))
		}
		for _, v := range verdicts {
			if !v.Keep && (v.Entry.ID == want[v.Entry.Manifest.Name] || !v.Entry.Good()) {
				t.Errorf("%s goes: %s", v.Entry.ID, v.Why)
			}
		}
	})
}

func TestPrune(t *testing.T) {
	t.Parallel()
	eachStore(t, prune)
}

func prune(t *testing.T, p place) {
	t.Helper()
	w, tree, s := worker(t), t.TempDir(), p.open(t)
	put(t, tree+"/a", "x")
	var ids []string
	for i := range 4 {
		e := w.mustMake(t, Request{Store: s, Name: "x", Key: fmt.Sprint("r", i), Kind: Directory, Path: tree})
		if e.Manifest.Sequence != int64(i+1) {
			t.Errorf("the sequence of backup %d is %d", i, e.Manifest.Sequence)
		}
		if _, err := w.Prove(t.Context(), s, e, Restored, nil); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, e.ID)
	}
	p.save(t, "notes.txt", []byte("of a person"))
	p.save(t, "x-00000000000000ff/part-000001."+digestOf(nil)+".zst", []byte("given up just now"))
	entries, err := Catalog(t.Context(), s)
	if err != nil || len(entries) != 5 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	var gone []string
	if err := Prune(t.Context(), s, Judge(entries, Policy{Last: 2}), func(v Verdict) { gone = append(gone, v.Entry.ID) }); err != nil {
		t.Fatal(err)
	}
	slices.Sort(gone)
	want := []string{ids[0], ids[1]}
	slices.Sort(want)
	if diff := cmp.Diff(want, gone); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if left, err := Catalog(t.Context(), s); err != nil || len(left) != 3 {
		t.Errorf("%d entries are left, %v", len(left), err)
	}
}
