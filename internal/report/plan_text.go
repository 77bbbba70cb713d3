package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/refitproject/refit/internal/plan"
)

// PlanText writes p as a text that people read before they agree to it: what
// changes and why, how long it takes, what is down, what can be taken back
// and what cannot, and what stands in the way. The error is that of w.
func PlanText(w io.Writer, p *plan.Plan, opts TextOptions) error {
	t := planText{page: newPage(w, opts), plan: p, fold: foldFor(p, opts), usual: usualTarget(p)}
	t.head()
	t.findings()
	t.legend()
	for i := range p.Stages {
		t.stage(i)
	}
	t.closing()
	return t.close()
}

// planText is one rendering of a plan.
type planText struct {
	*page
	plan  *plan.Plan
	fold  fold
	usual string // the target of most steps, which they need not name
	// columns are those of the steps of the stage that is written.
	columns columns
}

// usualTarget returns the target that most steps act on, of several the first
// one that the plan lists.
func usualTarget(p *plan.Plan) string {
	uses := map[string]int{}
	for i := range p.Stages {
		for j := range p.Stages[i].Steps {
			uses[p.Stages[i].Steps[j].Target]++
		}
	}
	usual := ""
	for _, target := range p.Targets {
		if n := uses[target.Name]; n > 0 && (usual == "" || n > uses[usual]) {
			usual = target.Name
		}
	}
	return usual
}

// head says what the plan is and what it will cost.
func (t *planText) head() {
	p, s := t.plan, t.plan.Summary
	title := []span{in(Heading, "Plan for "+p.Platform), plain(": " + p.Procedure.Name)}
	if p.Path != nil {
		title = append(title, plain(" "), in(Strong, pathText(p.Path)))
	}
	t.para(0, 2, title...)
	t.blank()
	t.field("What", t.sentence()...)
	t.field("Procedure", plain(p.Procedure.Name), in(Muted, procedureOrigin(p.Procedure)))
	t.field("Digest", plain(shortDigest(p.Digest)))
	if !p.Created.IsZero() {
		t.field("Made", plain(p.Created.UTC().Format("2006-01-02 15:04 MST")), in(Muted, madeBy(p.Refit)))
	}
	t.targets()
	t.field("Duration", plain(aboutFrom(s.Duration)))
	t.field("Way back", t.wayBack()...)
	t.downtime()
	t.windows()
	if r := s.PointOfNoReturn; r != nil {
		t.field("No return", in(Danger, "after "+r.Stage+"/"+r.Step), plain(": "+r.Why))
	}
	t.blank()
}

// procedureOrigin tells where the procedure was read and what pins it.
func procedureOrigin(r plan.ProcedureRef) string {
	switch {
	case r.File == "" && r.Digest == "":
		return ""
	case r.File == "":
		return " (" + shortDigest(r.Digest) + ")"
	case r.Digest == "":
		return " (" + r.File + ")"
	default:
		return " (" + r.File + ", " + shortDigest(r.Digest) + ")"
	}
}

func madeBy(version string) string {
	if version == "" {
		return ""
	}
	return " by refit " + version
}

// pathText draws a version path: "1.2.0 → 2.0.0 → 3.3.8".
func pathText(p *plan.Path) string {
	if len(p.Hops) == 0 {
		return p.From + " (already there)"
	}
	versions := []string{p.Hops[0].From}
	for _, hop := range p.Hops {
		versions = append(versions, hop.To)
	}
	return strings.Join(versions, " → ")
}

