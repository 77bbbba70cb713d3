package hubtest

import (
	"bytes"
	"context"
	_ "embed" // The configuration.
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/refitproject/refit/internal/testserver"
)

// Variable names the environment variable that says in which folder the hubs are
// installed, each in a folder of its version. make test sets it.
const Variable = "REFIT_JUPYTERHUB"

// The releases that are installed.
const (
	Oldest = "3.0.0"
	Newest = "5.5.4"
)

const patience = 2 * time.Minute

//go:embed config.py
var config []byte

//go:embed server_stand_in.py
var standIn []byte

// Hub is a JupyterHub.
type Hub struct {
	// URL is its address without /hub; Version is its release.
	URL, Version string

	options Options
	program string
	host    string
	dir     string
	log     *testserver.Output
	cmd     *exec.Cmd
	ended   chan struct{}
}

// Options says what a hub is like.
type Options struct {
	Version string
	// Token may do everything that actions do, Narrow only list users.
	Token, Narrow string
	// Real lets users have a real jupyterhub-singleuser; Newest has one.
	Real bool
	// Down leaves it to Restart to start the hub for the first time.
	Down bool
}

// Start starts a hub that ends with the test. Where none is installed the test is
// skipped, unless REFIT_TEST=all asks for everything.
func Start(tb testing.TB, options Options) *Hub {
	tb.Helper()
	need(tb, options.Version)
	h, err := start(options, tb.TempDir())
	if err != nil {
		tb.Fatalf("start JupyterHub %s: %v", options.Version, err)
	}
	tb.Cleanup(h.Stop)
	return h
}

// Shared is a hub for all tests of a package, started by the first one that needs it.
// Stop has to be called when all have ended, in TestMain.
type Shared struct {
	Options Options

	once sync.Once
	hub  *Hub
	dir  string
	err  error
}

// Hub returns the hub.
func (s *Shared) Hub(tb testing.TB) *Hub {
	tb.Helper()
	need(tb, s.Options.Version)
	s.once.Do(func() {
		//nolint:usetesting // it outlives the test that needs it first
		if s.dir, s.err = os.MkdirTemp("", "refit-hub-"); s.err == nil {
			s.hub, s.err = start(s.Options, s.dir)
		}
	})
	if s.err != nil {
		tb.Fatalf("start JupyterHub %s: %v", s.Options.Version, s.err)
	}
	return s.hub
}

// Stop ends the hub, if there is one, and removes all that it has.
func (s *Shared) Stop() {
	if s.hub != nil {
		s.hub.Stop()
	}
	if s.dir != "" {
		_ = os.RemoveAll(s.dir) // what is left is in the temporary folder
	}
}

func program(version string) string {
	return filepath.Join(os.Getenv(Variable), version, "bin", "python3")
}

// Missing says why a release is not there, "" when it is.
func Missing(version string) string {
	dir := os.Getenv(Variable)
	if _, err := os.Stat(program(version)); err == nil && dir != "" {
		return ""
	}
	return fmt.Sprintf("%s names no folder with JupyterHub %s (it is %q): run make test, which needs python3",
		Variable, version, dir)
}

func need(tb testing.TB, version string) {
	tb.Helper()
	switch why := Missing(version); {
	case why == "":
	case os.Getenv("REFIT_TEST") == "all":
		tb.Fatal(why)
	default:
		tb.Skip(why)
	}
}

// Files are what a hub for tests is started with, by the names of the files. What
// they read of the environment stands at the top of the first, and in launch.
func Files() map[string]string {
	return map[string]string{"config.py": string(config), "server_stand_in.py": string(standIn)}
}

// Tokens is the value of HUBTEST_TOKENS.
func Tokens(o Options) string {
	all := []string{"admin:users", "admin:servers", "list:users", "read:servers"}
	data, err := json.Marshal(map[string][]any{
		"refit": {o.Token, all}, "narrow": {o.Narrow, []string{"read:users:name", "list:users"}},
	})
	if err != nil {
		panic(err) // there are only texts in it
	}
	return string(data)
}

