package plan

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/platform"
	"github.com/refitproject/refit/internal/procedure"
	"github.com/refitproject/refit/internal/schema"
)

// memory gives files from a map.
type memory map[string]string

func (m memory) ReadFile(name string) ([]byte, error) {
	text, ok := m[name]
	if !ok {
		return nil, fmt.Errorf("open %s: %w", name, fs.ErrNotExist)
	}
	return []byte(text), nil
}

// testActions are specs of actions as they could be; only planning uses them.
func testActions() actiontest.Catalog {
	text, anything := schema.Of(schema.String), schema.Of(schema.Any)
	object := func(required string, fields ...string) schema.Type {
		out := map[string]schema.Field{}
		for _, f := range fields {
			out[f] = schema.Field{Type: text}
		}
		if required != "" {
			out[required] = schema.Field{Type: text, Required: true}
		}
		return schema.ObjectOf(out)
	}
	release := schema.ObjectOf(map[string]schema.Field{
		"version": {Type: text, Required: true},
		"tokens":  {Type: schema.Of(schema.Int), Required: true},
		"cluster": {Type: text, Required: true},
		"users":   {Type: schema.ListOf(text), Required: true},
		"extra":   {Type: anything},
	})
	mutating := func(name string, change func(*action.Spec)) action.Spec {
		s := action.Spec{
			Name: name, Version: 1, Effect: action.Mutating, CanUndo: true,
			Input: object("", "version", "file", "user", "size"), Output: object("file", "note"),
			Typical: time.Minute,
		}
		if change != nil {
			change(&s)
		}
		return s
	}
	return actiontest.NewCatalog(
		action.Spec{
			Name: "test.look", Version: 1, Effect: action.ReadOnly, Input: object("", "name"), Output: release, Typical: time.Second,
		},
		mutating("test.change", nil),
		mutating("test.burn", func(s *action.Spec) { s.CanUndo, s.WhyNoUndo = false, "ashes stay ashes" }),
		mutating("test.prune", func(s *action.Spec) {
			s.CanUndo, s.WhyNoUndo, s.Selects, s.Resumable = false, "it is gone", true, true
		}),
		mutating("test.move", func(s *action.Spec) { s.Selects, s.Resumable = true, true }),
		mutating("test.stop", func(s *action.Spec) { s.CanLease = true }),
		mutating("test.dump", func(s *action.Spec) { s.MaxProof = 3 }),
		mutating("test.dump-low", func(s *action.Spec) { s.MaxProof = 1 }),
		action.Spec{
			Name: "test.host", Version: 1, Effect: action.ReadOnly, Input: object("", "name"), Output: release, Targets: []string{"host"},
		},
		mutating("test.unknown", func(s *action.Spec) { s.Typical = 0 }),
	)
}

// world is everything that a test plans with.
type world struct {
	files    memory
	platform string
	facts    map[string]any
	from, to string
	done     []string
	accept   []Accept
}

const testPlatform = `apiVersion: refit.dev/v1alpha1
kind: Platform
metadata: {name: hub}
procedure: ./procedure.yaml
inputs: {name: hub}
windows:
  - {days: [Sat], start: "22:00", duration: 4h, zone: Europe/Paris}
`

// head begins every procedure of these tests.
const head = `apiVersion: refit.dev/v1alpha1
kind: Procedure
metadata: {name: hub, summary: Upgrade the hub of these tests.}
components:
  hub: {kind: service}
  db: {kind: database}
inputs:
  name: {type: string, description: Name of the release.}
observe:
  release: {action: test.look, with: {name: "${inputs.name}"}}
`

// testFacts are the facts of an installed version.
func testFacts(version string) map[string]any {
	return map[string]any{"release": map[string]any{
		"version": version, "tokens": int64(3), "cluster": "1.22", "users": []any{"ada", "bob"},
	}}
}

