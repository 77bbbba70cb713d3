package report

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// timeline is the drawing of a run: a row for each operation, over a scale on
// which times without anything under way are short. Places are shares of the
// width in percent, so that it fits a phone and a wide screen.
type timeline struct {
	Height int
	Ticks  []tick
	Gaps   []gap
	Rows   []lane
	// Hidden counts the operations that have no row.
	Hidden      int
	Description string
}

// tick is a line with the time of day.
type tick struct {
	X, Text, Anchor string
}

// gap is a time in which nothing was under way.
type gap struct {
	X, W, Text string
}

// lane is one row: the name of a stage, or an operation with its attempts.
type lane struct {
	Y, TextY, BarY int
	Stage          bool
	Name, Note     string
	Class          string
	Bars           []bar
}

// bar is one attempt, a look without one, or a decision.
type bar struct {
	X, W, Class, Title string
}

// Sizes of the drawing.
const (
	mostLanes   = 120
	axisHeight  = 22
	stageHeight = 26
	laneHeight  = 30
)

// buildTimeline draws a report.
func buildTimeline(r *Report) timeline {
	s := newScale(r)
	t := timeline{Height: axisHeight}
	shown := append(shownStories(r), waits(r)...)
	t.Hidden = len(r.Attempts) + r.Omitted.Operations - operationsIn(shown)
	// Releases and waits come behind what they belong to, and stand under their stage.
	slices.SortStableFunc(shown, func(a, b *OperationStory) int {
		return cmp.Or(stageRank(r, a)-stageRank(r, b), a.Began.Compare(b.Began))
	})
	stage := ""
	for _, o := range shown {
		if o.Ref.Stage != stage {
			stage = o.Ref.Stage
			t.add(lane{Stage: true, Name: "Stage " + stage, Bars: decisionsOf(r, &s, stage)}, stageHeight)
		}
		t.add(storyLane(o, &s, r.Run.Looked), laneHeight)
	}
	for i := range s.pieces {
		p := &s.pieces[i]
		if !p.idle {
			continue
		}
		text := human(plan.Duration(p.to.Sub(p.from)))
		t.Gaps = append(t.Gaps, gap{X: percent(p.x), W: percent(p.w), Text: "nothing was under way for " + text})
	}
	t.Ticks = s.ticks()
	t.Description = describe(r, len(shown))
	return t
}

func describe(r *Report, shown int) string {
	if r.Began.IsZero() {
		return "Nothing has happened yet."
	}
	text := count(shown, "operation") + " between " + moment(r.Began) + " and " + moment(endTime(r))
	return text + ". The tables below say the same in words."
}

// endTime is where the drawing ends.
func endTime(r *Report) time.Time {
	last := r.Ended
	for i := range r.Attempts {
		if at := r.Attempts[i].Ended; at.After(last) {
			last = at
		}
	}
	for i := range r.Decisions {
		if at := r.Decisions[i].At; at.After(last) {
			last = at
		}
	}
	if last.IsZero() {
		return r.Began
	}
	return last
}

// shownStories picks the operations that get a row: of very many those that a
// reader has to see, and the first of the others.
func shownStories(r *Report) []*OperationStory {
	all := make([]*OperationStory, 0, len(r.Attempts))
	quiet := mostLanes
	for i := range r.Attempts {
		if r.Attempts[i].noteworthy() {
			quiet--
		}
	}
	loud := mostLanes
	for i := range r.Attempts {
		o := &r.Attempts[i]
		left := &quiet
		if o.noteworthy() {
			left = &loud
		}
		if *left > 0 {
			*left--
			all = append(all, o)
		}
	}
	return all
}

// operationsIn counts the rows that are operations; waits have no entries.
func operationsIn(rows []*OperationStory) int {
	n := 0
	for _, o := range rows {
		if len(o.Entries) > 0 {
			n++
		}
	}
	return n
}

