package worker_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/engine/observe"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// factPlan expects a lamp to be white.
func factPlan() *plan.Plan {
	p := lampPlan()
	p.Observe = []plan.Observe{
		{Name: "lamp", Action: "test.look@1", Target: "home"}, {Name: "unused", Action: "test.gone@1"},
	}
	p.Stages[0].Expects = []plan.Expect{{Fact: "lamp.color", Value: "white", Declared: true}, {Fact: "lamp.backup", Absent: true}}
	p.Stages[0].Requires = []plan.Requirement{{Name: "lamp", Fact: "lamp.model", Constraint: ">=2.0", Scheme: "semver"}}
	p.Findings = []plan.Finding{
		{Name: "risk/dark", Stage: "s1", Outcome: plan.Fail, Reason: "RiskApplies", Message: "dark", Accepted: &plan.Accepted{By: "ada", Expires: "2026-02-28"}},
		{Name: "risk/none", Stage: "s1", Outcome: plan.Pass},
		{Name: "window/s1", Stage: "s1", Outcome: plan.Warn, Reason: "NoWindows"},
	}
	return p
}

func white() action.Observed[lampOutput] {
	return action.Saw(lampOutput{Color: "white", Watts: 75, Code: "hunter2", Model: "2.1.0"})
}

func TestCheckStage(t *testing.T) {
	t.Parallel()
	access := &action.Error{Reason: action.ReasonAccessRefused, Err: errors.New("token expired")}
	cases := map[string]struct {
		reason string
		bend   func(b *bench)
		want   string
	}{
		"AsExpected": {"Nothing has changed.", func(*bench) {}, ""},
		"OtherFact":  {"What nobody expects may change.", func(b *bench) { b.lamp.answer.Output.Watts = 80 }, ""},
		"Fact":       {"An expected fact.", func(b *bench) { b.lamp.answer.Output.Color = "red" }, `fact/lamp.color want "white" got "red"`},
		"Appeared":   {"A fact that should not be there.", func(b *bench) { b.lamp.answer.Output.Backup = "s3" }, `fact/lamp.backup want nothing got "s3"`},
		"Target":     {"Another target.", func(b *bench) { b.place.identity = "there" }, `target/home want "here" got "there"`},
		"Nowhere":    {"A target without identity.", func(b *bench) { b.place.identity = "" }, `target/home want "here" got identify target "home": it has no identity by which it could be told from another`},
		"Kind":       {"A target of a kind that this program does not know.", func(b *bench) { b.plan.Targets[0].Kind = "ship" }, `target/home want "here" got identify target "home": this program knows no targets of kind "ship", only place`},
		"NotSeen":    {"A fact that is there and is no fact.", func(b *bench) { b.lamp.answer.Status, b.lamp.answer.Reason = action.Failed, "it is broken" }, `fact/lamp want to be observed got observe fact "lamp" with test.look@1: it is broken`},
		"NoAction":   {"A fact that this program cannot observe.", func(b *bench) { b.plan.Observe[0].Action = "test.gone@1" }, `fact/lamp want to be observed got observe fact "lamp": this program has no action "test.gone@1"`},
		"Panic":      {"An action that breaks down.", func(b *bench) { b.lamp.panics = 3 }, `fact/lamp want to be observed got the action broke down (int): report it as a bug of the action`},
		"FactDown":   {"It cannot be asked.", func(b *bench) { b.lamp.err = errWorld }, `ask again: target observe fact "lamp" with test.look@1: connection reset`},
		"FactGone": {"To ask again would not help.", func(b *bench) {
			b.lamp.err = &action.Error{Reason: "FileNotFound", Err: errors.New("no file")}
		}, `fact/lamp want to be observed got observe fact "lamp" with test.look@1: no file`},
		"FactUnderWay":  {"It is not known yet.", func(b *bench) { b.lamp.answer.Status = action.InProgress }, `ask again: target observe fact "lamp" with test.look@1: the observation ended as "inProgress"`},
		"FactAccess":    {"It needs another secret.", func(b *bench) { b.lamp.err = access }, `ask again: credentials observe fact "lamp" with test.look@1: token expired`},
		"TargetDown":    {"It cannot be identified.", func(b *bench) { b.place.err = errWorld }, `ask again: target identify target "home": connection reset`},
		"TargetAccess":  {"It needs another secret.", func(b *bench) { b.place.err = access }, `ask again: credentials identify target "home": token expired`},
		"ChangedAndOff": {"What cannot be asked comes first.", func(b *bench) { b.place.identity, b.lamp.err = "there", errWorld }, `ask again: target observe fact "lamp" with test.look@1: connection reset`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, back := range []bool{false, true} {
				b := newBench(t, factPlan())
				b.lamp.answer = white()
				tc.bend(b)
				body := b.carry(t, run.CheckStage{Stage: "s1", Turn: 3, Back: back})
				if diff := cmp.Diff(tc.want, checkedText(t, body, back)); diff != "" {
					t.Errorf("%s back=%v (-want +got):\n%s", tc.reason, back, diff)
				}
			}
		})
	}
}

