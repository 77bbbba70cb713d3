package report

import (
	"fmt"

	"github.com/refitproject/refit/internal/plan"
)

// closing says what stands in the way, or which command to type next.
func (t *planText) closing() {
	var blocking []string
	for i := range t.plan.Findings {
		if f := &t.plan.Findings[i]; f.Blocks() {
			blocking = append(blocking, f.Name)
		}
	}
	t.blank()
	t.inShort()
	switch {
	case len(blocking) == 1:
		t.para(0, 0, in(Danger, "This plan is blocked by 1 finding:"), plain(" "+blocking[0]+
			". It is listed at the top with its remedy."))
	case len(blocking) > 1:
		t.para(0, 0, in(Danger, fmt.Sprintf("This plan is blocked by %s:", count(len(blocking), "finding"))),
			plain(" "+list(blocking, 4)+". They are listed at the top with their remedies."))
	case t.steps() == 0:
		t.para(0, 0, in(Good, "There is nothing to do."))
	case t.opts.Confirming:
	case t.opts.PlanFile != "":
		t.para(0, 2, in(Heading, "What you can type next"))
		file := shellWord(t.opts.PlanFile)
		t.choice(&NextCommand{
			Command: "refit check " + file, Why: "see whether everything is still as this plan expects",
		})
		t.choice(&NextCommand{Command: "refit apply " + file, Why: "carry it out"})
	default:
		t.para(0, 0, plain("The plan is not saved. To keep exactly this plan, add --save plan.json."))
	}
}

// inShort repeats at the end of a plan, where a terminal stands still, what decides
// about it.
func (t *planText) inShort() {
	if t.steps() == 0 {
		return
	}
	s := &t.plan.Summary
	t.para(0, 2, append([]span{in(Heading, "In short"), plain(": ")}, t.sentence()...)...)
	t.para(2, 4, plain(takes(s.Duration)))
	if len(s.Downtime) > 0 {
		spans := []span{in(Warn, "Down"), plain(": ")}
		for i, d := range s.Downtime {
			if i > 0 {
				spans = append(spans, plain(", "))
			}
			spans = append(spans, in(Strong, d.Component), plain(" "+brief(plan.Estimate{
				Typical: d.Typical, Worst: d.Worst, Known: d.Known,
			})))
		}
		t.para(2, 4, append(spans, plain("."))...)
	}
	if r := s.PointOfNoReturn; r != nil {
		t.para(2, 4, in(Danger, "No way back after "+r.Stage+"/"+r.Step), plain(": "+r.Why))
	}
	t.blank()
}

func (t *planText) steps() int {
	n := 0
	for i := range t.plan.Stages {
		n += len(t.plan.Stages[i].Steps)
	}
	return n
}
