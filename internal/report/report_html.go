package report

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

//go:embed page/report.html.tmpl
var pageTemplate string

//go:embed page/report.css
var pageStyle string

// mostSteps is how many steps of a stage a page shows, mostBrief how many columns
// of a text that is told in full elsewhere.
const (
	mostSteps = 200
	mostBrief = 300
)

// htmlPage is what the template sees.
type htmlPage struct {
	*Report
	Timeline timeline
	CSS      template.CSS
	// Policy forbids scripts, and all that a page could fetch or send.
	Policy string
}

// RenderHTML writes r as one page that needs nothing else: no script, no
// network. Whatever texts the run brought are shown as texts. The error is that
// of w.
func RenderHTML(w io.Writer, r *Report) error {
	t, err := template.New("report").Funcs(pageFuncs()).Parse(pageTemplate)
	if err != nil {
		return fmt.Errorf("read the template of the report: %w", err)
	}
	hash := sha256.Sum256([]byte(pageStyle))
	policy := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) +
		"'; base-uri 'none'; form-action 'none'"
	return t.ExecuteTemplate(w, "page", htmlPage{
		Report: r, Timeline: buildTimeline(r), Policy: policy,
		CSS: template.CSS(pageStyle), //nolint:gosec // It is a part of the program, not a text of a run.
	})
}

// pageFuncs are what the template calls.
func pageFuncs() template.FuncMap {
	return template.FuncMap{
		"line": oneLine, "lines": block, "brief": func(text string) string { return shorten(text, mostBrief) },
		"names":  func(names []string) string { return oneLine(list(names, 40)) },
		"moment": momentOrNothing, "clock": clock, "short": shortDigest, "took": since, "counts": countsText,
		"estimate": predictedText, "downtime": downtimeText, "stageTitle": stageTitle, "statusClass": statusClass,
		"stepClass": stepClass, "stepText": stepText, "stepWhy": stepWhy, "findingText": findingText,
		"findingClass": findingClassName, "leaseText": leaseText, "leaseClass": leaseClass, "proof": provenText,
		"outcome": outcomeText, "outcomeClass": outcomeClass, "attemptsText": attemptsText,
		"noteworthy": func(o OperationStory) bool { return o.noteworthy() },
		"roleClass":  func(e Entry) string { return roleClass(e.role) },
		"inline":     inline, "diffLines": diffSpans, "remainsWord": remainsWord,
	}
}

// Nothing tells whether nothing remains to be said about the end.
func (r *Report) Nothing() bool {
	v := &r.Run
	return v.Status.Final() && len(v.Leases) == 0 && len(v.Remains) == 0 && len(v.Undone) == 0 && len(v.InDoubt) == 0
}

// About returns what the plan says of a step, on one line.
func (r *Report) About(stage, step string) string { return oneLine(r.texts[stage+"/"+step]) }

// Shown returns the steps of a stage that a page shows: of very many those that a
// reader has to see first.
func (r *Report) Shown(s StageView) []StepView {
	if len(s.Steps) <= mostSteps {
		return s.Steps
	}
	spare := len(s.Steps) - mostSteps
	out := slices.Clone(s.Steps)
	for _, last := range []bool{false, true} {
		out = slices.DeleteFunc(out, func(st StepView) bool {
			drop := spare > 0 && loud(&st) == last
			if drop {
				spare--
			}
			return drop
		})
	}
	return out
}

// Hidden counts the steps of a stage that Shown leaves out.
func (r *Report) Hidden(s StageView) int { return max(0, len(s.Steps)-mostSteps) }

// oneLine makes any text safe to show on one line, and bounds it.
func oneLine(text string) string {
	const most = 2 << 10
	short, more := clip(text, most)
	short = strings.TrimSpace(sanitize(short))
	if more > 0 {
		short += " … (" + number(more) + " bytes more)"
	}
	return short
}

// block makes a text of several lines safe to show.
func block(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\r\n"), "\n")
	for i := range lines {
		lines[i] = sanitize(strings.ReplaceAll(strings.TrimRight(lines[i], "\r"), "\t", "    "))
	}
	return strings.Join(lines, "\n")
}

// inline tells whether a value is short enough to stand beside its name.
func inline(f Field) bool {
	const most = 100
	return len(f.Text) <= most && !strings.Contains(strings.TrimRight(f.Text, "\n"), "\n")
}

func momentOrNothing(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return moment(t)
}

// clock writes the time of a day with its date, without the zone.
func clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("01-02 15:04:05")
}

func countsText(n StepCounts) string {
	parts := []string{number(n.Done) + " of " + number(n.Total) + " done"}
	for _, c := range []struct {
		n    int
		word string
	}{{n.Skipped, "skipped"}, {n.Failed, "failed"}, {n.InDoubt, "in doubt"}, {n.Undone, "taken back"}} {
		if c.n > 0 {
			parts = append(parts, number(c.n)+" "+c.word)
		}
	}
	return strings.Join(parts, ", ")
}

// predictedText says what the plan predicts.
func predictedText(e plan.Estimate) string {
	if e.Known && e.Typical == 0 && e.Worst == 0 {
		return "none"
	}
	return about(e)
}

// downtimeText says how long a component was down, and for how long nobody knows.
func downtimeText(d DowntimeView) string {
	_, text := measuredText(&d)
	if gap := unmeasuredText(&d); gap != "" {
		text += ", " + gap
	}
	return text
}

func stageTitle(s StageView) string {
	if s.Abort {
		return "Way back: " + oneLine(s.ID)
	}
	return fmt.Sprintf("Stage %d: %s (%s)", s.Number, oneLine(s.ID), partText(&s))
}

// remainsWord says what the steps that remain are.
func remainsWord(v RunView) string {
	if v.Status == run.RolledBack || v.Status == run.PartlyRolledBack || v.Rollback != nil {
		return "Not taken back"
	}
	return "Not done"
}
