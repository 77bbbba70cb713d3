package kube

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"pgregory.net/rapid"

	"github.com/refitproject/refit/internal/action"
)

// plainOf reads JSON as plain values.
func plainOf(t *testing.T, text string) map[string]any {
	t.Helper()
	v, err := action.ParseJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return v.(map[string]any)
}

func TestDifferences(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason, before, after string
		want                  []string // paths
	}{
		"Same":     {"Numbers are the same whatever their type.", `{"a":1,"b":[1,{"c":2.0}]}`, `{"a":1.0,"b":[1,{"c":2}]}`, nil},
		"Leaf":     {"Only what differs.", `{"spec":{"replicas":1,"paused":true}}`, `{"spec":{"replicas":2,"paused":true}}`, []string{"spec.replicas"}},
		"New":      {"A new map is one field: what is taken back leaves no empty map.", `{"spec":{}}`, `{"spec":{"strategy":{"type":"Recreate"}}}`, []string{"spec.strategy"}},
		"Gone":     {"What goes away is a field too.", `{"data":{"a":"1","b":"2"}}`, `{"data":{"a":"1"}}`, []string{"data.b"}},
		"Null":     {"No value differs from none.", `{"a":null}`, `{}`, []string{"a"}},
		"Named":    {"Members of lists are found by their names.", `{"c":[{"name":"hub","image":"1"},{"name":"sync","image":"1"}]}`, `{"c":[{"name":"hub","image":"2"},{"name":"sync","image":"1"}]}`, []string{"c[hub].image"}},
		"Order":    {"Another order is another list.", `{"c":[{"name":"a"},{"name":"b"}]}`, `{"c":[{"name":"b"},{"name":"a"}]}`, []string{"c"}},
		"Member":   {"A member more is another list.", `{"c":[{"name":"a"}]}`, `{"c":[{"name":"a"},{"name":"b"}]}`, []string{"c"}},
		"Nameless": {"A list without names is one value.", `{"args":["a","b"]}`, `{"args":["a","c"]}`, []string{"args"}},
		"Twice":    {"Names that are there twice name nothing.", `{"c":[{"name":"a","p":1},{"name":"a","p":2}]}`, `{"c":[{"name":"a","p":1},{"name":"a","p":3}]}`, []string{"c"}},
		"Type":     {"A value instead of a map.", `{"a":{"b":1}}`, `{"a":"b"}`, []string{"a"}},
		"Dots":     {"A key with a dot is quoted.", `{"metadata":{"labels":{"app.io/x":"1"}}}`, `{"metadata":{"labels":{"app.io/x":"2"}}}`, []string{`metadata.labels["app.io/x"]`}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before, after := plainOf(t, tc.before), plainOf(t, tc.after)
			var got []string
			changes := differences(before, after)
			for _, c := range changes {
				got = append(got, c.path.String())
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
			if _, err := takeBack(after, changes); err != nil || !action.Equal(before, after) {
				t.Errorf("taken back it is %v, %v", after, err)
			}
		})
	}
}

func TestTakeBack(t *testing.T) {
	t.Parallel()
	const before, after = `{"r":1,"l":{"a":"1"},"c":[{"name":"hub","image":"1"}]}`, `{"r":2,"l":{"a":"1","b":"2"},"c":[{"name":"hub","image":"2"}]}`
	cases := map[string]struct {
		reason, now string
		count       int
		want        string // what it is then, or the error
	}{
		"Ours":    {"All is as the step left it.", after, 3, before},
		"Before":  {"All is as it was.", before, 0, before},
		"Half":    {"Half of it was taken back before.", `{"r":1,"l":{"a":"1","b":"2"},"c":[{"name":"hub","image":"1"}]}`, 1, before},
		"Beside":  {"What others set beside it stays.", `{"r":2,"l":{"a":"9","b":"2","z":"3"},"c":[{"name":"x"},{"name":"hub","image":"2","tty":true}]}`, 3, `{"r":1,"l":{"a":"9","z":"3"},"c":[{"name":"x"},{"name":"hub","image":"1","tty":true}]}`},
		"Foreign": {"A field was set by somebody else.", `{"r":3,"l":{"a":"1","b":"2"},"c":[{"name":"hub","image":"2"}]}`, 0, "r was changed by somebody else"},
		"Removed": {"The member is gone.", `{"r":2,"l":{"a":"1","b":"2"},"c":[]}`, 0, "c[hub].image was changed by somebody else"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			changes := differences(plainOf(t, before), plainOf(t, after))
			// As they come out of a history.
			text, err := json.Marshal(plainChanges(changes))
			if err != nil {
				t.Fatal(err)
			}
			recorded, err := action.ParseJSON(text)
			if err != nil {
				t.Fatal(err)
			}
			read, err := changesOf(recorded)
			if err != nil || !sameChanges(changes, read) {
				t.Fatalf("%v are read back as %v, %v", changes, read, err)
			}
			now := plainOf(t, tc.now)
			count, err := takeBack(now, read)
			if err != nil {
				if err.Error() != tc.want {
					t.Errorf("%s got %v", tc.reason, err)
				}
				return
			}
			if count != tc.count || !action.Equal(now, plainOf(t, tc.want)) {
				t.Errorf("%s got %d, %v", tc.reason, count, now)
			}
		})
	}
}

