package plan

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/diag"
)

// These tests hold what a plan rests on: that nothing is planned with a fact
// that no stage expects, and that no approval outlives what it was given for.

// expected returns the facts that a stage expects.
func expected(s Stage) []string {
	var out []string
	for _, e := range s.Expects {
		out = append(out, e.Fact)
	}
	return out
}

func TestFactsUnderKeysWithDots(t *testing.T) {
	t.Parallel()
	w := one(`
stages:
  - id: s
    steps:
      a: {phase: verify, action: test.look, with: {name: "${observe.release.extra[\"hub.db.upgrade\"]}"}}
`)
	w.facts = testFacts("1.0")
	release, _ := w.facts["release"].(map[string]any)
	release["extra"] = map[string]any{"hub.db.upgrade": "true"}
	p := w.must(t)
	want := []Expect{{Fact: `release.extra["hub.db.upgrade"]`, Value: "true"}}
	if diff := cmp.Diff(want, p.Stages[0].Expects); diff != "" {
		t.Fatalf("-want +got\n%s", diff)
	}
	release["extra"] = map[string]any{"hub.db.upgrade": "false"}
	if changes := CompareFacts(&p.Stages[0], w.facts); len(changes) != 1 {
		t.Errorf("its change is noticed: got %v", changes)
	}
}

func TestFactsThatDecideWhichStagesThereAre(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ reason, stage, want string }{
		"When":    {"a condition that is true", "  - id: s\n    when: ${observe.release.tokens == 3}\n", "release.tokens"},
		"LeftOut": {"a condition that is false", "  - id: gone\n    when: ${observe.release.tokens == 4}\n    steps: {x: {phase: verify, action: test.look, with: {}}}\n  - id: s\n", "release.tokens"},
		"ForEach": {"the members", "  - id: s-${item}\n    forEach: ${observe.release.users}\n", "release.users"},
		"ID":      {"the name", "  - id: s-${observe.release.cluster}\n", "release.cluster"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := one("\nstages:\n" + c.stage + "    steps: {a: {phase: verify, action: test.look, with: {}}}\n").must(t)
			if got := expected(p.Stages[0]); !slices.Contains(got, c.want) {
				t.Errorf("%s: expected are %v, want %s", c.reason, got, c.want)
			}
		})
	}
}

func TestLeftOutStagesAreNoted(t *testing.T) {
	t.Parallel()
	p := one("\nstages:\n  - id: gone\n    when: ${observe.release.tokens == 4}\n    steps: {x: {phase: verify, action: test.look, with: {}}}\n").must(t)
	if len(p.Findings) != 1 || p.Findings[0].Reason != "StageLeftOut" || !strings.Contains(p.Findings[0].Message, `"gone"`) {
		t.Errorf("got %+v", p.Findings)
	}
}

func TestStageConditionsSeeWhatEarlierStagesLeave(t *testing.T) {
	t.Parallel()
	p := one(`
stages:
  - id: one
    leaves: {release.tokens: 0}
    steps: {a: {phase: upgrade, action: test.change, with: {}}}
  - id: two
    when: ${observe.release.tokens == 0}
    steps: {a: {phase: upgrade, action: test.change, with: {}}}
`).must(t)
	if len(p.Stages) != 2 {
		t.Fatalf("got %d stages", len(p.Stages))
	}
	if slices.Contains(expected(p.Stages[0]), "release.tokens") {
		t.Error("what an earlier stage leaves decides nothing now")
	}
}