// waits are the steps that waited for somebody or something, as far as there is
// room.
func waits(r *Report) []*OperationStory {
	var all []*OperationStory
	for i := range r.Run.Stages {
		st := &r.Run.Stages[i]
		for j := range st.Steps {
			s := &st.Steps[j]
			if s.Began.IsZero() || len(all) == mostLanes || r.acted[st.ID+"/"+s.ID] {
				continue
			}
			o := &OperationStory{
				Ref: run.Ref{Stage: st.ID, Step: s.ID}, Text: st.ID + "/" + s.ID, Outcome: OutcomeOpen, Began: s.Began,
				Ended: endTime(r),
			}
			if !s.Ended.IsZero() {
				o.Outcome, o.Ended = OutcomeDone, s.Ended
			}
			all = append(all, o)
		}
	}
	return all
}

func stageRank(r *Report, o *OperationStory) int {
	return slices.IndexFunc(r.Run.Stages, func(s StageView) bool { return s.ID == o.Ref.Stage })
}

// add puts a row under those so far.
func (t *timeline) add(l lane, height int) {
	const text, bar = 13, 18
	l.Y, l.TextY, l.BarY = t.Height, t.Height+text, t.Height+bar
	t.Height += height
	t.Rows = append(t.Rows, l)
}

// storyLane draws an operation.
func storyLane(o *OperationStory, s *scale, now time.Time) lane {
	l := lane{Name: shorten(o.Text, 46), Class: string(o.Outcome), Note: outcomeText(o.Outcome)}
	if took := since(o.Began, o.Ended); took != "" && took != "0s" {
		l.Note = took + " · " + l.Note
	}
	for i := range o.Attempts {
		a := &o.Attempts[i]
		ended := a.Ended
		if ended.IsZero() {
			ended = o.Ended
		}
		if a.Outcome == OutcomeOpen && !now.IsZero() && now.Before(s.end) {
			ended = now
		}
		title := "attempt " + number(a.Number) + ": " + outcomeText(a.Outcome)
		l.Bars = append(l.Bars, s.bar(a.Began, ended, string(a.Outcome), title))
	}
	switch {
	case len(o.Attempts) > 0:
	case len(o.Entries) == 0:
		l.Bars = append(l.Bars, s.bar(o.Began, o.Ended, "wait", "waited"))
		l.Note = strings.Replace(l.Note, "done", "waited", 1)
	default:
		l.Bars = append(l.Bars, s.bar(o.Began, o.Ended, string(o.Outcome), "looked: "+outcomeText(o.Outcome)))
	}
	return l
}

// decisionsOf draws what people decided about a stage.
func decisionsOf(r *Report, s *scale, stage string) []bar {
	var bars []bar
	for i := range r.Decisions {
		d := &r.Decisions[i]
		if d.Where == stage || len(d.Where) > len(stage) && d.Where[:len(stage)] == stage {
			bars = append(bars, s.bar(d.At, d.At, "decision", d.Kind+" by "+sanitize(d.By)))
		}
	}
	return bars
}

// outcomeText says an outcome to people.
func outcomeText(o Outcome) string {
	switch o {
	case OutcomeDone:
		return "done"
	case OutcomeFound:
		return "as it should be"
	case OutcomeFailed:
		return "failed"
	case OutcomeInDoubt:
		return "in doubt"
	case OutcomeLost:
		return "lost"
	case OutcomeOpen:
	}
	return "not ended"
}

// shorten cleans a text and cuts it at so many columns.
func shorten(text string, limit int) string { return truncate(sanitize(text), limit, "…") }

// percent writes a share of the width.
func percent(x float64) string { return strconv.FormatFloat(x, 'f', 2, 64) + "%" }

// scale maps times to shares of the width.
type scale struct {
	pieces []piece
	end    time.Time
}

// piece is a time on the scale that is drawn evenly.
type piece struct {
	from, to time.Time
	x, w     float64
	idle     bool
}

// Shares of the scale in percent: of one time without anything under way, and of
// all of them together at most.
const (
	idleShare = 6.0
	idleMost  = 40.0
)

// newScale makes the scale of a report.
func newScale(r *Report) scale {
	from, to := r.Began, endTime(r)
	s := scale{end: to}
	if !to.After(from) {
		to = from.Add(time.Second)
		s.end = to
	}
	s.cut(from, to, busyTimes(r))
	var busy time.Duration
	idle := 0
	for i := range s.pieces {
		if s.pieces[i].idle {
			idle++
		} else {
			busy += s.pieces[i].to.Sub(s.pieces[i].from)
		}
	}
	share := 0.0
	if idle > 0 {
		share = min(idleShare, idleMost/float64(idle))
	}
	left := 100 - share*float64(idle)
	x := 0.0
	for i := range s.pieces {
		p := &s.pieces[i]
		p.x, p.w = x, share
		if !p.idle {
			p.w = left * float64(p.to.Sub(p.from)) / float64(max(busy, 1))
		}
		x += p.w
	}
	return s
}

