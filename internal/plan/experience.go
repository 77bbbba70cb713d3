package plan

import (
	"slices"
	"time"
)

// Took tells how long the operations of a step took in an earlier run, all its
// members together, without what they waited.
type Took struct {
	// Run is the id of the run, Platform what it was about.
	Run      string `json:"run"`
	Platform string `json:"platform"`
	// Stage is the template of the stage, so that the stages of a forEach count
	// together; Step and Action are as in the plan: what another action took says
	// nothing.
	Stage  string `json:"stage"`
	Step   string `json:"step"`
	Action string `json:"action"`
	// Back tells that the step was taken back, its lease given back, or data
	// restored from it.
	Back bool     `json:"back,omitempty"`
	Took Duration `json:"took"`
}

// Experience is what earlier runs of a procedure tell of how long its steps take.
// Nil is none.
type Experience struct {
	platform string
	took     map[takes][]Took
}

// takes is what durations are collected by.
type takes struct {
	stage, step, action string
	back                bool
}

// NewExperience collects how long steps took, for plans of a platform.
func NewExperience(platform string, all []Took) *Experience {
	e := &Experience{platform: platform, took: map[takes][]Took{}}
	for _, t := range all {
		key := takes{t.Stage, t.Step, t.Action, t.Back}
		e.took[key] = append(e.took[key], t)
	}
	return e
}

// TemplateID is the id of the stage as the procedure has it.
func (s *Stage) TemplateID() string { return orElse(s.Template, s.ID) }

// enough is from how many runs on the longest of them counts as the worst. Of fewer
// nobody can say, and the rule for authors who tell only the typical duration holds.
const enough = 5

// of estimates a step by what earlier runs tell: those of this platform, or, where
// there are none, of others. It is false when no run tells anything. timeout is how
// long the step may take in all.
func (e *Experience) of(stage string, step *Step, back bool, timeout time.Duration) (Estimate, bool) {
	if e == nil {
		return Estimate{}, false
	}
	all := e.took[takes{stage, step.ID, step.Action, back}]
	here := slices.DeleteFunc(slices.Clone(all), func(t Took) bool { return t.Platform != e.platform })
	source := SourceRuns
	if len(here) == 0 {
		here, source = all, SourceElsewhere
	}
	if len(here) == 0 {
		return Estimate{}, false
	}
	runs := map[string]bool{}
	sorted := make([]Duration, len(here))
	for i, t := range here {
		runs[t.Run] = true
		sorted[i] = t.Took
	}
	slices.Sort(sorted)
	out := Estimate{
		Typical: median(sorted), Worst: nearestRank(sorted, worstPercent), Known: true, Source: source, Runs: len(runs),
	}
	if len(runs) < enough {
		out.Worst = max(out.Worst, worstBy(out.Typical, Duration(timeout)))
	}
	return out, true
}

// worstPercent is the share of durations that are at most the worst: 19 of 20.
const worstPercent = 95

// worstBy is the worst duration where only the typical one is told.
func worstBy(typical, timeout Duration) Duration { return min(3*typical, max(typical, timeout)) }

// median returns the middle of sorted durations, or what lies between the two in the
// middle.
func median(sorted []Duration) Duration {
	n := len(sorted)
	if n%2 == 1 {
		return sorted[n/2]
	}
	return tidy((sorted[n/2-1] + sorted[n/2]) / 2)
}

// nearestRank returns the least of sorted durations that so many percent of them do
// not exceed.
func nearestRank(sorted []Duration, percent int) Duration {
	const all = 100
	rank := (len(sorted)*percent + all - 1) / all
	return sorted[max(rank, 1)-1]
}

// tidy cuts a duration to milliseconds, which is more than anybody reads.
func tidy(d Duration) Duration { return Duration(time.Duration(d).Truncate(time.Millisecond)) }

// learn estimates a step by earlier runs where there are any. Its worst is never
// less than what an author wrote. The time of people is not predicted.
func (e *Experience) learn(stage string, step *Step) {
	if step.Gate != "" || step.Remedy != nil {
		return
	}
	members := 1
	if step.ForEach != nil {
		members = max(1, step.ForEach.Max)
	}
	most := time.Duration(step.Timeout)*time.Duration(step.Retry.attempts()) + time.Duration(step.Retry.waits())
	most *= time.Duration(members)
	if seen, ok := e.of(stage, step, false, most); ok {
		if step.Estimate.Known {
			seen.Worst = max(seen.Worst, step.Estimate.Worst)
		}
		step.Estimate = seen
	}
	if back, ok := e.of(stage, step, true, most); ok {
		step.Back = back
	}
}
