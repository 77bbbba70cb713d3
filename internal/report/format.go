package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/plan"
)

// human returns a duration as people say it: "45s", "4m30s", "1h55m", "2d3h".
// Precision follows size: nobody plans an hour to the second.
func human(d plan.Duration) string {
	t := time.Duration(d)
	switch {
	case t < 0:
		return t.String() // Nothing sensible is negative; show it as it is.
	case t < time.Second:
		return t.Round(time.Millisecond).String()
	case t < 10*time.Minute:
		return pair(t.Round(time.Second), time.Minute, "m", time.Second, "s")
	case t < 24*time.Hour:
		return pair(t.Round(time.Minute), time.Hour, "h", time.Minute, "m")
	default:
		return pair(t.Round(time.Hour), 24*time.Hour, "d", time.Hour, "h")
	}
}

// pair writes d in two units and leaves out the one that is zero.
func pair(d, big time.Duration, bigName string, small time.Duration, smallName string) string {
	var text string
	if n := d / big; n > 0 {
		text = strconv.Itoa(int(n)) + bigName
	}
	if n := d % big / small; n > 0 {
		text += strconv.Itoa(int(n)) + smallName
	}
	return text
}

// rough returns a predicted duration: less than a second in tenths, for no prediction
// is more exact than that.
func rough(d plan.Duration) string {
	const tenth = time.Second / 10
	t := time.Duration(d)
	if t <= 0 || t >= time.Second {
		return human(d)
	}
	if t = max(t.Round(tenth), tenth); t == time.Second {
		return "1s"
	}
	return tenths(t)
}

// tenths writes less than a second: "0.9s".
func tenths(t time.Duration) string { return strconv.FormatFloat(t.Seconds(), 'f', 1, 64) + "s" }

// about returns an estimate in words: "about 4m, at worst 12m".
func about(e plan.Estimate) string {
	switch {
	case !e.Known && e.Typical == 0 && e.Worst == 0:
		return "not known"
	case !e.Known && e.Typical == 0:
		return "not known, at most " + human(e.Worst) + " by timeouts"
	case !e.Known:
		return "at least " + rough(e.Typical) + ", because some steps have no estimate"
	case e.Worst <= e.Typical || rough(e.Worst) == rough(e.Typical):
		return "about " + rough(e.Typical)
	default:
		return "about " + rough(e.Typical) + ", at worst " + rough(e.Worst)
	}
}

// aboutFrom returns an estimate with what it rests on: "about 4m, at worst 12m, from
// 3 earlier runs".
func aboutFrom(e plan.Estimate) string {
	text := about(e)
	if from := restsOn(e); from != "" {
		text += ", " + from
	}
	return text
}

// takes says in one sentence how long something takes.
func takes(e plan.Estimate) string {
	switch {
	case e.Known || e.Typical > 0:
		return "It takes " + aboutFrom(e) + "."
	case e.Worst > 0:
		return "How long it takes is not known; at most " + human(e.Worst) + " by timeouts."
	default:
		return "How long it takes is not known."
	}
}

// restsOn says what an estimate rests on: "from 3 earlier runs"; "" where that is
// what an author wrote.
func restsOn(e plan.Estimate) string {
	switch e.Source {
	case plan.SourceRuns:
		return "from " + count(e.Runs, "earlier run")
	case plan.SourceElsewhere:
		return "from " + count(e.Runs, "earlier run") + " of other platforms"
	case plan.SourceMixed:
		return "partly from earlier runs"
	case plan.SourceAuthor:
	}
	return ""
}

// brief returns an estimate for a column: "4m (12m)".
func brief(e plan.Estimate) string {
	switch {
	case !e.Known && e.Typical == 0:
		return "no estimate"
	case !e.Known:
		return "≥ " + rough(e.Typical)
	case e.Worst <= e.Typical || rough(e.Worst) == rough(e.Typical):
		return rough(e.Typical)
	default:
		return rough(e.Typical) + " (" + rough(e.Worst) + ")"
	}
}

// count returns "1 step", "9,988 steps".
func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return number(n) + " " + noun
}

// more says how many members are left out: "… 9,992 more steps, --full shows
// them".
func more(n int, noun string) string { return "… " + count(n, "more "+noun) + ", --full shows them" }

// number returns n with commas between groups of three digits.
func number(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// shortDigest returns a digest as people compare it by eye.
func shortDigest(digest string) string {
	const shown = 12
	algorithm, hex, ok := strings.Cut(digest, ":")
	if !ok || len(hex) <= shown {
		return digest
	}
	return algorithm + ":" + hex[:shown]
}

// list joins names; beyond limit it says how many more there are. A limit of
// 0 means all.
func list(names []string, limit int) string {
	if limit <= 0 || len(names) <= limit+1 {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:limit], ", ") + fmt.Sprintf(" and %s more", number(len(names)-limit))
}

// value returns v as compact JSON.
func value(v any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Sprintf("%v", v)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// valueLimit is how many columns a value may take before it is shortened.
const valueLimit = 96

// shortValue returns v as compact JSON, shortened when it is long.
func shortValue(v any) string { return truncate(sanitize(value(v)), valueLimit, "…") }

// valuePair returns two values that differ, shortened so that the place where
// they differ stays visible.
func valuePair(a, b any) (left, right string) {
	left, right = sanitize(value(a)), sanitize(value(b))
	if width(left) <= valueLimit && width(right) <= valueLimit {
		return left, right
	}
	const context = 16
	l, r := []rune(left), []rune(right)
	same := 0
	for same < len(l) && same < len(r) && l[same] == r[same] {
		same++
	}
	if cut := same - context; cut > context {
		left, right = "…"+string(l[cut:]), "…"+string(r[cut:])
	}
	return truncate(left, valueLimit, "…"), truncate(right, valueLimit, "…")
}
