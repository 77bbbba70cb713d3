package service

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/run"
)

// Offer is a value that can be typed, and what it stands for.
type Offer struct{ Value, Text string }

// Want says which runs, and what of them, a command can do something about.
type Want string

// What can be wanted. WantAny to WantHere are about runs; the others are about
// something that stands in a stage, and about the runs that have it.
const (
	WantAny    Want = "any"
	WantOpen   Want = "open"
	WantActive Want = "active"
	WantPaused Want = "paused"
	// WantUndriven are open runs that nobody drives.
	WantUndriven Want = "undriven"
	// WantHere are runs that were not moved to another machine.
	WantHere Want = "here"

	WantStep     Want = "step"
	WantFailed   Want = "failed"
	WantDoubt    Want = "doubt"
	WantLease    Want = "lease"
	WantApproval Want = "approval"
	WantPerson   Want = "person"
	WantGate     Want = "gate"
	WantBlocked  Want = "blocked"
)

// aboutRuns tells whether nothing but the run itself matters.
func (w Want) aboutRuns() bool {
	return slices.Contains([]Want{WantAny, WantOpen, WantActive, WantPaused, WantUndriven, WantHere}, w)
}

// fits tells whether a run may be meant, as far as can be said without reading it.
func (w Want) fits(r *report.RunInfo) bool {
	open := !r.Status.Final() && !r.Moved
	switch w {
	case WantAny, WantStep:
		return true
	case WantHere:
		return !r.Moved
	case WantPaused:
		return open && r.Status == run.Paused
	case WantActive:
		return open && r.Status != run.Paused
	case WantUndriven:
		return open && r.Owner == nil
	case WantOpen, WantFailed, WantDoubt, WantLease, WantApproval, WantPerson, WantGate, WantBlocked:
		return open
	default:
		return false
	}
}

// thing is something of a run that a command can be about. Of a finding the name
// stands in the place of the stage.
type thing struct{ stage, name, text string }

// things lists what is wanted of a run.
func (w Want) things(v *report.RunView) []thing {
	switch w {
	case WantStep, WantFailed:
		return stepThings(v, w == WantStep)
	case WantDoubt:
		var out []thing
		for _, d := range v.InDoubt {
			out = append(out, thing{d.Ref.Stage, d.Ref.Step, "in doubt: " + d.Text})
		}
		return out
	case WantLease:
		var out []thing
		for i := range v.Leases {
			out = append(out, thing{v.Leases[i].Stage, v.Leases[i].Step, "held" + until(&v.Leases[i])})
		}
		return out
	case WantApproval, WantPerson, WantGate:
		return w.gates(v)
	case WantBlocked:
		var out []thing
		for i := range v.Findings {
			if f := &v.Findings[i]; f.Blocks() {
				out = append(out, thing{stage: f.Name, text: f.Message})
			}
		}
		return out
	case WantAny, WantOpen, WantActive, WantPaused, WantUndriven, WantHere:
	}
	return nil
}

// stepThings lists the steps of a run: all, or those that have failed.
func stepThings(v *report.RunView, all bool) []thing {
	var out []thing
	for i := range v.Stages {
		st := &v.Stages[i]
		for j := range st.Steps {
			if s := &st.Steps[j]; all || s.Status == run.StepFailed {
				out = append(out, thing{st.ID, s.ID, describeStep(s)})
			}
		}
	}
	return out
}

// gates lists the gates that wait for what is wanted.
func (w Want) gates(v *report.RunView) []thing {
	var out []thing
	for i := range v.Gates {
		if g := &v.Gates[i]; w == WantGate || string(g.Kind) == string(w) {
			out = append(out, thing{g.Stage, g.Name, g.Question})
		}
	}
	if w != WantPerson && v.AsksForRollback() {
		out = append(out, thing{stage: rollbackGate, text: "restore data, and lose what was written since"})
	}
	return out
}

func until(l *report.LeaseView) string {
	if l.Until == "" {
		return ""
	}
	return ", given back " + l.Until
}

// describeStep says how far a step is and what it does.
func describeStep(s *report.StepView) string {
	text := fmt.Sprintf("%s, %s", s.Status, s.Action)
	if s.Status == run.StepFailed && s.Message != "" {
		text += ": " + s.Message
	}
	return text
}

// Offers returns what can be typed behind args, for a command that takes a run and
// at most more names of things of it. Without the name of a run they are those of
// the only open run.
func (s *Service) Offers(ctx context.Context, want Want, args []string, more int) ([]Offer, error) {
	list, err := s.Runs(ctx)
	if err != nil {
		return nil, err
	}
	if len(args) == 0 {
		return s.offerRuns(ctx, list.Runs, want, more), nil
	}
	id, err := findRun(list.Runs, args[0])
	rest := args[1:]
	if err != nil {
		if id, err = findRun(list.Runs, ""); err != nil {
			return nil, err
		}
		rest = args
	}
	if len(rest) >= more {
		return nil, nil
	}
	_, v, err := s.view(ctx, id)
	if err != nil {
		return nil, err
	}
	if len(rest) == 0 {
		return stagesOf(v, want), nil
	}
	return namesOf(want.things(v), rest[0]), nil
}