// input loads everything that Build needs.
func (w world) input(tb testing.TB) Input {
	tb.Helper()
	proc, ds := procedure.Load(w.files, "procedure.yaml", testActions())
	if proc == nil {
		tb.Fatalf("load the procedure:\n%s", ds.Error())
	}
	text := w.platform
	if text == "" {
		text = testPlatform
	}
	p, ds := platform.Load("platform.yaml", []byte(text))
	if p == nil {
		tb.Fatalf("load the platform:\n%s", ds.Error())
	}
	inputs, ds := platform.ResolveInputs(p, proc)
	if ds.HasErrors() {
		tb.Fatalf("resolve inputs:\n%s", ds.Error())
	}
	in := Input{
		Procedure: proc, Platform: p, Inputs: inputs, Facts: w.facts, Accept: w.accept, Done: w.done,
		Now: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC), Refit: "test",
	}
	if in.Facts == nil {
		in.Facts = testFacts("1.0")
	}
	if w.to != "" {
		paths, err := proc.Graph.Paths(w.from, w.to, 1)
		if err != nil {
			tb.Fatalf("paths: %v", err)
		}
		in.Path = &paths[0]
	}
	return in
}

func (w world) build(t *testing.T) (*Plan, diag.Diagnostics) {
	t.Helper()
	return Build(w.input(t))
}

// must builds and fails the test on diagnostics.
func (w world) must(t *testing.T) *Plan {
	t.Helper()
	p, ds := w.build(t)
	if p == nil {
		t.Fatalf("build:\n%s", ds.Error())
	}
	return p
}

// one is a world with a single procedure file.
func one(body string) world { return world{files: memory{"procedure.yaml": head + body}} }

func TestBuildResolvesSteps(t *testing.T) {
	t.Parallel()
	p := one(`
stages:
  - id: only
    steps:
      config: {phase: prepare, action: test.change, with: {version: "${observe.release.version}"}}
      use-it:
        phase: upgrade
        action: test.change
        needs: [config]
        with: {file: "${steps.config.output.file}", user: "of ${inputs.name}", version: "$${literal}"}
      each:
        phase: verify
        action: test.look
        forEach: ${observe.release.users}
        as: user
        key: ${user}
        with: {name: "${user}"}
      never:
        phase: verify
        action: test.look
        when: ${observe.release.tokens == 0}
        with: {}
      perhaps:
        phase: verify
        action: test.look
        when: ${steps["use-it"].output.file != ""}
        with: {}
`).must(t)
	s := p.Stages[0]
	if diff := cmp.Diff([]string{"config", "use-it", "each[ada]", "each[bob]", "never", "perhaps"}, ids(s.Steps)); diff != "" {
		t.Fatalf("-want +got\n%s", diff)
	}
	at := func(id string) Step { return s.Steps[stepIndex(s.Steps)[id]] }
	if got := at("config").With["version"]; got != "1.0" {
		t.Errorf("facts are resolved: got %v", got)
	}
	useIt := at("use-it")
	if diff := cmp.Diff([]Deferred{{Path: "/file", Text: "${steps.config.output.file}"}}, useIt.Deferred); diff != "" {
		t.Errorf("outputs of steps are deferred: -want +got\n%s", diff)
	}
	want := map[string]any{"file": "${steps.config.output.file}", "user": "of hub", "version": "${literal}"}
	if diff := cmp.Diff(want, useIt.With); diff != "" {
		t.Errorf("the rest is resolved: -want +got\n%s", diff)
	}
	if at("each[bob]").With["name"] != "bob" {
		t.Errorf("a member is resolved: got %v", at("each[bob]").With)
	}
	if at("never").Skip != "not needed: ${observe.release.tokens == 0} is false" || at("never").With != nil {
		t.Errorf("a condition that is false skips: got %+v", at("never"))
	}
	if at("perhaps").When != `${steps["use-it"].output.file != ""}` || at("perhaps").Skip != "" {
		t.Errorf("a condition over outputs waits: got %+v", at("perhaps"))
	}
	facts := []Expect{
		{Fact: "release.tokens", Value: int64(3)},
		{Fact: "release.users", Value: []any{"ada", "bob"}},
		{Fact: "release.version", Value: "1.0"},
	}
	if diff := cmp.Diff(facts, s.Expects); diff != "" {
		t.Errorf("what expressions used is expected: -want +got\n%s", diff)
	}
}

const threeStages = `
stages:
  - id: one
    expects: {release.version: "1.0"}
    leaves: {release.version: "2.0"}
    steps:
      go: {phase: upgrade, action: test.change, with: {version: "from ${observe.release.version}"}}
  - id: two
    expects: {release.version: "2.0"}
    leaves: {release.version: "3.0", release.tokens: 0}
    steps:
      go: {phase: upgrade, action: test.change, with: {version: "from ${observe.release.version}"}}
  - id: three
    steps:
      go: {phase: upgrade, action: test.change, with: {version: "from ${observe.release.version}", size: "${string(observe.release.tokens)}"}}
`

