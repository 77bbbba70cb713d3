package planted

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"
)

// program is refit itself, built once.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "refit-planted-bin-")
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "refit")
	out, err := exec.Command("go", "build", "-o", name, "../../cmd/refit").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build refit: %w\n%s", err, out)
	}
	return name, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if name, err := program(); err == nil {
		_ = os.RemoveAll(filepath.Dir(name))
	}
	os.Exit(code)
}

// slowest is how long one command may take.
const slowest = 60 * time.Second

// world is a platform whose inputs are full of secrets.
type world struct {
	*testing.T
	dir, state, tmp, bin string
	// marker stands in every place that is searched.
	marker  string
	secrets []*planted
	environ []string
	server  *echo
	// said is what each command has written.
	mu   sync.Mutex
	said []place
}

// place is something that is searched.
type place struct {
	name string
	data []byte
}

func newWorld(t *testing.T) *world {
	t.Helper()
	bin, err := program()
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	w := &world{
		T: t, dir: filepath.Join(root, "platform"), state: filepath.Join(root, "state"), tmp: filepath.Join(root, "tmp"),
		bin: bin, marker: "m4rker" + half(), server: newEcho(t),
	}
	for _, dir := range []string{w.dir, w.state, w.tmp, filepath.Join(w.dir, "store"), filepath.Join(w.dir, "homes")} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	w.environ = append(os.Environ(), "XDG_STATE_HOME="+w.state, "TMPDIR="+w.tmp, "NO_COLOR=1", worldVariable+"="+w.marker)
	w.layOut()
	return w
}

// secret plants a secret.
func (w *world) secret(name string) *planted {
	p := plant(name)
	w.secrets = append(w.secrets, p)
	return p
}

func (w *world) env(name, value string) { w.environ = append(w.environ, name+"="+value) }

func (w *world) write(name, text string) {
	w.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
		w.Fatal(err)
	}
}

// layOut plants everything.
func (w *world) layOut() {
	w.env("FROM_ENV", w.secret("sensitive input by environment").value)
	w.write("from-file", w.secret("sensitive input by file").value+"\n")
	w.write("from-command", w.secret("sensitive input by command").value+"\n")
	w.env("IN_HEADER", w.secret("header of a request").value)
	w.env("IN_PROGRAM", w.secret("environment of a program").value)
	w.write("captured", w.secret("captured secret").value+"\n")
	w.write("by-file", w.secret("file of a program").value+"\n")
	w.write("by-stdin", w.secret("standard input of a program").value+"\n")
	// A step that copies a file shows the digest of its content: see
	// docs/explanation/secrets.md.
	whole := half()
	w.secrets = append(w.secrets, &planted{name: "file that is copied", value: whole, needles: [][]byte{[]byte(whole[:piece]), []byte(whole[piece:])}})
	w.write("whole", whole)
	w.env("LINES", w.secret("first line of several").value+"\n"+w.secret("second line of several").value)
	host := strings.TrimPrefix(w.server.URL, "http://")
	password := half()
	w.secrets = append(w.secrets, planting("password in the address of a channel", password, password))
	path := half()
	w.secrets = append(w.secrets, planting("path in the address of a channel", path, path))
	w.env("CHANNEL", "http://bot:"+password+"@"+host+"/hook?token="+path)
	key, err := age.GenerateX25519Identity()
	if err != nil {
		w.Fatal(err)
	}
	w.secrets = append(w.secrets, planting("key of an archive", key.String(), key.String()[20:60]))
	w.write("archive-key", key.String()+"\n")
	edited := half()
	w.secrets = append(w.secrets, planting("value in a file that is edited", edited, edited))
	w.write("values.yaml", "hub:\n  # "+w.marker+"\n  tag: 1.0.0\n  password: "+edited+"\n  apiToken: "+edited+"\n  replicas: 1\n")
	w.write("homes/notes", "the notes of ada\n")
	w.write("platform.yaml", strings.ReplaceAll(platformFile, "MARKER", w.marker))
	w.write("procedure.yaml", strings.NewReplacer("MARKER", w.marker, "URL", w.server.URL).Replace(procedureFile))
	w.write("issues.yaml", issuesFile)
	w.write("say.sh", sayScript)
	w.layOutMistakes()
}

