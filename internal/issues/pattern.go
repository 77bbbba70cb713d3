package issues

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
)

// Limits of a pattern.
const (
	// maxPattern is how long it may be, in bytes.
	maxPattern = 1000
	// maxProgram is how many instructions it may compile to; a counted repetition
	// is as many as it counts.
	maxProgram = 1000
	// minLiteral is how long the literal text in it must be, in bytes.
	minLiteral = 4
)

// pattern is a regular expression with what is needed to try it seldom.
type pattern struct {
	re *regexp.Regexp
	// literal is in every line that the pattern fits.
	literal string
	// cost is how many instructions one byte of a line may take.
	cost int
}

// compilePattern reads a pattern and refuses one that would cost too much or fit
// too much.
func compilePattern(text string) (*pattern, error) {
	if len(text) > maxPattern {
		return nil, fmt.Errorf("the pattern has %d bytes, at most %d are permitted", len(text), maxPattern)
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		if bad, ok := errors.AsType[*syntax.Error](err); ok {
			return nil, fmt.Errorf("the pattern is no regular expression (RE2): %s: %q", bad.Code, bad.Expr)
		}
		return nil, fmt.Errorf("the pattern is no regular expression (RE2): %w", err)
	}
	simple := parsed.Simplify()
	program, err := syntax.Compile(simple)
	if err != nil {
		return nil, fmt.Errorf("the pattern cannot be compiled: %w", err)
	}
	if len(program.Inst) > maxProgram {
		return nil, fmt.Errorf("the pattern repeats too much: it takes %d instructions, at most %d are permitted",
			len(program.Inst), maxProgram)
	}
	p := &pattern{literal: literalOf(simple), cost: len(program.Inst)}
	if len(p.literal) < minLiteral {
		return nil, fmt.Errorf("the pattern holds no literal text of %d bytes or more outside of (?i), | and ?",
			minLiteral)
	}
	if p.re, err = regexp.Compile(text); err != nil {
		return nil, fmt.Errorf("the pattern cannot be compiled: %w", err)
	}
	return p, nil
}

// literalOf returns the longest text that everything holds that re fits.
func literalOf(re *syntax.Regexp) string {
	switch re.Op { //nolint:exhaustive // all others may fit texts that have nothing in common
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase == 0 && !strings.ContainsRune(string(re.Rune), '\n') {
			return string(re.Rune)
		}
	case syntax.OpConcat:
		best := ""
		for _, sub := range re.Sub {
			if s := literalOf(sub); len(s) > len(best) {
				best = s
			}
		}
		return best
	case syntax.OpCapture, syntax.OpPlus:
		return literalOf(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return literalOf(re.Sub[0])
		}
	}
	return ""
}

// budget bounds the work of all patterns for one failure. It counts and looks at
// no clock, so that the same failure gives the same answer on every machine.
type budget struct {
	// each is what one pattern may still use; it begins with share every time.
	each, share int64
}

// The work of all patterns of one failure, in bytes times instructions, and the
// least that each of them gets.
const (
	allWork   = 1 << 29
	leastWork = 1 << 20
)

func newBudget(patterns int) *budget {
	return &budget{share: max(allWork/int64(max(patterns, 1)), leastWork)}
}

// find returns the first line of text that the pattern fits, shortened to what
// surrounds the place.
func (p *pattern) find(text string, b *budget) (line string, found bool) {
	for at := 0; at < len(text); {
		i := strings.Index(text[at:], p.literal)
		if i < 0 {
			return "", false
		}
		start, end := lineAround(text, at, at+i, at+i+len(p.literal))
		if b.each -= int64(end-start) * int64(p.cost); b.each < 0 {
			return "", false
		}
		if m := p.re.FindStringIndex(text[start:end]); m != nil {
			return excerpt(text[start:end], m[0], m[1]), true
		}
		at = end
	}
	return "", false
}

// maxLine is how much of a line a pattern sees before and behind its literal
// text, in bytes.
const maxLine = 16 << 10

// lineAround returns where the line begins and ends in which text[from:to]
// stands, not before low, and cut where it is longer than a line should be.
func lineAround(text string, low, from, to int) (start, end int) {
	start, end = max(low, from-maxLine), min(len(text), to+maxLine)
	if i := strings.LastIndexByte(text[start:from], '\n'); i >= 0 {
		start += i + 1
	}
	if i := strings.IndexByte(text[to:end], '\n'); i >= 0 {
		end = to + i
	}
	return start, end
}
