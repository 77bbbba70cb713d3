package issues

import (
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/expr"
)

// InMessage is where a Found stands that was recognised by the message of the
// failure.
const InMessage = "message"

// Found is a known issue that fits a failure.
type Found struct {
	Issue Issue
	// In is where its text was found: InMessage, or the name of a Text. It is
	// empty for one that is recognised by state or reason alone.
	In string
	// Line is what stands around the text there.
	Line string
	// Benign tells that it does no harm.
	Benign bool
}

// Candidates are the issues whose texts fit a failure. What they say about facts
// is not known yet.
type Candidates struct {
	failure *Failure
	list    []candidate
}

type candidate struct {
	*known
	in, line string
}

// Find returns the issues that fit a failure as far as can be told without asking
// for facts.
func (s *Set) Find(f *Failure) *Candidates {
	c := &Candidates{failure: f}
	if s == nil {
		return c
	}
	l := newLooker(s, f)
	for _, k := range s.list {
		if !k.concerns(f) {
			continue
		}
		if in, line, found := l.look(k); found {
			c.list = append(c.list, candidate{k, in, line})
		}
	}
	return c
}

// concerns tells whether an issue can befall the step.
func (k *known) concerns(f *Failure) bool {
	return (len(k.Actions) == 0 || slices.Contains(k.Actions, baseName(f.Action))) &&
		(len(k.Phases) == 0 || slices.Contains(k.Phases, f.Phase)) &&
		(len(k.Reasons) == 0 || slices.Contains(k.Reasons, f.Reason))
}

// looker looks for the texts of issues in those of a failure.
type looker struct {
	places []place
	budget *budget
}

// place is one text in the forms in which it is looked at.
type place struct{ name, folded, lines string }

func newLooker(s *Set, f *Failure) *looker {
	patterns := 0
	for _, k := range s.list {
		if k.pattern != nil && k.concerns(f) {
			patterns++
		}
	}
	l := &looker{budget: newBudget(patterns)}
	l.add(InMessage, f.Message)
	for _, t := range f.Texts {
		l.add(t.Name, t.Data)
	}
	return l
}

func (l *looker) add(name, data string) {
	l.places = append(l.places, place{name, fold(data), lines(data)})
}

// look finds the first text that holds what the issue is recognised by.
func (l *looker) look(k *known) (in, line string, found bool) {
	if k.text == "" && k.pattern == nil {
		return "", "", true
	}
	l.budget.each = l.budget.share
	for i := range l.places {
		p := &l.places[i]
		if k.text != "" {
			at := strings.Index(p.folded, k.text)
			if at < 0 {
				continue
			}
			line = excerpt(p.folded, at, at+len(k.text))
		}
		if k.pattern != nil {
			var fits bool
			if line, fits = k.pattern.find(p.lines, l.budget); !fits {
				continue
			}
		}
		return p.name, line, true
	}
	return "", "", false
}

// Facts returns the names of the facts that Judge needs, each once, in the order
// in which they are first spoken of. The name "" stands for all facts.
func (c *Candidates) Facts() []string {
	var out []string
	for _, k := range c.list {
		out = facts(k.benign, facts(k.state, out))
	}
	return out
}

// Judge decides which of the candidates fit, in the order in which people should
// read them: those of the message first, then those of other texts, then those of
// state and reason, each in the order of the file. The scope has the variables
// observe and inputs; a fact that could not be observed is left out of it, and
// every condition that speaks of it does not hold.
//
// An issue is benign only where nothing speaks against it: its condition holds, it
// was not found merely in what the step wrote on the way to another failure, and
// no other issue was found that is not benign.
func (c *Candidates) Judge(scope expr.Scope) []Found {
	var out []Found
	for _, k := range c.list {
		if k.state != nil && !holds(k.state, c.failure, scope) {
			continue
		}
		out = append(out, Found{
			Issue: k.Issue, In: k.in, Line: k.line,
			Benign: k.benign != nil && (k.in == InMessage || k.in == "") && holds(k.benign, c.failure, scope),
		})
	}
	if slices.ContainsFunc(out, func(f Found) bool { return !f.Benign }) {
		for i := range out {
			out[i].Benign = false
		}
	}
	slices.SortStableFunc(out, func(a, b Found) int { return a.rank() - b.rank() })
	return out
}

func (f *Found) rank() int {
	switch f.In {
	case InMessage:
		return 0
	case "":
		return 2
	}
	return 1
}
