package planted

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// memoryProcedure has a step that uses secrets, and a gate at which the driver
// stays.
const memoryProcedure = `apiVersion: refit.dev/v1alpha1
kind: Procedure
metadata: {name: planted, summary: MARKER}
inputs:
  byEnv: {type: secret, description: By environment.}
  byFile: {type: secret, description: By file.}
  byCommand: {type: secret, description: By command.}
stages:
  - id: upgrade
    steps:
      slow:
        phase: upgrade
        action: exec.command
        with:
          command: [sh, say.sh]
          env: {MARK: MARKER, PAUSE: "2"}
          secretEnv: {A: "${inputs.byFile}", B: "${inputs.byCommand}"}
          observe: {command: ["false"]}
          undo: {command: ["true"]}
      wait:
        phase: resume
        action: gate.approval
        with: {reason: "Go on?"}
`

// TestMemory measures what a dump of the driver holds, in the middle of a step and
// after it. A value that is in use cannot be absent, and Go wipes nothing, so this
// promises nothing about the values; it fails when the measurement itself is wrong.
func TestMemory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write("procedure.yaml", strings.ReplaceAll(memoryProcedure, "MARKER", w.marker))
	w.expect(exitDone, "plan", "platform.yaml", "--save", "plan.json")
	cmd, stdout, stderr, cancel := w.command("apply", "plan.json", "--digest", w.digest(), "--run", "planted-1", "--wait")
	defer cancel()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
		if t.Failed() {
			t.Logf("it said: %s%s", stdout, stderr)
		}
	}()
	w.until("slow has started", func() bool { return w.runs("PAUSE=2") })
	during, err := memory(cmd.Process.Pid)
	if err != nil {
		t.Skipf("the memory of another process cannot be read here: %v", err)
	}
	w.until("the gate waits", func() bool {
		_, out := w.refit("status", "planted-1")
		return strings.Contains(out, "waits for an approval")
	})
	<-time.After(time.Second) // what is done at the end of a step is done
	after, err := memory(cmd.Process.Pid)
	if err != nil {
		t.Fatalf("%v: %s", err, stderr)
	}
	for when, dump := range map[string][]byte{"during": during, "after": after} {
		if !bytes.Contains(dump, []byte(w.marker)) {
			t.Errorf("the marker is not in the memory %s the step: the wrong place is searched", when)
		}
	}
	for _, p := range w.secrets[:3] {
		value := []byte(p.value)
		if p.name != "sensitive input by environment" && !bytes.Contains(during, value) {
			t.Errorf("the secret %s is in use and not found: the search is wrong", p.name)
		}
		t.Logf("%s: %d copies of the value during the step, %d after it",
			p.name, bytes.Count(during, value), bytes.Count(after, value))
	}
}

// memory returns all that a process can write to: what a core dump would hold.
func memory(pid int) ([]byte, error) {
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return nil, err
	}
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		return nil, err
	}
	defer mem.Close()
	var out bytes.Buffer
	for line := range strings.Lines(string(maps)) {
		var from, to uint64
		var mode string
		if _, err := fmt.Sscanf(line, "%x-%x %s", &from, &to, &mode); err != nil {
			return nil, err
		}
		if !strings.HasPrefix(mode, "rw") {
			continue
		}
		_, err := io.Copy(&out, io.NewSectionReader(mem, int64(from), int64(to-from)))
		if err != nil && !errors.Is(err, io.EOF) && out.Len() == 0 {
			return nil, err // a part that was given back meanwhile can be missing, not all
		}
	}
	return out.Bytes(), nil
}
