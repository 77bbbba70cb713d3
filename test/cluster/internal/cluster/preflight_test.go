package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/refitproject/refit/test/cluster/internal/component"
	"github.com/refitproject/refit/test/cluster/internal/place"
	"github.com/refitproject/refit/test/cluster/internal/proc"
)

// fake is a machine that has all, until a test takes something away.
func fake() machine {
	return machine{
		uid:     func() int { return 0 },
		look:    func(p string) (string, error) { return "/usr/bin/" + p, nil },
		exists:  func(string) bool { return true },
		free:    func(string) (uint64, error) { return 1 << 40, nil },
		install: func(context.Context, []string) error { return errors.New("there is no network") },
	}
}

// without takes programs away.
func without(programs ...string) func(string) (string, error) {
	return func(p string) (string, error) {
		if slices.Contains(programs, p) {
			return "", fs.ErrNotExist
		}
		return "/usr/bin/" + p, nil
	}
}

func testbed(t *testing.T) (Testbed, *strings.Builder) {
	t.Helper()
	dir := t.TempDir()
	var said strings.Builder
	return Testbed{
		Roots:  place.Roots{State: filepath.Join(dir, "state"), Cache: filepath.Join(dir, "cache")},
		Source: filepath.Join("..", ".."),
		Say:    func(format string, args ...any) { fmt.Fprintf(&said, format+"\n", args...) },
	}, &said
}

func TestUpRefuses(t *testing.T) {
	t.Parallel()
	containers := Wish{Name: "a", Mode: component.Containers}
	for name, c := range map[string]struct {
		wish    Wish
		machine func(*machine)
		want    string
	}{
		"not root": {
			containers, func(m *machine) { m.uid = func() int { return 1000 } },
			"a cluster with containers needs root: run as root, or use --mode kwok, which needs none",
		},
		"missing packages": {
			containers, func(m *machine) { m.look = without("ctr", "containerd", "conntrack") },
			"not installed: containerd, ctr, conntrack: run apt-get install --no-install-recommends containerd conntrack",
		},
		"missing plugins": {
			containers, func(m *machine) { m.exists = func(string) bool { return false } },
			"not installed: network plugins: run apt-get install --no-install-recommends containernetworking-plugins",
		},
		"no Debian": {
			Wish{Name: "a", Mode: component.Containers, Install: true},
			func(m *machine) { m.look = without("runc", "apt-get") },
			"not installed: runc: install what has them; on Debian these are the packages runc",
		},
		"install fails": {
			Wish{Name: "a", Mode: component.Containers, Install: true},
			func(m *machine) { m.look = without("runc") },
			"install runc: there is no network",
		},
		"full disk": {
			Wish{Name: "a", Mode: component.Kwok},
			func(m *machine) { m.free = func(string) (uint64, error) { return 5 << 20, nil } },
			"a cluster needs 1024 MiB, 5 are free: make room, or set XDG_CACHE_HOME and XDG_STATE_HOME to folders on another disk",
		},
		"no room for a build": {
			Wish{Name: "a", Mode: component.Kwok},
			func(m *machine) { m.free = func(string) (uint64, error) { return 2 << 30, nil } },
			"a first build needs 8192 MiB, 2048 are free",
		},
		"bad name": {Wish{Name: "A", Mode: component.Kwok}, func(*machine) {}, `name of a cluster "A": it has to be`},
		"unknown version": {
			Wish{Name: "a", Mode: component.Kwok, Kubernetes: "1.2.3"},
			func(*machine) {},
			`version "1.2.3" of Kubernetes cannot be built here: one of 1.34.4`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bed, said := testbed(t)
			m := fake()
			c.machine(&m)
			err := bed.up(t.Context(), c.wish, m)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v\nwant %s\nsaid %s", err, c.want, said)
			}
			if _, err := os.Stat(bed.Roots.State); err == nil {
				t.Error("something was made before it refused")
			}
		})
	}
}

