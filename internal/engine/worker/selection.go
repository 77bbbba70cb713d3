package worker

import (
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
