package all_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	"github.com/refitproject/refit/internal/action/all"
	"github.com/refitproject/refit/internal/action/archive"
	"github.com/refitproject/refit/internal/action/database"
	"github.com/refitproject/refit/internal/action/database/databasetest"
	"github.com/refitproject/refit/internal/action/exec"
	notifyaction "github.com/refitproject/refit/internal/action/notify"
	secretaction "github.com/refitproject/refit/internal/action/secret"
	"github.com/refitproject/refit/internal/action/target"
	"github.com/refitproject/refit/internal/kube"
	"github.com/refitproject/refit/internal/notify"
	"github.com/refitproject/refit/internal/yamldoc"
)

// hubs are servers with an announcement each, under names of their own.
type hubs struct {
	mu     sync.Mutex
	worlds int
	texts  map[string]string // by host
}

// ServeHTTP implements http.Handler.
func (h *hubs) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	switch {
	case r.URL.Path != "/announcement":
		fmt.Fprint(w, `{"version": "4.2.0"}`)
	case r.Method == http.MethodPut:
		body, _ := io.ReadAll(r.Body)
		h.texts[r.Host] = string(body)
	case r.Method == http.MethodDelete:
		delete(h.texts, r.Host)
	case h.texts[r.Host] == "":
		w.WriteHeader(http.StatusNotFound)
	default:
		fmt.Fprint(w, h.texts[r.Host])
	}
}