func TestUpHidden(t *testing.T) {
	t.Parallel()
	bed, _ := testbed(t)
	bed.Roots.State = "/var/lib/jenkins/.local/state"
	err := bed.up(t.Context(), Wish{Name: "a", Mode: component.Containers}, fake())
	if err == nil || !strings.Contains(err.Error(), "cannot be seen from inside of a cluster") {
		t.Errorf("got %v", err)
	}
}

// What the reboot of the machine leaves: a record whose process is another's.
func TestHealStale(t *testing.T) {
	t.Parallel()
	bed, said := testbed(t)
	c, err := bed.Roots.Cluster("a")
	if err != nil {
		t.Fatal(err)
	}
	self, err := proc.Self()
	if err != nil {
		t.Fatal(err)
	}
	self.Boot = "an earlier one"
	spec := component.Spec{Name: "a", Mode: component.Kwok, Dir: c.Dir}
	err = errors.Join(writeRecord(c, Record{Spec: spec, Complete: true}), place.WriteJSON(c.Path("keeper.json"), self),
		place.WriteFile(c.Path("kubeconfig"), []byte("stale"), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	status, err := bed.Status(t.Context(), "a")
	if err != nil || status.State != Broken || !strings.Contains(status.Why, "the machine was started again") {
		t.Errorf("status %+v, %v", status, err)
	}
	stays, err := bed.heal(t.Context(), c, Wish{Mode: component.Kwok})
	if stays || err != nil || !strings.Contains(said.String(), "not whole") {
		t.Errorf("stays %t, %v, said %s", stays, err, said)
	}
	if _, err := os.Stat(c.Dir); err == nil {
		t.Error("the folder is still there")
	}
}

func TestOtherWish(t *testing.T) {
	t.Parallel()
	bed, _ := testbed(t)
	c, err := bed.Roots.Cluster("a")
	if err != nil {
		t.Fatal(err)
	}
	self, err := proc.Self()
	if err != nil {
		t.Fatal(err)
	}
	spec := component.Spec{Name: "a", Mode: component.Kwok, Kubernetes: "v1.34.4", Dir: c.Dir}
	if err := errors.Join(writeRecord(c, Record{Spec: spec, Complete: true}), place.WriteJSON(c.Path("keeper.json"), self)); err != nil {
		t.Fatal(err)
	}
	const want = `cluster "a" is up already as kwok of Kubernetes v1.34.4: take it down first, or give another --name`
	_, err = bed.heal(t.Context(), c, Wish{Mode: component.Containers, Kubernetes: "v1.34.4"})
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	if stays, err := bed.heal(t.Context(), c, Wish{Mode: component.Kwok, Kubernetes: "v1.34.4"}); !stays || err != nil {
		t.Errorf("the same wish: stays %t, %v", stays, err)
	}
}

func TestTakenPort(t *testing.T) {
	t.Parallel()
	ports, err := freePorts(t.Context(), 0)
	if err != nil || ports.API == 0 || ports.API == ports.Etcd {
		t.Fatalf("ports %+v, %v", ports, err)
	}
	l, err := listen(t)
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("port %d of 127.0.0.1 is taken: give another --api-port, or none for any that is free", l)
	if _, err := freePorts(t.Context(), l); err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func TestDownIsDown(t *testing.T) {
	t.Parallel()
	bed, said := testbed(t)
	if err := bed.Down(t.Context(), "a"); err != nil || said.String() != "cluster a is down\n" {
		t.Errorf("said %q, %v", said, err)
	}
	for name, ask := range map[string]func() error{
		"kubeconfig": func() error { _, err := bed.Kubeconfig("a"); return err },
		"log":        func() error { _, err := bed.Log("a", "etcd"); return err },
		"images":     func() error { _, err := bed.Images(t.Context(), "a"); return err },
	} {
		if err := ask(); err == nil || !strings.HasPrefix(err.Error(), `cluster "a" is down: `) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// listen takes a port until the test ends.
func listen(t *testing.T) (int, error) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	t.Cleanup(func() { _ = l.Close() })
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return 0, fmt.Errorf("%s is no address of TCP", l.Addr())
	}
	return addr.Port, nil
}
