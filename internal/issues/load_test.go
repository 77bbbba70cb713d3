package issues_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/issues"
	"github.com/refitproject/refit/internal/yamldoc"
)

// head begins every file of these tests, good ends every issue that has nothing
// wrong but what the test is about.
const (
	head = "apiVersion: refit.dev/v1alpha1\nkind: Issues\nissues:\n"
	good = "    explanation: E.\n    source: {note: N}\n"
	both = "    failing: [{message: the disk is full}]\n    passing: [{message: the disk is slow}]\n"
)

func TestTags(t *testing.T) {
	t.Parallel()
	if err := yamldoc.CheckTags(reflect.TypeFor[issues.Document]()); err != nil {
		t.Error(err)
	}
}

// catalogues returns the known issues of the five systems.
func catalogues(tb testing.TB) map[string]*issues.Set {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "*.yaml"))
	if err != nil || len(files) != 5 {
		tb.Fatalf("found %d files, %v", len(files), err)
	}
	out := map[string]*issues.Set{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		set, ds := issues.Load(file, data)
		if ds != nil {
			tb.Fatal(ds)
		}
		out[strings.TrimSuffix(filepath.Base(file), ".yaml")] = set
	}
	return out
}

// TestCatalogues loads the known issues of the five systems, whose fixtures are
// texts that these systems really print.
func TestCatalogues(t *testing.T) {
	t.Parallel()
	n := 0
	for name, set := range catalogues(t) {
		n += len(set.List())
		again, err := issues.Build(set.List())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(set.List(), again.List()); diff != "" {
			t.Errorf("%s: what a plan holds (-file +plan):\n%s", name, diff)
		}
	}
	if n < 25 {
		t.Errorf("there are %d known issues", n)
	}
}

