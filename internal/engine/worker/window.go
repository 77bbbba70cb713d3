package worker

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/plan"
)

// opening is the answer to the question whether a window is open.
type opening struct {
	open bool
	// opensAt is set while all windows are closed, closesAt while one is open;
	// closesAt stays zero when there is no end in sight.
	opensAt, closesAt time.Time
	onClose           string
	// never says why no window opens any more.
	never string
}

// span is one time in which a window is open: from its begin, up to its end.
type span struct {
	begin, end time.Time
	onClose    string
}

// How many days are looked at: a window lasts at most a week, so those that
// began longer ago are over. Windows that still follow one another without a
// gap after so long have no end in sight.
const (
	daysBack  = 9
	daysAhead = 400
)

// askWindows tells whether one of the windows is open at now, until when, or
// when the next one opens. Windows begin by the wall clock of their zone and
// last as long as their duration says, also across a change of the clock. A
// begin that the clock skips is the moment after the skip; one that comes twice
// is the first. Windows that overlap or adjoin are one window, which closes as
// the one that ends last.
func askWindows(windows []plan.Window, now time.Time) opening {
	calendars := make([]calendar, len(windows))
	for i, w := range windows {
		var err error
		if calendars[i], err = newCalendar(w); err != nil {
			return opening{never: err.Error()}
		}
	}
	around := outlook{now: now}
	// What begins on the next day in one zone may begin before what begins on
	// this day in another, so that two days are gone through together.
	var before, spans []span
	for day := -daysBack; day <= daysAhead && !around.settled(day); day++ {
		before, spans = spans, nil
		for i := range calendars {
			if s, ok := calendars[i].on(now, day); ok {
				spans = append(spans, s)
			}
		}
		both := slices.Concat(before, spans)
		slices.SortStableFunc(both, func(a, b span) int { return a.begin.Compare(b.begin) })
		for _, s := range both {
			around.add(s)
		}
	}
	return answer(windows, calendars, now, around.current, around.next)
}

// outlook is what is known of the windows around now: the one that is open, or
// the next one.
type outlook struct {
	now           time.Time
	current, next span
}

// add takes over a span; spans come in the order of their days, and may come
// again.
func (o *outlook) add(s span) {
	open := !o.current.end.IsZero()
	switch {
	case !s.end.After(o.now):
	case s.begin.After(o.now) && !open:
		if o.next.begin.IsZero() || s.begin.Before(o.next.begin) {
			o.next = s
		}
	case !open || !s.begin.After(o.current.end) && s.end.After(o.current.end):
		o.current = s
	}
}

// settled tells whether spans that begin on a day, or later, change nothing any
// more. Days of two zones differ by less than two.
func (o *outlook) settled(day int) bool {
	if o.current.end.IsZero() && o.next.begin.IsZero() {
		return false
	}
	begin := o.now.AddDate(0, 0, day-3)
	return begin.After(o.current.end) && begin.After(o.next.begin)
}

func answer(windows []plan.Window, calendars []calendar, now time.Time, current, next span) opening {
	if !current.end.IsZero() {
		o := opening{open: true, closesAt: current.end, onClose: current.onClose}
		if current.end.After(now.AddDate(0, 0, daysAhead-daysBack)) {
			o.closesAt = time.Time{}
		}
		return o
	}
	// A date may be further away than the days that were looked at.
	for i := range calendars {
		if s, ok := calendars[i].once(); ok && s.begin.After(now) &&
			(next.begin.IsZero() || s.begin.Before(next.begin)) {
			next = s
		}
	}
	if !next.begin.IsZero() {
		return opening{opensAt: next.begin}
	}
	dates := make([]string, len(windows))
	for i, w := range windows {
		dates[i] = w.Date
	}
	return opening{never: fmt.Sprintf("the windows of the stage (%s) are over and none opens again: "+
		"give the platform file a window to come, and replan", strings.Join(dates, ", "))}
}

// calendar is a window that is ready to be computed with.
type calendar struct {
	zone  *time.Location
	start time.Time // hours and minutes
	date  time.Time // zero for weekly windows
	days  [7]bool
	plan.Window
}

func newCalendar(w plan.Window) (calendar, error) {
	c := calendar{Window: w}
	var err error
	if c.zone, err = time.LoadLocation(w.Zone); err != nil || w.Zone == "" || w.Zone == "Local" {
		return c, fmt.Errorf("the time zone %q of a window is not known here: install the time zones of the system",
			w.Zone)
	}
	if c.start, err = time.Parse("15:04", w.Start); err != nil {
		return c, fmt.Errorf("the plan has a window that starts at %q, which is no time of the day: plan again",
			w.Start)
	}
	if w.Date != "" {
		if c.date, err = time.Parse(time.DateOnly, w.Date); err != nil {
			return c, fmt.Errorf("the plan has a window on %q, which is no date: plan again", w.Date)
		}
		return c, nil
	}
	if len(w.Days) == 0 {
		return c, fmt.Errorf("the plan has a window without days and date: plan again")
	}
	for _, day := range w.Days {
		i := slices.Index([]string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}, day)
		if i < 0 {
			return c, fmt.Errorf("the plan has a window on %q, which is no day of the week: plan again", day)
		}
		c.days[i] = true
	}
	return c, nil
}

// on returns the time in which the window is open that begins so many days
// from now on, by the calendar of its zone.
func (c *calendar) on(now time.Time, day int) (span, bool) {
	year, month, today := now.In(c.zone).Date()
	// Dates are counted in UTC, where every day is there and has 24 hours.
	date := time.Date(year, month, today+day, 0, 0, 0, 0, time.UTC)
	if c.Date != "" {
		if !date.Equal(c.date) {
			return span{}, false
		}
		return c.once()
	}
	if !c.days[date.Weekday()] {
		return span{}, false
	}
	return c.span(date), true
}

// once returns the only time of a window with a date.
func (c *calendar) once() (span, bool) {
	if c.Date == "" {
		return span{}, false
	}
	return c.span(c.date), true
}

func (c *calendar) span(date time.Time) span {
	begin := wallClock(date, c.start.Hour(), c.start.Minute(), c.zone)
	return span{begin: begin, end: begin.Add(time.Duration(c.Duration)), onClose: c.OnClose}
}

// wallClock returns the first moment at which the clocks of a zone show the
// time, or have passed it because they skip it.
func wallClock(date time.Time, hour, minute int, zone *time.Location) time.Time {
	year, month, day := date.Date()
	asUTC := time.Date(year, month, day, hour, minute, 0, 0, time.UTC)
	_, before := asUTC.Add(-36 * time.Hour).In(zone).Zone()
	_, after := asUTC.Add(36 * time.Hour).In(zone).Zone()
	at := asUTC.Add(-time.Duration(max(before, after)) * time.Second)
	for _, offset := range []int{max(before, after), min(before, after)} {
		at = asUTC.Add(-time.Duration(offset) * time.Second)
		if _, there := at.In(zone).Zone(); there == offset {
			return at.UTC()
		}
	}
	begin, _ := at.In(zone).ZoneBounds()
	return begin.UTC()
}
