package plan

import (
	"fmt"
	"testing"
	"time"
)

// tooks returns how long step a of stage "to-${item.to}" took, once in each run, in
// minutes.
func tooks(platform string, took ...float64) []Took {
	var out []Took
	for i, m := range took {
		out = append(out, Took{
			Run: fmt.Sprintf("%s-%d", platform, i), Platform: platform, Stage: "to-${item.to}", Step: "a", Action: "test.do@1",
			Took: Duration(m * float64(time.Minute)),
		})
	}
	return out
}

// many returns so many durations of 1 to n minutes, the longest first.
func many(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = float64(n - i)
	}
	return out
}

func TestLearn(t *testing.T) {
	t.Parallel()
	author := Estimate{Typical: minutes(2), Worst: minutes(9), Known: true, Source: SourceAuthor}
	nobody := Estimate{Worst: minutes(30)}
	learned := func(typical, worst float64, source Source, runs int) Estimate {
		at := func(m float64) Duration { return Duration(m * float64(time.Minute)) }
		return Estimate{Typical: at(typical), Worst: at(worst), Known: true, Source: source, Runs: runs}
	}
	twice := append(tooks("prod", 3), tooks("prod", 5)...) // two stages of one run
	cases := map[string]struct {
		reason string
		tooks  []Took
		change func(s *Step)
		had    Estimate
		want   Estimate
	}{
		"None":       {"Without runs the author counts.", nil, nil, author, author},
		"Nobody":     {"Without both nobody knows.", nil, nil, nobody, nobody},
		"One":        {"One run cannot tell the worst.", tooks("prod", 4), nil, nobody, learned(4, 12, SourceRuns, 1)},
		"Timeout":    {"It does not take longer than it may.", tooks("prod", 14), nil, nobody, learned(14, 30, SourceRuns, 1)},
		"Odd":        {"The median is the one in the middle.", tooks("prod", 9, 1, 4), nil, nobody, learned(4, 12, SourceRuns, 3)},
		"Even":       {"Or between the two.", tooks("prod", 3, 6, 1, 4), nil, nobody, learned(3.5, 10.5, SourceRuns, 4)},
		"Longest":    {"A long one counts among few.", tooks("prod", 1, 25), nil, nobody, learned(13, 30, SourceRuns, 2)},
		"Five":       {"From five runs on the longest is the worst.", tooks("prod", 4, 4, 4, 4, 5), nil, nobody, learned(4, 5, SourceRuns, 5)},
		"Twenty":     {"Of twenty all but one count.", tooks("prod", many(20)...), nil, nobody, learned(10.5, 19, SourceRuns, 20)},
		"Author":     {"An author's worst is not made less.", tooks("prod", 1, 1, 1, 1, 1), nil, author, learned(1, 9, SourceRuns, 5)},
		"Slower":     {"But more.", tooks("prod", 10, 10, 10, 10, 12), nil, author, learned(10, 12, SourceRuns, 5)},
		"Elsewhere":  {"Other platforms tell where there is nothing else.", tooks("test", 4), nil, nobody, learned(4, 12, SourceElsewhere, 1)},
		"Here":       {"And nothing where there is.", append(tooks("test", 1, 1, 1), tooks("prod", 4)...), nil, nobody, learned(4, 12, SourceRuns, 1)},
		"SameRun":    {"Two stages of one run are one run.", twice, nil, nobody, learned(4, 12, SourceRuns, 1)},
		"Action":     {"Another action says nothing.", tooks("prod", 4), func(s *Step) { s.Action = "test.do@2" }, nobody, nobody},
		"Step":       {"Nor does another step.", tooks("prod", 4), func(s *Step) { s.ID = "b" }, nobody, nobody},
		"Gate":       {"People are not predicted.", tooks("prod", 4), func(s *Step) { s.Gate = "person" }, Estimate{Known: true}, Estimate{Known: true}},
		"AllMembers": {"Runs tell of all members together.", tooks("prod", 4), func(s *Step) { s.ForEach = &ForEach{Max: 5} }, nobody, learned(4, 12, SourceRuns, 1)},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			step := Step{ID: "a", Action: "test.do@1", Timeout: minutes(30), Estimate: tc.had}
			if tc.change != nil {
				tc.change(&step)
			}
			NewExperience("prod", tc.tooks).learn("to-${item.to}", &step)
			if step.Estimate != tc.want {
				t.Errorf("%s: got %+v, want %+v", tc.reason, step.Estimate, tc.want)
			}
			if step.Back != (Estimate{}) {
				t.Errorf("%s: nothing was taken back, and the way back is %+v", tc.reason, step.Back)
			}
		})
	}
}

func TestLearnBack(t *testing.T) {
	t.Parallel()
	all := tooks("prod", 4, 4, 4, 4, 4)
	for i := range all {
		all[i].Back = true
	}
	step := Step{ID: "a", Action: "test.do@1", Timeout: minutes(30), Estimate: Estimate{Typical: minutes(1), Worst: minutes(2), Known: true}}
	NewExperience("prod", all).learn("to-${item.to}", &step)
	if got := step.TakingBack(); got.Typical != minutes(4) || got.Worst != minutes(4) || step.Estimate.Typical != minutes(1) {
		t.Errorf("taking back takes %+v, doing %+v", got, step.Estimate)
	}
}

func TestSumsTellTheirSource(t *testing.T) {
	t.Parallel()
	runs := func(n int) Estimate {
		return Estimate{Typical: minutes(1), Worst: minutes(1), Known: true, Source: SourceRuns, Runs: n}
	}
	author := Estimate{Typical: minutes(1), Worst: minutes(1), Known: true, Source: SourceAuthor}
	for name, tc := range map[string]struct {
		parts []Estimate
		want  Estimate
	}{
		"Runs":    {[]Estimate{runs(5), runs(3), {Known: true}}, Estimate{Known: true, Source: SourceRuns, Runs: 3}},
		"Author":  {[]Estimate{author, author}, Estimate{Known: true, Source: SourceAuthor}},
		"Mixed":   {[]Estimate{runs(5), author, runs(2)}, Estimate{Known: true, Source: SourceMixed}},
		"Unknown": {[]Estimate{runs(5), {Worst: minutes(9)}}, Estimate{Source: SourceRuns, Runs: 5}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sum := Estimate{Known: true}
			for _, p := range tc.parts {
				sum.include(p)
			}
			if sum != tc.want {
				t.Errorf("got %+v, want %+v", sum, tc.want)
			}
		})
	}
}