func checkedText(t *testing.T, b run.Body, back bool) string {
	t.Helper()
	data, err := run.EncodeEvent(run.Event{Seq: 1, Body: b})
	if err != nil || strings.Contains(string(data), "hunter2") {
		t.Errorf("an event without secrets: %s, %v", data, err)
	}
	if e, ok := b.(*run.StageAskFailed); ok {
		if e.Turn != 3 || e.Back != back {
			t.Errorf("got %+v", e)
		}
		return fmt.Sprintf("ask again: %s %s", e.Cause, e.Message)
	}
	e, ok := b.(*run.StageChecked)
	if !ok || e.Turn != 3 || e.Back != back || !strings.HasPrefix(e.Facts, "sha256:") || (len(e.Findings) == 0) != back {
		t.Fatalf("got %+v", b)
	}
	var lines []string
	for _, c := range e.Changed {
		lines = append(lines, fmt.Sprintf("%s want %s got %s", c.Name, c.Want, c.Got))
	}
	return strings.Join(lines, "\n")
}

func TestCheckStageJudges(t *testing.T) {
	t.Parallel()
	b := newBench(t, factPlan())
	check := func(model string) (facts, findings string) {
		b.lamp.answer = white()
		b.lamp.answer.Output.Model = model
		e, _ := b.carry(t, run.CheckStage{Stage: "s1"}).(*run.StageChecked)
		for _, f := range e.Findings {
			findings += fmt.Sprintf("%s %s blocks=%v\n", f.Name, f.Outcome, f.Blocks())
		}
		return e.Facts, findings
	}
	met, got := check("2.1.0")
	const frame = "risk/dark fail blocks=true\n"
	if diff := cmp.Diff(frame+"window/s1 warn blocks=false\nrequirement/lamp pass blocks=false\n", got); diff != "" {
		t.Errorf("the acceptance has expired, the requirement is met (-want +got):\n%s", diff)
	}
	same, _ := check("2.2.0")
	broken, got := check("1.0.0")
	if diff := cmp.Diff(frame+"requirement/lamp fail blocks=true\nwindow/s1 warn blocks=false\n", got); diff != "" {
		t.Errorf("the requirement is not met (-want +got):\n%s", diff)
	}
	if met != same || met != broken {
		t.Error("what a requirement looks at does not take approvals away")
	}
	b.place.identity = "there"
	if other, _ := check("2.1.0"); other == met {
		t.Error("another target is another world")
	}
	b.place.identity, b.plan.Stages[0].Expects[0].Value = "here", "red"
	if other, _ := check("2.1.0"); other != met {
		t.Error("the digest is over what is observed")
	}
}

func TestCheckStageTellsOfOtherKeys(t *testing.T) {
	t.Parallel()
	b := newBench(t, factPlan())
	b.lamp.answer = white()
	hash := observe.NewHasher([]byte("of another machine")).Keyed(`"hunter2"`)
	b.plan.Stages[0].Expects = append(b.plan.Stages[0].Expects, plan.Expect{Fact: "lamp.code", Value: hash})
	e, _ := b.carry(t, run.CheckStage{Stage: "s1"}).(*run.StageChecked)
	if len(e.Changed) != 1 || !strings.Contains(e.Changed[0].Got, "the hash key of another machine") {
		t.Errorf("got %+v", e.Changed)
	}
}

func TestManyChangesFitAnEvent(t *testing.T) {
	t.Parallel()
	p := factPlan()
	for i := range 3000 {
		p.Stages[0].Expects = append(p.Stages[0].Expects, plan.Expect{Fact: fmt.Sprintf("lamp.x%d", i), Value: strings.Repeat("x", 500)})
		p.Findings = append(p.Findings, plan.Finding{Name: fmt.Sprintf("risk/%d", i), Stage: "s1", Outcome: plan.Warn, Message: strings.Repeat("x", 5000)})
	}
	b := newBench(t, p)
	b.lamp.answer = white()
	e, _ := b.carry(t, run.CheckStage{Stage: "s1"}).(*run.StageChecked)
	if _, err := run.EncodeEvent(run.Event{Seq: 1, Body: e}); err != nil {
		t.Error(err)
	}
	if last := e.Changed[len(e.Changed)-1]; last.Got != "2950 more" || e.Findings[0].Name != "risk/dark" {
		t.Errorf("got %+v, and %s first", last, e.Findings[0].Name)
	}
}

