package keeper

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/refitproject/refit/test/cluster/internal/place"
	"github.com/refitproject/refit/test/cluster/internal/proc"
)

// TestMain lets this binary be the keeper, whoever starts one, and components.
func TestMain(m *testing.M) {
	var err error
	switch {
	case len(os.Args) > 2 && os.Args[1] == Command:
		err = Run(os.Args[2], os.Stdin)
	case len(os.Args) > 2 && os.Args[1] == "serve":
		err = serveUnix(os.Args[2])
	case len(os.Args) > 2 && os.Args[1] == "orphan":
		err = startOnly(os.Args[2])
	default:
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serveUnix is a component: it is ready when its socket is there.
func serveUnix(name string) error {
	fmt.Println("serves", filepath.Base(name))
	l, err := net.Listen("unix", name)
	if err != nil {
		return err
	}
	return http.Serve(l, nil) // Only a test asks.
}

// startOnly starts a keeper and is killed before it gives its word.
func startOnly(dir string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if _, err := Start(context.Background(), self, filepath.Join(dir, "plan.json"), testPlan(dir)); err != nil {
		return err
	}
	return unix.Kill(os.Getpid(), unix.SIGKILL)
}

func testPlan(dir string, components ...Component) Plan {
	return Plan{
		Record: filepath.Join(dir, "keeper.json"), States: filepath.Join(dir, "components.json"),
		Logs: filepath.Join(dir, "logs"), Components: components,
	}
}

func server(t *testing.T, dir, name string, after ...string) Component {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, name)
	return Component{Name: name, Path: self, Args: []string{"serve", socket}, After: after, Ready: Probe{Unix: socket}}
}

// start starts a keeper and lets it begin.
func start(t *testing.T, dir string, components ...Component) *Started {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	plan := testPlan(dir, components...)
	k, err := Start(t.Context(), self, filepath.Join(dir, "plan.json"), plan)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := Stop(context.Background(), plan.Record, plan.States); err != nil {
			t.Error(err)
		}
	})
	if err := k.Go(); err != nil {
		t.Fatal(err)
	}
	return k
}

// await returns the states once they are as wanted.
func await(t *testing.T, dir string, want func([]State) bool) []State {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		var all []State
		if err := place.ReadJSON(filepath.Join(dir, "components.json"), &all); err == nil && want(all) {
			return all
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "components.json"))
	t.Fatalf("the states are %s, %v", text, err)
	return nil
}

// short returns a folder whose path fits into the address of a socket.
func short(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "keeper") //nolint:usetesting // The path of t.TempDir is too long.
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func TestOrder(t *testing.T) {
	t.Parallel()
	dir := short(t)
	late := server(t, dir, "late", "early")
	late.Env = []string{"GREETING=x"}
	start(t, dir, late, server(t, dir, "early"))
	all := await(t, dir, func(s []State) bool { return len(s) == 2 && s[0].Ready && s[1].Ready })
	if all[0].Process.Start < all[1].Process.Start || all[0].Process.PID < all[1].Process.PID {
		t.Errorf("late was started first: %+v", all)
	}
	log, err := os.ReadFile(filepath.Join(dir, "logs", "late.log"))
	if err != nil || string(log) != "serves late\n" {
		t.Errorf("log %q, %v", log, err)
	}
}

func TestKeeperKilled(t *testing.T) {
	t.Parallel()
	dir := short(t)
	k := start(t, dir, server(t, dir, "a"), server(t, dir, "b"))
	all := await(t, dir, func(s []State) bool { return len(s) == 2 && s[0].Ready && s[1].Ready })
	if err := unix.Kill(k.Identity.PID, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		for deadline := time.Now().Add(time.Minute); s.Process.Alive(); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s outlives its keeper", s.Name)
			}
		}
	}
}

func TestComponentEnds(t *testing.T) {
	t.Parallel()
	dir := short(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	start(t, dir, server(t, dir, "killed"),
		Component{Name: "fails", Path: self, Args: []string{"serve", "/nowhere/x"}, Ready: Probe{Unix: "/nowhere/x"}},
		Component{Name: "absent", Path: "/nowhere/program", Ready: Probe{Unix: "/nowhere/x"}})
	all := await(t, dir, func(s []State) bool { return len(s) == 3 && s[0].Ready && s[1].Exit != "" && s[2].Exit != "" })
	if all[1].Exit != "ended with exit code 1" {
		t.Errorf("fails: %q", all[1].Exit)
	}
	if !strings.Contains(all[2].Exit, "no such file") {
		t.Errorf("absent: %q", all[2].Exit)
	}
	if err := unix.Kill(all[0].Process.PID, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	all = await(t, dir, func(s []State) bool { return s[0].Exit != "" })
	if all[0].Exit != "ended by signal SIGKILL" || all[0].Ready {
		t.Errorf("killed: %+v", all[0])
	}
}

// Whoever starts a keeper may be killed at any time: before it has given its
// word the keeper ends by itself.
func TestStarterKilled(t *testing.T) {
	t.Parallel()
	dir := short(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := exec.Command(self, "orphan", dir).Run(); err == nil {
		t.Fatal("the starter was not killed")
	}
	var id proc.Identity
	if err := place.ReadJSON(filepath.Join(dir, "keeper.json"), &id); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); id.Alive(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the keeper outlives whoever started it")
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "components.json")); err == nil {
		t.Error("the keeper began without its word")
	}
}

func TestStopStale(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	record := filepath.Join(dir, "keeper.json")
	if err := Stop(t.Context(), record, record+".none"); err != nil {
		t.Errorf("without a record: %v", err)
	}
	self, err := proc.Self()
	if err != nil {
		t.Fatal(err)
	}
	self.Boot = "an earlier one"
	if err := place.WriteJSON(record, self); err != nil {
		t.Fatal(err)
	}
	// This process has the number of the record: it must not be ended.
	if err := Stop(t.Context(), record, record+".none"); err != nil {
		t.Errorf("with the record of an earlier boot: %v", err)
	}
}
