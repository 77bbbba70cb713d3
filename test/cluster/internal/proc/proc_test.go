package proc

import (
	"os"
	"os/exec"
	"runtime"
	"testing"
)

func TestAlive(t *testing.T) {
	t.Parallel()
	self, err := Self()
	if err != nil || self.PID != os.Getpid() || !self.Alive() {
		t.Fatalf("this process: %+v, alive %t, %v", self, self.Alive(), err)
	}
	later, boot := self, self
	later.Start++
	boot.Boot = "another"
	for name, id := range map[string]Identity{
		"none": {}, "a later process of the same number": later, "the same number after a boot": boot,
	} {
		if id.Alive() {
			t.Errorf("%s is said to live", name)
		}
	}
}

func TestAliveNotCollected(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("cat")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	id, err := Of(cmd.Process.Pid)
	if err != nil || !id.Alive() {
		t.Fatalf("a child: alive %t, %v", id.Alive(), err)
	}
	_ = in.Close() // cat ends, and stays a number until it is waited for.
	for id.Alive() {
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := Of(id.PID); err == nil {
		t.Error("a process that is gone can be read")
	}
}

func TestMemory(t *testing.T) {
	t.Parallel()
	const size, page = 8 << 20, 4 << 10
	held := make([]byte, size)
	for i := 0; i < size; i += page {
		held[i] = 1 // Memory that nobody has written to is not there.
	}
	if m := Memory(os.Getpid()); m < size {
		t.Errorf("this test has %d bytes, and holds %d", m, size)
	}
	runtime.KeepAlive(held)
	if m := Memory(-1); m != 0 {
		t.Errorf("no process has %d bytes", m)
	}
}

func TestMembers(t *testing.T) {
	t.Parallel()
	members, err := Members(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range members {
		if m.PID == os.Getpid() && m.Memory > 0 {
			return
		}
	}
	t.Errorf("this process is not among the %d of its namespace", len(members))
}
