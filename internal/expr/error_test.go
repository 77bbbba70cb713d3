package expr_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/schema"
)

func TestEvalErrors(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		text   string
		change func(expr.Scope)
		want   string
	}{
		"UnknownHere": {
			reason: "A variable may have no value yet.", text: "${observe.release.revision}",
			change: func(s expr.Scope) { delete(s, "observe") },
			want:   "observe is not known here",
		},
		"UnknownHereInCall": {
			reason: "Also within an operation.", text: "${observe.release.revision + 1}",
			change: func(s expr.Scope) { delete(s, "observe") },
			want:   "observe is not known here",
		},
		"Absent": {
			reason: "A field that is not required may not be there.", text: "${inputs.note}",
			want: "inputs.note is not there",
		},
		"AbsentWithin": {
			reason: "The first part that is not there is named.", text: "${observe.release.chart.version}",
			change: func(s expr.Scope) { s["observe"] = map[string]any{"release": map[string]any{}} },
			want:   "observe.release.chart is not there",
		},
		"AbsentInCall": {
			reason: "Also within an operation.", text: "${observe.release.chart.version + '-x'}",
			change: func(s expr.Scope) { s["observe"] = map[string]any{"release": map[string]any{}} },
			want:   "observe.release.chart is not there",
		},
		"NullIsAbsent": {
			reason: "A declared field that is null is not there.", text: "${inputs.note}",
			change: func(s expr.Scope) { s["inputs"].(map[string]any)["note"] = nil },
			want:   "inputs.note is not there",
		},
		"NoSuchKey": {
			reason: "A map may not have the key.", text: "${inputs.labels.colour}",
			want: "inputs.labels.colour is not there",
		},
		"NoSuchKeyInCall": {
			reason: "Also within an operation.", text: "${inputs.labels['my colour'] + 'x'}",
			want: `inputs.labels["my colour"] is not there`,
		},
		"NoSuchKeyComputed": {
			reason: "Also with a computed key.", text: "${inputs.labels[inputs.name]}",
			want: `"jupyterhub" is not there`,
		},
		"NoMembers": {
			reason: "Values of type any may not be objects.", text: "${inputs.anything.name}",
			want: "inputs.anything has no members to select",
		},
		"NoMembersInCall": {
			reason: "Also within an operation.", text: "${inputs.values.hub.db.type.name + 'x'}",
			want: "inputs.values.hub.db.type.name is not there",
		},
		"DivisionByZero": {
			reason: "A value may be zero.", text: "${1 / (inputs.count - 3)}",
			want: "divides by zero",
		},
		"OutOfRange": {
			reason: "A list may be too short.", text: "${inputs.hosts[5]}",
			want: "index out of bounds: 5",
		},
		"Overflow": {
			reason: "Numbers have 64 bits.", text: "${9223372036854775807 + inputs.count}",
			want: "a number is too large or too small",
		},
		"Misfit": {
			reason: "Values of type any may not fit.", text: "${inputs.anything[0] + inputs.anything[1]}",
			want: "the types of the values do not fit +",
		},
		"NullInText": {
			reason: "null has no text.", text: "x ${inputs.anything[2]}",
			want: "is null, which cannot stand inside a string",
		},
		"ListInText": {
			reason: "Lists have no text.", text: "x ${inputs.anything}",
			want: "is a list, which cannot stand inside a string",
		},
		"ObjectInText": {
			reason: "Objects have no text.", text: "x ${inputs.anything}",
			change: func(s expr.Scope) { s["inputs"].(map[string]any)["anything"] = map[string]any{} },
			want:   "is an object, which cannot stand inside a string",
		},
		"NotPlain": {
			reason: "A scope holds plain values.", text: "${inputs.anything}",
			change: func(s expr.Scope) { s["inputs"].(map[string]any)["anything"] = struct{}{} },
			want:   "a value of Go type struct {} is not a plain value",
		},
		"LargeResult": {
			reason: "Results are bounded.", text: "${inputs.big}",
			change: func(s expr.Scope) { s["inputs"].(map[string]any)["big"] = make([]any, 300_000) },
			want:   "the result holds more than 200000 values",
		},
		"LargeText": {
			reason: "Results are bounded.", text: "${inputs.name}",
			change: func(s expr.Scope) { s["inputs"].(map[string]any)["name"] = strings.Repeat("a", 9<<20) },
			want:   "the result is larger than 8388608 bytes",
		},
		"CompareBig": {
			reason: "Comparing large values many times ends at the cost limit.",
			text:   "${lists.range(1000).all(i, inputs.big == [inputs.big][0])}",
			change: func(s expr.Scope) { s["inputs"].(map[string]any)["big"] = make([]any, 100_000) },
			want:   "costs too much: more than 1000000 steps",
		},
		"SearchBig": {
			reason: "So does searching in them.",
			text:   "${lists.range(1000).all(i, !(i in inputs.big))}",
			change: func(s expr.Scope) { s["inputs"].(map[string]any)["big"] = make([]any, 100_000) },
			want:   "costs too much: more than 1000000 steps",
		},
		"SearchUntyped": {
			reason: "Also where it is not known before that it is a list.",
			text:   "${lists.range(1000).all(i, !(i in inputs.anything))}",
			change: func(s expr.Scope) { s["inputs"].(map[string]any)["anything"] = make([]any, 100_000) },
			want:   "costs too much: more than 1000000 steps",
		},
		"DoubleUntyped": {
			reason: "Strings that double are seen where it is not known before that they are strings.",
			text:   "${[inputs.anything]" + strings.Repeat(".map(a, a + a)", 40) + ".size()}",
			change: func(s expr.Scope) { s["inputs"].(map[string]any)["anything"] = "aaaaaaaaaa" },
			want:   "costs too much: more than 1000000 steps",
		},
		"FormatBig": {
			reason: "So does writing them.",
			text:   "${lists.range(1000).all(i, '%s'.format([inputs.big]) != '')}",
			change: func(s expr.Scope) { s["inputs"].(map[string]any)["big"] = make([]any, 100_000) },
			want:   "costs too much: more than 1000000 steps",
		},
		"GrowBig": {
			reason: "A loop that is small at first and large later is measured each time.",
			text:   "${[inputs.hosts, inputs.big].map(s, [s]" + strings.Repeat(".map(a, a + a)", 8) + ").size()}",
			change: func(s expr.Scope) { s["inputs"].(map[string]any)["big"] = make([]any, 100_000) },
			want:   "costs too much: more than 1000000 steps",
		},
		"MembersBig": {
			reason: "A list whose members are one large value is measured with all of them.",
			text:   "${lists.range(1000).map(i, inputs.big).size()}",
			change: func(s expr.Scope) { s["inputs"].(map[string]any)["big"] = make([]any, 100_000) },
			want:   "costs too much: more than 1000000 steps",
		},
		"SplitBig": {
			reason: "Splitting makes a bounded number of parts.", text: "${inputs.name.split('').size()}",
			change: func(s expr.Scope) { s["inputs"].(map[string]any)["name"] = strings.Repeat("a", 300_000) },
			want:   "would split the text into more than 200000 parts",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			values := scope()
			if tc.change != nil {
				tc.change(values)
			}
			template := compile(t, newEnv(t), str(tc.text), schema.Of(schema.Any))
			_, err := template.Eval(values)
			failed := new(expr.EvalError)
			if !errors.As(err, &failed) {
				t.Fatalf("%s\ngot the error %v, want an EvalError", tc.reason, err)
			}
			if diff := cmp.Diff(tc.want, failed.Err.Error()); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
			if pos, ok := expr.PositionOf(err); !ok || pos.Line != 3 || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s\ngot %q at %v, want one line with its position", tc.reason, err, pos)
			}
		})
	}
}

func TestEvalErrorText(t *testing.T) {
	t.Parallel()
	_, err := compile(t, newEnv(t), str("chart ${inputs.note}"), schema.Of(schema.Any)).Eval(scope())
	const want = "p.yaml:3:13: ${inputs.note}: inputs.note is not there"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if _, ok := expr.PositionOf(errors.New("other")); ok {
		t.Error("an error that is not from an expression has a position")
	}
}

func TestSuggestion(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason, text string
		want         bool
	}{
		"Division": {"It is said how a division by zero is prevented.", "${1 / inputs.count}", true},
		"Cost":     {"So is what costs too much.", "${lists.range(inputs.count + 90000).map(a, lists.range(90000)).size()}", true},
		"Absent":   {"What is not there says all there is.", "${inputs.name}", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			template := compile(t, newEnv(t), str(tc.text), schema.Of(schema.Any))
			_, err := template.Eval(expr.Scope{"inputs": map[string]any{"count": int64(0)}})
			if err == nil {
				t.Fatalf("%s there is no error", tc.text)
			}
			if got := expr.Suggestion(err); (got != "") != tc.want {
				t.Errorf("%s got %q for %v", tc.reason, got, err)
			}
		})
	}
}