func TestLaterStagesStartFromWhatEarlierOnesLeave(t *testing.T) {
	t.Parallel()
	p := one(threeStages).must(t)
	for i, want := range []string{"from 1.0", "from 2.0", "from 3.0"} {
		if got := p.Stages[i].Steps[0].With["version"]; got != want {
			t.Errorf("stage %d: got %v, want %s", i, got, want)
		}
	}
	third := []Expect{{Fact: "release.tokens", Value: int64(0)}, {Fact: "release.version", Value: "3.0"}}
	if diff := cmp.Diff(third, p.Stages[2].Expects); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if changes := CompareFacts(&p.Stages[0], testFacts("1.0")); len(changes) > 0 {
		t.Errorf("the first stage starts from now: got %v", changes)
	}
	changes := CompareFacts(&p.Stages[1], testFacts("1.0"))
	if len(changes) != 1 || changes[0].String() != `fact release.version changed: expected "2.0", observed "1.0"` {
		t.Errorf("the second does not: got %v", changes)
	}
	if changes := CompareFacts(&p.Stages[1], testFacts("2.0")); len(changes) > 0 {
		t.Errorf("it starts from what the first leaves: got %v", changes)
	}
}

func TestReplanAfterAStage(t *testing.T) {
	t.Parallel()
	whole := one(threeStages).must(t)
	w := one(threeStages)
	w.done, w.facts = []string{"one"}, testFacts("2.0")
	rest := w.must(t)
	if diff := cmp.Diff([]string{"two", "three"}, []string{rest.Stages[0].ID, rest.Stages[1].ID}); diff != "" {
		t.Fatalf("-want +got\n%s", diff)
	}
	for i := range rest.Stages {
		if rest.Stages[i].Digest != whole.Stages[i+1].Digest {
			t.Errorf("stage %q is the same as before, so approvals survive", rest.Stages[i].ID)
		}
	}
	if rest.Digest == whole.Digest {
		t.Error("the plan as a whole is another one")
	}
}

func TestBuildIsRepeatable(t *testing.T) {
	t.Parallel()
	a, b := one(threeStages).must(t), one(threeStages).must(t)
	if a.Digest != b.Digest {
		t.Error("the same input gives the same digest")
	}
	other := one(threeStages)
	other.facts = testFacts("1.0")
	other.facts["release"].(map[string]any)["users"] = []any{"eve"}
	if c := other.must(t); c.Digest != a.Digest {
		t.Error("a fact that no expression uses changes no digest")
	}
}

func TestBuildRefuses(t *testing.T) {
	t.Parallel()
	stage := func(steps string) string { return "\nstages:\n  - id: s\n    steps:\n" + steps }
	cases := map[string]struct {
		reason string
		world  world
		code   string
		says   string
	}{
		"FactNotExpected": {
			"the first stage has to fit what is there", func() world { w := one(threeStages); w.facts = testFacts("1.5"); return w }(),
			"FactNotExpected", `stage "one" expects release.version to be "1.0", but it is "1.5"`,
		},
		"LeavesContradictsExpects": {
			"a procedure must not contradict itself",
			one(strings.Replace(threeStages, `expects: {release.version: "2.0"}`, `expects: {release.version: "2.1"}`, 1)),
			"LeavesContradictsExpects", `stage "two" expects release.version to be "2.1", but stage "one" leaves it at "2.0"`,
		},
		"DuplicateStage": {
			"forEach with an id that does not differ",
			one("\nstages:\n  - id: s-${size(item)}\n    forEach: ${observe.release.users}\n    steps:\n      a: {phase: verify, action: test.look, with: {name: \"${item}\"}}\n"),
			"DuplicateStage", `two stages are called "s-3"`,
		},
		"BackupSkipped": {
			"coverage counts what will really be done",
			one(stage(`
      stop: {phase: quiesce, action: test.stop, with: {}, quiesces: [db], lease: {until: stage}}
      dump: {phase: backup, action: test.dump, with: {}, covers: [db], when: "${observe.release.tokens > 100}"}
      migrate: {phase: upgrade, action: test.change, with: {}, changes: [db], reversible: restore}
`)),
			"BackupUnfit", `step "dump" is skipped`,
		},
		"EvalFailed": {
			"an expression that fails with the real facts",
			one(stage("      a: {phase: verify, action: test.look, with: {name: \"${observe.release.users[7]}\"}}\n")),
			"EvalFailed", `with of step "a"`,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, ds := c.world.build(t)
			if p != nil || !slices.ContainsFunc(ds, func(d diag.Diagnostic) bool {
				return d.Code == c.code && strings.Contains(d.Summary, c.says) && d.Line > 0
			}) {
				t.Errorf("%s: got\n%s\nwant %s with %q and a position", c.reason, ds.Error(), c.code, c.says)
			}
		})
	}
}