func TestLoadMistakes(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason, text string
		want         []string
	}{
		"Good": {
			reason: "Everything that the language has, used well.",
			text: head + `  disk-full:
    match: {text: the disk is full, pattern: 'disk.*full', state: '${observe.disk.free == 0}', reasons: [CommandFailed]}
    in: {actions: [exec.command], phases: [upgrade, verify]}
    explanation: The disk is full.
    benign: '${inputs.small}'
    remedy:
      suggest: Make room.
      step: {action: exec.command, with: {command: [clean]}, max: 2, timeout: 1m, changes: [data], downtime: [data], reversible: undo}
    source: {url: "https://example.org/1", note: A note.}
    failing:
      - {message: the disk is full, observe: {disk: {free: 0}}, inputs: {small: true}, benign: true}
      - {message: the disk is full, reason: CommandFailed, action: exec.command, phase: verify, observe: {disk: {free: 0}}}
    passing:
      - {message: the disk is full, observe: {disk: {free: 1}}}
      - {message: the disk is full, reason: Timeout, observe: {disk: {free: 0}}}
      - {message: the disk is full, action: exec.shell, observe: {disk: {free: 0}}}
      - {message: the disk is full, phase: backup, observe: {disk: {free: 0}}}
`,
		},
		"Kind": {
			reason: "A document of another kind is named as what it is.",
			text:   "kind: Versions\n",
			want:   []string{`WrongKind 1:7: error: "i.yaml" is a Versions, not a list of known issues: name a file with kind: Issues`},
		},
		"List": {
			reason: "A list is no document.",
			text:   "- a\n",
			want:   []string{`WrongKind 1:1: error: "i.yaml" holds a list, not known issues: begin with apiVersion: refit.dev/v1alpha1 and kind: Issues`},
		},
		"Version": {
			reason: "Another language is not guessed at.",
			text:   "apiVersion: refit.dev/v2\nkind: Issues\nissues: {}\n",
			want:   []string{`UnsupportedAPIVersion 1:13: error: apiVersion "refit.dev/v2" is not known: write apiVersion: refit.dev/v1alpha1`},
		},
		"Unknown": {
			reason: "An unknown key is no fixture that counts.",
			text:   head + "  disk-full:\n    match: {txt: the disk is full}\n" + good + both,
			want:   []string{`UnknownKey 5:13: error: unknown key "txt": did you mean "text"?`},
		},
		"Twice": {
			reason: "An id is used once.",
			text:   head + "  a: {}\n  a: {}\n",
			want:   []string{`DuplicateKey 5:3: error: the key "a" is already on line 4: remove one of them`},
		},
		"Nothing": {
			reason: "An issue that fits everything is none.",
			text:   head + "  Disk full:\n    match: {}\n" + good + both,
			want: []string{
				`BadName 4:3: error: issue "Disk full" has an id that is not permitted: use lower case letters, digits and dashes, beginning with a letter, at most 63`,
				`NothingToMatch 5:12: error: issue "Disk full" says nothing that it is recognised by: write text, pattern, state or reasons`,
			},
		},
		"Short": {
			reason: "A short text fits too much.",
			text:   head + "  disk-full:\n    match: {text: \" full \\n \"}\n" + good + both,
			want: []string{
				`TextTooShort 5:19: error: the text " full \n " would be found in too many failures: copy more of the line, at least 8 characters`,
			},
		},
		"Pattern": {
			reason: "A pattern is RE2, and costs little.",
			text: head + "  a:\n    match: {pattern: '(?=disk)full'}\n" + good + both +
				"  b:\n    match: {pattern: '(?i)full|.*'}\n" + good + both +
				"  c:\n    match: {pattern: 'full(((x{100}){100}){100})'}\n" + good + both +
				"  d:\n    match: {pattern: 'full(abcde){300}'}\n" + good + both,
			want: []string{
				`BadPattern 5:22: error: the pattern is no regular expression (RE2): invalid or unsupported Perl syntax: "(?=": write a shorter one that holds a part of the message as it is printed`,
				`BadPattern 11:22: error: the pattern holds no literal text of 4 bytes or more outside of (?i), | and ?: write a shorter one that holds a part of the message as it is printed`,
				`BadPattern 17:22: error: the pattern is no regular expression (RE2): invalid repeat count: "{100}": write a shorter one that holds a part of the message as it is printed`,
				`BadPattern 23:22: error: the pattern repeats too much: it takes 2106 instructions, at most 1000 are permitted: write a shorter one that holds a part of the message as it is printed`,
			},
		},
		"Conditions": {
			reason: "Conditions are checked as far as one can know.",
			text: head + "  a:\n    match: {state: '${observ.disk}'}\n    benign: '${failure.reson == \"x\"}'\n" + good + both +
				"  b:\n    match: {state: '${1 + 1}'}\n" + good + both,
			want: []string{
				`UnknownReference 5:23: error: there is no variable "observ": did you mean "observe"?`,
				`UnknownField 6:24: error: failure has no member "reson": did you mean "reason"?`,
				`TypeMismatch 12:21: error: ${1 + 1} is an int, needs a bool`,
			},
		},
		"Words": {
			reason: "What people read says something, and where it comes from.",
			text: head + "  a:\n    match: {text: the disk is full}\n    explanation: \" \"\n    remedy: {}\n    source: {url: example.org}\n" + both +
				"  b:\n    match: {text: the disk is full}\n    explanation: " + strings.Repeat("x", 1501) + "\n    remedy: {suggest: \"\"}\n    source: {}\n" + both +
				"  c:\n    match: {text: the disk is full}\n    remedy: {step: {action: exec.command, max: 11}}\n" + good + both,
			want: []string{
				`EmptyValue 6:18: error: explanation is empty: people read it when the step has failed: write it out`,
				`EmptyValue 7:13: error: the remedy of issue "a" says nothing: write suggest, or step, or remove remedy`,
				`BadURL 8:19: error: "example.org" is no address of the web: write https://…, or say it in note`,
				`TooLong 13:18: error: explanation has 1501 bytes, at most 1500 can be shown with a failure: keep what helps at once, and name the rest in source`,
				`EmptyValue 14:23: error: suggest is empty: people read it when the step has failed: write it out`,
				`NoSource 15:13: error: the source says nothing: write url or note: whoever doubts the issue looks there`,
				`OutOfRange 20:20: error: max 11 of the remedy of issue "c" is not permitted: use 1 to 10`,
			},
		},
		"Fixtures": {
			reason: "An issue that does not recognise its own failure is a mistake.",
			text: head + "  a:\n    match: {text: the disk is full}\n" + good + "    failing: []\n    passing: []\n" +
				"  b:\n    match: {text: the disk is full}\n" + good + "    failing: [{message: the disk is slow}]\n    passing: [{log: \"the disk\\nis \\x1b[1mfull\\x1b[0m\"}]\n" +
				"  c:\n    match: {text: the disk is full}\n    benign: true\n" + good + both +
				"  d:\n    match: {text: the disk is full}\n    benign: '${inputs.small}'\n" + good + both +
				"  e:\n    match: {text: the disk is full}\n" + good +
				"    failing: [{message: the disk is full, benign: true}]\n    passing: [{message: the disk is slow, benign: true}]\n",
			want: []string{
				`FixtureMissing 4:3: error: issue "a" has 0 failing and 0 passing fixtures: write at least one of each: a failure that it is, and one that it is not`,
				`FixtureMissed 14:15: error: the failing fixture of issue "b" is not recognised: mend match or in, or the fixture`,
				`FixtureMatched 15:15: error: the passing fixture of issue "b" is recognised as the issue: recognise it by more, or move the fixture to failing`,
				`FixtureMissed 21:15: error: the failing fixture of issue "c" is taken for benign: mend the condition, or write benign: true`,
				`FixtureMissing 25:13: error: the condition benign of issue "d" is not shown to be true and to be false: write one failing fixture with benign: true and one without`,
				`FixtureMissed 34:15: error: the failing fixture of issue "e" is not taken for benign: mend the condition; a text that stands in the log only is never enough`,
				`FixtureMatched 35:15: error: a passing fixture of issue "e" is called benign: remove benign, or move the fixture to failing`,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set, ds := issues.Load("i.yaml", []byte(tc.text))
			if diff := cmp.Diff(tc.want, render(ds)); diff != "" {
				t.Errorf("%s\ndiagnostics (-want +got):\n%s", tc.reason, diff)
			}
			if (set == nil) != ds.HasErrors() {
				t.Error("there is neither a set nor an error")
			}
		})
	}
}

// render gives the code and the line of each diagnostic, without the file.
func render(ds diag.Diagnostics) []string {
	var out []string
	for _, d := range ds {
		out = append(out, d.Code+" "+strings.TrimPrefix(d.String(), "i.yaml:"))
	}
	return out
}

func TestTooMany(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(head)
	for i := range 501 {
		b.WriteString("  a" + strings.Repeat("b", i%60) + string(rune('a'+i/60)) + ":\n    match: {text: the disk is full}\n" + good + both)
	}
	_, ds := issues.Load("i.yaml", []byte(b.String()))
	if len(ds) != 1 || ds[0].Code != issues.CodeTooMany {
		t.Errorf("%d diagnostics, the first: %v", len(ds), ds[:min(len(ds), 1)])
	}
}
