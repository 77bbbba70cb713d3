package plan

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/refitproject/refit/internal/action"
)

// outside lists the fields that stay outside the digests. A field that is in
// neither a digest nor this list fails TestDigestCoversEveryField.
func outside() map[string]bool {
	return map[string]bool{
		"Plan.Channels.On": true, "Plan.Channels.Title": true, "Plan.Channels.Text": true,
		"Plan.Created": true, "Plan.Refit": true, "Plan.PlatformFile": true, "Plan.Facts": true,
		"Plan.Findings.Message": true, "Plan.Findings.Remedy": true, "Plan.Summary": true, "Plan.Procedure.File": true,
		"Stage.Description": true, "Stage.Windows": true, "Stage.Estimate": true,
		"Stage.Coverage.LossWindow": true, "Stage.Gates.Reason": true, "Step.Skip": true, "Step.Irreversibly": true, "Stage.Abort.Description": true,
		"Step.Description": true, "Step.Preview": true, "Step.Estimate": true,
		"Step.Back": true, "Stage.Template": true,
	}
}

// perturb changes every leaf of v in turn, calls check with the path of the
// leaf, and takes the change back.
func perturb(t *testing.T, path string, v reflect.Value, check func(path string)) {
	t.Helper()
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			t.Fatalf("%s is nil: the fixture has to fill every field", path)
		}
		perturb(t, path, v.Elem(), check)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			old := v.Interface()
			v.Set(reflect.ValueOf(time.Unix(99, 0)))
			check(path)
			v.Set(reflect.ValueOf(old))
			return
		}
		for field, value := range v.Fields() {
			perturb(t, path+"."+field.Name, value, check)
		}
	case reflect.Slice:
		if v.Len() == 0 {
			t.Fatalf("%s is empty: the fixture has to fill every field", path)
		}
		perturb(t, path, v.Index(0), check)
	case reflect.Map:
		key, changed := reflect.ValueOf("perturbed"), reflect.ValueOf("x")
		v.SetMapIndex(key, changed)
		check(path)
		v.SetMapIndex(key, reflect.Value{})
	default:
		old := reflect.New(v.Type()).Elem()
		old.Set(v)
		switch v.Kind() {
		case reflect.String:
			v.SetString(v.String() + "x")
		case reflect.Bool:
			v.SetBool(!v.Bool())
		case reflect.Int, reflect.Int64:
			v.SetInt(v.Int() + 1)
		case reflect.Interface:
			v.Set(reflect.ValueOf("perturbed"))
		default:
			t.Fatalf("%s has kind %s, which the test cannot change", path, v.Kind())
		}
		check(path)
		v.Set(old)
	}
}

// fill gives every field of a struct a value, so that each can be perturbed.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for _, value := range v.Fields() {
			fill(value)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("k"), reflect.ValueOf("v"))
	case reflect.String:
		v.SetString("a")
	case reflect.Interface:
		v.Set(reflect.ValueOf("a"))
	default:
	}
}

// full returns a sealed plan with something in every field.
func full(t *testing.T) *Plan {
	t.Helper()
	p := &Plan{}
	fill(reflect.ValueOf(p).Elem())
	p.APIVersion, p.Kind = APIVersion, Kind
	p.Findings[0] = Finding{Name: "risk/x", Stage: "a", Outcome: Fail, Accepted: &Accepted{By: "me", Reason: "r", Expires: "2030-01-01"}}
	if err := seal(p); err != nil {
		t.Fatal(err)
	}
	return p
}

// short names a field by the struct that holds it.
func short(path string) string {
	for _, cut := range []string{".Stages.Abort.Steps.", ".Stages.Steps."} {
		if _, rest, ok := strings.Cut(path, cut); ok {
			return "Step." + rest
		}
	}
	if _, rest, ok := strings.Cut(path, ".Stages."); ok && !strings.HasPrefix(path, "Plan.Summary") {
		return "Stage." + rest
	}
	return path
}

