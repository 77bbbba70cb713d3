package service_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/all"
	"github.com/refitproject/refit/internal/report"
	secretpkg "github.com/refitproject/refit/internal/secret"
	"github.com/refitproject/refit/internal/service"
)

// planted is a secret that JSON and URLs write in another way.
const planted = `correct "horse" battery/staple`

// secretWorld is a world whose environment, a file and a program hold the
// planted secret.
func secretWorld(t *testing.T, files map[string]string) *world {
	t.Helper()
	w := newWorld(t, files)
	environ := []string{"PATH=" + os.Getenv("PATH"), "HUB_TOKEN=" + planted}
	clients := all.NewClients(environ)
	registry, err := action.NewRegistry(all.Actions(clients), all.TargetKinds(clients))
	if err != nil {
		t.Fatal(err)
	}
	w.Service, err = service.New(service.Options{
		Registry: registry, Shipped: fstest.MapFS{}, Version: "v1", StateDir: w.path("state"), Now: time.Now,
		Secrets:  secretpkg.Resolver{Environ: environ, Programs: clients.Programs},
		LookPath: func(string) (string, error) { return "", nil },
		Progress: func(n service.Note) { w.events.add(n.Text) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// secretProcedure sends the secret to a server and hands it to programs; %s is
// the address of the server.
const secretProcedure = `apiVersion: refit.dev/v1alpha1
kind: Procedure
metadata: {name: test, summary: A procedure of a test.}
inputs:
  token: {type: secret, description: Token of the hub.}
observe:
  hub:
    action: http.get
    with:
      url: %[1]s/hub
      secretHeaders: {Authorization: "${inputs.token}", X-Token: {file: token.txt}}
  program:
    action: exec.observe
    with:
      command: [sh, -c, 'echo "$A and $B"; echo "$C" >&2']
      secretEnv: {A: "${inputs.token}", B: {file: token.txt}, C: {command: [cat, token.txt]}}
stages:
  - id: only
    expects: {hub.status: 200, program.exitCode: 0}
    steps:
      failing:
        phase: preflight
        action: exec.observe
        with: {command: [sh, -c, 'echo "broken: $A" >&2; exit 1'], secretEnv: {A: "${inputs.token}"}}
      sending:
        phase: preflight
        action: http.get
        with: {url: %[1]s/to, secretHeaders: {X-Token: {env: HUB_TOKEN}}}
      changing:
        phase: prepare
        action: exec.command
        with: {command: ["true"], secretEnv: {A: "${inputs.token}"}}
        reversible: "no: it changes nothing"
`

// TestSecretsStayInActions plans and checks with secrets that the world repeats
// wherever it can, and looks for them in all that comes out.
func TestSecretsStayInActions(t *testing.T) {
	t.Parallel()
	seen := make(chan string, 100)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		seen <- r.Header.Get("Authorization") + r.Header.Get("X-Token")
		if r.URL.Path == "/to" { // an error that quotes the secret
			rw.Header().Set("Location", "gopher://h/"+r.Header.Get("X-Token"))
			rw.WriteHeader(http.StatusFound)
			return
		}
		rw.Header().Set("Content-Type", "application/json")
		rw.Header().Set("X-Echo", r.Header.Get("Authorization"))
		_ = json.NewEncoder(rw).Encode(r.Header)
	}))
	t.Cleanup(server.Close)
	w := secretWorld(t, map[string]string{
		"platform.yaml":  platformFile + "inputs: {token: {env: HUB_TOKEN, prefix: \"Bearer \"}}\n",
		"procedure.yaml": fmt.Sprintf(secretProcedure, server.URL), "token.txt": planted + "\n",
	})
	p := w.plan(t)
	if err := w.SavePlan(w.path("plan.json"), p, false); err != nil {
		t.Fatal(err)
	}
	if got := <-seen; got != "Bearer "+planted+planted {
		t.Errorf("the server was sent %q", got)
	}
	program, _ := p.Facts["program"].(map[string]any)
	if program["stdout"] != "*** and ***" || program["stderr"] != "***" {
		t.Errorf("the program printed %v, want its secrets removed", program)
	}
	result := w.check(t, service.CheckRequest{PlanFile: w.path("plan.json"), PlatformFile: w.path("platform.yaml")})
	if result.Verdict.Stale {
		t.Errorf("nothing changed, and the plan is stale: %+v", result.Verdict)
	}
	var texts bytes.Buffer
	opts := report.TextOptions{Width: 200}
	if err := report.PlanText(&texts, p, opts); err != nil {
		t.Fatal(err)
	}
	if err := report.CheckText(&texts, *result, opts); err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{p, result} {
		if err := json.NewEncoder(&texts).Encode(v); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(texts.String(), "broken: ***") || !strings.Contains(texts.String(), "HUB_TOKEN") {
		t.Error("the failing check, or the reference, is not in what was written: the test looks at the wrong texts")
	}
	w.expectNoSecret(t, texts.String()+strings.Join(w.events.events, "\n"))
}

// expectNoSecret looks for the planted secret in texts and in all files but
// its own.
func (w *world) expectNoSecret(t *testing.T, texts string) {
	t.Helper()
	err := filepath.WalkDir(w.dir, func(name string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Base(name) == "token.txt" {
			return err
		}
		data, err := os.ReadFile(name)
		texts += string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	escaped, err := json.Marshal(planted)
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{planted, strings.Trim(string(escaped), `"`), "battery", "staple"} {
		if i := strings.Index(texts, form); i >= 0 {
			t.Errorf("the secret comes out as %q: %q", form, texts[max(0, i-80):min(len(texts), i+80)])
		}
	}
}

// TestSecretsOfErrors lets observations fail in ways that would quote a secret.
func TestSecretsOfErrors(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ observe, want string }{
		"Printed": {
			`{action: exec.observe, with: {command: [sh, -c, 'echo "$A"; exit 1'], secretEnv: {A: {file: token.txt}}}}`,
			"ended with exit code 1: ***",
		},
		"NotJSON": {
			`{action: exec.observe, with: {command: [sh, -c, 'echo "$A"'], format: json, secretEnv: {A: {env: HUB_TOKEN}}}}`,
			"as JSON",
		},
		"Command": {
			`{action: exec.observe, with: {command: ["true"], secretEnv: {A: {command: [sh, -c, "cat token.txt >&2; exit 1"]}}}}`,
			`secretEnv "A": secret from command "sh": it ended with exit code 1`,
		},
		"Literal": {
			`{action: exec.observe, with: {command: ["true"], secretEnv: {A: 'correct "horse" battery/staple'}}}`,
			"secretEnv.A is a string, needs a secret: write {env: NAME}",
		},
		"Joined": {
			`{action: exec.observe, with: {command: ["true"], secretEnv: {A: 'battery ${inputs.token}'}}}`,
			"secretEnv.A is a string of several parts, needs a secret",
		},
		"Header": {
			`{action: http.get, with: {url: "http://h", headers: {Authorization: "Bearer battery"}}}`,
			`header "Authorization" carries a credential`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := secretWorld(t, map[string]string{
				"platform.yaml": platformFile + "inputs: {token: {env: HUB_TOKEN}}\n", "token.txt": planted + "\n",
				"procedure.yaml": strings.Replace(strings.Replace(procedureFile(),
					"{action: test.peek, with: {path: login.txt}}", tc.observe, 1), "has(observe.login.password) ? observe.login.user : 'x'", "inputs.x", 1),
			})
			text := w.read(t, "procedure.yaml")
			text = strings.ReplaceAll(text, "observe:\n", "inputs: {token: {type: secret}, x: {type: string, default: a}}\nobserve:\n")
			w.write(t, "procedure.yaml", strings.Replace(text, "    expects: {login.user: ana}\n", "", 1))
			_, err := w.Plan(t.Context(), service.PlanRequest{Platform: w.path("platform.yaml")})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("got %v, want %q in it", err, tc.want)
			}
			w.write(t, "procedure.yaml", "")
			w.expectNoSecret(t, err.Error())
		})
	}
}

func (w *world) read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(w.path(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
