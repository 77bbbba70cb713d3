package machine

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestDifference(t *testing.T) {
	t.Parallel()
	before := Picture{"mounts": {"a", "b", "b"}, "links": {"lo"}}
	after := Picture{"mounts": {"a", "b", "c"}, "links": {"lo"}}
	want := []string{"+ mounts: c", "- mounts: b"}
	if got := Difference(before, after); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

// The picture shows what it is for: a process and an interface that were left.
func TestTake(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root makes namespaces")
	}
	before, err := Take(t.Context(), "refit-left-behind")
	if err != nil {
		t.Skipf("this machine lacks a program to look with: %v", err)
	}
	cmd := exec.Command("sleep", "600")
	cmd.SysProcAttr = &unix.SysProcAttr{Cloneflags: unix.CLONE_NEWNET, Pdeathsig: unix.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	after, err := Take(t.Context(), "refit-left-behind")
	if err != nil {
		t.Fatal(err)
	}
	found := strings.Join(Difference(before, after), "\n")
	if !strings.Contains(found, "+ processes: ") || !strings.Contains(found, " sleep 600") {
		t.Errorf("the difference is %q", found)
	}
	_ = cmd.Process.Kill() // It may have ended.
	_ = cmd.Wait()         // By the signal.
}
