package accept

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/refitproject/refit/test/cluster/internal/cluster"
	"github.com/refitproject/refit/test/cluster/internal/machine"
)

var (
	cycles = flag.Int("cycles", 2, "how many times TestCycles brings a cluster up and down")
	kills  = flag.Int("kills", 4, "how many times TestKilled kills")
	seed   = flag.Uint64("seed", 1, "where TestKilled kills")
	goals  = flag.Bool("goals", false, "print the figures of TestCycles and fail when a goal is missed")
)

// take takes a picture of the machine without what other tests of this package
// make: these tests are not parallel.
func take(t *testing.T) machine.Picture {
	t.Helper()
	p, err := machine.Take(t.Context(), "/state/refit/cluster/")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// unchanged fails unless the machine is as before, at the latest after some
// seconds: the kernel takes networks apart in the background.
func unchanged(t *testing.T, before machine.Picture) {
	t.Helper()
	var left []string
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		left = slices.DeleteFunc(machine.Difference(before, take(t)), func(s string) bool {
			// What ended meanwhile was somebody else's, and so are the pods of a cluster
			// that was up already.
			return strings.HasPrefix(s, "- processes: ") || ofOthers(s, before)
		})
		if len(left) == 0 {
			return
		}
	}
	t.Errorf("the machine is not as it was:\n%s", strings.Join(left, "\n"))
}

// ofOthers tells of control groups below that of a cluster that was there before.
func ofOthers(line string, before machine.Picture) bool {
	_, path, ok := strings.Cut(line, " control groups: ")
	if !ok {
		return false
	}
	return slices.ContainsFunc(before["control groups"], func(group string) bool {
		return filepath.Base(filepath.Dir(group)) == "refit-testbed" && strings.HasPrefix(path, group+"/")
	})
}

func status(t *testing.T, name string) cluster.Status {
	t.Helper()
	out, said, err := the.bed.run(t.Context(), "status", "--name", name, "-o", "json")
	if err != nil {
		t.Fatal(said)
	}
	var s cluster.Status
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStatus(t *testing.T) {
	root(t)
	s := status(t, shared)
	if s.State != cluster.Up || s.Nodes.Ready != 1 || s.Memory == 0 || len(s.Components) != 7 {
		t.Errorf("got %+v", s)
	}
	for _, c := range s.Components {
		if !c.Ready || c.PID == 0 || c.Memory == 0 {
			t.Errorf("component %+v", c)
		}
	}
	if _, said, err := the.bed.run(t.Context(), "up", "--name", shared); err != nil || !strings.Contains(said, "is up already") {
		t.Errorf("up again: %s, %v", said, err)
	}
}

// Ups and downs in a row leave the machine as it was, also with a pod, a volume
// and a Service in the cluster, and with containerd and a cluster of somebody
// else on the machine.
func TestCycles(t *testing.T) {
	root(t)
	foreign(t)
	before := take(t)
	var ups, downs []time.Duration
	var memory int64
	for i := range *cycles {
		begin := time.Now()
		if _, said, err := the.bed.run(t.Context(), "up", "--name", "cycle"); err != nil {
			t.Fatal(said)
		}
		ups = append(ups, time.Since(begin))
		memory = max(memory, status(t, "cycle").Memory)
		begin = time.Now()
		if _, said, err := the.bed.run(t.Context(), "down", "--name", "cycle"); err != nil {
			t.Fatal(said)
		}
		downs = append(downs, time.Since(begin))
		t.Logf("cycle %d: up %.1f s, down %.1f s, load %s", i, ups[i].Seconds(), downs[i].Seconds(), load())
		unchanged(t, before)
	}
	if *goals {
		judge(t, ups, downs, memory)
	}
}

// judge prints what the cycles took beside the goals.
func judge(t *testing.T, ups, downs []time.Duration, memory int64) {
	t.Helper()
	disk := status(t, shared).Disk
	t.Logf("%d cycles left the machine as it was, load %s at their end", len(ups), load())
	for _, f := range []struct {
		name        string
		is, at, per float64
		unit        string
	}{
		{"up from a warm cache, slowest", slices.Max(ups).Seconds(), 25, 1, "s"},
		{"down, slowest", slices.Max(downs).Seconds(), 10, 1, "s"},
		{"memory after up", float64(memory), 1536 << 20, 1 << 20, "MiB"},
		{"programs and images", float64(disk.Programs + disk.Images), 12 << 30, 1 << 20, "MiB"},
	} {
		line := fmt.Sprintf("%-32s %8.1f %s, goal %.0f %s", f.name, f.is/f.per, f.unit, f.at/f.per, f.unit)
		if t.Log(line); f.is > f.at {
			t.Errorf("missed: %s", line)
		}
	}
}

// foreign puts a server where containerd of a machine listens, and sees that
// nobody talks to it.
func foreign(t *testing.T) {
	t.Helper()
	const socket = "/run/containerd/containerd.sock"
	if _, err := os.Stat(socket); err == nil {
		return // There is a real one: even better.
	}
	if err := os.MkdirAll(filepath.Dir(socket), 0o755); err != nil {
		t.Fatal(err)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan struct{})
	go func() {
		if conn, err := l.Accept(); err == nil {
			_ = conn.Close() // It counts that it was there.
			close(asked)
		}
	}()
	t.Cleanup(func() {
		select {
		case <-asked:
			t.Error("somebody talked to the containerd of somebody else")
		default:
		}
		_ = l.Close()                       // It was nobody's.
		_ = os.Remove(filepath.Dir(socket)) // Only if this test made it.
	})
}

func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Fields(string(text))[0]
}