func TestHugeNumber(t *testing.T) {
	t.Parallel()
	value := map[string]any{"a": []any{int64(1), map[string]any{"n": int64(1) << 53}}}
	if at, huge := hugeNumber(value); !huge || at != "/a/1/n" {
		t.Errorf("got %q %t", at, huge)
	}
	if _, huge := hugeNumber(map[string]any{"n": int64(1)<<53 - 1}); huge {
		t.Error("2^53-1 can be held")
	}
}

func TestReversibility(t *testing.T) {
	t.Parallel()
	p := one(`
stages:
  - id: s
    steps:
      stop: {phase: quiesce, action: test.stop, with: {}, quiesces: [db], lease: {until: stage}}
      dump: {phase: backup, action: test.dump, with: {}, covers: [db]}
      migrate: {phase: upgrade, action: test.change, with: {}, changes: [db], reversible: restore, needs: [roll]}
      roll: {phase: upgrade, action: test.change, with: {}}
      burn: {phase: cleanup, action: test.burn, with: {}, reversible: "no: the old disks are wiped"}
      check: {phase: verify, action: test.look, with: {}}
`).must(t)
	s := p.Stages[0]
	got := map[string]Reversible{}
	for _, step := range s.Steps {
		got[step.ID] = step.Reversible
	}
	want := map[string]Reversible{
		"stop": ReversibleUndo, "dump": ReversibleUndo, "migrate": ReversibleRestore, "roll": ReversibleUndo,
		"burn": ReversibleNo, "check": ReversibleNone,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	point := &PointOfNoReturn{Stage: "s", Step: "burn", Why: "the old disks are wiped"}
	if diff := cmp.Diff(point, p.Summary.PointOfNoReturn); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	gates := []Gate{{
		Kind: "approval", Name: "point-of-no-return", Count: 1,
		Reason: `after step "burn" there is no way back: the old disks are wiped`,
	}}
	if diff := cmp.Diff(gates, s.Gates); diff != "" {
		t.Errorf("the point of no return has to be approved: -want +got\n%s", diff)
	}
	leases := []Lease{{Step: "stop", StepLease: StepLease{Until: "stage", OnFailure: "hold"}, Quiesces: []string{"db"}}}
	if diff := cmp.Diff(leases, s.Leases); diff != "" {
		t.Errorf("a lease that protects is held: -want +got\n%s", diff)
	}
	if diff := cmp.Diff([]Coverage{{Component: "db", ChangedBy: []string{"migrate"}, Backups: []string{"dump"}, Proof: 3}}, s.Coverage); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	p := one(`
stages:
  - id: s
    onFailure: rollback
    window: ${platform.windows}
    soak: {for: 1h}
    approval: {by: [ops], count: 2, reason: "Look at ${inputs.name}."}
    steps:
      a: {phase: upgrade, action: test.change, with: {}, timeout: 20m, retry: {attempts: 3, backoff: 10s}}
      b: {phase: upgrade, action: test.unknown, with: {}, onFailure: halt}
      check: {phase: verify, action: test.look, with: {}}
`).must(t)
	s := p.Stages[0]
	a, b := s.Steps[0], s.Steps[1]
	if a.OnFailure != "rollback" || b.OnFailure != "halt" {
		t.Errorf("a step does what its stage says unless it says otherwise: %s, %s", a.OnFailure, b.OnFailure)
	}
	if a.Retry != (Retry{Attempts: 3, Backoff: Duration(10 * time.Second), MaxBackoff: minutes(5)}) || b.Retry != (Retry{}) {
		t.Errorf("got %+v, %+v", a.Retry, b.Retry)
	}
	if a.Timeout != minutes(20) || b.Timeout != minutes(10) {
		t.Errorf("got %s, %s", a.Timeout, b.Timeout)
	}
	if a.Estimate != (Estimate{Typical: minutes(1), Worst: minutes(3), Known: true, Source: SourceAuthor}) {
		t.Errorf("worst is three times typical: got %+v", a.Estimate)
	}
	if b.Estimate != (Estimate{Worst: minutes(10)}) {
		t.Errorf("what nobody estimated may last until its timeout: got %+v", b.Estimate)
	}
	if diff := cmp.Diff([]string{"check"}, s.Soak.Checks); diff != "" {
		t.Errorf("the soak repeats what verifies: -want +got\n%s", diff)
	}
	if diff := cmp.Diff([]Gate{{Kind: "approval", Name: "approval", By: []string{"ops"}, Count: 2, Reason: "Look at hub."}}, s.Gates); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	windows := []Window{{Days: []string{"Sat"}, Start: "22:00", Duration: Duration(4 * time.Hour), Zone: "Europe/Paris", OnClose: "pause"}}
	if diff := cmp.Diff(windows, s.Windows); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestSubProcedure(t *testing.T) {
	t.Parallel()
	w := one(`
stages:
  - id: s
    steps:
      config: {phase: prepare, action: test.change, with: {}}
      drain:
        use: lib/drain.yaml
        phase: upgrade
        needs: [config]
        components: {store: db}
        with: {who: "${inputs.name}", file: "${steps.config.output.file}"}
      after: {phase: verify, action: test.look, needs: [drain], with: {name: "${steps.drain.output.note}"}}
      stop: {phase: quiesce, action: test.stop, with: {}, quiesces: [db], lease: {until: stage}}
      dump: {phase: backup, action: test.dump, with: {}, covers: [db]}
`)
	w.files["lib/drain.yaml"] = `apiVersion: refit.dev/v1alpha1
kind: SubProcedure
metadata: {name: drain, summary: Drain what the tests drain.}
components:
  store: {kind: database}
inputs:
  who: {type: string, description: Who is drained.}
  file: {type: string, description: A file.}
  grace: {type: string, default: 30s, description: How long to wait.}
outputs:
  note: {value: "${steps.second.output.note}"}
steps:
  first: {action: test.change, with: {user: "${inputs.who}", size: "${inputs.grace}"}}
  second: {action: test.change, needs: [first], with: {file: "${inputs.file}"}, changes: [store], reversible: restore}
`
	p := w.must(t)
	s := p.Stages[0]
	at := func(id string) Step { return s.Steps[stepIndex(s.Steps)[id]] }
	first, second := at("drain/first"), at("drain/second")
	if first.Phase != Upgrade || first.Group != "drain" {
		t.Errorf("steps of a sub-procedure take the phase of its use: got %+v", first)
	}
	if diff := cmp.Diff(map[string]any{"user": "hub", "size": "30s"}, first.With); diff != "" {
		t.Errorf("inputs and their defaults are resolved: -want +got\n%s", diff)
	}
	if diff := cmp.Diff([]string{"config", "drain/first"}, second.Needs); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if diff := cmp.Diff([]Deferred{{Path: "/file", Text: "${inputs.file}"}}, second.Deferred); diff != "" {
		t.Errorf("an input that is deferred defers what uses it: -want +got\n%s", diff)
	}
	if diff := cmp.Diff([]string{"db"}, second.Changes); diff != "" {
		t.Errorf("components are mapped: -want +got\n%s", diff)
	}
	if diff := cmp.Diff([]string{"drain/first", "drain/second"}, at("after").Needs); diff != "" {
		t.Errorf("who needs the use needs all its steps: -want +got\n%s", diff)
	}
	groups := []Group{{
		ID:       "drain",
		Inputs:   map[string]any{"who": "hub", "file": "${steps.config.output.file}", "grace": "30s"},
		Deferred: []Deferred{{Path: "/file", Text: "${steps.config.output.file}"}},
		Outputs:  map[string]any{"note": "${steps.second.output.note}"},
	}}
	if diff := cmp.Diff(groups, s.Groups); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

const testVersions = `apiVersion: refit.dev/v1alpha1
kind: Versions
product: hub
scheme: {kind: semver}
properties: {app: {type: string, default: ""}}
versions:
  - {version: "1.0"}
  - {version: "2.0", properties: {app: two}}
  - version: "3.0"
    requires: {kubernetes: {fact: release.cluster, constraint: ">=1.23", owner: the cluster team}}
edges:
  - {from: "1.0", to: "2.0", kind: upgrade, risks: [
      {name: tokens, summary: Tokens are lost., remedy: Tell the users., rules: [
        {when: "${observe.release.tokens == 0}", outcome: clear}, {when: "true", outcome: applies}]}]}
  - {from: "2.0", to: "3.0", kind: upgrade}
`

const hopStages = `
versions: versions.yaml
from: ${observe.release.version}
stages:
  - forEach: ${path.hops}
    id: to-${item.to}
    expects: {release.version: "${item.from}"}
    steps:
      go: {phase: upgrade, action: test.change, with: {version: "${item.to}", user: "${item.app}"}}
`

// hops is a world with a version graph.
func hops() world {
	w := one(hopStages)
	w.files["versions.yaml"] = testVersions
	w.from, w.to = "1.0", "3.0"
	return w
}

func TestHopsRisksAndRequirements(t *testing.T) {
	t.Parallel()
	p := hops().must(t)
	if diff := cmp.Diff([]string{"to-2.0", "to-3.0"}, []string{p.Stages[0].ID, p.Stages[1].ID}); diff != "" {
		t.Fatalf("-want +got\n%s", diff)
	}
	if p.Stages[1].Hop == nil || p.Stages[1].Hop.To != "3.0" || p.Stages[0].Steps[0].With["user"] != "two" {
		t.Errorf("a stage knows its hop and the properties of its target: %+v", p.Stages[0])
	}
	outcomes := map[string]Outcome{}
	for _, f := range p.Findings {
		outcomes[f.Stage+" "+f.Name] = f.Outcome
	}
	want := map[string]Outcome{"to-2.0 risk/tokens": Fail, "to-3.0 requirement/kubernetes": Warn}
	if diff := cmp.Diff(want, outcomes); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if len(p.Stages[1].Gates) != 1 || !strings.Contains(p.Stages[1].Gates[0].Reason, `ask the cluster team to upgrade kubernetes to >=1.23`) {
		t.Errorf("somebody outside has to do something in between: got %+v", p.Stages[1].Gates)
	}
	if len(p.Stages[1].Requires) != 1 {
		t.Errorf("the requirement is asked again when the stage starts: got %+v", p.Stages[1].Requires)
	}
	if blocked := p.Blocked(); len(blocked) != 1 || blocked[0].Name != "risk/tokens" {
		t.Errorf("got %+v", blocked)
	}
	if !slices.ContainsFunc(p.Stages[0].Expects, func(e Expect) bool { return e.Fact == "release.tokens" }) {
		t.Errorf("what a risk was judged by is expected to stay so: got %+v", p.Stages[0].Expects)
	}
}

func TestRequirementOfTheFirstStageBlocks(t *testing.T) {
	t.Parallel()
	w := hops()
	w.from, w.facts = "2.0", testFacts("2.0")
	p := w.must(t)
	if blocked := p.Blocked(); len(blocked) != 1 || blocked[0].Reason != "RequirementNotMet" {
		t.Fatalf("got %+v", blocked)
	}
	delete(w.facts["release"].(map[string]any), "cluster")
	if blocked := w.must(t).Blocked(); len(blocked) != 1 || blocked[0].Outcome != UnknownOutcome {
		t.Errorf("what is not known blocks too: got %+v", blocked)
	}
}

func TestAccept(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason  string
		accept  Accept
		blocked int
		warn    bool
	}{
		"ByName":      {"a person lets it pass", Accept{Name: "risk/tokens", By: "ada", Reason: "told", Expires: "2026-11-21"}, 0, false},
		"Expired":     {"yesterday's acceptance counts no more", Accept{Name: "risk/tokens", By: "ada", Reason: "told", Expires: "2026-11-20"}, 1, false},
		"OtherName":   {"a name that is not there lets nothing pass", Accept{Name: "risk/token", By: "ada", Reason: "told", Expires: "2027-01-01"}, 1, true},
		"NotBlocking": {"what does not block need not be accepted", Accept{Name: "requirement/kubernetes", By: "ada", Reason: "told", Expires: "2027-01-01"}, 1, false},
	}
	plain := hops().must(t)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := hops()
			w.accept = []Accept{c.accept}
			p := w.must(t)
			if got := len(p.Blocked()); got != c.blocked {
				t.Errorf("%s: %d findings block, want %d", c.reason, got, c.blocked)
			}
			if got := slices.ContainsFunc(p.Findings, func(f Finding) bool { return f.Reason == "AcceptsNothing" }); got != c.warn {
				t.Errorf("%s: warned %t", c.reason, got)
			}
			if (p.Stages[0].Digest == plain.Stages[0].Digest) != (c.blocked == 1) {
				t.Errorf("%s: the digest of the stage holds what was accepted", c.reason)
			}
		})
	}
}