// isOutside tells whether a field, or one that holds it, is outside.
func isOutside(path string) bool {
	for ; path != ""; path = path[:max(0, strings.LastIndexByte(path, '.'))] {
		if outside()[path] {
			return true
		}
	}
	return false
}

func TestDigestCoversEveryField(t *testing.T) {
	t.Parallel()
	p := full(t)
	perturb(t, "Plan", reflect.ValueOf(p).Elem(), func(path string) {
		err := verifyDigests(p)
		name := short(path)
		var tampered *TamperedError
		switch {
		case isOutside(name) && err != nil:
			t.Errorf("%s stays outside the digest, but its change is refused: %v", name, err)
		case !isOutside(name) && !errors.As(err, &tampered):
			t.Errorf("%s decides what is done, but its change goes unnoticed: %v", name, err)
		}
	})
	if err := verifyDigests(p); err != nil {
		t.Fatalf("the test has to take its changes back: %v", err)
	}
}

func TestDigestNamesTheStage(t *testing.T) {
	t.Parallel()
	p := full(t)
	p.Stages[0].Steps[0].Action = "exec.command@2"
	var tampered *TamperedError
	if err := verifyDigests(p); !errors.As(err, &tampered) || tampered.Part != "a" {
		t.Errorf("got %v, want the stage named", err)
	}
}

func TestDigestHoldsJudgedFindings(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(p *Plan){
		"StageFinding":   func(p *Plan) { p.Findings[0].Accepted = nil },
		"DeletedFinding": func(p *Plan) { p.Findings = nil },
		"PlanFinding": func(p *Plan) {
			p.Findings = append(p.Findings, Finding{Name: "y", Outcome: Fail, Accepted: &Accepted{By: "me"}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := full(t)
			change(p)
			var tampered *TamperedError
			if err := verifyDigests(p); !errors.As(err, &tampered) {
				t.Errorf("what blocks and what a person accepted is part of what is approved: got %v", err)
			}
		})
	}
}

func TestDigestIsCanonical(t *testing.T) {
	t.Parallel()
	a, err := digestOf(map[string]any{"b": int64(1), "a": []any{1.0, "é<"}})
	if err != nil {
		t.Fatal(err)
	}
	var same any
	if err := json.Unmarshal([]byte(`{ "a": [1, "\u00e9\u003c"], "b": 1.0 }`), &same); err != nil {
		t.Fatal(err)
	}
	b, err := digestOf(same)
	if err != nil {
		t.Fatal(err)
	}
	if a != b {
		t.Errorf("equal JSON has equal digests: %s and %s", a, b)
	}
	// The digest of {"a":[1,"é<"],"b":1}, computed with sha256sum.
	const want = "sha256:7a108617e95680814c33e1240ecd2d2fd55e6b7686b80594c86322fa0f5be236"
	if a != want {
		t.Errorf("got %s, want %s", a, want)
	}
}

func TestWriteThenRead(t *testing.T) {
	t.Parallel()
	p := full(t)
	p.Inputs = map[string]any{"n": int64(3), "f": 1.5, "deep": []any{map[string]any{"n": int64(-7)}}}
	p.Stages[0].Steps[0].With = map[string]any{"html": "<a> & \u2028", "n": int64(1 << 52)}
	p.Stages = append(p.Stages, Stage{ID: "b", OnFailure: "halt"})
	p.Stages[0].Steps = append(p.Stages[0].Steps, Step{ID: "two", Preview: &action.Preview{Summary: "s"}})
	if err := seal(p); err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := Write(&text, p); err != nil {
		t.Fatal(err)
	}
	got, err := Read(bytes.NewReader(text.Bytes()))
	if err != nil {
		t.Fatalf("read what was written: %v\n%s", err, text.String())
	}
	got.Created = p.Created
	if !reflect.DeepEqual(p, got) {
		t.Errorf("a plan that was read is not the one that was written:\n%s", text.String())
	}
	var again bytes.Buffer
	if err := Write(&again, got); err != nil {
		t.Fatal(err)
	}
	if text.String() != again.String() {
		t.Error("writing what was read gives another file")
	}
	if n := strings.Count(text.String(), "\n        {\"id\":"); n != 2 {
		t.Errorf("one line per step: got %d lines of 2\n%s", n, text.String())
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	var good bytes.Buffer
	if err := Write(&good, full(t)); err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		reason string
		text   string
		says   string
	}{
		"Empty":         {"an empty file", "", "is not a plan file: it is cut off or empty"},
		"Truncated":     {"half a file", good.String()[:good.Len()/2], "is not a plan file: it is cut off or empty"},
		"NotJSON":       {"YAML instead of JSON", "apiVersion: x", "is not a plan file: broken JSON at byte 1"},
		"Unknown":       {"a field that is not known", `{"kind":"Plan","stagez":[]}`, `is not a plan file: unknown field "stagez"`},
		"WrongType":     {"a field of another type", `{"kind":7}`, "is not a plan file: kind cannot be a number"},
		"OtherKind":     {"another document", `{"kind":"Procedure"}`, `is not a plan file: its kind is "Procedure"`},
		"OtherAPI":      {"another language", `{"kind":"Plan","apiVersion":"refit.dev/v9"}`, `plan is written for "refit.dev/v9", this program reads "refit.dev/v1alpha1"`},
		"Trailing":      {"two files in one", good.String() + "{}", "is not a plan file: there is more after its end"},
		"EditedStep":    {"a step edited by hand", strings.Replace(good.String(), `"phase":"a"`, `"phase":"b"`, 1), `stage "a" was changed after the plan was made`},
		"EditedPreview": {"what only people read", strings.Replace(good.String(), `"summary":"a"`, `"summary":"b"`, 1), "the plan was changed after the plan was made"},
		"Reformatted":   {"other white space", strings.Replace(good.String(), "\n", "\n ", 1), "the plan was changed after the plan was made"},
		"NoChecksum":    {"the last line taken away", withoutChecksum(good.String()), "the plan was changed after the plan was made"},
		"EditedRoot":    {"a target edited by hand", strings.Replace(good.String(), `"from": "a"`, `"from": "b"`, 1), "the plan was changed after the plan was made"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Read(strings.NewReader(c.text))
			if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: got %v, want one line with %q", c.reason, err, c.says)
			}
		})
	}
}

