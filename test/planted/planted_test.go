package planted

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Exit codes of refit: see docs/reference/exit-codes.md.
const (
	exitDone       = 0
	exitHalted     = 7
	exitRolledBack = 6
	exitError      = 1
	exitLint       = 2
	exitBlocked    = 3
)

// TestPlantedSecrets carries a run through all that can happen to it and looks for
// the secrets everywhere.
func TestPlantedSecrets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.watch()
	w.plan()
	w.wrong()
	w.killed()
	w.expect(exitHalted, "drive", "planted-1")
	w.look("after the failure")
	w.tell()
	w.back()
	v.end()
	w.look("at the end")
	w.sampled(v)
	w.searchOutputs()
	w.heard()
}

// plan makes the plan and asks all that can be asked before a run.
func (w *world) plan() {
	w.expect(exitDone, "lint", "platform.yaml")
	w.expect(exitDone, "plan", "platform.yaml", "--save", "plan.json", "--full", "-v")
	w.expect(exitDone, "plan", "show", "plan.json", "--full")
	w.expect(exitDone, "plan", "platform.yaml", "-o", "json")
	w.expect(exitDone, "plan", "platform.yaml", "-o", "yaml")
	w.expect(exitDone, "plan", "platform.yaml", "--diff", "plan.json")
	w.expect(exitDone, "check", "plan.json", "-v")
	w.expect(exitDone, "check", "plan.json", "-o", "json")
	w.refit("doctor", "platform.yaml")
	w.expect(exitError, "notify", "test", "platform.yaml")
	w.expect(exitError, "notify", "test", "platform.yaml", "-o", "json")
	w.expect(exitDone, "issues", "--procedure", "procedure.yaml")
}

// wrong makes every mistake: each is refused, and no message quotes a secret.
func (w *world) wrong() {
	files, err := filepath.Glob(filepath.Join(w.dir, "wrong-*.yaml"))
	if err != nil {
		w.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "-procedure.yaml") {
			continue
		}
		base := filepath.Base(name)
		w.refit("lint", base)
		if code, out := w.refit("plan", base, "-v"); code == exitDone {
			w.Errorf("%s was planned: %s", base, out)
		}
		w.refit("check", base)
		w.refit("doctor", base)
		w.refit("notify", "test", base)
	}
}

// killed begins the run, kills its driver in the middle of a step that has a secret,
// and looks at what a crash leaves.
func (w *world) killed() {
	w.Helper()
	args := []string{"apply", "plan.json", "--digest", w.digest(), "--run", "planted-1"}
	cmd, stdout, stderr, cancel := w.command(args...)
	defer cancel()
	if err := cmd.Start(); err != nil {
		w.Fatal(err)
	}
	w.until("slow has started", func() bool {
		return w.runs("PAUSE=2")
	})
	w.look("while a step with a secret runs")
	_ = cmd.Process.Kill()
	_ = cmd.Wait() // it was killed
	w.keep(args, stdout, stderr)
	w.look("after the crash")
	w.expect(exitDone, "status", "planted-1")
}

// digest reads the digest of the plan.
func (w *world) digest() string {
	w.Helper()
	var p struct{ Digest string }
	data, err := os.ReadFile(filepath.Join(w.dir, "plan.json"))
	if err == nil {
		err = json.Unmarshal(data, &p)
	}
	if err != nil {
		w.Fatal(err)
	}
	return p.Digest
}

// runs tells whether a process of the world has an entry in its environment.
func (w *world) runs(entry string) bool {
	files, _ := filepath.Glob("/proc/[0-9]*/environ") // the pattern is right
	for _, file := range files {
		environ, err := os.ReadFile(file)
		if err == nil && bytes.Contains(environ, []byte(w.marker)) && bytes.Contains(environ, []byte("\x00"+entry+"\x00")) {
			return true
		}
	}
	return false
}

