package report

import (
	"fmt"
	"io"
)

// CheckText writes r for people, one line for each thing that is not as it
// should be. The error is that of w.
func CheckText(w io.Writer, r CheckResult, opts TextOptions) error {
	t := checkText{page: newPage(w, opts)}
	t.para(0, 2, in(Heading, "Check of the plan for "+r.Platform), in(Muted, " ("+shortDigest(r.Digest)+")"))
	t.blank()
	for _, target := range r.Targets {
		t.target(target)
	}
	for _, stage := range r.Stages {
		t.stage(stage)
	}
	if len(r.Findings) > 0 {
		t.findingList(r.Findings)
	}
	t.blank()
	t.verdict(r)
	return t.close()
}

// checkText is one rendering of a CheckResult.
type checkText struct{ *page }

func (t *checkText) target(c TargetCheck) {
	sign, text := in(Good, "✓ "), " is the one that was planned for"
	switch {
	case c.Same():
	case c.Error != "":
		sign, text = in(Warn, "✗ "), " could not be identified: "+c.Error
	default:
		planned, found := valuePair(c.Expected, c.Observed)
		sign, text = in(Danger, "✗ "), fmt.Sprintf(" is another one: planned for %s, found %s", planned, found)
	}
	t.para(0, 2, sign, plain("target "), in(Strong, c.Name), plain(text))
}

// stage writes the facts that are not as expected and counts the others.
func (t *checkText) stage(s StageCheck) {
	same, later := 0, 0
	for i := range s.Facts {
		f := &s.Facts[i]
		switch f.Status {
		case AsExpected:
			same++
			if t.opts.Full {
				t.fact(in(Good, "✓ "), f, plain(" is "+presence(f.Observed, f.ObservedAbsent)))
			}
		case Later:
			later++
			if t.opts.Full {
				t.fact(in(Muted, "· "), f, in(Muted, " is brought about by an earlier stage"))
			}
		case FactChanged:
			before, after := factPair(f)
			t.fact(in(Danger, "✗ "), f,
				plain(" changed: expected "), in(Add, before), plain(", observed "), in(Danger, after))
		case FactUnknown:
			t.fact(in(Warn, "✗ "), f, plain(" could not be observed: "+f.Error))
		}
	}
	t.counts(s, same, later)
}

func (t *checkText) fact(sign span, f *FactCheck, rest ...span) {
	t.para(0, 2, append([]span{sign, plain("fact "), in(Strong, f.Fact)}, rest...)...)
}

func (t *checkText) counts(s StageCheck, same, later int) {
	spans := []span{in(Muted, "· "), plain("stage "), in(Strong, s.ID), plain(": ")}
	switch {
	case len(s.Facts) == 0:
		spans = append(spans, in(Muted, "expects no facts"))
	case same == len(s.Facts):
		spans = append(spans, in(Good, count(same, "fact")+" as expected"))
	case later == len(s.Facts):
		spans = append(spans, in(Muted, count(later, "fact")+" to be compared when it starts"))
	default:
		spans = append(spans, plain(fmt.Sprintf("%s of %s as expected", number(same), count(len(s.Facts), "fact"))))
	}
	t.para(0, 2, spans...)
}

// factPair returns what was expected and what was observed.
func factPair(f *FactCheck) (expected, observed string) {
	if f.ExpectedAbsent || f.ObservedAbsent {
		return presence(f.Expected, f.ExpectedAbsent), presence(f.Observed, f.ObservedAbsent)
	}
	return valuePair(f.Expected, f.Observed)
}

func presence(v any, absent bool) string {
	if absent {
		return "nothing"
	}
	return shortValue(v)
}

// verdict says what the check comes to and what to do.
func (t *checkText) verdict(r CheckResult) {
	v := r.Conclude()
	var verdict, advice string
	switch {
	case v.Stale && v.Blocked:
		verdict, advice = "The plan is stale and blocked.", "Plan again, then see what still blocks."
	case v.Stale:
		verdict, advice = "The plan is stale.", "Plan again, or bring back what changed and check again."
	case v.Unknown:
		verdict, advice = "Not everything could be asked.", "Mend what does not answer and check again."
	case v.Blocked:
		verdict, advice = "The plan is blocked.", "Mend what blocks, or accept it by name and plan again."
	default:
		t.para(0, 0, in(Good, "Everything is as the plan expects."))
		return
	}
	t.para(0, 0, in(Danger, verdict), plain(" "+advice))
}
