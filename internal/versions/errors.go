package versions

import (
	"errors"
	"fmt"
	"strings"
)

// ErrTooManyWays is returned when a search was given up because the graph has
// too many ways to compare.
var ErrTooManyWays = errors.New("the version graph has too many ways to compare: forbid some of them")

// UnknownVersionError is returned for a version that the graph does not know.
type UnknownVersionError struct {
	Product, Version string
	// Suggestion says what was perhaps meant; it may be empty.
	Suggestion string
}

// Error implements error in one line.
func (e *UnknownVersionError) Error() string {
	s := fmt.Sprintf("the version graph of %s has no version %q", e.Product, e.Version)
	if e.Suggestion != "" {
		s += ": " + e.Suggestion
	}
	return s
}

// NoPathError is returned when no path leads from one version to another.
type NoPathError struct {
	From, To string
	// Nearest is the version closest to To that can be reached; From when the
	// very first hop fails.
	Nearest string
	// Between is the pair at which the way ends; its first member can be
	// reached. Both are empty when no edge leads on.
	Between [2]string
	// Kind is what stops there: Migration, Forbidden, or Waypoint for a hop
	// that would jump over one. It is empty when no edge leads on.
	Kind EdgeKind
	// Why is the reason that the edge gives.
	Why string
	// Waypoint is the version that would be jumped over.
	Waypoint string
	// Procedure is the one to use instead, for a Migration that names one.
	Procedure string
	// Back tells that To is older than From.
	Back bool
}

// Error implements error in one line.
func (e *NoPathError) Error() string {
	head := fmt.Sprintf("no path from %q to %q: ", e.From, e.To)
	if e.Back {
		return head + fmt.Sprintf("%q is older, and a path never leads back", e.To)
	}
	if e.Kind == "" && e.Nearest == e.From {
		return head + "no edge leads there"
	}
	if e.Kind == "" {
		return head + e.reached() + "no edge leads on from it"
	}
	pair := fmt.Sprintf("from %q to %q", e.Between[0], e.Between[1])
	if e.Between == [2]string{e.From, e.To} {
		pair = "that"
	}
	tail := ""
	if e.Between[0] == e.Nearest {
		pair = e.reached() + pair
	} else if e.Nearest != e.From {
		tail = fmt.Sprintf("; the nearest version that can be reached is %q", e.Nearest)
	}
	return head + pair + " " + e.obstacle() + tail
}

// reached introduces the nearest version when it is not where one is already.
func (e *NoPathError) reached() string {
	if e.Nearest == e.From {
		return ""
	}
	return fmt.Sprintf("%q can be reached, but ", e.Nearest)
}

// obstacle says what stops the pair Between.
func (e *NoPathError) obstacle() string {
	switch {
	case e.Kind == Waypoint:
		return fmt.Sprintf("would jump over the waypoint %q", e.Waypoint)
	case e.Kind == Migration && e.Procedure != "":
		return "is a migration" + inBrackets(e.Why) + fmt.Sprintf(": use the procedure %q", e.Procedure)
	case e.Kind == Migration:
		return "is a migration" + inBrackets(e.Why)
	default:
		return "is forbidden" + inBrackets(e.Why)
	}
}

func inBrackets(why string) string {
	if why == "" {
		return ""
	}
	return " (" + strings.TrimSuffix(strings.Join(strings.Fields(why), " "), ".") + ")"
}
