package report

import (
	"io"
	"strings"
	"testing"

	"github.com/refitproject/refit/internal/plan"
)

func TestPlanTextGolden(t *testing.T) {
	t.Parallel()
	goldenLayouts(t, "plan", func(w io.Writer, o TextOptions) error { return PlanText(w, hubPlan(), o) })
}

func TestPlanTextTinyGolden(t *testing.T) {
	t.Parallel()
	goldenLayouts(t, "tiny", func(w io.Writer, o TextOptions) error { return PlanText(w, tinyPlan(), o) })
}

func TestPlanTextLargeGolden(t *testing.T) {
	t.Parallel()
	opts := TextOptions{Width: 80}
	got := render(t, func(w io.Writer) error { return PlanText(w, largePlan(20, 500), opts) })
	golden(t, "large", got)
	checkLines(t, got, opts)
}

func TestPlanTextFullGolden(t *testing.T) {
	t.Parallel()
	opts := TextOptions{Width: 100, Full: true}
	golden(t, "plan.full", render(t, func(w io.Writer) error { return PlanText(w, hubPlan(), opts) }))
}

func TestPlanTextFolding(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason  string
		plan    *plan.Plan
		full    bool
		want    []string
		absent  []string
		atMost  int // lines
		atLeast int
	}{
		"FoldsPhase": {
			reason: "a phase of 10,000 steps shows a few and counts the others",
			plan:   largePlan(1, 10_000), want: []string{"… 9,992 more steps, --full shows them"}, atMost: 100,
		},
		"KeepsPointOfNoReturn": {
			reason: "the step without a way back is shown although it is the last of 10,000",
			plan:   largePlan(1, 10_000), want: []string{"POINT OF NO RETURN", "! drain[node-9999]"}, atMost: 100,
		},
		"FullShowsAll": {
			reason: "full leaves nothing out",
			plan: largePlan(
				1,
				1_000,
			),
			full:    true,
			want:    []string{"drain[node-0500]"},
			absent:  []string{"more steps"},
			atLeast: 2_000,
		},
		"FoldsStages": {
			reason: "most of many stages have one line, the one of no return is whole",
			plan: largePlan(
				100,
				3,
			),
			want:   []string{"Stage 70 of 100: rack-069 (3 steps", "POINT OF NO RETURN", "━━ Stage 100 of 100"},
			atMost: 300,
		},
		"SmallPlanWhole": {
			reason: "a plan of 100 steps is read as a whole",
			plan:   largePlan(1, 100), want: []string{"drain[node-0050]"}, absent: []string{"more steps"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := render(t, func(w io.Writer) error { return PlanText(w, tc.plan, TextOptions{Full: tc.full}) })
			for _, want := range tc.want {
				if !strings.Contains(got, want) {
					t.Errorf("%s: %q is missing", tc.reason, want)
				}
			}
			for _, absent := range tc.absent {
				if strings.Contains(got, absent) {
					t.Errorf("%s: %q is there", tc.reason, absent)
				}
			}
			if n := strings.Count(got, "\n"); tc.atMost > 0 && n > tc.atMost || n < tc.atLeast {
				t.Errorf("%s: %d lines, want at least %d and at most %d", tc.reason, n, tc.atLeast, tc.atMost)
			}
		})
	}
}

func TestPlanTextNext(t *testing.T) {
	t.Parallel()
	free := tinyPlan()
	long := "plans of " + strings.Repeat("the-hub-", 12) + "prod.json"
	command := "refit check '" + long + "' refit apply '" + long + "'"
	cases := map[string]struct {
		reason string
		opts   TextOptions
		want   string
	}{
		"OneLine": {
			"a command that fits stays on its line",
			TextOptions{Width: 160, PlanFile: long},
			command,
		},
		"Narrow": {
			"a command that does not fit can be copied all the same",
			TextOptions{Width: 60, PlanFile: long},
			command,
		},
		"Narrower": {"even at 40 columns", TextOptions{Width: 40, PlanFile: long}, command},
		"NotSaved": {"there is nothing to check later", TextOptions{Width: 80}, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := render(t, func(w io.Writer) error { return PlanText(w, free, tc.opts) })
			_, got, _ = strings.Cut(got, "What you can type next\n")
			if got = shellJoins(got); got != tc.want {
				t.Errorf("%s: got %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
}

// shellJoins reads lines as a shell does: a backslash at the end of a line joins it with
// the next one, and quoted words that touch are one. Only commands are left.
func shellJoins(text string) string {
	var commands []string
	going := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		whole, more := strings.CutSuffix(line, `\`)
		switch {
		case going:
			commands[len(commands)-1] += whole
		case strings.HasPrefix(line, "  refit"):
			commands = append(commands, whole)
		}
		going = more
	}
	for i, c := range commands {
		words := strings.Split(strings.ReplaceAll(c, "''", ""), "'")
		for j := range words {
			if j%2 == 0 { // Blanks between words do not count, those within quotes do.
				words[j] = strings.Join(strings.Fields(words[j]), " ")
				if j < len(words)-1 {
					words[j] += " "
				}
			}
		}
		commands[i] = strings.TrimSpace(strings.Join(words, "'"))
	}
	return strings.Join(commands, " ")
}

func TestPlanTextHostile(t *testing.T) {
	t.Parallel()
	p := tinyPlan()
	evil := "\x1b[2Jname\nnew line\r\x07\u202eesrever\u200b\xff"
	p.Platform, p.Procedure.Name = evil, evil
	p.Stages[0].ID, p.Stages[0].Description = evil, evil
	for i := range p.Stages[0].Steps {
		p.Stages[0].Steps[i].ID, p.Stages[0].Steps[i].Description = evil, evil
	}
	opts := TextOptions{Width: 60}
	checkLines(t, render(t, func(w io.Writer) error { return PlanText(w, p, opts) }), opts)
}

func TestPlanTextWriterError(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(io.Writer) error{
		"Text":    func(w io.Writer) error { return PlanText(w, hubPlan(), TextOptions{}) },
		"Mermaid": func(w io.Writer) error { return PlanMermaid(w, hubPlan()) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := write(brokenWriter{}); err == nil {
				t.Error("the error of the writer is lost")
			}
		})
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func BenchmarkPlanText10kSteps(b *testing.B) {
	p := largePlan(100, 100)
	for b.Loop() {
		if err := PlanText(io.Discard, p, TextOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPlanTextFull10kSteps(b *testing.B) {
	p := largePlan(100, 100)
	for b.Loop() {
		if err := PlanText(io.Discard, p, TextOptions{Full: true}); err != nil {
			b.Fatal(err)
		}
	}
}