// Whoever brings a cluster up may be killed at any time: the next up heals it,
// and a down leaves nothing.
func TestKilled(t *testing.T) {
	root(t)
	before := take(t)
	r := rand.New(rand.NewPCG(*seed, 0)) // Not a secret: a seed to repeat.
	for i := range *kills {
		after := time.Duration(r.IntN(15000)) * time.Millisecond
		ctx, cancel := context.WithTimeout(t.Context(), after)
		_, _, err := the.bed.run(ctx, "up", "--name", "killed") // Its time is up: SIGKILL.
		cancel()
		state := status(t, "killed").State
		t.Logf("kill %d after %s: %v, the cluster is %s", i, after, err, state)
		if i%2 == 0 {
			if _, said, err := the.bed.run(t.Context(), "up", "--name", "killed"); err != nil {
				t.Fatalf("up after a kill after %s: %s", after, said)
			}
			if s := status(t, "killed"); s.State != cluster.Up {
				t.Fatalf("after a kill after %s the cluster is %s: %s", after, s.State, s.Why)
			}
		}
		if _, said, err := the.bed.run(t.Context(), "down", "--name", "killed"); err != nil {
			t.Fatalf("down after a kill after %s: %s", after, said)
		}
		unchanged(t, before)
	}
}

// A component that ends is seen, said, and healed.
func TestComponentKilled(t *testing.T) {
	root(t)
	before := take(t)
	if _, said, err := the.bed.run(t.Context(), "up", "--name", "broken"); err != nil {
		t.Fatal(said)
	}
	for _, c := range status(t, "broken").Components {
		if c.Name == "kube-scheduler" {
			if err := unix.Kill(c.PID, unix.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
	}
	within(t, "the end of the scheduler", func(context.Context) (bool, string) {
		s := status(t, "broken") //nolint:contextcheck // It has that of the test.
		return s.State == cluster.Broken && strings.HasPrefix(s.Why, "kube-scheduler ended by signal SIGKILL"), s.Why
	})
	if _, said, err := the.bed.run(t.Context(), "up", "--name", "broken"); err != nil {
		t.Fatal(said)
	}
	if s := status(t, "broken"); s.State != cluster.Up {
		t.Errorf("after up it is %s: %s", s.State, s.Why)
	}
	if _, said, err := the.bed.run(t.Context(), "down", "--name", "broken"); err != nil {
		t.Fatal(said)
	}
	unchanged(t, before)
}

// A full disk is said in one line, and nothing is left.
func TestFullDisk(t *testing.T) {
	root(t)
	before := take(t)
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1100m"); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	}()
	run := func(args ...string) string {
		cmd := exec.CommandContext(t.Context(), the.bed.program, args...)
		cmd.Dir, cmd.Env = "..", append(os.Environ(), "XDG_STATE_HOME="+dir)
		text, _ := cmd.CombinedOutput() // The text is judged.
		return string(text)
	}
	// There is room for the folder when it is looked at, and none when it is
	// written to.
	full := exec.CommandContext(t.Context(), "sh", "-c",
		fmt.Sprintf("while [ ! -e %[1]s/refit/cluster/full/pki ]; do :; done; cat /dev/zero > %[1]s/fill", dir))
	if err := full.Start(); err != nil {
		t.Fatal(err)
	}
	said := run("up", "--name", "full")
	_ = full.Wait() // It ends when the disk is full.
	lines := strings.Split(strings.TrimSpace(said), "\n")
	if last := lines[len(lines)-1]; !strings.HasPrefix(last, "refit-testbed: ") || !strings.Contains(said, "no space left") {
		t.Errorf("said %s", said)
	}
	if said := run("up", "--name", "full"); !strings.Contains(said, "a cluster needs 1024 MiB") {
		t.Errorf("with a full disk: %s", said)
	}
	if said := run("down", "--name", "full"); !strings.Contains(said, "cluster full is down after") {
		t.Errorf("down: %s", said)
	}
	if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
		t.Fatal(err)
	}
	unchanged(t, before)
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, ""); err != nil {
		t.Fatal(err)
	}
}