func TestChangesOfRefusesWhatItDidNotWrite(t *testing.T) {
	t.Parallel()
	for name, recorded := range map[string]any{
		"NoList":   "x",
		"NoPath":   []any{map[string]any{"before": int64(1)}},
		"OddPath":  []any{map[string]any{"path": []any{int64(3)}}},
		"NoChange": []any{"x"},
	} {
		if got, err := changesOf(recorded); err == nil {
			t.Errorf("%s: read as %v", name, got)
		}
	}
	if got, err := changesOf(nil); err != nil || got != nil {
		t.Errorf("nothing is no change: %v, %v", got, err)
	}
}

// TestDifferencesLeadBack takes random changes back.
func TestDifferencesLeadBack(t *testing.T) {
	t.Parallel()
	leaf := rapid.OneOf(rapid.Map(rapid.IntRange(0, 3), func(i int) any { return int64(i) }), rapid.Just(any("x")), rapid.Just(any(nil)))
	var value func(depth int) *rapid.Generator[any]
	object := func(depth int) *rapid.Generator[map[string]any] {
		return rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "name"}), value(depth-1), 0, 3)
	}
	value = func(depth int) *rapid.Generator[any] {
		if depth <= 0 {
			return leaf
		}
		return rapid.OneOf(leaf, rapid.Map(object(depth), func(m map[string]any) any { return m }),
			rapid.Map(rapid.SliceOfN(object(depth), 0, 3), func(l []map[string]any) any {
				out := make([]any, len(l))
				for i := range l {
					out[i] = l[i]
				}
				return out
			}))
	}
	rapid.Check(t, func(t *rapid.T) {
		before, after := object(3).Draw(t, "before"), object(3).Draw(t, "after")
		changes := differences(before, after)
		if len(changes) == 0 != action.Equal(before, after) {
			t.Fatalf("%v are the changes from %v to %v", changes, before, after)
		}
		now := normal(after)
		if _, err := takeBack(now, changes); err != nil || !action.Equal(before, now) {
			t.Fatalf("from %v back to %v it is %v, %v", after, before, now, err)
		}
	})
}

func TestContent(t *testing.T) {
	t.Parallel()
	o := &unstructured.Unstructured{Object: plainOf(t, `{"kind":"ConfigMap","metadata":{"name":"a","uid":"u","resourceVersion":"1","generation":2,
		"creationTimestamp":"x","managedFields":[],"annotations":{"refit.dev/step":"k"}},"data":{"a":"1"},"status":{"x":1}}`)}
	want := plainOf(t, `{"kind":"ConfigMap","metadata":{"name":"a"},"data":{"a":"1"}}`)
	if diff := cmp.Diff(want, content(o)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if o.GetUID() != "u" {
		t.Error("the object itself was changed")
	}
}

func TestCheckBefore(t *testing.T) {
	t.Parallel()
	if err := checkBefore(map[string]any{"x": strings.Repeat("a", 1000)}, "r"); err != nil {
		t.Error(err)
	}
	err := checkBefore(map[string]any{"x": strings.Repeat("a", maxBefore)}, "apply less")
	if action.ReasonOf(err) != reasonBeforeTooLarge || !strings.Contains(err.Error(), "apply less") {
		t.Errorf("got %v", err)
	}
}