func (w *world) until(what string, holds func() bool) {
	w.Helper()
	limit := time.After(slowest)
	for !holds() {
		select {
		case <-limit:
			w.Fatalf("waited in vain: %s", what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// tell lets every command tell what it knows of the run.
func (w *world) tell() {
	w.expect(exitDone, "status", "planted-1", "--full")
	w.expect(exitDone, "status", "planted-1", "-o", "json")
	w.expect(exitDone, "runs", "show", "planted-1")
	w.expect(exitDone, "runs")
	for _, step := range []string{
		"capture", "edit", "copy", "stop", "backup", "command", "shell", "innocent", "request", "tell", "slow", "down", "fails",
	} {
		w.expect(exitDone, "logs", "planted-1", "upgrade", step)
		w.expect(exitDone, "logs", "planted-1", "upgrade", step, "-o", "json")
	}
	w.expect(exitDone, "report", "planted-1", "--save", "report.html")
	w.expect(exitDone, "report", "planted-1", "--format", "markdown", "--save", "report.md")
	w.expect(exitDone, "report", "planted-1", "--format", "json", "--save", "report.json")
	w.expect(exitDone, "report", "planted-1", "--format", "markdown")
	w.expect(exitDone, "runs", "export", "planted-1", "planted.run", "--keep")
	w.expect(exitDone, "report", "planted.run", "--format", "markdown")
}

// back takes the run back, as far as that goes.
func (w *world) back() {
	w.refit("retry", "planted-1", "upgrade", "fails")
	w.refit("drive", "planted-1")
	w.expect(exitDone, "rollback", "planted-1", "--to-stage", "upgrade")
	w.expect(exitRolledBack, "drive", "planted-1")
	w.expect(exitDone, "watch", "planted-1", "--all", "-o", "json")
	w.expect(exitDone, "report", "planted-1", "--format", "json", "--save", "report-2.json")
}

// mine are the files in the folder of the platform that hold secrets because a
// person, or a step that copies a file, has put them there.
var mine = map[string]bool{
	"from-file": true, "from-command": true, "captured": true, "by-file": true, "by-stdin": true, "archive-key": true, "whole": true, "whole-copy": true,
	"values.yaml": true, "new-values.yaml": true,
}

// look searches all files: of the platform, of the state, and temporary ones.
func (w *world) look(when string) {
	w.Helper()
	for what, root := range map[string]string{"the platform": w.dir, "the state": w.state, "temporary files": w.tmp} {
		marked := false
		err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || root == w.dir && (mine[entry.Name()] || strings.HasPrefix(entry.Name(), "wrong-")) {
				return nil //nolint:nilerr // it has gone meanwhile
			}
			data, err := os.ReadFile(name)
			if err != nil {
				return nil //nolint:nilerr // it has gone meanwhile
			}
			marked = marked || bytes.Contains(data, []byte(w.marker))
			w.search(place{"file " + strings.TrimPrefix(name, filepath.Dir(root)) + " " + when, data})
			return nil
		})
		if err != nil {
			w.Fatal(err)
		}
		if !marked {
			w.Errorf("the marker is not in %s, %s: the wrong place is searched", what, when)
		}
	}
}

func (w *world) search(p place) {
	w.Helper()
	for _, s := range w.secrets {
		if found := s.in(p.data); found != "" {
			w.Errorf("%s holds the secret %s: %q", p.name, s.name, found)
		}
	}
}

// sampled judges what was seen of the processes.
func (w *world) sampled(v *watcher) {
	w.Helper()
	for leak := range v.leaks {
		w.Errorf("%s", leak)
	}
	if len(v.carriers) < 3 || len(v.others) < 3 {
		w.Errorf("too few processes were seen: %v carry secrets, %v do not", v.carriers, v.others)
	}
}

// searchOutputs searches all that the commands have written.
func (w *world) searchOutputs() {
	w.Helper()
	marked := 0
	for _, p := range w.said {
		if bytes.Contains(p.data, []byte(w.marker)) {
			marked++
		}
		w.search(p)
	}
	if marked < 20 {
		w.Errorf("the marker is in %d of %d outputs only: the wrong place is searched", marked, len(w.said))
	}
}

// heard makes sure that the secrets were used at all: the server has heard them.
func (w *world) heard() {
	w.Helper()
	said := []byte(w.server.said())
	for _, p := range w.secrets {
		switch p.name {
		case "sensitive input by environment", "sensitive input by file", "header of a request",
			"password in the address of a channel", "path in the address of a channel":
			if p.in(said) == "" {
				w.Errorf("the server has not heard the secret %s: it was not used", p.name)
			}
		}
	}
}
