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
// it: as long as doing it, unless earlier runs tell.
func (s *Step) TakingBack() Estimate {
	if s.Back.Known {
		return s.Back
	}
	return s.Estimate
}