func TestCondition(t *testing.T) {
	t.Parallel()
	gate := run.GateRef{Stage: "s1", Step: "change"}
	cases := map[string]struct{ reason, with, want string }{
		"Holds":   {"The fact has the value.", `{"fact":"lamp.color","equals":"white"}`, `holds {"value":"white"}`},
		"Number":  {"60 and 60.0 are the same.", `{"fact":"lamp.watts","equals":75.0}`, `holds {"value":75}`},
		"Not":     {"It has another one.", `{"fact":"lamp.color","equals":"red"}`, `not: fact lamp.color is "white", waiting for "red"`},
		"Absent":  {"It is not there.", `{"fact":"lamp.backup","equals":"red"}`, `not: the fact lamp.backup is not there`},
		"Unknown": {"The plan has no such fact.", `{"fact":"house","equals":"red"}`, `not: the plan has no fact "house": mend the procedure and plan again`},
		"NoPath":  {"A plan from elsewhere.", `{"equals":"red"}`, `not: "" is not the path of a fact: mend the procedure and plan again`},
		"Gone":    {"It cannot be observed.", `{"fact":"unused.x","equals":"red"}`, `not: observe fact "unused": this program has no action "test.gone@1"`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, factPlan())
			b.lamp.answer = white()
			e, _ := b.carry(t, run.EvaluateCondition{Gate: gate, Turn: 2, With: json.RawMessage(tc.with)}).(*run.ConditionAnswered)
			got := "not: " + e.Message
			if e.Holds {
				got = "holds " + string(e.Output)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" || e.Turn != 2 || e.Gate != gate {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
	b := newBench(t, factPlan())
	b.lamp.err = errWorld
	b.plan.Stages[0].Steps[0].With = map[string]any{"fact": "lamp.color", "equals": "white"}
	if e, _ := b.carry(t, run.EvaluateCondition{Gate: gate}).(*run.ConditionAnswered); e.Holds || !strings.Contains(e.Message, "connection reset") {
		t.Errorf("what cannot be asked does not hold yet; got %+v", e)
	}
}

func TestSoak(t *testing.T) {
	t.Parallel()
	saw := func(s action.Status) action.Observed[lampOutput] {
		return action.Observed[lampOutput]{Status: s, Reason: "so it is"}
	}
	cases := map[string]struct {
		reason string
		checks []string
		sees   action.Observed[lampOutput]
		err    error
		want   run.SoakObserved
	}{
		"Healthy":  {"All hold.", []string{"look", "many"}, saw(action.Done), nil, run.SoakObserved{Healthy: true}},
		"Nothing":  {"Without checks time alone counts.", nil, saw(action.Failed), nil, run.SoakObserved{Healthy: true}},
		"Failed":   {"A regression.", []string{"look"}, saw(action.Failed), nil, run.SoakObserved{Message: "look: so it is"}},
		"Unknown":  {"What is not known is not healthy.", []string{"look"}, saw(action.Unknown), nil, run.SoakObserved{Message: "look: so it is"}},
		"NotAsked": {"It could not be asked.", []string{"look"}, saw(action.Done), errWorld, run.SoakObserved{NotAsked: true, Message: "look: connection reset"}},
		"BothBad":  {"A regression counts more than what could not be asked.", []string{"look", "gone"}, saw(action.Done), errWorld, run.SoakObserved{Message: `gone: this program has no action "test.gone@1": use the version of refit that made the plan`}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := lampPlan()
			p.Stages[0].Steps = append(p.Stages[0].Steps, plan.Step{ID: "many", Action: "test.look@1", ForEach: &plan.ForEach{Max: 3}})
			b := newBench(t, p)
			b.lamp.answer, b.lamp.err = tc.sees, tc.err
			tc.want.Gate, tc.want.Turn = run.GateRef{Stage: "s1", Name: "soak"}, 4
			got := b.carry(t, run.ObserveSoak{Gate: tc.want.Gate, Turn: 4, Checks: tc.checks, With: map[string]json.RawMessage{
				"many[a]": []byte(`{"lamp":"a"}`), "many[b]": []byte(`{"lamp":"b"}`),
			}})
			if diff := cmp.Diff(&tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
			if name == "Healthy" {
				want := []lampInput{{Lamp: "hall", Color: "red"}, {Lamp: "a"}, {Lamp: "b"}}
				if diff := cmp.Diff(want, b.lamp.inputs); diff != "" {
					t.Errorf("each member is looked at with its own input (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestAskWindow(t *testing.T) {
	t.Parallel()
	b := newBench(t, lampPlan())
	b.plan.Stages[0].Windows = []plan.Window{{Date: "2026-02-01", Start: "10:00", Duration: 1, Zone: "UTC", OnClose: "pause"}}
	e, _ := b.carry(t, run.AskWindow{Stage: "s1", Turn: 1}).(*run.WindowAnswered)
	if e.Open || e.Turn != 1 || !strings.Contains(e.Never, "(2026-02-01) are over") {
		t.Errorf("got %+v", e)
	}
}