// start starts a hub. Somebody else may take a port between asking for it and using
// it, so that it is tried again.
func start(options Options, dir string) (*Hub, error) {
	for name, text := range Files() {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	const tries = 3
	var err error
	for range tries {
		h := &Hub{Version: options.Version, options: options, program: program(options.Version), dir: dir}
		var port int
		if port, err = testserver.FreePort(); err != nil {
			return nil, err
		}
		h.host = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		h.URL = "http://" + h.host
		if options.Down {
			return h, nil
		}
		if err = h.launch(); err == nil {
			return h, nil
		}
	}
	return nil, err
}

// launch starts the program and waits until it answers.
func (h *Hub) launch() error {
	h.log, h.ended = &testserver.Output{}, make(chan struct{})
	h.cmd = exec.CommandContext(context.Background(), h.program,
		"-m", "jupyterhub", "-f", filepath.Join(h.dir, "config.py"))
	h.cmd.Env = []string{
		"PATH=" + filepath.Dir(h.program) + ":/usr/bin:/bin", "HOME=" + h.dir, "HUBTEST_DIR=" + h.dir,
		"HUBTEST_HOST=" + h.host, "HUBTEST_TOKENS=" + Tokens(h.options), "HUBTEST_VERSION=" + h.Version,
		"PYTHONWARNINGS=ignore", "PYTHONDONTWRITEBYTECODE=",
	}
	if h.options.Real {
		h.cmd.Env = append(h.cmd.Env, "HUBTEST_REAL=1")
	}
	h.cmd.Dir, h.cmd.Stdout, h.cmd.Stderr = h.dir, h.log, h.log
	testserver.EndsWithUs(h.cmd, syscall.SIGTERM)
	if err := h.cmd.Start(); err != nil {
		return err
	}
	go func() {
		_ = h.cmd.Wait() // it is told to end, and what it says is in its log
		close(h.ended)
	}()
	return h.ready()
}

// ready waits until the hub answers.
func (h *Hub) ready() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		if status, _, err := h.ask(ctx, http.MethodGet, "/", nil); err == nil && status == http.StatusOK {
			return nil
		}
		select {
		case <-h.ended:
			return fmt.Errorf("it has ended: %s", h.log.End())
		case <-ctx.Done():
			h.Stop()
			return fmt.Errorf("it does not answer: %s", h.log.End())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (h *Hub) ask(ctx context.Context, method, path string, body any) (int, []byte, error) {
	var content io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return 0, nil, err
		}
		content = bytes.NewReader(data)
	}
	request, err := http.NewRequestWithContext(ctx, method, h.URL+"/hub/api"+path, content)
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Authorization", "token "+h.options.Token)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	data, err := io.ReadAll(response.Body)
	return response.StatusCode, data, errors.Join(err, response.Body.Close())
}

// Ask asks the API and fails the test unless the answer has one of the statuses.
func (h *Hub) Ask(tb testing.TB, method, path string, statuses ...int) []byte {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	status, data, err := h.ask(ctx, method, path, nil)
	if err != nil {
		tb.Fatalf("%s %s: %v: %s", method, path, err, h.log.End())
	}
	if slices.Contains(statuses, status) {
		return data
	}
	tb.Fatalf("%s %s: %d %s, want %v: %s", method, path, status, data, statuses, h.log.End())
	return nil
}

// Servers lists the servers of users whose names begin with a prefix, as lines of
// user, server and state.
func (h *Hub) Servers(tb testing.TB, prefix string) string {
	tb.Helper()
	type user struct {
		Name    string `json:"name"`
		Servers map[string]struct {
			Ready   bool   `json:"ready"`
			Pending string `json:"pending"`
		} `json:"servers"`
	}
	var users []user
	for more := true; more; {
		var page []user
		data := h.Ask(tb, http.MethodGet, fmt.Sprintf("/users?limit=200&offset=%d", len(users)), http.StatusOK)
		if err := json.Unmarshal(data, &page); err != nil {
			tb.Fatal(err)
		}
		users, more = append(users, page...), len(page) == 200
	}
	var b strings.Builder
	for _, u := range users {
		if !strings.HasPrefix(u.Name, prefix) {
			continue
		}
		fmt.Fprintf(&b, "%s\n", u.Name)
		for _, name := range []string{"", "lab"} {
			if s, there := u.Servers[name]; there {
				fmt.Fprintf(&b, "%s/%s ready %t %s\n", u.Name, name, s.Ready, s.Pending)
			}
		}
	}
	return b.String()
}

// Up starts a server as its user would and waits until it is ready.
func (h *Hub) Up(tb testing.TB, user, name string) {
	tb.Helper()
	h.Order(tb, user, name)
	h.Await(tb, user, name)
}

// Order starts a server as its user would.
func (h *Hub) Order(tb testing.TB, user, name string) {
	tb.Helper()
	path := "/users/" + user + "/server"
	if name != "" {
		path += "s/" + name
	}
	h.Ask(tb, http.MethodPost, path, http.StatusCreated, http.StatusAccepted)
}

// Await waits until a server is ready.
func (h *Hub) Await(tb testing.TB, user, name string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for !strings.Contains(h.Servers(tb, user), user+"/"+name+" ready true \n") {
		select {
		case <-ctx.Done():
			tb.Fatalf("server %s/%s does not start: %s", user, name, h.log.End())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Down stops the servers that Up can start. The user stays, as long as the hub: one
// that goes while its server is on its way makes a hub fail at times.
func (h *Hub) Down(tb testing.TB, user string) {
	tb.Helper()
	for _, path := range []string{"/server", "/servers/lab"} {
		h.Ask(tb, http.MethodDelete, "/users/"+user+path,
			http.StatusNoContent, http.StatusAccepted, http.StatusNotFound, http.StatusBadRequest)
	}
}

// Stop ends the hub and the servers of its users, and waits until it has ended.
func (h *Hub) Stop() {
	if h.cmd == nil || h.cmd.Process == nil {
		return
	}
	_ = h.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	select {
	case <-h.ended:
	case <-time.After(30 * time.Second):
		_ = h.cmd.Process.Kill()
		<-h.ended
	}
}

// Restart starts a hub that is down or was stopped, at its address.
func (h *Hub) Restart(tb testing.TB) {
	tb.Helper()
	if err := h.launch(); err != nil {
		tb.Fatalf("start JupyterHub %s: %v", h.Version, err)
	}
}