// offerRuns offers runs that have what is wanted, those that go on first, and the
// stages of the only open one.
func (s *Service) offerRuns(ctx context.Context, list []report.RunInfo, want Want, more int) []Offer {
	slices.SortStableFunc(list, func(a, b report.RunInfo) int { return rankOf(a.Status) - rankOf(b.Status) })
	only, _ := findRun(list, "")
	var out, below []Offer
	for i := range list {
		r := &list[i]
		if !want.fits(r) {
			continue
		}
		text := fmt.Sprintf("%s, %s", r.Status, r.Platform)
		if !want.aboutRuns() && want != WantStep {
			_, v, err := s.view(ctx, r.ID)
			if err != nil {
				continue
			}
			found := want.things(v)
			if len(found) == 0 {
				continue
			}
			text += ": " + found[0].text
		}
		out = append(out, Offer{r.ID, text})
		if r.ID == only && more > 0 {
			if _, v, err := s.view(ctx, r.ID); err == nil {
				below = stagesOf(v, want)
			}
		}
	}
	return append(out, below...)
}

// stagesOf offers the stages in which there is something that is wanted, or the
// findings.
func stagesOf(v *report.RunView, want Want) []Offer {
	if want == WantStep {
		return allStages(v, func(*report.StageView) bool { return true })
	}
	var out []Offer
	for _, t := range want.things(v) {
		if i := slices.IndexFunc(out, func(o Offer) bool { return o.Value == t.stage }); i >= 0 {
			out[i].Text += "; " + t.name
			continue
		}
		text := t.text
		if t.name != "" {
			text = t.name + ": " + text
		}
		out = append(out, Offer{t.stage, text})
	}
	return out
}

func allStages(v *report.RunView, fits func(*report.StageView) bool) []Offer {
	var out []Offer
	for i := range v.Stages {
		if st := &v.Stages[i]; fits(st) {
			out = append(out, Offer{st.ID, fmt.Sprintf("stage %d of %d, %s", st.Number, len(v.Stages), st.Part)})
		}
	}
	return out
}

// namesOf offers the steps, or gates, of a stage.
func namesOf(list []thing, stage string) []Offer {
	var out []Offer
	for _, t := range list {
		again := slices.ContainsFunc(out, func(o Offer) bool { return o.Value == t.name })
		if t.stage == stage && t.name != "" && !again {
			out = append(out, Offer{t.name, t.text})
		}
	}
	return out
}

// viewOf returns the run that args begin with, or the only open one, and the
// arguments behind its name.
func (s *Service) viewOf(ctx context.Context, args []string) (*report.RunView, []string, error) {
	if len(args) > 0 {
		if id, err := s.RunNamed(ctx, args[0]); err == nil {
			_, v, err := s.view(ctx, id)
			return v, args[1:], err
		}
	}
	v, err := s.Status(ctx, "")
	return v, args, err
}

// OfferStages offers the stages of a run: those that have begun, or those that are
// ahead.
func (s *Service) OfferStages(ctx context.Context, args []string, begun bool) ([]Offer, error) {
	v, _, err := s.viewOf(ctx, args)
	if err != nil {
		return nil, err
	}
	return allStages(v, func(st *report.StageView) bool { return (st.Part != run.PartAhead) == begun }), nil
}

// OfferEvidence offers the values that the work of a person asks for and that are
// not among args.
func (s *Service) OfferEvidence(ctx context.Context, args []string) ([]Offer, error) {
	names := slices.DeleteFunc(slices.Clone(args), func(a string) bool { return strings.Contains(a, "=") })
	v, rest, err := s.viewOf(ctx, names)
	if err != nil {
		return nil, err
	}
	var out []Offer
	for i := range v.Gates {
		g := &v.Gates[i]
		if g.Kind != run.WaitPerson || len(rest) > 0 && rest[0] != g.Stage || len(rest) > 1 && rest[1] != g.Name {
			continue
		}
		for _, name := range g.Evidence {
			if !slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(a, name+"=") }) {
				out = append(out, Offer{name + "=", "asked for by " + g.Name})
			}
		}
	}
	return out, nil
}

// OfferDoubts offers what tells operations in doubt apart: "operation", "member" or
// "component".
func (s *Service) OfferDoubts(ctx context.Context, args []string, part string) ([]Offer, error) {
	v, rest, err := s.viewOf(ctx, args)
	if err != nil {
		return nil, err
	}
	var out []Offer
	for _, d := range v.InDoubt {
		value := map[string]string{
			"operation": string(d.Ref.What), "member": d.Ref.Member, "component": d.Ref.Component,
		}[part]
		if value == "" || len(rest) > 1 && (rest[0] != d.Ref.Stage || rest[1] != d.Ref.Step) {
			continue
		}
		out = append(out, Offer{value, d.Text})
	}
	return out, nil
}

// OfferArtefacts offers the digests of the evidence that is kept of a step.
func (s *Service) OfferArtefacts(ctx context.Context, args []string) ([]Offer, error) {
	v, rest, err := s.viewOf(ctx, args)
	const both = 2
	if err != nil || len(rest) < both {
		return nil, err
	}
	e, err := s.host(ctx)
	if err != nil {
		return nil, err
	}
	records, err := e.History(ctx, v.ID, 0, 0)
	if err != nil {
		return nil, runError(v.ID, err)
	}
	var out []Offer
	for _, r := range records {
		if _, about := report.AboutStep(r.Event.Body, rest[0], rest[1]); !about {
			continue
		}
		for _, a := range report.ArtefactsOf(r.Event.Body) {
			out = append(out, Offer{a.Digest, a.Name})
		}
	}
	return out, nil
}