// mistakes are observations and inputs in which somebody has written a secret where
// a reference belongs, or which fail while they have one. LITERAL is a secret.
var mistakes = map[string]string{
	"header":    `{action: http.get, with: {url: URL/x, headers: {Authorization: "Bearer LITERAL"}}}`,
	"secret":    `{action: http.get, with: {url: URL/x, secretHeaders: {X: LITERAL}}}`,
	"joined":    `{action: http.get, with: {url: URL/x, secretHeaders: {X: "LITERAL ${inputs.byFile}"}}}`,
	"form":      `{action: http.get, with: {url: URL/x, secretHeaders: {X: {LITERAL: LITERAL}}}}`,
	"url":       `{action: http.get, with: {url: "http://user:LITERAL@127.0.0.1:1/"}}`,
	"badurl":    `{action: http.get, with: {url: "http://user:LITERAL@127.0.0.1:port/%zz"}}`,
	"program":   `{action: exec.observe, with: {command: ["true"], secretEnv: {A: LITERAL}}}`,
	"plain":     `{action: exec.observe, with: {command: ["true"], env: {A: "${inputs.byFile}"}}}`,
	"argument":  `{action: exec.observe, with: {command: [echo, "${inputs.byFile}"]}}`,
	"moved":     `{action: http.get, with: {url: URL/moved, secretHeaders: {X-Secret: "${inputs.byFile}"}}}`,
	"json":      `{action: exec.observe, with: {command: [sh, say.sh], format: json, secretEnv: {A: "${inputs.byFile}"}}}`,
	"failed":    `{action: exec.observe, with: {command: [sh, -c, 'echo "$A" >&2; exit 9'], secretEnv: {A: "${inputs.byFile}"}}}`,
	"nocommand": `{action: exec.observe, with: {command: ["true"], secretEnv: {A: {command: [sh, -c, "cat from-command >&2; exit 1"]}}}}`,
	"isfolder":  `{action: exec.observe, with: {command: ["true"], secretEnv: {A: {file: homes}}}}`,
	"nofolder":  `{action: exec.observe, with: {command: ["true"], dir: LITERAL, secretEnv: {A: {captured: {backup: LITERAL, store: "file://user:LITERAL@h/store", key: {file: from-file}}}}}}`,
}

// layOutMistakes writes a procedure for each mistake, and platform files with
// secrets in the place of references.
func (w *world) layOutMistakes() {
	literal := half()
	w.secrets = append(w.secrets, planting("literal in the wrong place", literal, literal))
	fill := strings.NewReplacer("LITERAL", literal, "URL", w.server.URL).Replace
	head := "apiVersion: refit.dev/v1alpha1\nkind: Platform\nmetadata: {name: wrong, description: " + w.marker + "}\n"
	for name, observe := range mistakes {
		w.write("wrong-"+name+".yaml", head+"procedure: ./wrong-"+name+"-procedure.yaml\ninputs: {byFile: {file: from-file}}\n")
		w.write("wrong-"+name+"-procedure.yaml", fill("apiVersion: refit.dev/v1alpha1\nkind: Procedure\nmetadata: {name: wrong, summary: "+
			w.marker+"}\ninputs: {byFile: {type: secret, description: A secret.}}\nobserve:\n  wrong: "+observe+
			"\nstages:\n  - id: only\n    expects: {wrong: 1}\n    steps: {}\n"))
	}
	for name, rest := range map[string]string{
		"input":   "inputs: {byFile: LITERAL}\n",
		"prefix":  "inputs: {byFile: {LITERAL: LITERAL}}\n",
		"channel": "inputs: {byFile: {file: from-file}}\nnotifications: {ops: {kind: slack, address: \"http://h/LITERAL\"}}\n",
		"service": "inputs: {byFile: {file: from-file}}\nnotifications: {ops: {kind: service, address: {file: from-file}}}\n",
		"store":   "inputs: {byFile: {file: from-file}}\nbackup: {store: \"s3://user:LITERAL@bucket\"}\n",
	} {
		w.write("wrong-"+name+".yaml", fill(head+"procedure: ./wrong-failed-procedure.yaml\n"+rest))
	}
}

