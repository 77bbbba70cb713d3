package expr_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/refitproject/refit/internal/expr"
)

func TestPath(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		text string
		want expr.Reference
		err  string
	}{
		"Dots":      {text: "release.chart.version", want: expr.Reference{"release", "chart", "version"}},
		"Index":     {text: `values["hub.db.upgrade"].x`, want: expr.Reference{"values", "hub.db.upgrade", "x"}},
		"IndexOnly": {text: `["a b"]["c\"d"]`, want: expr.Reference{"a b", `c"d`}},
		"Empty":     {text: "", err: "the path is empty"},
		"Dash":      {text: "a.b-c", err: `"b-c" has to be written as ["b-c"]`},
		"TwoDots":   {text: "a..b", err: `"" has to be written as [""]`},
		"Open":      {text: `a["b"`, err: "after [ comes a part in double quotes and ]"},
		"NoQuotes":  {text: `a[0]`, err: "after [ comes a part in double quotes and ]"},
		"NoDot":     {text: `a["b"]c`, err: "parts are separated by dots"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := expr.ParsePath(c.text)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("got error %v, want %s", err, c.err)
				}
				return
			}
			if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
				t.Fatalf("%v -want +got\n%s", err, diff)
			}
			if got.String() != c.text {
				t.Errorf("written as %s", got)
			}
		})
	}
}

func TestPathRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := expr.Reference(rapid.SliceOfN(rapid.String(), 1, 4).Draw(t, "parts"))
		got, err := expr.ParsePath(want.String())
		if err != nil || !cmp.Equal(want, got) {
			t.Fatalf("%s: got %q, %v", want, got, err)
		}
	})
}
