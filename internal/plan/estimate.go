package plan

// Estimate predicts a duration: Typical as a rule, Worst in 19 of 20 cases.
// Known is false when an action and its step say nothing, so that the sum is
// a lower bound.
type Estimate struct {
	Typical Duration `json:"typical"`
	Worst   Duration `json:"worst"`
	Known   bool     `json:"known"`
	// Source tells whose word it is; empty when nobody's. Runs is how many earlier
	// runs it rests on, of a sum the fewest that a part of it rests on.
	Source Source `json:"source,omitempty"`
	Runs   int    `json:"runs,omitempty"`
}

// Source tells where an estimate comes from.
type Source string

// The sources. SourceElsewhere are runs of other platforms with the same procedure,
// where this one has none yet. SourceMixed is that of a sum of several.
const (
	SourceAuthor    Source = "author"
	SourceRuns      Source = "runs"
	SourceElsewhere Source = "elsewhere"
	SourceMixed     Source = "mixed"
)

// TakingBack predicts how long it takes to take the step back, or to restore from
// it: as long as doing it, unless earlier runs tell. Runs that did the step say how long
// that took, and nothing of the way back: the estimate does not rest on them then.
func (s *Step) TakingBack() Estimate {
	if s.Back.Known {
		return s.Back
	}
	out := s.Estimate
	if out.byRuns() {
		out.Source, out.Runs = "", 0
	}
	return out
}

// byRuns tells whether earlier runs are what an estimate rests on.
func (e *Estimate) byRuns() bool { return e.Source != "" && e.Source != SourceAuthor }

// include notes that a sum has one more part: whether it is known, and what it rests
// on. What takes no time says nothing of that.
func (e *Estimate) include(part Estimate) {
	e.Known = e.Known && part.Known
	switch {
	case !part.Known || part.Source == "":
	case e.Source == "":
		e.Source, e.Runs = part.Source, part.Runs
	case e.Source != part.Source:
		e.Source, e.Runs = SourceMixed, 0
	case part.Runs > 0:
		e.Runs = min(e.Runs, part.Runs)
	}
}

// lasting returns a sum with its durations.
func (e *Estimate) lasting(typical, worst Duration) Estimate {
	out := *e
	out.Typical, out.Worst = typical, worst
	return out
}
