package report

import (
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/refitproject/refit/internal/plan"
)

// TestCommandsCanBeCopied breaks commands of any words at any width: a shell reads the
// same words.
func TestCommandsCanBeCopied(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		words := rapid.SliceOfN(rapid.StringMatching(`[a-z' -]{1,60}`), 1, 6).Draw(r, "words")
		quoted := make([]string, len(words))
		for i, w := range words {
			quoted[i] = shellWord(w)
		}
		width, indent := rapid.IntRange(40, 120).Draw(r, "width"), rapid.IntRange(0, 4).Draw(r, "indent")
		text := renderRapid(r, func(w io.Writer) error {
			p := newPage(w, TextOptions{Width: width})
			p.command(indent, strings.Join(quoted, " "))
			return p.close()
		})
		if got := shellWords(text); strings.Join(got, "|") != strings.Join(words, "|") {
			r.Fatalf("a shell reads %q, want %q:\n%s", got, words, text)
		}
		checkLines(r, text, TextOptions{Width: width})
	})
}

// shellWords splits a text into words as a shell does.
func shellWords(text string) []string {
	var words []string
	word, begun, quoted := "", false, false
	end := func() {
		if begun {
			words = append(words, word)
		}
		word, begun = "", false
	}
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '\'':
			quoted, begun = !quoted, true
		case quoted:
			word += string(c)
		case c == '\\' && i+1 < len(text) && text[i+1] == '\n':
			i++
		case c == '\\' && i+1 < len(text):
			i++
			word, begun = word+string(text[i]), true
		case c == ' ' || c == '\n':
			end()
		default:
			word, begun = word+string(c), true
		}
	}
	end()
	return words
}

func TestFindingsThatSayTheSame(t *testing.T) {
	t.Parallel()
	f := func(name, message string, outcome plan.Outcome) plan.Finding {
		return plan.Finding{Name: name, Stage: strings.TrimPrefix(name, "window/"), Message: message, Outcome: outcome}
	}
	got := render(t, func(w io.Writer) error {
		p := newPage(w, TextOptions{Width: 80})
		p.findingList([]plan.Finding{
			f("window/a", "there is none", plan.Warn), f("window/b", "there is none", plan.Warn),
			f("window/c", "too short", plan.Fail), f("window/d", "too short", plan.Warn),
		})
		return p.close()
	})
	want := "Findings: 1 blocks, 3 warnings\n" +
		"  ✗ window/c: too short\n" +
		"  ! window/a, window/b: there is none\n" +
		"  ! window/d: too short\n"
	if strings.TrimLeft(got, "\n") != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestNotSaid(t *testing.T) {
	t.Parallel()
	const said = "install failed: the disk is full; it has 3 MB"
	for name, tc := range map[string]struct{ why, want string }{
		"All":     {"try again: the disk is full; it has 3 MB", "try again"},
		"Part":    {"try again: the disk is full; known issue disk: make room", "try again: known issue disk: make room"},
		"Nothing": {"try again: the net is down", "try again: the net is down"},
		"Plain":   {"take the stage back", "take the stage back"},
	} {
		if got := notSaid(tc.why, said); got != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
}