// withoutChecksum takes the checksum out of a plan file.
func withoutChecksum(text string) string {
	return text[:strings.LastIndex(text, checksumKey)] + "\n}\n"
}

func TestSkipAndReasonCount(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(s *Stage){
		"Skip":   func(s *Stage) { s.Steps[0].Skip = "" },
		"Reason": func(s *Stage) { s.Gates[0].Requirement = nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := full(t)
			change(&p.Stages[0])
			if verifyDigests(p) == nil {
				t.Error("only the words are outside the digest, not the matter")
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	p := &Plan{}
	fill(reflect.ValueOf(p).Elem())
	p.APIVersion, p.Kind = APIVersion, Kind
	if err := seal(p); err != nil {
		f.Fatal(err)
	}
	var good bytes.Buffer
	if err := Write(&good, p); err != nil {
		f.Fatal(err)
	}
	f.Add(good.Bytes())
	f.Add([]byte(`{"kind":"Plan","apiVersion":"refit.dev/v1alpha1","stages":[{"id":"a","steps":[{"with":{"n":1e999}}]}]}`))
	f.Add([]byte(`{"kind":"Plan","digest":"sha256:00","inputs":{"a":[[[[[[]]]]]]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Read(bytes.NewReader(data))
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r") {
				t.Errorf("more than one line: %q", err)
			}
			return
		}
		// What is accepted survives another round.
		var text bytes.Buffer
		if err := Write(&text, p); err != nil {
			t.Fatalf("write an accepted plan: %v", err)
		}
		if _, err := Read(&text); err != nil {
			t.Fatalf("read an accepted plan again: %v", err)
		}
	})
}
