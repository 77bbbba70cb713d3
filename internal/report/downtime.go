package report

import (
	"time"

	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/probe"
)

// DowntimeView is how long a component was down, as its probes measured it, beside
// what the plan predicted.
type DowntimeView struct {
	probe.Measured
	Predicted plan.Estimate `json:"predicted,omitzero"`
}

// probesBegan tells when the first step began that stands behind the checks of its
// stage: from then on components are measured. Zero when none has.
func probesBegan(v *RunView) time.Time {
	var first time.Time
	for i := range v.Stages {
		for j := range v.Stages[i].Steps {
			step := &v.Stages[i].Steps[j]
			if step.Phase == plan.Prepare || step.Phase == plan.Preflight || step.Began.IsZero() {
				continue
			}
			if first.IsZero() || step.Began.Before(first) {
				first = step.Began
			}
		}
	}
	return first
}

// BuildDowntime measures the components of a run from the samples of its probes: from
// the first quiesce, or the first sample, to the end of the run or to now.
func BuildDowntime(v *RunView, p *plan.Plan, probes []probe.Plan, spans []probe.Span) []DowntimeView {
	from, to := probesBegan(v), v.Looked
	if v.Status.Final() {
		to = v.Updated
	}
	for i := range spans {
		if from.IsZero() || spans[i].From.Before(from) {
			from = spans[i].From
		}
	}
	if from.IsZero() {
		return nil
	}
	var out []DowntimeView
	for _, m := range probe.Measure(probes, spans, from, to) {
		out = append(out, DowntimeView{Measured: m, Predicted: predicted(p, m.Component)})
	}
	return out
}

// predicted is the downtime of a component as the plan has it.
func predicted(p *plan.Plan, component string) plan.Estimate {
	for _, d := range p.Summary.Downtime {
		if d.Component == component {
			return plan.Estimate{Typical: d.Typical, Worst: d.Worst, Known: d.Known}
		}
	}
	return plan.Estimate{Known: true}
}

// downtime says how long components were down.
func (t *runText) downtime() {
	if len(t.v.Downtime) == 0 {
		return
	}
	t.blank()
	t.para(0, 2, in(Heading, "Downtime"), plain(": as probes measured it, since "+moment(t.v.Downtime[0].From)))
	for i := range t.v.Downtime {
		t.component(&t.v.Downtime[i])
	}
}

func (t *runText) component(d *DowntimeView) {
	role, text := measuredText(d)
	spans := []span{in(Strong, d.Component), plain(" "), in(role, text)}
	if d.Predicted.Typical > 0 || d.Predicted.Worst > 0 {
		spans = append(spans,
			plain(", predicted "+rough(d.Predicted.Typical)+", at worst "+rough(d.Predicted.Worst)))
	}
	if gap := unmeasuredText(d); gap != "" {
		spans = append(spans, in(Muted, ", "+gap))
	}
	if n := len(d.Outages); n > 0 && d.Outages[n-1].Open && !t.v.Status.Final() {
		spans = append(spans, plain(", "), in(Danger, "down now"), plain(": "+d.Outages[n-1].Why))
	}
	t.para(2, 4, spans...)
}

// fineText writes a measured time, a short one to a tenth of a second.
func fineText(d time.Duration) string {
	const fine = time.Second / 10
	if d = d.Round(fine); d > 0 && d < time.Second {
		return tenths(d)
	}
	if d < time.Minute {
		return d.String()
	}
	return d.Round(time.Second).String()
}

// measuredText says what was measured of a component.
func measuredText(d *DowntimeView) (Role, string) {
	switch n := len(d.Outages); {
	case d.Down > 0 && n > 1:
		return Warn, "down for " + fineText(d.Down) + " in " + number(n) + " outages"
	case d.Down > 0:
		return Warn, "down for " + fineText(d.Down)
	case d.Up == 0:
		return Muted, "not measured"
	}
	return Good, "not down"
}

// unmeasuredText says for how long a component was not measured while it otherwise
// was, "" for never.
func unmeasuredText(d *DowntimeView) string {
	const shown = time.Second / 20
	if d.Unmeasured < shown || d.Up+d.Down == 0 {
		return ""
	}
	return "not measured for " + fineText(d.Unmeasured)
}