// withPreflight is a world with a preflight check.
func withPreflight(accept ...Accept) world {
	w := one("\nstages:\n  - id: s\n    steps:\n      space: {phase: preflight, action: test.look, with: {}}\n")
	w.accept = accept
	return w
}

func TestAcceptAheadOfAPreflightCheck(t *testing.T) {
	t.Parallel()
	a := Accept{Name: "preflight/space", Reason: "enough", By: "ada", Expires: "2026-12-01"}
	p := withPreflight(a).must(t)
	if diff := cmp.Diff([]Accept{a}, p.Accept); diff != "" {
		t.Errorf("it is kept for the check: -want +got\n%s", diff)
	}
	if len(p.Findings) > 0 {
		t.Errorf("it is not said to accept nothing: %+v", p.Findings)
	}
	if p.Stages[0].Digest == withPreflight().must(t).Stages[0].Digest {
		t.Error("who approves the stage approves it")
	}
	a.Name = "preflight/spaec"
	if p := withPreflight(a).must(t); len(p.Accept) > 0 || p.Findings[0].Reason != "AcceptsNothing" {
		t.Errorf("a step that is not there: got %+v, %+v", p.Accept, p.Findings)
	}
}

func TestRehearsalDigest(t *testing.T) {
	t.Parallel()
	a := hops().must(t)
	w := hops()
	w.facts = testFacts("1.0")
	w.facts["release"].(map[string]any)["tokens"] = int64(0)
	w.platform = strings.ReplaceAll(testPlatform, "name: hub", "name: staging")
	b := w.must(t)
	if a.RehearsalDigest != b.RehearsalDigest || a.Digest == b.Digest {
		t.Error("a rehearsal is matched by procedure, graph and path, not by platform and facts")
	}
	w.to = "2.0"
	if c := w.must(t); c.RehearsalDigest == a.RehearsalDigest {
		t.Error("another path is another rehearsal")
	}
}

