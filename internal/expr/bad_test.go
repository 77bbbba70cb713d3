package expr_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/schema"
)

// TestBadExpressions holds the exact diagnostics, because they are what people
// read. The string starts at line 3, column 7, so the text of an expression
// that is the whole value starts at column 9.
func TestBadExpressions(t *testing.T) {
	t.Parallel()
	repeat := strings.Repeat
	cases := map[string]struct {
		reason string
		text   string
		want   string
	}{
		"UnknownVariable": {
			reason: "A variable that is not declared is named at its first letter.",
			text:   "${inptus.name}",
			want:   `3:9: error: there is no variable "inptus": did you mean "inputs"?`,
		},
		"UnknownVariableWithinText": {
			reason: "Columns count from the start of the string, with everything before the expression.",
			text:   "über ${inputs.name} and ${inptus.name}",
			want:   `3:34: error: there is no variable "inptus": did you mean "inputs"?`,
		},
		"UnknownVariableOfMethod": {
			reason: "A method of an unknown variable is about the variable.",
			text:   "${inptus.name.size()}",
			want:   `3:9: error: there is no variable "inptus": did you mean "inputs"?`,
		},
		"UnknownField": {
			reason: "A selected field has to be declared; the column is that of the field.",
			text:   "${observe.release.chart.versio}",
			want:   `3:31: error: observe.release.chart has no field "versio": did you mean "version"?`,
		},
		"UnknownStep": {
			reason: "The ids of steps are members of the variable steps.",
			text:   "${steps.confg.output.file}",
			want:   `3:15: error: steps has no member "confg": did you mean "config"?`,
		},
		"UnknownStepByIndex": {
			reason: "An index with a literal name is checked like a selection.",
			text:   `${steps["stop-server"].output}`,
			want:   `3:15: error: steps has no member "stop-server": did you mean "stop-servers"?`,
		},
		"UnknownFieldOfLoopVariable": {
			reason: "The types of loop variables come from the list.",
			text:   "${inputs.charts.exists(c, c.versio == '1')}",
			want:   `3:35: error: c has no member "versio": did you mean "version"?`,
		},
		"UnknownFieldAsked": {
			reason: "has() asks only for fields that are declared.",
			text:   "${has(inputs.nota)}",
			want:   `3:20: error: inputs has no member "nota": did you mean "note"?`,
		},
		"TwoMistakes": {
			reason: "All type errors of an expression are reported.",
			text:   "${inputs.chart.nam + inputs.chart.versio}",
			want: `3:22: error: inputs.chart has no field "nam": did you mean "name"?` + "\n" +
				`3:41: error: inputs.chart has no field "versio": did you mean "version"?`,
		},
		"FieldOfString": {
			reason: "A string has no fields.",
			text:   "${inputs.name.first}",
			want:   `3:21: error: inputs.name is a string, it has no field "first"`,
		},
		"AddIntAndString": {
			reason: "Operators are named by what they do, and placed where they stand.",
			text:   "${inputs.count + 'x'}",
			want:   `3:22: error: cannot add int and string: write string(…) around the number`,
		},
		"MultiplyNumberAndInt": {
			reason: "Ints and numbers do not mix in arithmetic.",
			text:   "${inputs.ratio * 2}",
			want:   `3:22: error: cannot multiply number and int: write double(…) around the int`,
		},
		"CompareStringAndInt": {
			reason: "A comparison of different types is never true.",
			text:   "${inputs.name == 1}",
			want:   `3:21: error: cannot compare string and int`,
		},
		"CompareWithNull": {
			reason: "Fields that may be missing are asked for with has().",
			text:   "${inputs.note == null}",
			want:   `3:21: error: cannot compare string and null: write has(…) to ask whether a field is there`,
		},
		"CompareObjects": {
			reason: "Objects of different types have different fields.",
			text:   "${inputs.chart == observe.release}",
			want: `3:22: error: cannot compare object and object: ` +
				`they have different fields; compare the fields one by one`,
		},
		"CompareDeepLists": {
			reason: "Types that are named the same are told apart, within a line.",
			text:   "${[[1]] == ['a']}",
			want:   `3:15: error: cannot compare list(list(int)) and list(string)`,
		},
		"AddDuration": {
			reason: "Durations are strings.",
			text:   "${inputs.timeout + duration('1s')}",
			want: `3:24: error: cannot add string and duration: ` +
				`write duration(…) or timestamp(…) around the string`,
		},
		"ConditionNotBool": {
			reason: "The condition of ?: is a bool.",
			text:   "${inputs.count ? 1 : 2}",
			want:   `3:22: error: the condition before ? is an int, needs a bool`,
		},
		"OutcomesDiffer": {
			reason: "Both outcomes of ?: have one type.",
			text:   "${inputs.enabled ? 1 : 'a'}",
			want: `3:24: error: the two outcomes of ?: are an int and a string, they must be of one type: ` +
				`write dyn(…) around one of them to allow both`,
		},
		"AndWithString": {
			reason: "&& is for bools.",
			text:   "${inputs.enabled && inputs.name}",
			want:   `3:34: error: inputs.name is a string, needs a bool`,
		},
		"NotString":    {reason: "! is for bools.", text: "${!inputs.name}", want: `3:9: error: ! is for a bool, not for a string`},
		"NegateString": {reason: "- is for numbers.", text: "${-inputs.name}", want: `3:9: error: - is for a number, not for a string`},
		"ComputedIndexOfObject": {
			reason: "The fields of an object are known by name.",
			text:   "${inputs[inputs.name]}",
			want: `3:15: error: cannot index object with string: ` +
				`select the fields of an object with names that are written out, as in x["name"]`,
		},
		"LookInInt": {
			reason: "Only lists and maps contain things.",
			text:   "${inputs.name in inputs.count}",
			want:   `3:21: error: cannot look for string in int`,
		},
		"LoopOverObject": {
			reason: "Only lists and maps can be gone through.",
			text:   "${inputs.chart.all(x, true)}",
			want: `3:16: error: inputs.chart is an object, only lists and maps can be gone through: ` +
				`name the members one by one`,
		},
		"UnknownFunction": {
			reason: "Functions that do not exist are compared with those that do.",
			text:   "${inputs.name.startWith('a')}",
			want:   `3:21: error: there is no function "startWith": did you mean "startsWith"?`,
		},
		"UnknownGlobalFunction": {
			reason: "The column is that of the name, spaces do not matter.",
			text:   "${1 + sise  (inputs.name)}",
			want:   `3:13: error: there is no function "sise": did you mean "size"?`,
		},
		"LengthIsSize": {
			reason: "The length is called size.",
			text:   "${inputs.name.lengt()}",
			want:   `3:21: error: there is no function "lengt": did you mean "size"?`,
		},
		"UnknownLibraryFunction": {
			reason: "The name of a library is no variable.",
			text:   "${maths.abs(1)}",
			want:   `3:15: error: there is no function "maths.abs": did you mean "math.abs"?`,
		},
		"Now": {
			reason: "Expressions cannot read a clock.",
			text:   "${now()}",
			want: `3:9: error: there is no function "now": ` +
				`expressions cannot read a clock; give the time as an input`,
		},
		"TimeZone": {
			reason: "Time zones are read from files of the machine.",
			text:   "${timestamp('2024-01-01T00:00:00Z').getHours('Europe/Berlin')}",
			want: `3:43: error: the function "getHours" of a timestamp does not take (string): ` +
				`it takes timestamp.getHours() or duration.getHours()`,
		},
		"WrongArgument": {
			reason: "A call that does not fit is told what fits.",
			text:   "${size(1)}",
			want:   `3:9: error: the function "size" does not take (int): it takes (bytes) or (list) or (map) or (string)`,
		},
		"WrongArgumentOfMethod": {
			reason: "Methods name what they are called on.",
			text:   "${inputs.name.substring('a')}",
			want: `3:21: error: the function "substring" of a string does not take (string): ` +
				`it takes string.substring(int) or string.substring(int, int)`,
		},
		"SecretCompared": {
			reason: "Nothing is done with secrets.",
			text:   "${inputs.password == inputs.password}",
			want: `3:16: error: inputs.password is a secret, it can only be passed on whole: ` +
				"write it as the whole value: ${inputs.password}\n" +
				`3:35: error: inputs.password is a secret, it can only be passed on whole: ` +
				`write it as the whole value: ${inputs.password}`,
		},
		"SecretSelected": {
			reason: "What is in a reference to a secret is not looked at.",
			text:   "${inputs.password.env}",
			want: `3:16: error: inputs.password is a secret, it can only be passed on whole: ` +
				`write it as the whole value: ${inputs.password}`,
		},
		"SecretInList": {
			reason: "A list would hide that it holds a secret.",
			text:   "${[inputs.password]}",
			want: `3:17: error: inputs.password is a secret, it can only be passed on whole: ` +
				`write it as the whole value: ${inputs.password}`,
		},
		"SecretInLoop": {
			reason: "A loop cannot collect secrets either.",
			text:   "${inputs.passwords.map(p, p)}",
			want:   `3:33: error: p is a secret, it can only be passed on whole: write it as the whole value: ${p}`,
		},
		"SecretConverted": {
			reason: "dyn() does not make a secret an ordinary value.",
			text:   "${dyn(inputs.password)}",
			want: `3:20: error: inputs.password is a secret, it can only be passed on whole: ` +
				`write it as the whole value: ${inputs.password}`,
		},
		"SecretInText": {
			reason: "A secret has no text.",
			text:   "pw=${inputs.password}",
			want: `3:10: error: ${inputs.password} is a secret, which cannot stand inside a string: ` +
				`a secret can only be the whole value`,
		},
		"ListInText": {
			reason: "A list has no text.",
			text:   "hosts ${inputs.hosts}",
			want: `3:13: error: ${inputs.hosts} is a list of strings, which cannot stand inside a string: ` +
				`select one of its members, or write json.encode(…) around it`,
		},
		"Unterminated": {
			reason: "A ${ needs its }.",
			text:   "to ${inputs.name",
			want:   `3:10: error: the ${ has no closing }: write the }, or $${ for the text itself`,
		},
		"UnterminatedByBrace": {
			reason: "The } of a map does not close the expression.",
			text:   "${{'a': 1}",
			want:   `3:7: error: the ${ has no closing }: write the }, or $${ for the text itself`,
		},
		"UnterminatedString": {
			reason: "A } within a string literal does not close the expression.",
			text:   "${'abc}",
			want:   `3:9: error: the string literal in the expression is not closed: write the closing '`,
		},
		"Empty": {
			reason: "An expression has something in it.",
			text:   "a ${ } b",
			want: `3:9: error: ${} holds no expression: ` +
				`write an expression between the braces, or $${} for the text itself`,
		},
		"EndsEarly":  {reason: "An operator needs two operands.", text: "${1 +}", want: `3:12: error: the expression ends too early`},
		"TwoValues":  {reason: "Two values need an operator.", text: "${a b}", want: `3:11: error: unexpected "b" in the expression`},
		"Character":  {reason: "Some characters mean nothing.", text: "${1 @}", want: `3:11: error: unexpected "@" in the expression`},
		"Reserved":   {reason: "Some words are reserved.", text: "${if}", want: `3:9: error: "if" is a reserved word`},
		"HasOfValue": {reason: "has() needs a selection.", text: "${has(inputs)}", want: `3:13: error: has() asks for a field, as in has(inputs.name)`},
		"Struct": {
			reason: "Messages of protocol buffers are left out.",
			text:   "${google.protobuf.Duration{seconds: 1}}",
			want: `3:33: error: there is no type "google.protobuf.Duration" to make a value of: ` +
				`write a map, as in {"name": "value"}`,
		},
		"DivisionByZero": {
			reason: "A division by a literal zero is found without values.",
			text:   "${inputs.count / 0}",
			want:   `3:22: error: the expression divides by zero: test the divisor before: x == 0 ? … : y / x`,
		},
		"RemainderByZero": {
			reason: "So is a remainder.",
			text:   "${inputs.count % 0}",
			want:   `3:22: error: the expression divides by zero: test the divisor before: x == 0 ? … : y / x`,
		},
		"ConstantDivisionByZero": {
			reason: "An expression without references is tried when it is compiled.",
			text:   "${1 / (2 - 2)}",
			want:   `3:7: error: ${1 / (2 - 2)}: divides by zero: test the divisor before: x == 0 ? … : y / x`,
		},
		"ConstantIndex": {
			reason: "So is an index.",
			text:   "${[1, 2][5]}",
			want:   `3:7: error: ${[1, 2][5]}: index out of bounds: 5`,
		},
		"Infinite": {
			reason: "JSON has no infinity.",
			text:   "${1.0 / 0.0}",
			want:   `3:7: error: ${1.0 / 0.0}: the result is not a finite number`,
		},
		"TypeAsValue": {
			reason: "Types are only for comparisons.",
			text:   "${string}",
			want:   `3:7: error: ${string}: a type is not a value that can be used outside of an expression`,
		},
		"IntAsKey": {
			reason: "The keys of JSON are strings.",
			text:   "${{1: 'a'}}",
			want:   `3:7: error: ${{1: 'a'}}: the map has the key 1, keys must be strings`,
		},
		"BadPattern": {
			reason: "A regular expression that is written out is read when it is compiled.",
			text:   "${inputs.name.matches('[')}",
			want:   "3:7: error: error parsing regexp: missing closing ]: `[`",
		},
		"RecursionBomb": {
			reason: "Nesting is bounded.",
			text:   "${" + repeat("(", 5000) + "1" + repeat(")", 5000) + "}",
			want:   `3:7: error: the expression is nested too deeply: take it apart`,
		},
		"ChainBomb": {
			reason: "A long chain of operators is nesting too.",
			text:   "${" + repeat("1+", 1000) + "1}",
			want:   `3:7: error: the expression is nested too deeply: take it apart`,
		},
		"Megabyte": {
			reason: "Expressions are not read beyond their greatest length.",
			text:   "${'" + repeat("a", 1<<20) + "'}",
			want: `3:7: error: the expression is 1048578 bytes, at most 16384 are read: ` +
				`take it apart, or put the values into an input`,
		},
		"LoopBomb": {
			reason: "Loops within loops end at the cost limit.",
			text:   "${lists.range(1000).all(a, lists.range(1000).all(b, lists.range(1000).all(c, a+b+c >= 0)))}",
			want: `3:7: error: ${lists.range(1000).all(a, lists.range(1000).all(b, lists.rang…}: ` +
				`costs too much: more than 1000000 steps: use fewer or shorter values, or let an action compute the result`,
		},
		"DoublingBomb": {
			reason: "Strings that double end at the cost limit.",
			text:   "${['aaaaaaaaaaaaaaaa']" + repeat(".map(a,a+a)", 30) + "}",
			want: `3:7: error: ${['aaaaaaaaaaaaaaaa'].map(a,a+a).map(a,a+a).map(a,a+a).map(a,…}: ` +
				`costs too much: more than 1000000 steps: use fewer or shorter values, or let an action compute the result`,
		},
		"ListBomb": {
			reason: "Lists that double share their parts, and are measured all the same.",
			text:   "${[[1]]" + repeat(".map(a,a+a)", 40) + "}",
			want: `3:7: error: ${[[1]].map(a,a+a).map(a,a+a).map(a,a+a).map(a,a+a).map(a,a+a)…}: ` +
				`builds a value of more than 1000000 members: use fewer or shorter values, or let an action compute the result`,
		},
		"TreeBomb": {
			reason: "So are trees whose branches are the same.",
			text:   "${[[1]]" + repeat(".map(a,[a,a])", 40) + ".size() == 1}",
			want: `3:7: error: ${[[1]].map(a,[a,a]).map(a,[a,a]).map(a,[a,a]).map(a,[a,a]).ma…}: ` +
				`costs too much: more than 1000000 steps: use fewer or shorter values, or let an action compute the result`,
		},
		"RangeBomb": {
			reason: "lists.range has a limit of its own.",
			text:   "${lists.range(1000000000).size()}",
			want: `3:7: error: ${lists.range(1000000000).size()}: ` +
				`lists.range: size 1000000000 exceeds maximum allowed (100000)`,
		},
		"DistinctBomb": {
			reason: "Comparing all with all is refused before it begins.",
			text:   "${lists.range(100000).distinct()}",
			want:   `3:7: error: ${lists.range(100000).distinct()}: would compare more than 1000000 pairs of members: use fewer or shorter values, or let an action compute the result`,
		},
		"ReplaceBomb": {
			reason: "So is a replacement that makes a huge text.",
			text:   "${'" + repeat("a", 4000) + "'.replace('', '" + repeat("b", 4000) + "')}",
			want: `3:7: error: ${'` + repeat("a", 59) + `…}: ` +
				`would make a text of more than 8388608 bytes: use fewer or shorter values, or let an action compute the result`,
		},
		"JoinBomb": {
			reason: "So is a join.",
			text:   "${lists.range(20000).map(i, '').join('" + repeat("b", 1000) + "')}",
			want: `3:7: error: ${lists.range(20000).map(i, '').join('` + repeat("b", 24) + `…}: ` +
				`would make a text of more than 8388608 bytes: use fewer or shorter values, or let an action compute the result`,
		},
		"ResultBomb": {
			reason: "A result holds a bounded number of values.",
			text:   "${lists.range(100000) + lists.range(100000)}",
			want: `3:7: error: ${lists.range(100000) + lists.range(100000)}: ` +
				`the result holds more than 200000 values: use fewer or shorter values, or let an action compute the result`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			template, ds := newEnv(t).CompileTemplate(str(tc.text), schema.Of(schema.Any))
			if template != nil {
				t.Errorf("%s\nthe template is not nil", tc.reason)
			}
			got := strings.ReplaceAll(ds.Error(), "p.yaml:", "")
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestCodes holds the codes, which are kept stable for machines.
func TestCodes(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		"${":             expr.CodeUnterminated,
		"${}":            expr.CodeEmptyExpression,
		"${nope}":        expr.CodeUnknownReference,
		"${inputs.nope}": expr.CodeUnknownField,
		"${nope()}":      expr.CodeUnknownFunction,
		"${1 + 'a'}":     expr.CodeTypeMismatch,
		"${1 / 0}":       expr.CodeDivisionByZero,
		"${1 +}":         expr.CodeInvalidExpression,
		"${'" + strings.Repeat("a", 20000) + "'}": expr.CodeTooComplex,
	}
	for text, want := range cases {
		_, ds := newEnv(t).CompileTemplate(str(text), schema.Of(schema.Any))
		if len(ds) != 1 || ds[0].Code != want {
			t.Errorf("%.40s: got %v, want the code %s", text, ds, want)
		}
	}
}

// TestColumns checks the positions in strings of other styles.
func TestColumns(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason, yaml, want string
	}{
		"Plain":        {"A plain scalar starts at its first letter.", "a: x${nope}", "p.yaml:1:7"},
		"DoubleQuoted": {"A quote is one column.", `a: "x${nope}"`, "p.yaml:1:8"},
		"SingleQuoted": {"So is the other.", `a: 'x${nope}'`, "p.yaml:1:8"},
		"Block":        {"A block scalar is named by its start.", "a: |\n  text\n  ${nope}\n", "p.yaml:1:4"},
		"Nested":       {"Members of lists have their own positions.", "a:\n  - b\n  - c: ${nope}\n", "p.yaml:3:10"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, ds := newEnv(t).CompileTemplate(doc(t, tc.yaml), schema.Of(schema.Any))
			if len(ds) != 1 || ds[0].Position.String() != tc.want {
				t.Errorf("%s\ngot %v, want the position %s", tc.reason, ds, tc.want)
			}
		})
	}
}
