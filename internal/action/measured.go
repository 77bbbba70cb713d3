package action

import "time"

// Measured is how far an effect has come, with what its rate is measured by. It is
// for display and no part of a history.
type Measured struct {
	Progress
	// From is how much was done when somebody heard of it first, at Since. A step
	// that goes on where an earlier attempt ended begins with more than nothing.
	From  int64     `json:"from,omitempty"`
	Since time.Time `json:"since,omitzero"`
}

// Measure returns what is known once p was heard of, at now. What counts
// something else, or less than before, is measured anew.
func (m Measured) Measure(p Progress, now time.Time) Measured {
	next := Measured{Progress: p, From: m.From, Since: m.Since}
	if m.Since.IsZero() || p.Unit != m.Unit || p.Total != m.Total || p.Done < m.Done {
		next.From, next.Since = p.Done, now
	}
	return next
}

// Rate tells how much is done in a second, by now. It is 0 while nobody can say:
// nothing was done meanwhile, or the time is too short for a guess.
func (m Measured) Rate(now time.Time) float64 {
	const least = time.Second
	took := now.Sub(m.Since)
	if m.Since.IsZero() || took < least || m.Done <= m.From {
		return 0
	}
	return float64(m.Done-m.From) / took.Seconds()
}

// Left tells how long the rest takes at the rate so far; false when nobody can say.
func (m Measured) Left(now time.Time) (time.Duration, bool) {
	rate := m.Rate(now)
	if rate == 0 || m.Total <= 0 || m.Done > m.Total {
		return 0, false
	}
	seconds := float64(m.Total-m.Done) / rate
	const most = 365 * 24 * time.Hour
	if seconds > most.Seconds() {
		return 0, false
	}
	return time.Duration(seconds * float64(time.Second)), true
}