// stretch is a time from and to.
type stretch struct{ from, to time.Time }

// busyTimes returns the times in which something was under way, in order and
// without overlaps.
func busyTimes(r *Report) []stretch {
	all := []stretch{{r.Began, r.Began}}
	for i := range r.Attempts {
		for _, a := range r.Attempts[i].Attempts {
			end := a.Ended
			if end.Before(a.Began) {
				end = a.Began
			}
			all = append(all, stretch{a.Began, end})
		}
		for _, e := range r.Attempts[i].Entries {
			all = append(all, stretch{e.At, e.At})
		}
	}
	for i := range r.Decisions {
		all = append(all, stretch{r.Decisions[i].At, r.Decisions[i].At})
	}
	slices.SortFunc(all, func(a, b stretch) int { return a.from.Compare(b.from) })
	joined := all[:1]
	for _, t := range all[1:] {
		last := &joined[len(joined)-1]
		if t.from.After(last.to) {
			joined = append(joined, t)
		} else if t.to.After(last.to) {
			last.to = t.to
		}
	}
	return joined
}

// cut divides the time into pieces. A pause counts as idle when it is long
// beside all that was done.
func (s *scale) cut(from, to time.Time, busy []stretch) {
	var worked time.Duration
	for _, t := range busy {
		worked += t.to.Sub(t.from)
	}
	const few = 30 * time.Second
	long := max(worked/4, few)
	begin := from
	for i := range busy {
		next := to
		if i+1 < len(busy) {
			next = busy[i+1].from
		}
		if next.Sub(busy[i].to) <= long {
			continue
		}
		edge := busy[i].to.Add(long / 20) //nolint:mnd // A bar at the edge stays visible.
		s.pieces = append(s.pieces, piece{from: begin, to: edge}, piece{from: edge, to: next, idle: true})
		begin = next
	}
	if to.After(begin) || len(s.pieces) == 0 {
		s.pieces = append(s.pieces, piece{from: begin, to: to})
	}
}

// x is the place of a time.
func (s *scale) x(at time.Time) float64 {
	for i := range s.pieces {
		p := &s.pieces[i]
		if at.After(p.to) && i < len(s.pieces)-1 {
			continue
		}
		whole := p.to.Sub(p.from)
		if whole <= 0 || at.Before(p.from) {
			return p.x
		}
		return p.x + p.w*min(1, float64(at.Sub(p.from))/float64(whole))
	}
	return 0
}

// bar draws a time; the shortest stays visible.
func (s *scale) bar(from, to time.Time, class, title string) bar {
	const least = 0.8
	x := min(s.x(from), 100-least)
	w := max(s.x(to)-x, least)
	return bar{X: percent(x), W: percent(min(w, 100-x)), Class: class, Title: title}
}

// ticks labels the beginning and the end of the pieces, as far as there is room.
func (s *scale) ticks() []tick {
	const room = 26.0
	first, last := s.pieces[0].from, s.end
	form := "15:04:05"
	switch whole := last.Sub(first); {
	case whole > 24*time.Hour:
		form = "01-02 15:04"
	case whole < 10*time.Second:
		form = "15:04:05.000"
	}
	out := []tick{{X: "0%", Text: first.UTC().Format(form), Anchor: "start"}}
	at := 0.0
	for i := range s.pieces {
		p := &s.pieces[i]
		if !p.idle && p.x-at >= room && 100-p.x >= room {
			out = append(out, tick{X: percent(p.x), Text: p.from.UTC().Format(form), Anchor: "middle"})
			at = p.x
		}
	}
	if len(s.pieces) == 1 {
		mid := first.Add(last.Sub(first) / 2) //nolint:mnd // The middle.
		out = append(out, tick{X: "50%", Text: mid.UTC().Format(form), Anchor: "middle"})
	}
	return append(out, tick{X: "100%", Text: last.UTC().Format(form), Anchor: "end"})
}