const platformFile = `apiVersion: refit.dev/v1alpha1
kind: Platform
metadata: {name: planted, description: MARKER}
procedure: ./procedure.yaml
inputs:
  byEnv: {env: FROM_ENV, prefix: "Bearer "}
  byFile: {file: from-file}
  byCommand: {command: [cat, from-command]}
notifications:
  ops: {kind: webhook, address: {env: CHANNEL}}
  chat: {kind: slack, address: {env: CHANNEL}}
`

// sayScript prints what it has in all ways that it knows, slowly enough to be
// seen among the processes.
const sayScript = `#!/bin/sh
say() {
	[ -n "$1" ] || return 0
	printf 'it is %s\n' "$1"
	printf '%s' "$1" | base64 -w0; echo
	printf 'user:%s' "$1" | base64 -w0; echo
	printf '%s' "$1" | od -An -v -tx1 | tr -d ' \n'; echo
	printf '%s' "$1" | od -An -v -tx1 | tr -d ' \n' | tr a-f A-F; echo
	printf '%s' "$1" | sed 's/["\\]/\\&/g; s/^/{"a": "/; s/$/"}/'
	echo
}
echo "MARK $MARK"
for value in "$A" "$B" "$C"; do say "$value"; say "$value" >&2; done
sleep "${PAUSE:-0.1}"
exit "${EXIT:-0}"
`

const issuesFile = `apiVersion: refit.dev/v1alpha1
kind: Issues
issues:
  known:
    match: {pattern: 'ended with exit code 3.*'}
    explanation: It is known to fail.
    remedy: {suggest: Go back.}
    source: {note: "a test"}
    failing: [{message: "say.sh ended with exit code 3: x"}]
    passing: [{message: "something else"}]
`