func TestFactsThatDecideWhatIsObserved(t *testing.T) {
	t.Parallel()
	w := world{files: memory{"procedure.yaml": strings.Replace(head, "observe:\n", `observe:
  pointer: {action: test.look, with: {name: fixed}}
`, 1)}}
	w.files["procedure.yaml"] = strings.Replace(w.files["procedure.yaml"], `with: {name: "${inputs.name}"}`,
		`with: {name: "${observe.pointer.version + inputs.name}"}`, 1)
	w.files["procedure.yaml"] += `
stages:
  - id: s
    steps: {a: {phase: verify, action: test.look, with: {name: "${observe.release.version}"}}}
`
	w.facts = testFacts("1.0")
	w.facts["pointer"] = testFacts("7")["release"]
	got := expected(w.must(t).Stages[0])
	if diff := cmp.Diff([]string{"pointer.version", "release.version"}, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestStageDigestHoldsWhatDecides(t *testing.T) {
	t.Parallel()
	const deferring = `
targets: {host: {kind: host}, other: {kind: host}}
stages:
  - id: s
    steps:
      a: {phase: prepare, action: test.change, with: {}}
      b: {phase: upgrade, needs: [a], action: test.change, with: {file: "${steps.a.output.file + inputs.name}"}}
      on-host: {phase: verify, action: test.host, target: host, with: {}}
`
	digest := func(change func(in *Input)) string {
		w := one(deferring)
		in := w.input(t)
		in.Targets = []Target{{Name: "host", Kind: "host", Identity: "A"}, {Name: "other", Kind: "host", Identity: "A"}}
		change(&in)
		p, ds := Build(in)
		if p == nil {
			t.Fatal(ds.Error())
		}
		return p.Stages[0].Digest
	}
	plain := digest(func(*Input) {})
	for name, change := range map[string]func(in *Input){
		"InputOfADeferredText": func(in *Input) { in.Inputs = map[string]any{"name": "else"} },
		"Identity":             func(in *Input) { in.Targets[0].Identity = "B" },
		"Config":               func(in *Input) { in.Targets[0].Config = map[string]any{"context": "x"} },
	} {
		if digest(change) == plain {
			t.Errorf("%s: two different stages share one approval", name)
		}
	}
	if digest(func(in *Input) { in.Targets[1].Identity = "B" }) != plain {
		t.Error("a target that the stage does not use does not count")
	}
}

func TestReplanOfHopsLeavesOutWhatIsDone(t *testing.T) {
	t.Parallel()
	w := one(strings.Replace(hopStages, "stages:\n", `stages:
  - id: prep
    steps: {a: {phase: verify, action: test.look, with: {}}}
`, 1))
	w.files["versions.yaml"], w.from, w.to, w.facts = testVersions, "2.0", "3.0", testFacts("2.0")
	w.done = []string{"prep", "to-2.0"}
	p := w.must(t)
	if len(p.Stages) != 1 || p.Stages[0].ID != "to-3.0" {
		t.Errorf("got %+v", p.Stages)
	}
}

func TestHopsWithoutAStage(t *testing.T) {
	t.Parallel()
	w := one(`
versions: versions.yaml
from: ${observe.release.version}
stages:
  - id: only
    steps: {a: {phase: upgrade, action: test.change, with: {version: "${path.to}"}}}
`)
	w.files["versions.yaml"], w.from, w.to = testVersions, "1.0", "3.0"
	p := w.must(t)
	var names []string
	for _, f := range p.Blocked() {
		names = append(names, f.Stage+" "+f.Name)
	}
	if diff := cmp.Diff([]string{"only risk/tokens", "only requirement/kubernetes"}, names); diff != "" {
		t.Errorf("no requirement and no risk is lost: -want +got\n%s", diff)
	}
	if got := expected(p.Stages[0]); !slices.Contains(got, "release.tokens") || len(p.Stages[0].Requires) != 1 {
		t.Errorf("the first stage answers for them: expected are %v", got)
	}
}

func TestTwoRequirementsOfOneName(t *testing.T) {
	t.Parallel()
	w := hops()
	w.files["versions.yaml"] = strings.Replace(testVersions, `- {from: "2.0", to: "3.0", kind: upgrade}`,
		`- {from: "2.0", to: "3.0", kind: upgrade, requires: {kubernetes: {fact: release.cluster, constraint: "<1.40"}}}`, 1)
	p := w.must(t)
	seen := map[string]bool{}
	for _, f := range p.Findings {
		if f.Stage == "to-3.0" && seen[f.Name] {
			t.Errorf("two findings are called %s", f.Name)
		}
		seen[f.Name] = true
	}
}

// refused builds a plan that has to be refused with one code.
func refused(t *testing.T, w world, code, says string) {
	t.Helper()
	p, ds := w.build(t)
	if p != nil || !slices.ContainsFunc(ds, func(d diag.Diagnostic) bool {
		return d.Code == code && strings.Contains(d.Summary, says) && d.Line > 0
	}) {
		t.Errorf("got\n%s\nwant %s with %q and a position", ds.Error(), code, says)
	}
}

func TestKeysOfForEach(t *testing.T) {
	t.Parallel()
	step := func(key string) world {
		return one("\nstages:\n  - id: s\n    steps:\n      each: {phase: verify, action: test.look, " +
			"forEach: \"${observe.release.users}\", key: \"" + key + "\", with: {}}\n")
	}
	refused(t, step("${string(size(item))}"), "DuplicateKey", `make the step "each[3]"`)
	refused(t, step("${item + ' x]'}"), "InvalidKey", `"ada x]" cannot be the key`)
	refused(t, step("${item.substring(0, 0)}"), "InvalidKey", `"" cannot be the key`)
}

func TestNeedsOnNothingKeepTheOrderBehind(t *testing.T) {
	t.Parallel()
	p := one(`
stages:
  - id: s
    steps:
      pre: {phase: upgrade, action: test.change, with: {}}
      check: {phase: upgrade, needs: [pre], action: test.look, forEach: "${observe.release.users.filter(u, u == 'nobody')}", with: {}}
      migrate: {phase: upgrade, needs: [check], action: test.change, with: {}}
`).must(t)
	migrate := p.Stages[0].Steps[stepIndex(p.Stages[0].Steps)["migrate"]]
	if diff := cmp.Diff([]string{"pre"}, migrate.Needs); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestLeaseUntilMembers(t *testing.T) {
	t.Parallel()
	stage := func(filter string) world {
		return one(`
stages:
  - id: s
    steps:
      stop: {phase: quiesce, action: test.stop, with: {}, quiesces: [db], lease: {until: "step:migrate"}}
      dump: {phase: backup, action: test.dump, with: {}, covers: [db]}
      migrate: {phase: upgrade, action: test.change, forEach: "${observe.release.users` + filter + `}", key: "${item}", with: {}, changes: [db], reversible: restore}
`)
	}
	p := stage("").must(t)
	want := []Lease{{
		Step: "stop", Quiesces: []string{"db"},
		StepLease: StepLease{Until: "steps", Steps: []string{"migrate[ada]", "migrate[bob]"}, OnFailure: "hold"},
	}}
	if diff := cmp.Diff(want, p.Stages[0].Leases); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	refused(t, stage(".filter(u, u == 'x')"), "LeaseUntilNothing", `ends after step "migrate", which has no members`)
}

func TestRunLeaseHoldsInLaterStages(t *testing.T) {
	t.Parallel()
	p := one(`
stages:
  - id: one
    steps:
      stop: {phase: quiesce, action: test.stop, with: {}, quiesces: [db], lease: {until: run}}
  - id: two
    steps:
      dump: {phase: backup, action: test.dump, with: {}, covers: [db]}
      migrate: {phase: upgrade, action: test.change, with: {}, changes: [db], reversible: restore}
`).must(t)
	if len(p.Stages[1].Coverage) != 1 || len(p.Stages[1].Coverage[0].Backups) != 1 {
		t.Errorf("got %+v", p.Stages[1].Coverage)
	}
}

func TestDynamicMembers(t *testing.T) {
	t.Parallel()
	p := one(`
stages:
  - id: s
    approval: {reason: because}
    steps:
      list: {phase: prepare, action: test.look, with: {}}
      burn: {phase: upgrade, needs: [list], action: test.burn, forEach: "${steps.list.output.users}", max: 5, with: {}, reversible: "no: gone"}
      move: {phase: upgrade, needs: [list], action: test.change, forEach: "${steps.list.output.users}", max: 5, with: {user: "${item}"}}
`).must(t)
	at := func(id string) Step { return p.Stages[0].Steps[stepIndex(p.Stages[0].Steps)[id]] }
	if !at("burn").ForEach.Approve || at("move").ForEach.Approve {
		t.Error("what cannot be taken back needs an approval that shows the list")
	}
	if e := at("move").Estimate; e.Known || e.Worst != minutes(15) {
		t.Errorf("all members may take as long as the worst: got %+v", e)
	}
}

func TestRetriesCountWhereNobodyEstimated(t *testing.T) {
	t.Parallel()
	p := one(`
stages:
  - id: s
    steps:
      a: {phase: upgrade, action: test.unknown, with: {}, timeout: 20m, retry: {attempts: 3, backoff: 1m}}
`).must(t)
	if got := time.Duration(p.Stages[0].Steps[0].Estimate.Worst); got != 63*time.Minute {
		t.Errorf("three attempts of 20m with waits of 1m and 2m: got %s", got)
	}
}

func TestAbortHasAPlaceOfItsOwn(t *testing.T) {
	t.Parallel()
	w := one(`
stages:
  - id: s
    steps:
      x: {use: sub.yaml, phase: upgrade, with: {who: a}}
    abort:
      steps:
        x: {use: sub.yaml, phase: upgrade, with: {who: b}}
`)
	w.files["sub.yaml"] = `apiVersion: refit.dev/v1alpha1
kind: SubProcedure
metadata: {name: sub, summary: A part of the tests.}
inputs: {who: {type: string, description: Who.}}
steps: {go: {action: test.change, with: {user: "${inputs.who}"}}}
`
	s := w.must(t).Stages[0]
	if s.Steps[0].ID != "x/go" || s.Abort.Steps[0].ID != "abort/x/go" {
		t.Errorf("got %s and %s", s.Steps[0].ID, s.Abort.Steps[0].ID)
	}
	if len(s.Groups) != 1 || len(s.Abort.Groups) != 1 || s.Abort.Groups[0].ID != "abort/x" {
		t.Errorf("got %+v and %+v", s.Groups, s.Abort.Groups)
	}
}

func TestOutputOfASkippedStep(t *testing.T) {
	t.Parallel()
	stage := func(name string) world {
		return one(`
stages:
  - id: s
    steps:
      gone: {phase: upgrade, action: test.change, when: "${observe.release.tokens == 100}", with: {}}
      user: {phase: verify, needs: [gone], action: test.look, with: {name: "` + name + `"}}
`)
	}
	blocked := stage("${steps.gone.output.file}").must(t).Blocked()
	if len(blocked) != 1 || blocked[0].Reason != "OutputOfSkippedStep" {
		t.Errorf("got %+v", blocked)
	}
	if blocked := stage("${has(steps.gone.output) ? 'a' : 'b'}").must(t).Blocked(); len(blocked) > 0 {
		t.Errorf("a guard helps: got %+v", blocked)
	}
}

func TestLargeNumbersInFacts(t *testing.T) {
	t.Parallel()
	digests := map[string]bool{}
	var stages []*Stage
	facts := make([]map[string]any, 2)
	for i, n := range []int64{9007199254740992, 9007199254740993} {
		w := one("\nstages:\n  - id: s\n    steps: {a: {phase: verify, action: test.look, when: \"${observe.release.tokens > 0}\", with: {}}}\n")
		facts[i] = testFacts("1.0")
		facts[i]["release"].(map[string]any)["tokens"] = n
		w.facts = facts[i]
		p := w.must(t)
		digests[p.Stages[0].Digest] = true
		stages = append(stages, &p.Stages[0])
	}
	if len(digests) != 2 || len(CompareFacts(stages[0], facts[1])) != 1 || len(CompareFacts(stages[0], facts[0])) != 0 {
		t.Error("two numbers that JSON cannot tell apart are two facts all the same")
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	w := one(`
stages:
  - id: s
    steps:
      a: {phase: upgrade, action: test.change, forEach: "${lists.range(2000)}", with: {}}
      b: {phase: upgrade, needs: [a], action: test.change, forEach: "${lists.range(2000)}", with: {}}
`)
	refused(t, w, "TooManyNeeds", `step "b": 2000 members need 2000 steps each`)
	w = one(`
stages:
  - id: s
    steps:
      a: {phase: upgrade, action: test.change, forEach: "${lists.range(100000)}", with: {}}
      b: {phase: resume, action: test.change, forEach: "${lists.range(100000)}", with: {}}
      c: {phase: cleanup, action: test.change, forEach: "${lists.range(100000)}", with: {}}
`)
	refused(t, w, "TooManySteps", "the plan has more than 200000 steps")
}

func TestHopsWhoseStageIsLeftOut(t *testing.T) {
	t.Parallel()
	w := hops()
	w.files["procedure.yaml"] = strings.Replace(w.files["procedure.yaml"], "    expects:", "    when: ${item.to == \"3.0\"}\n    expects:", 1)
	w.facts = testFacts("2.0")
	p := w.must(t)
	if !slices.ContainsFunc(p.Findings, func(f Finding) bool { return f.Name == "risk/tokens" && f.Stage == "to-3.0" }) {
		t.Errorf("the first stage answers for the risks of a hop whose stage is left out: got %+v", p.Findings)
	}
}

func TestAbortIsNoNameForAStep(t *testing.T) {
	t.Parallel()
	refused(t, one("\nstages:\n  - id: s\n    steps: {abort: {phase: verify, action: test.look, with: {}}}\n"), "ReservedName", `cannot be called "abort"`)
}

func TestLeaseThatIsGivenBackAfterAFailureHoldsNothingLater(t *testing.T) {
	t.Parallel()
	stage := func(onFailure string) *Stage {
		s := step("stop", Quiesce)
		s.Quiesces, s.Lease = []string{"db"}, &StepLease{Until: untilRun, OnFailure: onFailure}
		return &Stage{Steps: []Step{s}}
	}
	if held := stage("release").HeldToEnd(); len(held) > 0 {
		t.Errorf("got %v", held)
	}
	if held := stage("hold").HeldToEnd(); len(held) != 1 {
		t.Errorf("got %v", held)
	}
}

func TestReplanBehindARunLease(t *testing.T) {
	t.Parallel()
	w := one(`
stages:
  - id: one
    steps:
      stop: {phase: quiesce, action: test.stop, with: {}, quiesces: [db], lease: {until: run}}
  - id: two
    steps:
      dump: {phase: backup, action: test.dump, with: {}, covers: [db]}
      migrate: {phase: upgrade, action: test.change, with: {}, changes: [db], reversible: restore}
`)
	in := w.input(t)
	in.Done, in.Quiesced = []string{"one"}, []string{"db"}
	if p, ds := Build(in); p == nil {
		t.Errorf("what a finished stage holds until the end of the run is still held:\n%s", ds.Error())
	}
	in.Quiesced = nil
	if p, _ := Build(in); p != nil {
		t.Error("and without it the backup would be read while the component is written to")
	}
}

func TestFactsBehindRequirementsKeysAndProbes(t *testing.T) {
	t.Parallel()
	w := one(`
probes:
  hub: {component: hub, http: {url: "http://${observe.release.cluster}/"}}
stages:
  - id: s
    steps:
      list: {phase: prepare, action: test.look, with: {}}
      each:
        phase: upgrade
        needs: [list]
        action: test.change
        forEach: ${steps.list.output.users}
        as: who
        key: ${who + inputs.name + observe.release.version}
        max: 5
        with: {}
`)
	p := w.must(t)
	if diff := cmp.Diff([]string{"release.version", "release.cluster"}, expected(p.Stages[0])); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{"inputs": map[string]any{"name": "hub"}}, p.Stages[0].Scope); diff != "" {
		t.Errorf("the key needs an input when the stage runs: -want +got\n%s", diff)
	}
}

func TestWindowExpressionThatChoosesNothing(t *testing.T) {
	t.Parallel()
	w := one("\nstages:\n  - id: s\n    window: \"${platform.windows.filter(w, w.zone == 'Mars')}\"\n    steps: {a: {phase: verify, action: test.look, with: {}}}\n")
	if blocked := w.must(t).Blocked(); len(blocked) != 1 || blocked[0].Reason != "NoWindowFits" {
		t.Errorf("got %+v", blocked)
	}
	w.platform = strings.Split(testPlatform, "windows:")[0]
	p := w.must(t)
	if len(p.Blocked()) > 0 || !slices.ContainsFunc(p.Findings, func(f Finding) bool { return f.Reason == "NoWindows" }) {
		t.Errorf("a platform without windows is warned: got %+v", p.Findings)
	}
}

func TestMembersOfAUseKeepTheirScope(t *testing.T) {
	t.Parallel()
	w := one(`
stages:
  - id: s
    steps:
      pre: {phase: prepare, action: test.change, with: {}}
      u:
        use: q.yaml
        phase: upgrade
        needs: [pre]
        forEach: ${observe.release.users}
        as: who
        key: ${who}
        with: {a: "${steps.pre.output.file + who}"}
`)
	w.files["q.yaml"] = `apiVersion: refit.dev/v1alpha1
kind: SubProcedure
metadata: {name: q, summary: A part of the tests.}
inputs: {a: {type: string, description: A text.}}
steps: {go: {action: test.change, with: {user: "${inputs.a}"}}}
`
	groups := w.must(t).Stages[0].Groups
	if len(groups) != 2 || groups[0].Scope["who"] != "ada" || groups[1].Scope["who"] != "bob" {
		t.Errorf("got %+v", groups)
	}
}

func TestNothingMayStandBehindTheChecksum(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	if err := Write(&text, full(t)); err != nil {
		t.Fatal(err)
	}
	forged := strings.TrimSuffix(text.String(), "\n}\n") + ",\n  \"platformFile\": \"/else\"\n}\n"
	if _, err := Read(strings.NewReader(forged)); err == nil {
		t.Error("a key behind the checksum overrides what it covers")
	}
}

func TestNeedsOverManyEmptyLayers(t *testing.T) {
	t.Parallel()
	var body strings.Builder
	body.WriteString("\nstages:\n  - id: s\n    steps:\n      first: {phase: upgrade, action: test.change, with: {}}\n")
	needs := "first"
	const empty = `forEach: "${observe.release.users.filter(u, u == 'x')}"`
	for layer := range strings.SplitSeq("abcdefghijklmnopqrstuvwxyz", "") {
		body.WriteString("      " + layer + "1: {phase: upgrade, needs: [" + needs + "], action: test.change, " + empty + ", with: {}}\n")
		body.WriteString("      " + layer + "2: {phase: upgrade, needs: [" + needs + "], action: test.change, " + empty + ", with: {}}\n")
		needs = layer + "1, " + layer + "2"
	}
	body.WriteString("      last: {phase: upgrade, needs: [" + needs + "], action: test.change, with: {}}\n")
	p := one(body.String()).must(t) // 2^26 ways through the layers
	if diff := cmp.Diff([]string{"first"}, p.Stages[0].Steps[1].Needs); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}
