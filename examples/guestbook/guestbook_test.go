package guestbook_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/examples/guestbook/book"
	"github.com/refitproject/refit/examples/guestbook/release1"
	"github.com/refitproject/refit/examples/guestbook/release2"
)

func releases() map[string]book.Release {
	return map[string]book.Release{"guestbook-1.4.0": release1.Release(), "guestbook-2.0.0": release2.Release()}
}

// TestMain lets the binary of the tests be the program of a release, when it is
// called so: servers start themselves by their file.
func TestMain(m *testing.M) {
	if self, err := os.Executable(); err == nil {
		if release, ok := releases()[filepath.Base(self)]; ok {
			os.Exit(release.Main(os.Args[1:], os.Stdout, os.Stderr))
		}
	}
	os.Exit(m.Run())
}

// guestbook is the folder of a guestbook with the programs of both releases.
type guestbook struct {
	*testing.T

	dir string
}

// newGuestbook makes an empty one. Its server, if there is one, ends with the test.
func newGuestbook(t *testing.T) guestbook {
	t.Helper()
	g := guestbook{t, t.TempDir()}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name := range releases() {
		if err := os.Link(self, g.file(name)); err != nil {
			data, err := os.ReadFile(self)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(g.file(name), data, 0o700); err != nil {
				t.Fatal(err)
			}
		}
	}
	g.write("guestbook.json", `{"address": "127.0.0.1:0"}`)
	t.Cleanup(func() { g.run("1.4.0 stop") })
	return g
}

func (g guestbook) file(name string) string { return filepath.Join(g.dir, name) }

func (g guestbook) write(name, text string) {
	g.Helper()
	if err := os.WriteFile(g.file(name), []byte(text), 0o600); err != nil {
		g.Fatal(err)
	}
}

// run runs a release with its arguments, separated by a space, and returns its exit
// code and what it printed.
func (g guestbook) run(line string) (code int, printed string) {
	g.Helper()
	words := strings.Split(line, " ")
	cmd := exec.CommandContext(context.WithoutCancel(g.Context()), g.file("guestbook-"+words[0]), words[1:]...)
	cmd.Dir = g.dir
	cmd.Env = append(os.Environ(), "REFIT_KEY=a/step", "USER=ada")
	out, err := cmd.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), string(out)
	}
	if err != nil {
		g.Fatal(err)
	}
	return 0, string(out)
}

// expect runs a release and compares how it ends and what it prints, in which ADDRESS
// and DIR stand for what differs.
func (g guestbook) expect(code int, line, want string) {
	g.Helper()
	got, printed := g.run(line)
	printed = strings.ReplaceAll(printed, g.dir, "DIR")
	if address := g.address(); address != "" {
		printed = strings.ReplaceAll(printed, address, "ADDRESS")
	}
	if diff := cmp.Diff(strings.TrimSpace(want), strings.TrimSpace(printed)); got != code || diff != "" {
		g.Errorf("%s: exit code %d, want %d (-want +got):\n%s", line, got, code, diff)
	}
}

// address is where the guestbook is served, or was.
func (g guestbook) address() string {
	data, _ := os.ReadFile(g.file("guestbook.lock"))
	_, rest, _ := strings.Cut(string(data), `"address":"`)
	address, _, _ := strings.Cut(rest, `"`)
	return address
}

// ask asks the server and returns status and body.
func (g guestbook) ask(method, path, body string) string {
	g.Helper()
	req, err := http.NewRequestWithContext(g.Context(), method, "http://"+g.address()+path, strings.NewReader(body))
	if err != nil {
		g.Fatal(err)
	}
	if strings.HasPrefix(body, "author=") {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	client := &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       10 * time.Second,
	}
	resp, err := client.Do(req)
	if err != nil {
		g.Fatal(err)
	}
	data, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		g.Fatal(err)
	}
	return fmt.Sprintf("%d %s", resp.StatusCode, strings.TrimSpace(string(data)))
}

// answers asks and looks for a text in the answer.
func (g guestbook) answers(method, path, body, want string) {
	g.Helper()
	if got := g.ask(method, path, body); !strings.Contains(got, want) {
		g.Errorf("%s %s: got %s, want %s", method, path, got, want)
	}
}

// rows returns what a query gives as text, from the file of the database.
func (g guestbook) rows(query string) string {
	g.Helper()
	db, err := sql.Open("sqlite", "file:"+g.file("guestbook.db")+"?mode=ro")
	if err != nil {
		g.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	text := ""
	if err := db.QueryRowContext(g.Context(), "SELECT group_concat(line, '; ') FROM ("+query+")").Scan(&text); err != nil {
		g.Fatal(err)
	}
	return text
}