// sentence says in one sentence what will be done.
func (t *planText) sentence() []span {
	p := t.plan
	verb := fmt.Sprintf("Carry out %s", p.Procedure.Name)
	if p.Path != nil && p.Path.From != p.Path.To {
		verb = fmt.Sprintf("Take %s from %s to %s", p.Procedure.Name, p.Path.From, p.Path.To)
	}
	if len(p.Stages) == 0 {
		return []span{plain("There is nothing to do.")}
	}
	total, marks := 0, map[mark]int{}
	for i := range p.Stages {
		for j := range p.Stages[i].Steps {
			total++
			marks[markOf(&p.Stages[i].Steps[j])]++
		}
	}
	spans := []span{plain(fmt.Sprintf("%s in %s with %s",
		verb, count(len(p.Stages), "stage"), count(total, "step")))}
	sep := ": "
	for _, m := range allMarks() {
		if n := marks[m]; n > 0 {
			spans = append(spans, plain(sep), in(m.role(), number(n)+" "+m.verb(n)))
			sep = ", "
		}
	}
	return append(spans, plain("."))
}

func (t *planText) targets() {
	if len(t.plan.Targets) == 0 {
		return
	}
	label := "Targets"
	for _, target := range t.plan.Targets {
		spans := []span{in(Strong, target.Name), in(Muted, " ("+target.Kind+") ")}
		if target.Identity != "" {
			spans = append(spans, plain(target.Identity))
		} else {
			spans = append(spans, in(Warn, "identity not known"))
		}
		if len(t.plan.Targets) > 1 && target.Name == t.usual {
			spans = append(spans, in(Muted, ", where steps name no other"))
		}
		t.field(label, spans...)
		label = ""
	}
}

// wayBack says how long the longest way back takes and what it costs.
func (t *planText) wayBack() []span {
	s := t.plan.Summary
	spans := []span{plain(aboutFrom(s.Rollback))}
	if s.PointOfNoReturn != nil {
		return append(spans, plain("; "), in(Danger, "none after "+s.PointOfNoReturn.Stage+"/"+s.PointOfNoReturn.Step))
	}
	for i := range t.plan.Stages {
		for j := range t.plan.Stages[i].Steps {
			if step := &t.plan.Stages[i].Steps[j]; step.Reversible == plan.ReversibleRestore && step.Skip == "" {
				return append(spans, plain("; what was written after the backup is lost"))
			}
		}
	}
	return spans
}

func (t *planText) downtime() {
	label := "Downtime"
	if len(t.plan.Summary.Downtime) == 0 {
		t.field(label, in(Good, "none predicted"))
		return
	}
	for _, d := range t.plan.Summary.Downtime {
		e := plan.Estimate{Typical: d.Typical, Worst: d.Worst, Known: d.Known}
		t.field(label, in(Warn, d.Component), plain(" "+about(e)))
		label = ""
	}
}

// windows tells for the whole plan whether every stage fits its windows.
func (t *planText) windows() {
	var fits, not []string
	for _, s := range t.plan.Summary.Stages {
		switch {
		case s.FitsWindow == nil:
		case *s.FitsWindow:
			fits = append(fits, s.ID)
		default:
			not = append(not, s.ID)
		}
	}
	switch {
	case len(not) > 0:
		t.field("Window", in(Danger, "does not fit, way back included"), plain(": "+list(not, 4)))
	case len(fits) > 0 && len(fits) < len(t.plan.Stages):
		t.field("Window", in(Good, "fits, way back included"),
			plain(fmt.Sprintf(" (%s of %s have a window)", number(len(fits)), count(len(t.plan.Stages), "stage"))))
	case len(fits) > 0:
		t.field("Window", in(Good, "fits, way back included"))
	}
}

// legend explains the marks that are used.
func (t *planText) legend() {
	used := map[mark]bool{}
	for i := range t.plan.Stages {
		for j := range t.plan.Stages[i].Steps {
			used[markOf(&t.plan.Stages[i].Steps[j])] = true
		}
	}
	var spans []span
	for _, m := range allMarks() {
		if used[m] {
			spans = append(spans, in(m.role(), nonBreaking(m.sign()+" "+m.verb(1)+"  ")), plain(" "))
		}
	}
	if len(spans) == 0 {
		return
	}
	spans = append(spans, in(Muted, nonBreaking("time: typical (worst)")))
	t.blank()
	t.para(2, 2, spans...)
	t.blank()
}
