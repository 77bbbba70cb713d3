package cli_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
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

// guestbookPrograms puts the programs of both releases into a folder. They are this
// binary under another name, and no link to it: a server starts itself by its file.
func guestbookPrograms(dir string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	for name := range guestbookReleases() {
		to := filepath.Join(dir, name)
		if os.Link(self, to) == nil {
			continue
		}
		data, err := os.ReadFile(self) // The folder is on another disk.
		if err != nil {
			return err
		}
		if err := os.WriteFile(to, data, 0o700); err != nil {
			return err
		}
	}
	return nil
}

// freeAddress returns an address at which nobody is served now.
func freeAddress() (string, error) {
	free, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return free.Addr().String(), free.Close()
}

// stopGuestbook ends the server of a platform, if there is one.
func stopGuestbook(dir string) error {
	program := filepath.Join(dir, "releases/guestbook-1.4.0")
	if _, err := os.Stat(program); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	cmd := exec.CommandContext(context.Background(), program, "stop", "--dir", filepath.Join(dir, "site"))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("stop the guestbook: %w: %s", err, out)
	}
	return nil
}

// guestbook goes to a platform with a guestbook of 20,002 entries that is served:
// guestbook FAIL.
func guestbook(t *testing.T, ts *testscript.TestScript, args []string) {
	t.Helper()
	if len(args) != 1 {
		ts.Fatalf("usage: guestbook FAIL")
	}
	bin, dir := ts.MkAbs("bin"), ts.MkAbs("guestbook")
	ts.Check(os.Mkdir(bin, 0o700))
	ts.Check(guestbookPrograms(bin))
	ts.Setenv("PATH", bin+string(os.PathListSeparator)+ts.Getenv("PATH"))
	address, err := freeAddress()
	ts.Check(err)
	place, err := filepath.Abs(filepath.Join(guestbookFolder, "place"))
	ts.Check(err)
	ts.Check(ts.Exec("sh", place, dir, address, args[0]))
	ts.Defer(func() {
		if err := stopGuestbook(dir); err != nil {
			t.Error(err)
		}
	})
	ts.Check(ts.Chdir(dir))
	ts.Check(ts.Exec("guestbook-1.4.0", "start", "--dir", "site"))
	ts.Setenv("ADDRESS", address)
}

// counted expects so many entries that say what they said the last time:
// counted 20002.
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

// TestDocsTutorial tests the tutorial. Its guestbooks are served at free addresses,
// and the clock is a real one, because the downtime is measured: what comes of that is
// masked, and no downtime at all is none of it.
func TestDocsTutorial(t *testing.T) {
	t.Parallel()
	bin := t.TempDir()
	if err := guestbookPrograms(bin); err != nil {
		t.Fatal(err)
	}
	var addresses [][2]string
	for _, shown := range []string{"127.0.0.1:8080", "127.0.0.1:8081", "127.0.0.1:8082"} {
		address, err := freeAddress()
		if err != nil {
			t.Fatal(err)
		}
		addresses = append(addresses, [2]string{address, shown})
	}
	testPageOf(t, "../../../docs/tutorials/first-upgrade.md", pageOf{
		files: func(dir string) error {
			t.Cleanup(func() {
				for _, name := range []string{"first", "second", "third"} {
					if err := stopGuestbook(filepath.Join(dir, name)); err != nil {
						t.Error(err)
					}
				}
			})
			return os.CopyFS(filepath.Join(dir, "examples/guestbook"), os.DirFS(guestbookFolder))
		},
		names: func(dir string) [][2]string { return append(addresses, [2]string{dir, "/srv"}) },
		masks: []*regexp.Regexp{
			regexp.MustCompile(`sha256:[0-9a-f]{12,64}`),
			regexp.MustCompile(`digest [0-9a-f]{16}`),
			regexp.MustCompile(`guestbook-[0-9a-f]{16}`),
			regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?`),
			regexp.MustCompile(`its \d+ events`),
			regexp.MustCompile(`\d+(\.\d+)?m?s( in \d+ outages)?$`),
			regexp.MustCompile(`\d+\.\d [KM]iB`),
		},
		environ: []string{"REFIT_TEST_NOW=real"}, programs: bin,
	})
}
