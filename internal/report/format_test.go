package report

import (
	"math"
	"testing"
	"time"

	"github.com/refitproject/refit/internal/plan"
)

func TestHuman(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		d    time.Duration
		want string
	}{
		"Zero":        {0, "0s"},
		"Millis":      {250 * time.Millisecond, "250ms"},
		"Seconds":     {45 * time.Second, "45s"},
		"RoundsUp":    {59*time.Second + 600*time.Millisecond, "1m"},
		"MinutesLow":  {4*time.Minute + 30*time.Second, "4m30s"},
		"MinutesHigh": {44*time.Minute + 31*time.Second, "45m"},
		"Hours":       {115 * time.Minute, "1h55m"},
		"WholeHours":  {4 * time.Hour, "4h"},
		"Days":        {51 * time.Hour, "2d3h"},
		"WholeDays":   {48 * time.Hour, "2d"},
		"Negative":    {-time.Minute, "-1m0s"},
		"Smallest":    {math.MinInt64, "-2562047h47m16.854775808s"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := human(plan.Duration(tc.d)); got != tc.want {
				t.Errorf("human(%v) = %q, want %q", tc.d, got, tc.want)
			}
		})
	}
}

func TestEstimates(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		e           plan.Estimate
		about, brev string
	}{
		"Known":   {estimate(4, 12), "about 4m, at worst 12m", "4m (12m)"},
		"Exact":   {estimate(4, 4), "about 4m", "4m"},
		"Partial": {plan.Estimate{Typical: minutes(4)}, "at least 4m, because some steps have no estimate", "≥ 4m"},
		"Unknown": {plan.Estimate{}, "not known", "no estimate"},
		"Timeout": {plan.Estimate{Worst: minutes(9)}, "not known, at most 9m by timeouts", "no estimate"},
		"Nothing": {plan.Estimate{Known: true}, "about 0s", "0s"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := about(tc.e); got != tc.about {
				t.Errorf("about(%+v) = %q, want %q", tc.e, got, tc.about)
			}
			if got := brief(tc.e); got != tc.brev {
				t.Errorf("brief(%+v) = %q, want %q", tc.e, got, tc.brev)
			}
		})
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ got, want string }{
		"One":         {count(1, "step"), "1 step"},
		"None":        {count(0, "step"), "0 steps"},
		"Thousands":   {count(1234567, "step"), "1,234,567 steps"},
		"More":        {more(9988, "step"), "… 9,988 more steps, --full shows them"},
		"List":        {list([]string{"a", "b", "c"}, 2), "a, b, c"},
		"LongList":    {list([]string{"a", "b", "c", "d"}, 2), "a, b and 2 more"},
		"Digest":      {shortDigest(digestOf("")), "sha256:e3b0c44298fc"},
		"OddDigest":   {shortDigest("none"), "none"},
		"Value":       {value(map[string]any{"b": "<x>", "a": 1}), `{"a":1,"b":"<x>"}`},
		"Pointer":     {pointerName("/chart/a~1b/0"), "chart.a/b.0"},
		"ShellPlain":  {shellWord("out/plan.json"), "out/plan.json"},
		"ShellQuotes": {shellWord("it's"), `'it'\''s'`},
		"ShellEmpty":  {shellWord(""), "''"},
		"YAMLPlain":   {yamlText("risk/token-loss"), "risk/token-loss"},
		"YAMLQuoted":  {yamlText("a: b"), `"a: b"`},
		"Sanitized":   {sanitize("a\x1b[31mb\nc\u202ed\xff"), "ab cd\uFFFD"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tc.got != tc.want {
				t.Errorf("got %q, want %q", tc.got, tc.want)
			}
		})
	}
}
