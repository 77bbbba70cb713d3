package backup

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"
)

// treeSize is the size of the tree of the benchmarks in MiB; REFIT_BENCH_MIB
// names another one, 5120 for what is promised.
func treeSize(b *testing.B) int {
	b.Helper()
	text := os.Getenv("REFIT_BENCH_MIB")
	if text == "" {
		return 256
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		b.Fatalf("REFIT_BENCH_MIB: %v", err)
	}
	return n
}

// benchTree makes a tree as homes of people are: a third is text, a third tables
// of numbers, a third cannot be compressed; files from 4 KiB to 8 MiB.
func benchTree(b *testing.B, mib int) string {
	b.Helper()
	dir := b.TempDir()
	dice := rand.New(rand.NewPCG(1, 2))
	source := rand.NewChaCha8([32]byte{1})
	words := strings.Fields("the hub starts a server for each user who logs in and asks its database what to do next")
	left := mib << 20
	data := make([]byte, 0, 9<<20) // one for all files: what is made here must not count as memory of a backup
	for n := 0; left > 0; n++ {
		size := min(left, 4<<10<<dice.IntN(12))
		left -= size
		data = data[:0]
		switch n % 3 {
		case 0:
			for len(data) < size {
				data = fmt.Appendf(data, "%s-%d ", words[dice.IntN(len(words))], dice.IntN(100))
			}
		case 1:
			for len(data) < size {
				data = fmt.Appendf(data, "%d,%.4f,%d\n", len(data), dice.Float64(), dice.IntN(1000))
			}
		default:
			data = data[:size]
			_, _ = source.Read(data)
		}
		folder := filepath.Join(dir, fmt.Sprint(n%40))
		if err := os.MkdirAll(folder, 0o700); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprint(n)), data[:size], 0o600); err != nil {
			b.Fatal(err)
		}
	}
	return dir
}

// peer runs a shell command with programs that everybody has, and returns how
// long it took.
func peer(b *testing.B, command string) time.Duration {
	b.Helper()
	began := time.Now()
	if out, err := exec.CommandContext(b.Context(), "bash", "-o", "pipefail", "-c", command).CombinedOutput(); err != nil {
		b.Fatalf("%s: %v: %s", command, err, out)
	}
	return time.Since(began)
}

// peak returns the largest resident set of this process since the last call, in
// MiB; 0 where the system does not tell.
func peak(reset bool) float64 {
	if reset {
		debug.FreeOSMemory()
		_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0o600)
		return 0
	}
	text, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kib / 1024
		}
	}
	return 0
}

// BenchmarkBackup saves a tree to a store. "x-tar-zstd" is how many times longer
// that takes than tar with zstd at the same level, in the same run, both brought
// to the disk.
func BenchmarkBackup(b *testing.B) {
	tree, dir, w := benchTree(b, treeSize(b)), b.TempDir(), Worker{Now: time.Now}
	s, err := Opener{}.Open("file://"+dir, "")
	if err != nil {
		b.Fatal(err)
	}
	packed := filepath.Join(b.TempDir(), "peer.tar.zst")
	var theirs, ours time.Duration
	n := 0
	peak(true)
	for b.Loop() {
		theirs += peer(b, fmt.Sprintf("tar -C %s -cf - . | zstd -q -3 -f -o %s && sync %s", tree, packed, packed))
		began := time.Now()
		n++
		r := Request{Store: s, Name: "tree", Key: fmt.Sprint(n), Kind: Directory, Path: tree}
		m, err := w.Make(context.Background(), r)
		if err != nil {
			b.Fatal(err)
		}
		ours += time.Since(began)
		info, err := os.Stat(packed)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(m.Stored)/float64(info.Size()), "x-size")
		if err := os.RemoveAll(filepath.Join(dir, m.ID)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(ours)/float64(theirs), "x-tar-zstd")
	b.ReportMetric(peak(false), "MiB-peak")
}

// BenchmarkProof proves a backup by restoring it. "x-reading" is how many times
// longer that takes than reading the same backup with zstd and tar, without
// writing anything, in the same run.
func BenchmarkProof(b *testing.B) {
	tree, dir, w := benchTree(b, treeSize(b)), b.TempDir(), Worker{Now: time.Now, Scratch: b.TempDir()}
	s, err := Opener{}.Open("file://"+dir, "")
	if err != nil {
		b.Fatal(err)
	}
	m, err := w.Make(context.Background(), Request{Store: s, Name: "tree", Key: "k", Kind: Directory, Path: tree})
	if err != nil {
		b.Fatal(err)
	}
	e, err := Find(context.Background(), s, m.ID)
	if err != nil {
		b.Fatal(err)
	}
	var theirs, ours time.Duration
	peak(true)
	for b.Loop() {
		theirs += peer(b, fmt.Sprintf("cat %s/%s/part-* | zstd -q -dc | tar -tf - > /dev/null", dir, m.ID))
		began := time.Now()
		if _, err := w.Check(context.Background(), s, e, Restored, nil); err != nil {
			b.Fatal(err)
		}
		ours += time.Since(began)
	}
	b.ReportMetric(float64(ours)/float64(theirs), "x-reading")
	b.ReportMetric(peak(false), "MiB-peak")
}
