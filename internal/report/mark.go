package report

import (
	"strings"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/plan"
)

// mark is the sign in front of a step: what the step does to the world, in
// one character.
type mark int

// The marks, the most dangerous first.
const (
	markNoReturn mark = iota
	markChange
	markAdd
	markRead
	markGate
	markSkip
)

func allMarks() []mark {
	return []mark{markChange, markAdd, markRead, markGate, markSkip, markNoReturn}
}

// markOf returns the mark of a step. Only backups and scratch steps are known
// to leave alone whatever exists; any other mutating step counts as a change.
func markOf(s *plan.Step) mark {
	switch {
	case s.Skip != "":
		return markSkip
	case s.Gate != "":
		return markGate
	case s.Reversible == plan.ReversibleNo:
		return markNoReturn
	case s.Effect == action.ReadOnly:
		return markRead
	case s.Effect == action.Scratch, len(s.Covers) > 0 && len(s.Changes) == 0:
		return markAdd
	default:
		return markChange
	}
}

func (m mark) sign() string {
	switch m {
	case markNoReturn:
		return "!"
	case markChange:
		return "~"
	case markAdd:
		return "+"
	case markRead:
		return "·"
	case markGate:
		return "‖"
	case markSkip:
		return "-"
	default:
		return " "
	}
}

func (m mark) role() Role {
	switch m {
	case markNoReturn:
		return Danger
	case markChange:
		return Change
	case markAdd:
		return Add
	case markGate:
		return Warn
	case markRead, markSkip:
		return Muted
	default:
		return Text
	}
}

// verb says what n steps with the mark do: "1 changes something".
func (m mark) verb(n int) string {
	one, many := "", ""
	switch m {
	case markNoReturn:
		one, many = "cannot be taken back", "cannot be taken back"
	case markChange:
		one, many = "changes something", "change something"
	case markAdd:
		one, many = "makes something new", "make something new"
	case markRead:
		one, many = "only reads", "only read"
	case markGate:
		one, many = "waits", "wait"
	case markSkip:
		one, many = "is skipped", "are skipped"
	}
	if n == 1 {
		return one
	}
	return many
}

// nonBreaking keeps a phrase on one line.
func nonBreaking(text string) string { return strings.ReplaceAll(text, " ", "\u00a0") }
