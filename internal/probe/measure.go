package probe

import (
	"cmp"
	"slices"
	"time"
)

// Plan is a probe as it was planned.
type Plan struct {
	Name, Component string
	// Every is the time between two samples, Timeout how long one may take.
	Every, Timeout time.Duration
}

// Gap is the longest time between two samples that still counts as measured: a
// sample may take its timeout, and one may be late.
func (p Plan) Gap() time.Duration { return 2*p.Every + p.Timeout }

// Outage is a time in which a component was down without an interruption.
type Outage struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Open tells that it was down when it was measured last.
	Open bool   `json:"open,omitempty"`
	Why  string `json:"why,omitempty"`
}

// Measured is how available a component was.
type Measured struct {
	Component string `json:"component"`
	// From and To are the time that was to be measured. Up, Down and Unmeasured
	// add up to it, in nanoseconds.
	From       time.Time     `json:"from,omitzero"`
	To         time.Time     `json:"to,omitzero"`
	Up         time.Duration `json:"up"`
	Down       time.Duration `json:"down"`
	Unmeasured time.Duration `json:"unmeasured,omitempty"`
	Outages    []Outage      `json:"outages,omitempty"`
}

// state is what is known of a probe, or of a component, at a time.
type state int

const (
	unknown state = iota
	up
	down
)

// piece is a time with one state.
type piece struct {
	from, to time.Time
	state    state
	why      string
}

// Measure tells how available each component was between from and to, in the order
// in which the plans name components. A component is down while one of its probes
// says so, and up while all of them do. A sample counts until the next one of the
// probe; where the next one is too far, the time between counts as not measured.
// What changed between two samples is taken to have changed with the second.
func Measure(plans []Plan, spans []Span, from, to time.Time) []Measured {
	if !to.After(from) {
		return nil
	}
	byProbe := map[string][]Span{}
	for _, s := range spans {
		byProbe[s.Probe] = append(byProbe[s.Probe], s)
	}
	var out []Measured
	for i, p := range plans {
		if slices.ContainsFunc(plans[:i], func(o Plan) bool { return o.Component == p.Component }) {
			continue
		}
		var lines [][]piece
		for _, o := range plans[i:] {
			if o.Component == p.Component {
				lines = append(lines, line(o, byProbe[o.Name], from, to))
			}
		}
		out = append(out, measured(p.Component, lines, from, to))
	}
	return out
}

// line returns the states of one probe between from and to, without holes.
func line(p Plan, spans []Span, from, to time.Time) []piece {
	spans = Merge(spans, func(string) time.Duration { return p.Gap() })
	var out []piece
	at := from
	add := func(until time.Time, s state, why string) {
		if until.After(to) {
			until = to
		}
		if until.After(at) {
			out = append(out, piece{at, until, s, why})
			at = until
		}
	}
	for i, s := range spans {
		add(s.From, unknown, "")
		end, next := s.To, to
		if i+1 < len(spans) {
			next = spans[i+1].From
		}
		if next.Sub(end) <= p.Gap() {
			end = next
		}
		if s.Up {
			add(end, up, "")
		} else {
			add(end, down, s.Why)
		}
	}
	add(to, unknown, "")
	return out
}

// measured puts the lines of all probes of a component together.
func measured(component string, lines [][]piece, from, to time.Time) Measured {
	m := Measured{Component: component, From: from, To: to}
	var cuts []time.Time
	for _, l := range lines {
		for _, p := range l {
			cuts = append(cuts, p.from, p.to)
		}
	}
	slices.SortFunc(cuts, time.Time.Compare)
	cuts = slices.CompactFunc(cuts, time.Time.Equal)
	places := make([]int, len(lines))
	for i := 1; i < len(cuts); i++ {
		m.add(together(lines, places, cuts[i-1], cuts[i]))
	}
	if n := len(m.Outages) - 1; n >= 0 {
		m.Outages[n].Open = m.Outages[n].To.Equal(to)
	}
	return m
}

// together returns what all probes say of a time in which none of them changes.
// places are where each line was looked at last.
func together(lines [][]piece, places []int, from, to time.Time) piece {
	out := piece{from: from, to: to, state: up}
	for i, l := range lines {
		for places[i] < len(l)-1 && !l[places[i]].to.After(from) {
			places[i]++
		}
		switch p := l[places[i]]; p.state {
		case down:
			out.state, out.why = down, cmp.Or(out.why, p.why)
		case unknown:
			if out.state == up {
				out.state = unknown
			}
		case up:
		}
	}
	return out
}

// add adds a time to what was measured.
func (m *Measured) add(p piece) {
	length := p.to.Sub(p.from)
	switch p.state {
	case up:
		m.Up += length
	case unknown:
		m.Unmeasured += length
	case down:
		m.Down += length
		if n := len(m.Outages) - 1; n >= 0 && m.Outages[n].To.Equal(p.from) {
			m.Outages[n].To = p.to
		} else {
			m.Outages = append(m.Outages, Outage{From: p.from, To: p.to, Why: p.why})
		}
	}
}