const procedureFile = `apiVersion: refit.dev/v1alpha1
kind: Procedure
metadata: {name: planted, summary: A procedure full of secrets. MARKER}
issues: issues.yaml
components:
  homes: {kind: volume}
  hub: {kind: service}
inputs:
  byEnv: {type: secret, description: By environment.}
  byFile: {type: secret, description: By file.}
  byCommand: {type: secret, description: By command.}
observe:
  hub:
    action: http.get
    with: {url: "URL/echo?MARKER", secretHeaders: {Authorization: "${inputs.byEnv}", X-Secret: "${inputs.byFile}", X-Other: {env: IN_HEADER}}}
  printed:
    action: exec.observe
    with:
      command: [sh, say.sh]
      env: {MARK: MARKER, CARRIES: "A,B,C"}
      secretEnv: {A: "${inputs.byEnv}", B: "${inputs.byFile}", C: "${inputs.byCommand}"}
probes:
  hub: {component: hub, exec: {command: [sh, -c, "sleep 0.2"], every: 500ms}}
stages:
  - id: upgrade
    expects: {hub.status: 200, printed.exitCode: 0}
    steps:
      capture:
        phase: prepare
        action: secret.capture
        with: {secret: {file: captured}, name: hub, store: "file:store", key: {file: archive-key}}
      edit:
        phase: prepare
        action: file.edit
        with: {path: values.yaml, to: new-values.yaml, edits: [{set: hub.tag, value: 2.0.0}]}
      copy:
        phase: prepare
        action: file.copy
        with: {from: whole, to: whole-copy}
      stop:
        phase: quiesce
        action: exec.command
        with: {command: [sh, -c, "sleep 0.3; echo MARKER"], observe: {command: ["false"]}, undo: {command: ["true"]}}
        quiesces: [homes]
        downtime: [hub]
      backup:
        phase: backup
        action: archive.backup
        with: {store: "file:store", path: homes, key: {file: archive-key}}
        covers: [homes]
        proof: 2
      command:
        phase: upgrade
        action: exec.command
        changes: [homes]
        with:
          command: [sh, say.sh]
          env: {MARK: MARKER, CARRIES: "A,B,C"}
          secretEnv: {A: {env: IN_PROGRAM}, B: "${steps.capture.output.reference}", C: {env: LINES}}
          observe: {command: ["false"]}
          undo: {command: [sh, say.sh]}
        reversible: undo
      shell:
        phase: upgrade
        needs: [command]
        action: exec.shell
        with:
          script: cat "$F"; cat; exec sh say.sh
          env: {MARK: MARKER, CARRIES: "A,B"}
          secretEnv: {A: {env: IN_PROGRAM}, B: "${inputs.byCommand}"}
          secretFiles: {F: {file: by-file}}
          secretStdin: {file: by-stdin}
          observe: exit 1
          undo: exec sh say.sh
      innocent:
        phase: upgrade
        needs: [shell]
        action: exec.command
        with: {command: [sh, -c, "sleep 0.4; echo MARKER > \"$TMPDIR/innocent\""], observe: {command: ["false"]}, undo: {command: ["true"]}}
      request:
        phase: upgrade
        needs: [innocent]
        action: http.request
        with:
          method: POST
          url: URL/do
          json: {mark: MARKER}
          secretHeaders: {X-Secret: {env: IN_HEADER}, Authorization: "${inputs.byEnv}"}
          observe: {url: URL/look, done: {status: 204}}
          undo: {method: DELETE, url: URL/down}
      tell:
        phase: upgrade
        needs: [request]
        action: notify.send
        with: {kind: webhook, address: {env: CHANNEL}, title: MARKER, timeout: 2s}
      slow:
        phase: upgrade
        needs: [tell]
        action: exec.command
        with:
          command: [sh, say.sh]
          env: {MARK: MARKER, CARRIES: "A,B", PAUSE: "2"}
          secretEnv: {A: {env: IN_PROGRAM}, B: "${steps.capture.output.reference}"}
          observe: {command: ["false"]}
          undo: {command: ["true"]}
      down:
        phase: verify
        action: http.check
        with: {url: URL/down, secretHeaders: {X-Secret: {env: IN_HEADER}, Authorization: "${inputs.byEnv}"}}
        onFailure: continue
      fails:
        phase: verify
        action: exec.observe
        with:
          command: [sh, say.sh]
          env: {MARK: MARKER, CARRIES: "A,B", EXIT: "3"}
          secretEnv: {A: "${inputs.byFile}", B: {env: LINES}}
`

// refit runs the program and keeps all that it writes.
func (w *world) refit(args ...string) (code int, out string) {
	w.Helper()
	cmd, stdout, stderr, cancel := w.command(args...)
	defer cancel()
	began := time.Now()
	err := cmd.Run()
	if took := time.Since(began); took > 2*time.Second {
		w.Logf("refit %v took %s", args, took)
	}
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		w.Fatalf("refit %v: %v", args, err)
	}
	w.keep(args, stdout, stderr)
	return cmd.ProcessState.ExitCode(), stdout.String() + stderr.String()
}

func (w *world) command(args ...string) (*exec.Cmd, *bytes.Buffer, *bytes.Buffer, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(w.Context(), slowest)
	cmd := exec.CommandContext(ctx, w.bin, args...)
	var stdout, stderr bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = w.dir, w.environ, &stdout, &stderr
	return cmd, &stdout, &stderr, cancel
}

func (w *world) keep(args []string, stdout, stderr *bytes.Buffer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	name := "refit " + strings.Join(args, " ")
	w.said = append(w.said, place{"stdout of " + name, stdout.Bytes()}, place{"stderr of " + name, stderr.Bytes()})
}

// expect runs the program and fails when its exit code is another one.
func (w *world) expect(code int, args ...string) string {
	w.Helper()
	got, out := w.refit(args...)
	if got != code {
		w.Fatalf("refit %v: exit code %d, want %d\n%s", args, got, code, out[max(0, len(out)-2000):])
	}
	return out
}
