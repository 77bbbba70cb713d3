package crash

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/refitproject/refit/internal/action/all"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/platform"
	"github.com/refitproject/refit/internal/procedure"
)

// maker writes a random procedure. One seed gives one procedure.
type maker struct {
	r       *rand.Rand
	effect  string
	ledger  string
	pause   int
	stage   string
	text    strings.Builder
	copies  []string
	steps   int
	goBack  bool
	members int
}

// does writes the command of an effect.
func (m *maker) does(name string, more ...int) string {
	pause := 0
	if m.pause > 0 {
		pause = m.r.IntN(m.pause)
	}
	if m.r.IntN(12) == 0 {
		pause = 150 // It outlives its driver.
	}
	text := fmt.Sprintf("[%q, do, %q, %q, %q", m.effect, m.ledger, name, fmt.Sprint(pause))
	for _, n := range more {
		text += fmt.Sprintf(", %q", fmt.Sprint(n))
	}
	return text + "]"
}

func (m *maker) verb(verb, name string) string {
	more := ""
	if verb == "undo" {
		pause := m.r.IntN(m.pause + 1)
		if m.r.IntN(20) == 0 {
			pause = 200
		}
		more = fmt.Sprintf(", %q", fmt.Sprint(pause))
	}
	return fmt.Sprintf("{command: [%q, %s, %q, %q%s]}", m.effect, verb, m.ledger, name, more)
}

// stageOf writes a stage of n steps.
func (m *maker) stageOf(id string, n int, last bool) {
	m.stage = id
	fmt.Fprintf(&m.text, "  - id: %s\n    onFailure: %s\n    steps:\n", id, map[bool]string{true: "rollback", false: "halt"}[m.goBack])
	shape := m.r.IntN(3) // a chain, side by side, a mixture
	before := ""
	for i := range n {
		step := fmt.Sprintf("s%d", i)
		needs := ""
		if before != "" && (shape == 0 || shape == 2 && m.r.IntN(2) == 0) {
			needs = fmt.Sprintf("        needs: [%s]\n", before)
		}
		if m.step(step, needs) {
			before = step
		}
	}
	if last && m.goBack {
		fmt.Fprintf(&m.text, "      fails:\n        phase: resume\n        action: exec.command\n        with:\n"+
			"          command: %s\n          unchangedExits: [3]\n          observe: %s\n          undo: %s\n",
			m.does(id+".fails", 1<<20), m.verb("look", id+".fails"), m.verb("undo", id+".fails"))
	}
	fmt.Fprintf(&m.text, "      looks: {phase: verify, action: exec.observe, with: {command: [cat, %q], format: lines}}\n", m.ledger)
}

// step writes a step. It is false when nothing may need it.
func (m *maker) step(id, needs string) bool {
	name := m.stage + "." + id
	m.steps++
	head := func(phase, action string) {
		fmt.Fprintf(&m.text, "      %s:\n        phase: %s\n        action: %s\n", id, phase, action)
	}
	body := func(format string, args ...any) { fmt.Fprintf(&m.text, "        "+format+"\n", args...) }
	switch k := m.r.IntN(20); {
	case k < 6:
		head("upgrade", "exec.command")
		m.text.WriteString(needs)
		body("with: {command: %s, observe: %s, undo: %s}", m.does(name), m.verb("look", name), m.verb("undo", name))
	case k < 9:
		head("upgrade", "exec.shell")
		m.text.WriteString(needs)
		body("with:\n          script: |\n            '%s' do '%s' %s %d\n            true\n          observe: \"'%s' look '%s' %s\"\n          undo: \"'%s' undo '%s' %s\"",
			m.effect, m.ledger, name, m.r.IntN(m.pause+1), m.effect, m.ledger, name, m.effect, m.ledger, name)
	case k < 12: // blind: nothing tells what a lost attempt did
		head("upgrade", "exec.command")
		m.text.WriteString(needs)
		body("with: {command: %s, undo: %s}", m.does(name), m.verb("undo", name))
	case k < 14:
		head("quiesce", "exec.command")
		body("lease: {until: %s, onFailure: release}", []string{"stage", "run"}[m.r.IntN(2)])
		body("with: {command: %s, observe: %s, undo: %s}", m.does(name), m.verb("look", name), m.verb("undo", name))
		return false
	case k < 16:
		head("upgrade", "file.copy")
		m.text.WriteString(needs)
		body("with: {from: from/%s, to: to/%s}", name, name)
		m.copies = append(m.copies, name)
	case k < 18: // fails first, before or after its effect
		head("upgrade", "exec.command")
		m.text.WriteString(needs)
		before, after := m.r.IntN(3), 0
		if before == 0 {
			after = 1
		}
		body("retry: {attempts: 5, backoff: 5ms}")
		body("with: {command: %s, unchangedExits: [3], observe: %s, undo: %s}",
			m.does(name, before, after), m.verb("look", name), m.verb("undo", name))
	case k < 19: // members that are known only when the step starts
		head("upgrade", "exec.observe")
		m.text.WriteString(needs)
		body("with: {command: [printf, 'a\\nb\\nc'], format: lines}")
		fmt.Fprintf(&m.text, "      m-%s:\n        phase: upgrade\n        action: exec.command\n        needs: [%s]\n", id, id)
		body("forEach: ${steps.%s.output.value}\n        max: 5\n        key: ${item}", id)
		member := name + ".${item}"
		body("with: {command: %s, observe: %s, undo: %s}", m.does(member), m.verb("look", member), m.verb("undo", member))
		m.members++
	default:
		head("upgrade", "gate.approval")
		m.text.WriteString(needs)
		body("with: {reason: \"Go on?\"}")
	}
	return true
}

