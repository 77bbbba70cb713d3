package proc

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func start(t *testing.T, script string) *Child {
	t.Helper()
	dir := t.TempDir()
	c, err := Start("a child", filepath.Join(dir, "log"), dir, os.Environ(), "sh", "-c", script)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Stop)
	return c
}

func TestStopLeavesNothingBehind(t *testing.T) {
	c := start(t, "exec sleep 600")
	if err := c.Err(); err != nil {
		t.Errorf("a child that runs has the error %v", err)
	}
	if n, err := MostMemory(c.PID()); err != nil || n <= 0 {
		t.Errorf("memory of a running process: %d, error %v", n, err)
	}
	c.Stop()
	c.Stop() // Harmless.
	if err := syscall.Kill(c.PID(), 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("the process is still there: %v", err)
	}
}

func TestErrTellsTheLastLine(t *testing.T) {
	c := start(t, "echo starting; echo the port is taken; exit 3")
	<-c.Done()
	if err := c.Err(); err == nil || !strings.Contains(err.Error(), "exit status 3") ||
		!strings.HasSuffix(err.Error(), "the port is taken") {
		t.Errorf("error %v, want the exit status and the last line", err)
	}
}

func TestSyncRate(t *testing.T) {
	dir := t.TempDir()
	rate, err := SyncRate(dir, 20*time.Millisecond, 2)
	if err != nil || rate <= 0 {
		t.Errorf("rate %v, error %v", rate, err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, error %v", left, err)
	}
}

func TestOnDisk(t *testing.T) {
	if err := OnDisk("/proc/self"); err != nil {
		t.Errorf("only file systems in memory are refused: %v", err)
	}
	if err := OnDisk("/dev/shm"); err == nil || !strings.Contains(err.Error(), "TMPDIR") {
		t.Errorf("/dev/shm: error %v, want one that says what to do", err)
	}
}

func TestFreePort(t *testing.T) {
	if port, err := FreePort(); err != nil || port <= 0 {
		t.Errorf("port %d, error %v", port, err)
	}
}

// Where strace is installed, a real program is counted; where it is not, that
// must be told.
func TestSyncsAreCounted(t *testing.T) {
	dir := t.TempDir()
	script := "for f in other counted counted; do dd if=/dev/zero of=" + dir + "/$f bs=4k count=1 conv=fsync; done"
	cmd := exec.CommandContext(t.Context(), "sh", "-c", script)
	cmd.Dir = dir
	_, syncs, err := RunCountingSyncs(t.Context(), dir, "/counted", cmd)
	if _, missing := exec.LookPath("strace"); missing != nil {
		if !errors.Is(err, ErrNoTracer) {
			t.Errorf("without strace: error %v, want %v", err, ErrNoTracer)
		}
		return
	}
	if err != nil || syncs != 2 {
		t.Errorf("%d syncs, error %v; want 2", syncs, err)
	}

	c := start(t, "while read -r line; do "+script+"; done <"+fifo(t, dir))
	in, err := os.OpenFile(filepath.Join(dir, "in"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	syncs, err = CountSyncs(t.Context(), dir, "/counted", c.PID(), func(context.Context) error {
		if _, err := in.WriteString("go\n"); err != nil {
			return err
		}
		err := in.Close()
		<-c.Done() // The work is done when it has read to the end.
		// The tracer mostly ends now, before anybody ends it.
		time.Sleep(200 * time.Millisecond)
		return err
	})
	if err != nil || syncs != 2 {
		t.Errorf("of a running process: %d syncs, error %v; want 2", syncs, err)
	}
}

func fifo(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "in")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestParseSyncs(t *testing.T) {
	trace := "12 fsync(7</d/state/db-wal>) = 0\n" +
		"12 fdatasync(7</d/state/db> <unfinished ...>\n" +
		"13 fsync(9</d/rows.db-wal>) = 0\n" +
		"12 <... fdatasync resumed>) = 0\n" +
		"12 fsync(8</d/state>) = 0\n" +
		"13 +++ exited with 0 +++\n"
	cases := map[string]struct {
		reason, path string
		want         int
	}{
		"Some": {"files and folders count, each call once", "/d/state", 3},
		"All":  {"another file is not lost", "/d/", 4},
		"None": {"a path that nobody syncs", "/e/", 0},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := parseSyncs(trace, tc.path); got != tc.want {
				t.Errorf("%s: got %d, want %d", tc.reason, got, tc.want)
			}
		})
	}
}
