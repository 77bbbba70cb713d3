package report

import (
	"fmt"
	"strings"
)

// closing says what stands in the way, or which command to type next.
func (t *planText) closing() {
	blocking := 0
	for i := range t.plan.Findings {
		if t.plan.Findings[i].Blocks() {
			blocking++
		}
	}
	t.blank()
	switch {
	case blocking == 1:
		t.para(0, 0, in(Danger, "This plan is blocked by 1 finding."), plain(" It is listed above with its remedy."))
	case blocking > 1:
		t.para(0, 0, in(Danger, fmt.Sprintf("This plan is blocked by %s.", count(blocking, "finding"))),
			plain(" They are listed above with their remedies."))
	case t.steps() == 0:
		t.para(0, 0, in(Good, "There is nothing to do."))
	case t.opts.PlanFile != "":
		t.para(0, 0, plain("To see whether everything is still as this plan expects, type:"))
		t.command("refit check " + shellWord(t.opts.PlanFile))
		t.para(0, 0, plain("To carry it out, type:"))
		t.command("refit apply " + shellWord(t.opts.PlanFile))
	default:
		t.para(0, 0, plain("The plan is not saved. To keep exactly this plan, add --save plan.json."))
	}
}

func (t *planText) steps() int {
	n := 0
	for i := range t.plan.Stages {
		n += len(t.plan.Stages[i].Steps)
	}
	return n
}

// shellWord quotes a word for a shell where that is needed.
func shellWord(word string) string {
	safe := strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:=@%+,-") == ""
	if safe && word != "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// command writes a command so that it can be copied: a line that is too long
// goes on behind a backslash, without indent, since a shell joins such lines
// again even in the middle of a word.
func (p *page) command(text string) {
	text = p.cleanText(text)
	for width(text) > p.width {
		head := truncate(text, p.width-1, "")
		if i := strings.LastIndexByte(head, ' '); i > 0 {
			head = text[:i+1]
		}
		p.line(0, []span{in(Strong, head+`\`)})
		text = text[len(head):]
	}
	p.line(0, []span{in(Strong, text)})
}
