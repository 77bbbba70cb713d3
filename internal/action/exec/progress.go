package exec

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/refitproject/refit/internal/action"
)

// ProgressInput tells how the lines that a program prints say how far it has come.
type ProgressInput struct {
	Pattern string `json:"pattern" doc:"Regular expression (RE2) that is looked for in each line that the program prints; its group done holds how much is done, total how much there is, unit what is counted, note anything else. Commas and blanks in numbers are passed over."`
}

// The names of the groups of a pattern.
const (
	groupDone  = "done"
	groupTotal = "total"
	groupUnit  = "unit"
	groupNote  = "note"
)

// maxProgress is how much of a unit or a note is passed on, in bytes.
const maxProgress = 120

// check refuses patterns that could tell nothing.
func (p *ProgressInput) check() error {
	if p == nil {
		return nil
	}
	re, err := regexp.Compile(p.Pattern)
	if err != nil {
		return fmt.Errorf("field %q is no regular expression: %w", "progress.pattern", err)
	}
	known, told := []string{groupDone, groupTotal, groupUnit, groupNote}, false
	for _, name := range re.SubexpNames() {
		if name != "" && !slices.Contains(known, name) {
			return fmt.Errorf("field %q has a group %q: name them %s",
				"progress.pattern", name, strings.Join(known, ", "))
		}
		told = told || name == groupDone || name == groupNote
	}
	if !told {
		return errors.New("field \"progress.pattern\" has no group that tells anything: " +
			`write what counts as (?P<done>\d+), or a text as (?P<note>.+)`)
	}
	return nil
}

// reader returns what reads lines and tells env of them; nil when nothing is told.
func (p *ProgressInput) reader(env action.Env) func(line string) {
	if p == nil {
		return nil
	}
	re, err := regexp.Compile(p.Pattern)
	if err != nil {
		return nil // It was checked.
	}
	return func(line string) {
		if found, ok := progressIn(re, line); ok {
			env.Report(found)
		}
	}
}

// progressIn reads a line. A number that is none, or too large, tells nothing: the
// program must not be disturbed by what it prints.
func progressIn(re *regexp.Regexp, line string) (action.Progress, bool) {
	match := re.FindStringSubmatch(line)
	if match == nil {
		return action.Progress{}, false
	}
	var p action.Progress
	for i, name := range re.SubexpNames() {
		text := strings.TrimSpace(match[i])
		switch name {
		case groupDone:
			n, ok := countOf(text)
			if !ok {
				return action.Progress{}, false
			}
			p.Done = n
		case groupTotal:
			p.Total, _ = countOf(text)
		case groupUnit:
			p.Unit = shortened(text)
		case groupNote:
			p.Note = shortened(text)
		}
	}
	if p.Total > 0 {
		p.Done = min(p.Done, p.Total)
	}
	return p, true
}

// countOf reads a number with separators of thousands.
func countOf(text string) (int64, bool) {
	n, err := strconv.ParseInt(strings.NewReplacer(",", "", " ", "", "_", "", "'", "").Replace(text), 10, 64)
	return n, err == nil && n >= 0
}

func shortened(text string) string {
	if len(text) <= maxProgress {
		return text
	}
	return strings.ToValidUTF8(text[:maxProgress], "") + "…"
}
