package platform_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/refitproject/refit/internal/platform"
	"github.com/refitproject/refit/internal/schema"
)

// TestRender writes a file with everything in it, and one with as little as can
// be.
func TestRender(t *testing.T) {
	t.Parallel()
	full := &platform.Draft{
		Name: "hub-prod", Description: "The hub: of the physics department.", Procedure: "./procedure.yaml",
		Targets: []platform.DraftTarget{{
			Name: "app", Kind: "directory", Doc: "Folder of the hub.",
			Config: []platform.DraftValue{{Name: "path", Doc: "Where it is.", Value: "./app"}},
		}},
		Inputs: []platform.DraftValue{
			{Name: "url", Doc: "Address of the hub.", Value: "https://hub.example.org"},
			{Name: "workers", Doc: "How many. Default: 4.", Example: int64(4)},
			{Name: "token", Value: map[string]any{"env": "HUB_TOKEN"}},
			{Name: "version", Value: "1.10"},
			{Name: "database", Members: []platform.DraftValue{{Name: "kind", Value: "sqlite"}, {Name: "size"}}},
		},
		Store: "s3://backups/hub",
		Windows: []map[string]any{
			{"days": []any{"Sat", "Sun"}, "start": "22:00", "duration": "4h", "zone": "Europe/Paris"},
			{"date": "2026-12-27", "start": "08:00", "duration": "12h", "zone": "UTC", "onClose": "finish"},
		},
	}
	got, err := platform.Render(full)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"  name: hub-prod", `  description: 'The hub: of the physics department.'`, "  # Folder of the hub.", "    path: ./app",
		"  # workers: 4", "  token: {env: HUB_TOKEN}", `  version: "1.10"`, "    kind: sqlite", "    # size:",
		"  store: s3://backups/hub", `  - {days: [Sat, Sun], start: "22:00", duration: 4h, zone: Europe/Paris}`,
		`  - {date: "2026-12-27", start: "08:00", duration: 12h, zone: UTC, onClose: finish}`,
	}
	for _, line := range want {
		if !strings.Contains(string(got.Text), "\n"+line+"\n") {
			t.Errorf("the line %q is missing in\n%s", line, got.Text)
		}
	}
	p, ds := platform.Load("p.yaml", got.Text)
	if len(ds) > 0 {
		t.Fatalf("got %v for\n%s", ds, got.Text)
	}
	if len(p.Windows) != 2 || p.Inputs.Get("workers") != nil {
		t.Errorf("read %v and %v", p.Windows, p.Inputs.Plain())
	}
	for i, line := range strings.Split(string(got.Text), "\n") {
		if len([]rune(line)) > 90 && strings.HasPrefix(strings.TrimSpace(line), "#") {
			t.Errorf("line %d is too long: %s", i+1, line)
		}
		key := got.At(i+1, 90)
		if strings.HasPrefix(line, "  url:") != (key == "inputs.url") || strings.HasPrefix(line, "    kind: sqlite") != (key == "inputs.database.kind") {
			t.Errorf("line %d, %q, is %q", i+1, line, key)
		}
	}
	small, err := platform.Render(&platform.Draft{Name: "a", Procedure: "hub", Inputs: []platform.DraftValue{{Name: "x"}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, ds := platform.Load("p.yaml", small.Text); len(ds) > 0 {
		t.Errorf("got %v for\n%s", ds, small.Text)
	}
}

// TestRenderReads writes any values and reads the same ones, each from the line on
// which it is said to stand.
func TestRenderReads(t *testing.T) {
	t.Parallel()
	value := rapid.OneOf(
		rapid.StringMatching(`[ -~äß\n\t#:,\[\]{}"'&*!|>%@-]{0,40}`).AsAny(), rapid.SampledFrom([]string{
			"yes", "no", "null", "~", "1.10", "0x1f", "22:00", "2026-11-28", "1e3", "", " ", "- a", "a: b", "{x}", "<<", "=", "\u2028",
		}).AsAny(), rapid.Int64().AsAny(), rapid.Bool().AsAny(), rapid.Map(rapid.IntRange(-1e6, 1e6), func(i int) float64 { return float64(i) + 0.25 }).AsAny(),
	)
	rapid.Check(t, func(t *rapid.T) {
		d := &platform.Draft{Name: "a", Procedure: "p"}
		want := map[string]any{}
		for i := range rapid.IntRange(1, 5).Draw(t, "inputs") {
			name := fmt.Sprintf("in%d", i)
			var v any
			switch rapid.IntRange(0, 2).Draw(t, "form") {
			case 0:
				v = value.Draw(t, "value")
			case 1:
				v = rapid.SliceOfN(value, 0, 3).Draw(t, "list")
			default:
				v = rapid.MapOfN(rapid.StringMatching(`[a-z: #]{1,8}`), value, 1, 3).Draw(t, "map")
			}
			d.Inputs = append(d.Inputs, platform.DraftValue{Name: name, Doc: rapid.StringMatching(`[ -~\n]{0,200}`).Draw(t, "doc"), Value: v})
			want[name] = v
		}
		got, err := platform.Render(d)
		if err != nil {
			t.Fatal(err)
		}
		p, ds := platform.Load("p.yaml", got.Text)
		if ds.HasErrors() {
			t.Fatalf("%v\n%s", ds, got.Text)
		}
		if diff := cmp.Diff(want, p.Inputs.Plain()); diff != "" {
			t.Fatalf("(-want +read):\n%s\n%s", diff, got.Text)
		}
		for _, in := range p.Inputs.Pairs {
			if at := got.At(in.Value.Pos.Line, in.Value.Pos.Column); at != "inputs."+in.Key {
				t.Fatalf("%s stands where %q is said to be\n%s", in.Key, at, got.Text)
			}
		}
	})
}

func TestCheckTargets(t *testing.T) {
	t.Parallel()
	config := func(kind string) (schema.Type, bool) {
		return schema.ObjectOf(map[string]schema.Field{
			"path": {Type: schema.Of(schema.String), Required: true, Doc: "Folder of it."},
		}), kind == "directory"
	}
	for name, tc := range map[string]struct {
		reason, targets string
		want            []string
	}{
		"Good":    {"What every kind may have is no mistake.", "{a: {kind: directory, path: x, identity: y, description: z}}", nil},
		"Unasked": {"A kind that does not say what it needs is not judged.", "{a: {kind: git, pth: x}}", nil},
		"Typo": {
			"The key is named in its place.", "{a: {kind: directory, path: x, pth: y}}",
			[]string{`InvalidTarget 5:41: error: target "a" of kind directory.pth: unknown field "pth": did you mean "path"?`},
		},
		"Missing": {
			"What is needed is named.", "{a: {kind: directory}}",
			[]string{`InvalidTarget 5:14: error: target "a" of kind directory: field "path" is missing`},
		},
		"Type": {
			"A wrong type is told in its place.", "{a: {kind: directory, path: 3}}",
			[]string{`InvalidTarget 5:38: error: target "a" of kind directory.path: must be a string, is a whole number`},
		},
		"Empty": {
			"An empty text is no place.", "{a: {kind: directory, path: ''}}",
			[]string{`EmptyValue 5:38: error: path of target "a" is empty: Folder of it`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, ds := platform.Load("p.yaml", []byte(head+"targets: "+tc.targets+"\n"))
			if len(ds) > 0 {
				t.Fatal(ds)
			}
			var got []string
			for _, d := range p.CheckTargets(config) {
				got = append(got, fmt.Sprintf("%s %s", d.Code, strings.TrimPrefix(d.String(), "p.yaml:")))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}
