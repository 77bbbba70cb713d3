package cli_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/refitproject/refit/examples/guestbook/book"
	"github.com/refitproject/refit/examples/guestbook/release1"
	"github.com/refitproject/refit/examples/guestbook/release2"
	"github.com/refitproject/refit/internal/report"
)

// guestbookFolder holds the procedure of the guestbook.
const guestbookFolder = "../../../examples/guestbook"

func guestbookReleases() map[string]book.Release {
	return map[string]book.Release{"guestbook-1.4.0": release1.Release(), "guestbook-2.0.0": release2.Release()}
}

// asGuestbook lets the binary of the tests be a release of the guestbook, when it is
// called so: servers start themselves by their file.
func asGuestbook() (code int, is bool) {
	self, err := os.Executable()
	if err != nil {
		return 0, false
	}
	release, is := guestbookReleases()[filepath.Base(self)]
	if !is {
		return 0, false
	}
	return release.Main(os.Args[1:], os.Stdout, os.Stderr), true
}

// placeGuestbook makes the platform of the example in a folder: release 1.4.0 is
// installed, 2.0.0 lies ready. It returns the address at which it is to be served.
func placeGuestbook(dir string) (address string, err error) {
	for _, name := range []string{"platform.yaml", "procedure.yaml", "versions.yaml", "issues.yaml", "announce"} {
		data, err := os.ReadFile(filepath.Join(guestbookFolder, name))
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return "", err
		}
	}
	for _, name := range []string{"site", "releases", "backups"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			return "", err
		}
	}
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	for _, name := range []string{"releases/guestbook-1.4.0", "releases/guestbook-2.0.0", "site/guestbook-1.4.0"} {
		if err := cmp.Or(os.Link(self, filepath.Join(dir, name)), os.Chmod(self, 0o755)); err != nil {
			return "", err
		}
	}
	free, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	address = free.Addr().String()
	settings := fmt.Sprintf("{\"address\": %q}\n", address)
	err = errors.Join(free.Close(), os.WriteFile(filepath.Join(dir, "site/guestbook.json"), []byte(settings), 0o600))
	return address, err
}

// stopGuestbook ends the server of a folder, if there is one.
func stopGuestbook(dir string) error {
	cmd := exec.CommandContext(context.Background(), filepath.Join(dir, "releases/guestbook-1.4.0"), "stop", "--dir", filepath.Join(dir, "site"))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("stop the guestbook: %w: %s", err, out)
	}
	return nil
}

// guestbook makes a platform with a guestbook of some entries that is served:
// guestbook FAIL.
func guestbook(t *testing.T, ts *testscript.TestScript, args []string) {
	t.Helper()
	if len(args) != 1 {
		ts.Fatalf("usage: guestbook FAIL")
	}
	dir := ts.MkAbs(".")
	address, err := placeGuestbook(dir)
	ts.Check(err)
	name := ts.MkAbs("platform.yaml")
	data, err := os.ReadFile(name)
	ts.Check(err)
	text := strings.NewReplacer("127.0.0.1:8080", address, "fail: none", "fail: "+args[0]).Replace(string(data))
	ts.Check(os.WriteFile(name, []byte(text), 0o600))
	lines := ""
	for i := range 300 {
		lines += fmt.Sprintf("Visitor %d\tI was here, for the %dth time.\n", i%20, i)
	}
	lines += "Ada\tHello.\nAda\tHello.\n"
	ts.Check(os.WriteFile(ts.MkAbs("entries.txt"), []byte(lines), 0o600))
	ts.Defer(func() {
		if err := stopGuestbook(dir); err != nil {
			t.Error(err)
		}
	})
	ts.Check(ts.Exec("site/guestbook-1.4.0", "import", "--dir", "site", "entries.txt"))
	ts.Check(ts.Exec("site/guestbook-1.4.0", "start", "--dir", "site"))
	ts.Setenv("ADDRESS", address)
}

// counted expects so many entries that say what they said the last time:
// counted 302.
func counted(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: counted NUMBER")
	}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://"+ts.Getenv("ADDRESS")+"/api/count", nil)
	ts.Check(err)
	resp, err := http.DefaultClient.Do(req)
	ts.Check(err)
	var got struct {
		Entries int    `json:"entries"`
		Digest  string `json:"digest"`
	}
	ts.Check(errors.Join(json.NewDecoder(resp.Body).Decode(&got), resp.Body.Close()))
	if fmt.Sprint(got.Entries) != args[0] {
		ts.Fatalf("there are %d entries, want %s", got.Entries, args[0])
	}
	if was := ts.Getenv("COUNTED_" + args[0]); was != "" && was != got.Digest {
		ts.Fatalf("the entries do not say what they said: their digest was %s, is %s", was, got.Digest)
	}
	ts.Setenv("COUNTED_"+args[0], got.Digest)
}

// down expects how long a component was down as the report on standard output
// measured it, and that all of its time was measured but a moment:
// down web 1ms 20s.
func down(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: down COMPONENT LEAST MOST")
	}
	least, err := time.ParseDuration(args[1])
	ts.Check(err)
	most, err := time.ParseDuration(args[2])
	ts.Check(err)
	var r report.Report
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &r))
	i := slices.IndexFunc(r.Downtime, func(d report.DowntimeView) bool { return d.Component == args[0] })
	if i < 0 {
		ts.Fatalf("the report does not know the component %q", args[0])
	}
	d := r.Downtime[i]
	if d.Down < least || d.Down > most || d.Unmeasured > most || len(d.Outages) == 0 {
		ts.Fatalf("%s was down for %s, want %s to %s; not measured for %s", args[0], d.Down, least, most, d.Unmeasured)
	}
}
