package versions

import (
	"fmt"
	"strings"
)

// maxConstraintLength bounds the text of one Constraint, in bytes.
const maxConstraintLength = 4096

// Constraint is a set of versions, written as ranges in the order of a Scheme.
//
// Comparisons (>=, >, <=, <, =, !=) that stand side by side, with spaces or
// commas between, must all hold; || separates alternatives; * is every
// version. A version without an operator means =. A version with fewer numbers
// than usual, or with a trailing .x, stands for all that start with it: "1.17"
// matches 1.17.4, ">1.17" begins at 1.18, "<2.0" leaves 2.0.0-rc.1 out and
// ">=2.0" lets it in. Schemes without order know only =, != and *.
//
// A Constraint is immutable and safe for concurrent use.
type Constraint struct {
	text         string
	scheme       Scheme
	alternatives [][]comparison
}

type comparison struct {
	operator string
	bound    Version
}

// ParseConstraint reads a Constraint over the versions of s. Its errors name
// the part that is wrong and are one line.
func ParseConstraint(s Scheme, text string) (*Constraint, error) {
	if len(text) > maxConstraintLength {
		return nil, fmt.Errorf("constraint is longer than %d bytes", maxConstraintLength)
	}
	c := &Constraint{text: text, scheme: s}
	for alternative := range strings.SplitSeq(text, "||") {
		comparisons, err := parseAlternative(s, alternative)
		if err != nil {
			return nil, fmt.Errorf("constraint %q: %w", text, err)
		}
		c.alternatives = append(c.alternatives, comparisons)
	}
	return c, nil
}

func parseAlternative(s Scheme, text string) ([]comparison, error) {
	var comparisons []comparison
	rest := strings.TrimLeft(text, " \t,")
	if rest == "" {
		return nil, fmt.Errorf("nothing is compared: write * for every version")
	}
	for rest != "" {
		operator := leadingOperator(rest)
		rest = strings.TrimLeft(rest[len(operator):], " \t")
		end := strings.IndexAny(rest, " \t,<>=!")
		if end < 0 {
			end = len(rest)
		}
		one, err := parseComparison(s, operator, rest[:end])
		if err != nil {
			return nil, err
		}
		if one.operator != "*" {
			comparisons = append(comparisons, one)
		}
		rest = strings.TrimLeft(rest[end:], " \t,")
	}
	return comparisons, nil
}

func leadingOperator(text string) string {
	for _, operator := range []string{">=", "<=", "!=", "==", ">", "<", "=", "^", "~>", "~"} {
		if strings.HasPrefix(text, operator) {
			return operator
		}
	}
	return ""
}

func parseComparison(s Scheme, operator, text string) (comparison, error) {
	switch operator {
	case "^", "~", "~>":
		return comparison{}, fmt.Errorf("operator %q is not known: use >=, >, <=, <, = or !=", operator)
	case "", "==":
		operator = "="
	}
	if strings.Contains(text, "|") {
		return comparison{}, fmt.Errorf("a single | stands in %q: write || between alternatives", text)
	}
	if text == "*" {
		if operator != "=" {
			return comparison{}, fmt.Errorf("* stands alone, without an operator")
		}
		return comparison{operator: "*"}, nil
	}
	if text == "" {
		return comparison{}, fmt.Errorf("operator %q has no version behind it", operator)
	}
	if s.Ordered() {
		text = trimWildcard(text)
	} else if operator != "=" && operator != "!=" {
		return comparison{}, fmt.Errorf("operator %q needs an order, but %s are never ordered: name the versions",
			operator, s.Name())
	}
	bound, err := s.Parse(text)
	if err != nil {
		return comparison{}, err
	}
	return comparison{operator: operator, bound: bound}, nil
}

// trimWildcard drops .x and .* from the end: 1.17.x is 1.17.
func trimWildcard(text string) string {
	for {
		short := strings.TrimSuffix(strings.TrimSuffix(text, ".x"), ".*")
		if short == text {
			return text
		}
		text = short
	}
}

// String returns the text that was parsed.
func (c *Constraint) String() string { return c.text }

// Match tells whether v is in the set. The version must have been parsed by
// the scheme of the Constraint.
func (c *Constraint) Match(v Version) bool {
	for _, comparisons := range c.alternatives {
		if c.allHold(comparisons, v) {
			return true
		}
	}
	return false
}

func (c *Constraint) allHold(comparisons []comparison, v Version) bool {
	for _, one := range comparisons {
		order := c.scheme.CompareBound(v, one.bound)
		var holds bool
		switch one.operator {
		case ">=":
			holds = order >= 0
		case ">":
			holds = order > 0
		case "<=":
			holds = order <= 0
		case "<":
			holds = order < 0
		case "!=":
			holds = order != 0
		default:
			holds = order == 0
		}
		if !holds {
			return false
		}
	}
	return true
}

// exact returns the one version that the Constraint names, when it names one
// and compares nothing.
func (c *Constraint) exact() (Version, bool) {
	if len(c.alternatives) != 1 || len(c.alternatives[0]) != 1 || c.alternatives[0][0].operator != "=" {
		return Version{}, false
	}
	return c.alternatives[0][0].bound, true
}
