package exec

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/action"
)

func TestProgressIn(t *testing.T) {
	t.Parallel()
	const rows = `(?P<done>[\d,]+) of (?P<total>[\d,]+) (?P<unit>\w+)`
	cases := map[string]struct {
		reason, pattern, line string
		want                  action.Progress
		none                  bool
	}{
		"Rows": {
			reason: "Numbers may have separators, and stand anywhere in the line.", pattern: rows,
			line: "migrating: 1,200 of 4,800 rows", want: action.Progress{Done: 1200, Total: 4800, Unit: "rows"},
		},
		"Percent": {
			reason: "What is not there stays empty.", pattern: `(?P<done>\d+)%`, line: "45% |####    |",
			want: action.Progress{Done: 45},
		},
		"Note": {
			reason: "A text without a number tells something too.", pattern: `^Running upgrade .* -> (?P<note>.*)$`,
			line: "Running upgrade 1 -> 2, add scopes", want: action.Progress{Note: "2, add scopes"},
		},
		"TooMuch": {
			reason: "More than all is all.", pattern: rows, line: "12 of 10 rows",
			want: action.Progress{Done: 10, Total: 10, Unit: "rows"},
		},
		"OtherLine":  {reason: "Other lines tell nothing.", pattern: rows, line: "connected", none: true},
		"NoNumber":   {reason: "A number that is none tells nothing.", pattern: `(?P<done>\S+) done`, line: "all done", none: true},
		"TooLarge":   {reason: "Nor does one that is too large.", pattern: `(?P<done>\d+)`, line: strings.Repeat("9", 30), none: true},
		"TotalWrong": {reason: "Without a total there is no share.", pattern: `(?P<done>\d+)/(?P<total>\S+)`, line: "3/?", want: action.Progress{Done: 3}},
		"LongNote": {
			reason: "A note is shortened at a whole sign.", pattern: `(?P<note>.+)`, line: strings.Repeat("é", 100),
			want: action.Progress{Note: strings.Repeat("é", 60) + "…"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := progressIn(regexp.MustCompile(tc.pattern), tc.line)
			if ok == tc.none {
				t.Fatalf("%s Told something: %t", tc.reason, ok)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestProgressInput(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]string{
		`(?P<done>\d+`:         "is no regular expression",
		`(?P<count>\d+)`:       `has a group "count": name them done, total, unit, note`,
		`\d+ of \d+`:           "has no group that tells anything",
		`(?P<total>\d+)`:       "has no group that tells anything",
		`(?P<done>\d+) (rows)`: "",
	} {
		err := (&ProgressInput{Pattern: pattern}).check()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: got %v, want %q", pattern, err, want)
		}
	}
}

// TestCommandProgress lets a program tell how far it has come, on both streams and
// with a line that it draws again.
func TestCommandProgress(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var got []int64
	env := action.Env{Dir: t.TempDir(), Progress: func(p action.Progress) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, p.Done*100+p.Total)
	}}
	for name, a := range map[string]struct {
		action action.Action
		with   map[string]any
	}{
		"Command": {Command(NewRunner([]string{"PATH=/usr/bin:/bin"})), map[string]any{
			"command": []any{"sh", "-c", `echo 1/3; printf '2/3\r3/3'; echo "no number"`},
		}},
		"Shell": {Shell(NewRunner([]string{"PATH=/usr/bin:/bin"})), map[string]any{
			"script": `echo 1/3 >&2; sleep 0; printf '2/3\r3/3' >&2`,
		}},
	} {
		got = nil
		a.with["progress"] = map[string]any{"pattern": `^(?P<done>\d+)/(?P<total>\d+)$`}
		if _, err := a.action.Run(t.Context(), env, a.with, nil); err != nil {
			t.Fatal(err)
		}
		want := []int64{103, 203, 303}
		if name == "Command" {
			want = want[:2] // The rest of its last line is something else.
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s told %v, want %v", name, got, want)
		}
	}
}