// make makes the plan of a seed and lays out its world in dir.
func makePlan(tb testing.TB, seed uint64, steps, pause int, effect, dir string) *plan.Plan {
	tb.Helper()
	m := &maker{r: rand.New(rand.NewPCG(seed, 1)), effect: effect, ledger: filepath.Join(dir, "ledger"), pause: pause}
	m.goBack = m.r.IntN(4) == 0
	stages := 1 + m.r.IntN(3)
	for i := range stages {
		m.stageOf(fmt.Sprintf("g%d", i), max(1, steps/stages), i == stages-1)
	}
	layOut(tb, dir)
	for i, name := range m.copies {
		write(tb, filepath.Join(dir, "from", name), "new "+name)
		if i%2 == 0 {
			write(tb, filepath.Join(dir, "to", name), "old "+name)
		}
	}
	return keep(tb, dir, m.text.String())
}

// layOut makes the folders of a world and an empty ledger.
func layOut(tb testing.TB, dir string) {
	tb.Helper()
	for _, folder := range []string{"made", "from", "to"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o700); err != nil {
			tb.Fatal(err)
		}
	}
	write(tb, filepath.Join(dir, "ledger"), "")
}

// keep makes the plan of a procedure and writes both into the world.
func keep(tb testing.TB, dir, stages string) *plan.Plan {
	tb.Helper()
	p := build(tb, stages)
	var file bytes.Buffer
	if err := plan.Write(&file, p); err != nil {
		tb.Fatal(err)
	}
	write(tb, filepath.Join(dir, "plan.json"), file.String())
	write(tb, filepath.Join(dir, "procedure.yaml"), stages)
	return p
}

// build makes a real plan of stages.
func build(tb testing.TB, stages string) *plan.Plan {
	tb.Helper()
	registry, err := all.NewRegistry(all.NewClients(nil))
	if err != nil {
		tb.Fatal(err)
	}
	text := "apiVersion: refit.dev/v1alpha1\nkind: Procedure\nmetadata: {name: crash, summary: A test.}\nstages:\n" + stages
	p, ds := procedure.Load(fstest.MapFS{"procedure.yaml": {Data: []byte(text)}}, "procedure.yaml", registry)
	if p == nil || ds.HasErrors() {
		tb.Fatalf("the procedure is wrong: %v\n%s", ds, text)
	}
	owner, ds := platform.Load("platform.yaml", []byte(
		"apiVersion: refit.dev/v1alpha1\nkind: Platform\nmetadata: {name: crash}\nprocedure: ./procedure.yaml\n"))
	if owner == nil || ds.HasErrors() {
		tb.Fatal(ds)
	}
	made, ds := plan.Build(plan.Input{
		Procedure: p, Platform: owner, PlatformFile: "platform.yaml", Refit: "crash",
		Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	})
	if made == nil || ds.HasErrors() {
		tb.Fatalf("the plan cannot be made: %v", ds)
	}
	return made
}

func write(tb testing.TB, name, text string) {
	tb.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
}
