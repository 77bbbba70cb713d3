package worker

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/run"
)

// The longest key and note of a member, in bytes.
const (
	maxKey  = 512
	maxNote = 256
)

// maxList is how long a list may be, in bytes of JSON: an event holds it beside the
// state before the effect (maxBefore), and has 64 KiB in all.
const maxList = 24 << 10

// selection is what an action has picked, as it is recorded: no more than it
// takes to see that it is too much. A member that cannot be recorded exactly as
// it is called is refused, since the action would not know it again.
func (e *effect) selection(members []action.Member) ([]run.Selected, error) {
	if e.step.Selection == nil || len(members) == 0 {
		return nil, nil
	}
	out := make([]run.Selected, 0, len(members))
	known := map[string]bool{}
	for _, m := range members[:min(len(members), e.step.Selection.Max+1)] {
		if m.Key == "" || !plainLine(m.Key, maxKey) || !plainLine(m.Note, maxNote) || known[m.Key] {
			return nil, &action.Error{
				Reason: reasonBadMember, Effect: action.ExtentNone,
				Err: fmt.Errorf("%s picks %.100q, which is empty, doubled, longer than %d bytes or no line of text",
					e.spec.Name, m.Key, maxKey),
				Remedy: "exclude it, or rename it",
			}
		}
		known[m.Key] = true
		out = append(out, run.Selected{Key: m.Key, Note: m.Note})
	}
	data, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("encode what step %q picks: %w", e.step.ID, err)
	}
	if len(data) > maxList {
		return nil, &action.Error{
			Reason: reasonListTooLarge, Effect: action.ExtentNone,
			Err: fmt.Errorf("%s picks %d members, whose names and notes have %d bytes, at most %d are recorded",
				e.spec.Name, len(out), len(data), maxList),
			Remedy: "let several steps pick fewer each",
		}
	}
	return out, nil
}

// plainLine tells whether s is a line of text of so many bytes at most.
func plainLine(s string, most int) bool {
	return len(s) <= most && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// membersOf is what an action is told to act on; nil lets it pick.
func membersOf(list []run.Selected) []action.Member {
	var out []action.Member
	for _, m := range list {
		out = append(out, action.Member{Key: m.Key, Note: m.Note})
	}
	return out
}