// world is what the examples of the pages talk about: some files, a program
// that is not installed everywhere, and a hub.
func (h *hubs) world(t *testing.T) actiontest.World {
	t.Helper()
	w := actiontest.FolderWorld(t)
	h.mu.Lock()
	h.worlds++
	host := fmt.Sprintf("hub%d.example.org", h.worlds)
	h.mu.Unlock()
	w.Adapt = func(in map[string]any) { rename(in, host) }
	w.State = func(t *testing.T) string {
		t.Helper()
		h.mu.Lock()
		defer h.mu.Unlock()
		return actiontest.FolderState(t, w.Env.Dir) + h.texts[host]
	}
	if err := os.Mkdir(filepath.Join(w.Env.Dir, "dumps"), 0o700); err != nil {
		t.Fatal(err)
	}
	long := w.Env.Now().AddDate(0, -3, 0)
	for _, name := range []string{"db-1.sql", "db-2.sql", "db-20261120.sql"} {
		path := filepath.Join(w.Env.Dir, "dumps", name)
		if err := errors.Join(os.WriteFile(path, []byte("--"), 0o600), os.Chtimes(path, long, long)); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range map[string]string{
		"values.yaml":      "hub:\n  image:\n    tag: 4.2.0\n",
		"maintenance.html": "<p>We are back at 04:00.</p>\n",
		"site.html":        "<p>Welcome.</p>\n",
		"alerts.sh": "#!/bin/sh\ncase $1 in\n  off) touch alerts-off;;\n  on) rm -f alerts-off;;\n" +
			"  is-off) test -e alerts-off;;\nesac\n",
	} {
		if err := os.WriteFile(filepath.Join(w.Env.Dir, name), []byte(content), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// rename lets the addresses in an input lead to another host.
func rename(in map[string]any, host string) {
	for key, v := range in {
		switch v := v.(type) {
		case map[string]any:
			rename(v, host)
		case string:
			in[key] = strings.Replace(v, "hub.example.org", host, 1)
		}
	}
}

// exampleClients reach a server on loopback under every address, and find the
// program juju.
func exampleClients(t *testing.T, h *hubs) all.Clients {
	t.Helper()
	server := httptest.NewTLSServer(h)
	t.Cleanup(server.Close)
	client := server.Client()
	transport := client.Transport.(*http.Transport)
	transport.TLSClientConfig.ServerName = "example.com" // the name in the test certificate
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
	}
	bin := t.TempDir()
	juju := "#!/bin/sh\necho '{\"model\": {\"version\": \"3.6.1\"}}'\n"
	if err := os.WriteFile(filepath.Join(bin, "juju"), []byte(juju), 0o700); err != nil {
		t.Fatal(err)
	}
	return all.Clients{
		HTTP:     client,
		Programs: exec.NewRunner([]string{"PATH=" + bin + ":" + os.Getenv("PATH")}),
		Host:     target.ThisHost(),
		Archive:  archive.World{Hostname: os.Hostname},
		Database: database.World{
			Hostname: os.Hostname, Programs: exec.NewRunner(os.Environ()), Environ: os.Environ(),
		},
		Secret: secretaction.World{Hostname: os.Hostname},
		Sender: inbox{notify.Sender{HTTP: client}},
		Sent:   notifyaction.Ledger{Dir: t.TempDir()},
	}
}

// inbox sends to a path of its own: what the references of the examples give is
// no address.
type inbox struct{ notify.Sender }

func (i inbox) Deliver(ctx context.Context, kind notify.Kind, _ string, m notify.Message) error {
	return i.Sender.Deliver(ctx, kind, "https://hooks.example.org/inbox", m)
}

// rehearsed puts the report of a rehearsal into a world, and gives inputs its digest.
func rehearsed(t *testing.T, w *actiontest.World) {
	t.Helper()
	const digest = "sha256:5f1d7a1c9d1c4a62"
	text := fmt.Sprintf(`{"form": "refit.dev/report/v1", "ended": %q, "run": {"id": "staging-1", "status": "Succeeded"},
		"rehearsal": {"digest": %q}}`, w.Env.Now().Add(-time.Hour).Format(time.RFC3339), digest)
	if err := os.WriteFile(filepath.Join(w.Env.Dir, "rehearsal.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	w.Adapt = func(in map[string]any) { in["digest"] = digest }
}

// overwrite changes the file that a step has written, as somebody else would.
func overwrite(t *testing.T, w actiontest.World, in map[string]any) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(w.Env.Dir, in["to"].(string)), []byte("of somebody else"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestDocsExamples runs the whole suite on the example of every page.
func TestDocsExamples(t *testing.T) {
	h := &hubs{texts: map[string]string{}}
	clients := exampleClients(t, h)
	postgres := &databasetest.Shared{Engine: "postgresql"}
	t.Cleanup(postgres.Stop)
	r, err := action.NewRegistry(all.Actions(clients), all.TargetKinds(clients))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range r.Names() {
		a, _ := r.Action(name)
		t.Run(name, func(t *testing.T) {
			if slices.Contains(a.Spec().Targets, kube.KindTarget) || strings.HasPrefix(name, "jupyterhub.") {
				checkExample(t, a) // Its suite runs in a cluster, or on a real hub.
				return
			}
			actiontest.Run(t, actiontest.Suite{
				Action: a, World: func(t *testing.T) actiontest.World {
					t.Helper()
					w := h.world(t)
					if strings.HasPrefix(name, "database.") {
						return stored(t, postgres.Server(t), clients.Database)
					}
					if strings.HasPrefix(name, "archive.") {
						homes(t, &w, clients.Archive)
					}
					if strings.HasPrefix(name, "secret.") {
						vault(t, &w)
					}
					if strings.HasPrefix(name, "rehearsal.") {
						rehearsed(t, &w)
					}
					if name == "notify.send" {
						w.Env.Key = t.Name() + w.Env.Dir // What is remembered by key is of this world.
					}
					return w
				}, Examples: example(t, name), Foreign: overwrite,
			})
		})
	}
}

// checkExample checks the example of an action without running it.
func checkExample(t *testing.T, a action.Action) {
	t.Helper()
	data, err := os.ReadFile(example(t, a.Spec().Name))
	if err != nil {
		t.Fatal(err)
	}
	in, err := action.ParseJSON(data)
	if err != nil {
		t.Fatal(err)
	}
	checker, ok := a.(action.Checker)
	if !ok {
		t.Fatal("it checks nothing")
	}
	if err := checker.Check(in.(map[string]any)); err != nil {
		t.Error(err)
	}
}

// example writes the input in the YAML block of a page to a file and returns
// its path.
func example(t *testing.T, name string) string {
	t.Helper()
	file := filepath.Join(pages, name+".md")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)\n```yaml\n(.*?)```").FindAllSubmatch(text, -1)
	if len(blocks) != 1 {
		t.Fatalf("page %s has %d YAML blocks, needs one example", file, len(blocks))
	}
	node, problems := yamldoc.Parse(file, blocks[0][1], yamldoc.DefaultLimits())
	if problems.HasErrors() || len(node.Pairs) != 1 || len(node.Pairs[0].Value.Pairs) != 1 {
		t.Fatalf("the example of %s must be one entry of observe or steps: %v", file, problems)
	}
	entry := node.Pairs[0].Value.Pairs[0].Value
	if key := node.Pairs[0].Key; (key != "observe" && key != "steps") || entry.Get("action").Plain() != any(name) {
		t.Fatalf("the example of %s must use action %s under observe or steps", file, name)
	}
	data, err := json.Marshal(entry.Get("with").Plain())
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "example.yaml")
	if err := os.WriteFile(out, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return out
}