func TestCompareTargets(t *testing.T) {
	t.Parallel()
	p := &Plan{Targets: []Target{{Name: "a", Identity: "1"}, {Name: "b", Identity: "2"}}}
	got := CompareTargets(p, []Target{{Name: "a", Identity: "1"}, {Name: "b", Identity: "3"}})
	if len(got) != 1 || got[0].String() != `target "b" is not the one the plan was made for: its identity was "2", now it is "3"` {
		t.Errorf("got %v", got)
	}
	if got := CompareTargets(p, []Target{{Name: "b", Identity: "2"}}); len(got) != 1 || got[0].Target != "a" {
		t.Errorf("a target that was not observed counts as changed: got %v", got)
	}
}

func TestLargeFactsAreExpectedByDigest(t *testing.T) {
	t.Parallel()
	facts := testFacts("1.0")
	release, _ := facts["release"].(map[string]any)
	release["extra"] = map[string]any{"text": strings.Repeat("x", 5000)}
	w := one("\nstages:\n  - id: s\n    steps:\n      a: {phase: verify, action: test.look, when: \"${has(observe.release.extra)}\", with: {}}\n")
	w.facts = facts
	p := w.must(t)
	expect := p.Stages[0].Expects[0]
	if expect.Fact != "release.extra" || expect.Value != nil || !strings.HasPrefix(expect.Digest, "sha256:") {
		t.Fatalf("got %+v", expect)
	}
	if changes := CompareFacts(&p.Stages[0], facts); len(changes) > 0 {
		t.Errorf("it is still the same: %v", changes)
	}
	changed := maps.Clone(release)
	changed["extra"] = map[string]any{"text": strings.Repeat("y", 5000)}
	if changes := CompareFacts(&p.Stages[0], map[string]any{"release": changed}); len(changes) != 1 {
		t.Error("a change is noticed")
	}
	delete(changed, "extra")
	if changes := CompareFacts(&p.Stages[0], map[string]any{"release": changed}); len(changes) != 1 || !changes[0].ObservedAbsent {
		t.Error("that it is gone is noticed")
	}
}
