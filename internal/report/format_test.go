package report

import (
	"io"
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
		"Tenths":  {millis(911, 2733), "about 0.9s, at worst 3s", "0.9s (3s)"},
		"Same":    {millis(911, 940), "about 0.9s", "0.9s"},
		"Tiny":    {millis(2, 6), "about 0.1s", "0.1s"},
		"Second":  {millis(970, 2900), "about 1s, at worst 3s", "1s (3s)"},
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

func millis(typical, worst int) plan.Estimate {
	return plan.Estimate{
		Typical: plan.Duration(time.Duration(typical) * time.Millisecond), Known: true,
		Worst: plan.Duration(time.Duration(worst) * time.Millisecond),
	}
}

// TestTakes says in whole sentences how long a plan takes.
func TestTakes(t *testing.T) {
	t.Parallel()
	for want, e := range map[string]plan.Estimate{
		"It takes about 4m, at worst 12m.":                           estimate(4, 12),
		"It takes at least 4m, because some steps have no estimate.": {Typical: minutes(4)},
		"How long it takes is not known; at most 20m by timeouts.":   {Worst: minutes(20)},
		"How long it takes is not known.":                            {},
		"It takes about 4m, at worst 12m, from 1 earlier run.":       {Typical: minutes(4), Worst: minutes(12), Known: true, Source: plan.SourceRuns, Runs: 1},
	} {
		if got := takes(e); got != want {
			t.Errorf("takes(%+v) = %q, want %q", e, got, want)
		}
	}
}

// TestLayoutKeepsColumns wraps a line without closing the gaps between its columns.
func TestLayoutKeepsColumns(t *testing.T) {
	t.Parallel()
	text := render(t, func(w io.Writer) error {
		p := newPage(w, TextOptions{Width: 40})
		p.para(0, 2, in(Muted, "11:41:55 UTC  "), in(Strong, "one/copy"), plain("  "), plain("looked: it has not begun yet"))
		return p.close()
	})
	if want := "11:41:55 UTC  one/copy  looked: it has\n  not begun yet\n"; text != want {
		t.Errorf("got %q, want %q", text, want)
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
