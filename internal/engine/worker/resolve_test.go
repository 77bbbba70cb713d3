package worker_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// latePlan has steps of which something is known only when they start. The
// second stage expects what the first leaves.
func latePlan(late plan.Step) *plan.Plan {
	look := func(id, group string) plan.Step {
		return plan.Step{ID: id, Action: "test.look@1", Effect: action.ReadOnly, Group: group, Phase: plan.Verify}
	}
	many := look("many", "")
	many.ForEach = &plan.ForEach{Expr: "${steps.one.output}", As: "item", Max: 9}
	late.ID, late.Action = orElse(late.ID, "late"), orElse(late.Action, "test.change@1")
	return &plan.Plan{
		Inputs: map[string]any{"suffix": "!", "power": int64(2)},
		Facts: map[string]any{
			"lamp":  map[string]any{"color": "white", "watts": int64(60)},
			"users": map[string]any{"list": []any{"ada", "bob"}},
		},
		Stages: []plan.Stage{
			{ID: "s0", Leaves: []plan.Expect{{Fact: "lamp.color", Value: "green", Declared: true}}},
			{
				ID: "s1",
				Expects: []plan.Expect{
					{Fact: "lamp.watts", Value: int64(75), Declared: true}, {Fact: "users.list", Value: []any{"ada", "bob"}},
				},
				Scope: map[string]any{
					"hop": map[string]any{"to": "2.0"}, "platform": map[string]any{"name": "prod"},
					"path": map[string]any{"to": "9.0"}, "inputs": map[string]any{"suffix": "of a group"},
				},
				Groups: []plan.Group{
					{
						ID: "sub", Inputs: map[string]any{"base": "b", "name": "${steps.one.output.color}"},
						Deferred: []plan.Deferred{{Path: "/name", Text: "${steps.one.output.color + inputs.suffix}"}},
						Outputs:  map[string]any{"said": "${steps.say.output.color}", "list": []any{"${inputs.name}", int64(1)}},
					},
					{ID: "sub/in", Parent: "sub", Inputs: map[string]any{"deep": ""}, Deferred: []plan.Deferred{{Path: "/deep", Text: "${inputs.name + inputs.base}"}}},
					{ID: "maybe", When: "${steps.one.output.color == 'blue'}", Outputs: map[string]any{"said": "${steps.say.output.color}"}},
					{ID: "each[a]", Outputs: map[string]any{"said": "a"}},
					{ID: "each[b]", Outputs: map[string]any{"said": "b"}},
				},
				Steps: []plan.Step{
					look("one", ""), many, look("planned[a]", ""), look("planned[b]", ""), look("skipped", ""),
					look("sub/say", "sub"), look("maybe/say", "maybe"), look("each[a]/x", "each[a]"), look("each[b]/x", "each[b]"), late,
				},
				Abort: &plan.Abort{Steps: []plan.Step{
					look("abort/first", ""),
					{ID: "abort/late", Action: "test.change@1", With: map[string]any{"lamp": ""}, Deferred: []plan.Deferred{{Path: "/lamp", Text: "${steps.first.output.color}"}}},
				}},
			},
		},
	}
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// outputs are those of the steps of latePlan.
func outputs() map[string]json.RawMessage {
	return map[string]json.RawMessage{
		"one": []byte(`{"color":"red","watts":3}`), "many": []byte(`[{"color":"x"},{"color":"y"}]`),
		"planned[a]": []byte(`{"color":"pa"}`), "planned[b]": []byte(`{"color":"pb"}`),
		"sub/say": []byte(`{"color":"said"}`), "abort/first": []byte(`{"color":"home"}`),
	}
}

func TestResolveInput(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ reason, text, want string }{
		"Output":          {"An output of a step.", "${steps.one.output.color}", "red"},
		"Joined":          {"Texts and values are joined.", "a ${steps.one.output.color} ${inputs.power}", "a red 2"},
		"Number":          {"A number stays one, though JSON writes 3.0 as 3.", "${string(steps.one.output.watts * 1.5)}", "4.5"},
		"Index":           {"Another way to select.", `${steps["one"].output.color}`, "red"},
		"Late":            {"Members that were known late.", "${steps.many.outputs.map(o, o.color).join('+')}", "x+y"},
		"Planned":         {"Members that the plan has.", "${steps.planned.outputs.map(o, o.color).join('+')}", "pa+pb"},
		"None":            {"A forEach over nothing.", "${string(size(steps.nothing.outputs))}", "0"},
		"Skipped":         {"A step that handed nothing back.", "${has(steps.skipped.output) ? 'yes' : 'no'}", "no"},
		"Group":           {"What a sub-procedure hands back.", "${steps.sub.output.said}", "said"},
		"GroupList":       {"With its late inputs.", "${string(steps.sub.output.list[0]) + string(steps.sub.output.list[1])}", "red!1"},
		"GroupSkipped":    {"A sub-procedure that was not needed.", "${has(steps.maybe.output) ? 'yes' : 'no'}", "no"},
		"Groups":          {"Uses with members.", "${steps.each.outputs.map(o, o.said).join('+')}", "a+b"},
		"Input":           {"Inputs of the procedure, not what was kept for groups.", "${steps.one.output.color + inputs.suffix}", "red!"},
		"StageMember":     {"The member of the stage.", "${hop.to + steps.one.output.color}", "2.0red"},
		"Platform":        {"The platform.", "${platform.name + steps.one.output.color}", "prodred"},
		"Path":            {"The path.", "${path.to + steps.one.output.color}", "9.0red"},
		"FactLeft":        {"A fact that the stage before leaves.", "${observe.lamp.color + steps.one.output.color}", "greenred"},
		"FactExpected":    {"A fact that the stage expects.", "${string(observe.lamp.watts) + steps.one.output.color}", "75red"},
		"FactPlanned":     {"A fact as it was planned.", "${observe.users.list[1] + steps.one.output.color}", "bobred"},
		"MissingOutput":   {"An output that is not there.", "${steps.skipped.output.color}", `error: step "late" of stage "s1": with /lamp: ${steps.skipped.output.color}: steps.skipped.output is not there`},
		"WrongType":       {"A value that does not fit.", "${steps.many.outputs}", `error: step "late" of stage "s1": input of test.change: /lamp: must be a string, is a list`},
		"NotAnExpression": {"A plan from elsewhere.", "${steps.one.output +}", `error: step "late" of stage "s1": with /lamp: `},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, latePlan(plan.Step{
				With: map[string]any{"lamp": tc.text, "color": "${kept}"}, Deferred: []plan.Deferred{{Path: "/lamp", Text: tc.text}},
			}))
			e, _ := b.carry(t, run.Resolve{Stage: "s1", Step: "late", Turn: 2, Outputs: outputs()}).(*run.StepResolved)
			got := "error: " + e.Error
			if e.Error == "" {
				var with lampInput
				if err := json.Unmarshal(e.With, &with); err != nil || with.Color != "${kept}" || e.Turn != 2 {
					t.Errorf("only deferred places are evaluated: %s, %v", e.With, err)
				}
				got = with.Lamp
			}
			if got != tc.want && (!strings.HasSuffix(tc.want, ": ") || !strings.HasPrefix(got, tc.want) || strings.Contains(got, "\n")) {
				t.Errorf("%s got %q, want %q", tc.reason, got, tc.want)
			}
			if b.plan.Stages[1].Steps[9].With["lamp"] != tc.text {
				t.Error("the plan was changed")
			}
		})
	}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	each := func(expr, key string, limit int) *plan.ForEach {
		return &plan.ForEach{Expr: expr, Key: key, As: "item", Max: limit}
	}
	item := []plan.Deferred{{Path: "/lamp", Text: "${item}"}}
	one := map[string]any{"member": "m"}
	terms := func(t run.Terms) string { return fmt.Sprintf("terms %+v", t) }
	gate := func(kind action.Gate, with map[string]any) plan.Step {
		// Gates are checked by their own actions, which this registry has not.
		return plan.Step{Gate: kind, Action: "gate." + string(kind) + "@1", With: with}
	}
	cases := map[string]struct {
		reason string
		step   plan.Step
		want   string
	}{
		"True":       {"The condition holds, the input of the plan counts.", plan.Step{When: "${steps.one.output.color == 'red'}", With: map[string]any{"lamp": "x"}}, "with "},
		"False":      {"It does not.", plan.Step{When: "${steps.one.output.color == 'blue'}"}, "skip not needed: ${steps.one.output.color == 'blue'} is false"},
		"WhenText":   {"A condition is true or false.", plan.Step{When: "${steps.one.output.color}"}, "when: ${steps.one.output.color} is not true or false"},
		"WhenMember": {"With the member of a forEach of the plan.", plan.Step{When: "${member == 'm' && size(steps.many.outputs) == 2}", Scope: one}, "with "},
		"GroupFalse": {"The use around it is not needed.", plan.Step{ID: "maybe/late", Group: "maybe"}, "skip not needed: ${steps.one.output.color == 'blue'} is false"},
		"InGroup":    {"Names are those of the sub-procedure.", plan.Step{ID: "sub/late", Group: "sub", Deferred: []plan.Deferred{{Path: "/lamp", Text: "${steps.say.output.color + inputs.name + inputs.base}"}}, With: map[string]any{"lamp": ""}}, `with {"lamp":"saidred!b"}`},
		"InDeep":     {"Late inputs of a use within a use.", plan.Step{ID: "sub/in/late", Group: "sub/in", Deferred: []plan.Deferred{{Path: "/lamp", Text: "${inputs.deep}"}}, With: map[string]any{"lamp": ""}}, `with {"lamp":"red!b"}`},
		"Nested":     {"A place within a list.", plan.Step{With: map[string]any{"words": []any{"a", ""}}, Deferred: []plan.Deferred{{Path: "/words/1", Text: "${steps.one.output.color}"}}}, `with {"words":["a","red"]}`},

		"Members":    {"One per member, by their places.", plan.Step{ForEach: each("${steps.many.outputs.map(o, o.color)}", "", 2), With: map[string]any{"lamp": ""}, Deferred: item}, `members 0={"lamp":"x"} 1={"lamp":"y"}`},
		"Keys":       {"By their keys.", plan.Step{ForEach: each("${steps.many.outputs.map(o, o.color)}", "${item}-k", 2), With: map[string]any{"lamp": ""}, Deferred: item}, `members x-k={"lamp":"x"} y-k={"lamp":"y"}`},
		"NoMembers":  {"None is fine.", plan.Step{ForEach: each("${steps.nothing.outputs}", "", 2)}, "members"},
		"TooMany":    {"The core counts them.", plan.Step{ForEach: each("${steps.many.outputs}", "", 1)}, "members 0= 1="},
		"FarTooMany": {"So many cannot even be recorded.", plan.Step{ForEach: each("${lists.range(2000).filter(i, steps.one.output.color == 'red')}", "", 5)}, "forEach: it has 2000 members, the plan allows 5: make a new plan"},
		"SameKey":    {"Keys name members.", plan.Step{ForEach: each("${steps.many.outputs}", "k", 2)}, `forEach: two members have the key "k": write a key that differs for every member`},
		"BadKey":     {"Keys stand in ids.", plan.Step{ForEach: each("${steps.many.outputs}", "a b", 2)}, `"a b" cannot be the key of a member: use 1 to 63 letters, digits and . _ - @ : +`},
		"NoList":     {"A forEach needs a list.", plan.Step{ForEach: each("${steps.one.output}", "", 2)}, "forEach: ${steps.one.output} does not give a list"},
		"TooLarge":   {"Inputs stand in an event.", plan.Step{ForEach: each("${steps.many.outputs.map(o, o.color)}", "", 2), With: map[string]any{"lamp": "", "color": strings.Repeat("x", 30<<10)}, Deferred: item}, "forEach: the inputs of its 2 members have more than 49152 bytes: hand over the names of files instead"},
		"LargeInput": {"So does that of one.", plan.Step{With: map[string]any{"lamp": "", "color": strings.Repeat("x", 50<<10)}, Deferred: []plan.Deferred{{Path: "/lamp", Text: "${steps.one.output.color}"}}}, "its input has 51225 bytes, at most 49152 are kept: hand over the name of a file instead"},

		"Approval":      {"Who may approve, and how many.", gate(action.GateApproval, map[string]any{"reason": "Go?", "by": []any{"ada", "ops"}, "count": int64(2)}), terms(run.Terms{Kind: run.WaitApproval, Question: "Go?", From: []string{"ada", "ops"}, Count: 2})},
		"ApprovalPlain": {"Anybody, once.", gate(action.GateApproval, map[string]any{"reason": "Go?"}), terms(run.Terms{Kind: run.WaitApproval, Question: "Go?", Count: 1})},
		"Person":        {"What to do and what to enter.", gate(action.GatePerson, map[string]any{"instructions": "Do it.", "evidence": []any{"ticket"}}), terms(run.Terms{Kind: run.WaitPerson, Question: "Do it.", Evidence: []string{"ticket"}, Count: 1})},
		"Condition":     {"How often to look.", gate(action.GateCondition, map[string]any{"fact": "a.b", "equals": int64(3), "every": "5s"}), terms(run.Terms{Kind: run.WaitCondition, Question: "fact a.b is 3", Count: 1, Every: plan.Duration(5 * time.Second)})},
		"Soak":          {"All verify steps, by default.", gate(action.GateSoak, map[string]any{"for": "1h"}), terms(run.Terms{Kind: run.WaitSoak, Count: 1, For: plan.Duration(time.Hour), Every: plan.Duration(time.Minute), MaxGap: plan.Duration(5 * time.Minute), Checks: []string{"one", "many", "planned[a]", "planned[b]", "skipped", "sub/say", "maybe/say", "each[a]/x", "each[b]/x"}})},
		"SoakNamed":     {"Those that are named, with their members.", gate(action.GateSoak, map[string]any{"for": "1h", "every": "10s", "maxGap": "20s", "checks": []any{"planned", "one"}}), terms(run.Terms{Kind: run.WaitSoak, Count: 1, For: plan.Duration(time.Hour), Every: plan.Duration(10 * time.Second), MaxGap: plan.Duration(20 * time.Second), Checks: []string{"planned[a]", "planned[b]", "one"}})},
		"SoakUnknown":   {"A step that is not there.", gate(action.GateSoak, map[string]any{"for": "1h", "checks": []any{"x"}}), `checks: stage "s1" has no step "x"`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, latePlan(tc.step))
			id := orElse(tc.step.ID, "late")
			e, _ := b.carry(t, run.Resolve{Stage: "s1", Step: id, Outputs: outputs()}).(*run.StepResolved)
			want := tc.want
			if e.Error != "" {
				want = fmt.Sprintf("step %q of stage %q: %s", id, "s1", want)
			}
			if diff := cmp.Diff(want, resolvedText(e)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func resolvedText(e *run.StepResolved) string {
	switch {
	case e.Error != "":
		return e.Error
	case e.Skip != "":
		return "skip " + e.Skip
	case e.Terms != nil:
		return fmt.Sprintf("terms %+v", *e.Terms)
	case e.Members != nil:
		text := "members"
		for _, m := range e.Members {
			text += fmt.Sprintf(" %s=%s", m.Key, m.With)
		}
		return text
	}
	return "with " + string(e.With)
}

func TestResolveTheWayBack(t *testing.T) {
	t.Parallel()
	b := newBench(t, latePlan(plan.Step{}))
	e, _ := b.carry(t, run.Resolve{Stage: "s1/abort", Step: "abort/late", Outputs: outputs()}).(*run.StepResolved)
	if got, want := resolvedText(e), `with {"lamp":"home"}`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestResolveLargeFact: a fact of which the plan holds the digest only.
func TestResolveLargeFact(t *testing.T) {
	t.Parallel()
	p := latePlan(plan.Step{
		With: map[string]any{"lamp": ""}, Deferred: []plan.Deferred{{Path: "/lamp", Text: "${observe.lamp.color + steps.one.output.color}"}},
	})
	p.Stages[1].Expects = append(p.Stages[1].Expects, plan.Expect{Fact: "lamp.color", Digest: "sha256:x", Declared: true})
	e, _ := newBench(t, p).carry(t, run.Resolve{Stage: "s1", Step: "late", Outputs: outputs()}).(*run.StepResolved)
	if want := "the plan does not hold the value of the fact lamp.color"; !strings.Contains(e.Error, want) {
		t.Errorf("a value that may be wrong is never used; got %+v", e)
	}
}
