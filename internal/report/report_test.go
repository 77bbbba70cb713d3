package report

import (
	"encoding/json"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/run"
)

// TestReportHostile shows what a run brings as text, whatever it is.
func TestReportHostile(t *testing.T) {
	t.Parallel()
	r := BuildReport(reports(t)["hostile"])
	page := render(t, func(w io.Writer) error { return RenderHTML(w, &r) })
	for what, bad := range map[string]string{
		"a script": "<script", "an image": "<img", "an escape": "\x1b", "a change of direction": "\u202e",
		"a bad byte": "\xff", "the end of the title": "</title><script", "a link elsewhere": `href="http`,
		"a style of its own": "style=\"",
	} {
		if strings.Contains(page, bad) {
			t.Errorf("the page holds %s: %q", what, bad)
		}
	}
	if tag := regexp.MustCompile(`<[a-z]+[^>]*\s(src|srcset|data|on[a-z]+)=`).FindString(page); tag != "" {
		t.Errorf("the page holds something to fetch or to run: %q", tag)
	}
	if n := strings.Count(page, "&lt;script&gt;alert(1)"); n < 10 {
		t.Errorf("the page shows the hostile text %d times, want it to be shown as text", n)
	}
	const most = 256 << 10
	if len(page) > most {
		t.Errorf("the page has %d bytes, at most %d are fine", len(page), most)
	}
	text := render(t, func(w io.Writer) error { return RenderMarkdown(w, &r) })
	fence := ""
	for i, line := range strings.Split(text, "\n") {
		ticks := line[:len(line)-len(strings.TrimLeft(line, "`"))]
		switch {
		case fence == "" && len(ticks) >= 3 && ticks == line:
			fence = ticks
			continue
		case fence != "" && line == fence:
			fence = ""
			continue
		case fence != "":
			continue
		}
		for _, bad := range []string{"<script", "<img", "](javascript", "http://", "\x1b", "\u202e"} {
			if strings.Contains(line, bad) {
				t.Errorf("line %d of the Markdown holds %q: %q", i+1, bad, line)
			}
		}
	}
	if fence != "" {
		t.Errorf("a fence %q is never closed: a text has closed it before", fence)
	}
}

// TestReportBounded keeps the report of a long run at a size that a browser can
// show, with what failed in it.
func TestReportBounded(t *testing.T) {
	t.Parallel()
	p := largePlan(2, 1100)
	for i := range p.Stages {
		for j := range p.Stages[i].Steps {
			p.Stages[i].Steps[j].Needs = nil
			p.Stages[i].Steps[j].OnFailure = "continue"
		}
	}
	s := newScene(t, p)
	output, err := json.Marshal(map[string]string{"stdout": strings.Repeat("drained\n", 3000)})
	if err != nil {
		t.Fatal(err)
	}
	s.answer = func(c run.Command) (run.Body, bool) {
		op, ok := c.(run.PerformOperation)
		if !ok {
			return nil, false
		}
		end := &run.OperationEnded{Op: op.Op, Attempt: op.Attempt, OK: op.Op.Step != "drain[node-0500]", Output: output}
		if !end.OK {
			end.Extent, end.Reason, end.Message = "none", "Stuck", "a pod does not go away"
		}
		return end, true
	}
	r := BuildReport(s.begin().goOn().report())
	if r.Omitted.Operations == 0 || len(r.Attempts) != mostOperations {
		t.Errorf("%d operations are shown, %d left out", len(r.Attempts), r.Omitted.Operations)
	}
	for what, write := range map[string]func(io.Writer) error{
		"page": func(w io.Writer) error { return RenderHTML(w, &r) },
		"text": func(w io.Writer) error { return RenderMarkdown(w, &r) },
	} {
		got := render(t, write)
		const most = 12 << 20
		if len(got) > most {
			t.Errorf("the %s has %d bytes, at most %d are fine", what, len(got), most)
		}
		if !strings.Contains(got, "a pod does not go away") {
			t.Errorf("the %s leaves out what failed", what)
		}
	}
	if rows := len(buildTimeline(&r).Rows); rows > 2*mostLanes {
		t.Errorf("the timeline has %d rows", rows)
	}
}

// TestReportTimeline checks that bars lie within the drawing, and in the order of
// time.
func TestReportTimeline(t *testing.T) {
	t.Parallel()
	for name, src := range reports(t) {
		r := BuildReport(src)
		drawing := buildTimeline(&r)
		share := func(text string) float64 {
			x, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
			if err != nil || math.IsNaN(x) {
				t.Fatalf("%s: %q is no share", name, text)
			}
			return x
		}
		for _, l := range drawing.Rows {
			last := -1.0
			for _, b := range l.Bars {
				x, w := share(b.X), share(b.W)
				if x < 0 || w < 0 || x+w > 100.01 || x < last {
					t.Errorf("%s: a bar of %q lies at %s + %s, behind %.2f", name, l.Name, b.X, b.W, last)
				}
				last = x
			}
			if l.BarY >= drawing.Height {
				t.Errorf("%s: row %q lies below the drawing", name, l.Name)
			}
		}
		s := newScale(&r)
		last := -1.0
		for at := r.Began; !at.After(s.end); at = at.Add(max(s.end.Sub(r.Began)/200, time.Millisecond)) {
			x := s.x(at)
			if x < last || x < 0 || x > 100.001 {
				t.Fatalf("%s: %s lies at %.3f, behind %.3f", name, at, x, last)
			}
			last = x
		}
	}
}

// TestReportStory checks what the parts of a report say.
func TestReportStory(t *testing.T) {
	t.Parallel()
	r := BuildReport(reports(t)["wiki"])
	if len(r.Leases) != 1 || r.Leases[0].GivenBack.IsZero() || r.Leases[0].Held {
		t.Errorf("leases are %+v", r.Leases)
	}
	if len(r.Backups) != 1 || r.Backups[0].Status != run.StepSucceeded || len(r.Backups[0].Output) != 4 {
		t.Errorf("backups are %+v", r.Backups)
	}
	if len(r.Edits) != 1 || r.Edits[0].Path != "/srv/wiki/values.yaml" || r.Edits[0].Undone {
		t.Errorf("edits are %+v", r.Edits)
	}
	if len(r.Accepted) != 1 || r.Accepted[0].By != "ana" || !r.Accepted[0].At.IsZero() {
		t.Errorf("accepted is %+v", r.Accepted)
	}
	if len(r.Decisions) != 4 || r.Decisions[0].Facts == "" || r.Decisions[0].Head == "" {
		t.Errorf("decisions are %+v", r.Decisions)
	}
	tried := false
	for _, o := range r.Attempts {
		if o.Ref.Step == "upgrade" && o.Ref.What == run.Do {
			tried = len(o.Attempts) == 2 && o.Attempts[0].Outcome == OutcomeFailed && o.Attempts[1].Outcome == OutcomeDone
		}
	}
	if !tried {
		t.Errorf("the upgrade did not fail once and then succeed: %+v", r.Attempts)
	}
	if len(r.Downtime) != 2 {
		t.Fatalf("downtime is %+v", r.Downtime)
	}
	if d := r.Downtime[0]; d.Component != "database" || d.Down != 6*time.Minute+30*time.Second ||
		d.Unmeasured < 30*time.Second || d.Predicted.Worst != minutes(20) {
		t.Errorf("downtime of the database is %+v", d)
	}
	if d := r.Downtime[1]; d.Component != "search" || d.Down != 0 || d.Up == 0 {
		t.Errorf("downtime of search is %+v", d)
	}
	r = BuildReport(reports(t)["wiki-halted"])
	page := render(t, func(w io.Writer) error { return RenderHTML(w, &r) })
	if !strings.Contains(page, "not measured") {
		t.Error("nobody measured, and the page does not say so")
	}
}

// TestReportUndone keeps what a step changed in a file when it was taken back, and
// calls no backup proved that failed.
func TestReportUndone(t *testing.T) {
	t.Parallel()
	p := wikiPlan()
	p.Stages = p.Stages[:1]
	p.Stages[0].Gates = nil
	s := newScene(t, p)
	s.answer = func(c run.Command) (run.Body, bool) {
		if op, ok := performing(c, "logins-off"); ok {
			return &run.OperationEnded{
				Op: op.Op, Attempt: op.Attempt, OK: true, Output: json.RawMessage(`{"path":"/a","diff":"-1\n+2\n"}`),
			}, true
		}
		op, ok := performing(c, "backup")
		return &run.OperationEnded{Op: op.Op, Attempt: op.Attempt, Extent: "none", Message: "no room"}, ok
	}
	s.begin().goOn().event(&run.RollbackRequested{Who: run.Who{By: "ada"}}).goOn()
	r := BuildReport(s.report())
	if len(r.Edits) != 1 {
		t.Fatalf("edits are %+v", r.Edits)
	}
	if len(r.Backups) != 1 || !strings.Contains(provenText(r.Backups[0]), "not proved") {
		t.Errorf("a backup that failed is called proved: %+v", r.Backups)
	}
	if r.Ended.IsZero() == s.state.Status.Final() {
		t.Errorf("the run is %s and ended %s", s.state.Status, r.Ended)
	}
}

// TestReportContrast checks the colours of the page: texts have a contrast of at
// least 4.5 to all that they stand on, bars of at least 3.
func TestReportContrast(t *testing.T) {
	t.Parallel()
	blocks := regexp.MustCompile(`(?s):root \{(.*?)\}`).FindAllStringSubmatch(pageStyle, -1)
	if len(blocks) != 3 {
		t.Fatalf("the style has %d palettes, want light, dark and print", len(blocks))
	}
	for i, block := range blocks {
		colours := map[string]float64{}
		for _, m := range regexp.MustCompile(`--([a-z]+): (#[0-9a-f]{6})`).FindAllStringSubmatch(block[1], -1) {
			colours[m[1]] = luminance(t, m[2])
		}
		for name, least := range map[string]float64{
			"text": 4.5, "muted": 4.5, "good": 4.5, "warn": 4.5, "danger": 4.5, "accent": 4.5, "bar": 3,
		} {
			for _, ground := range []string{"bg", "surface"} {
				a, b := colours[name], colours[ground]
				if got := (max(a, b) + 0.05) / (min(a, b) + 0.05); got < least {
					t.Errorf("palette %d: %s on %s has a contrast of %.2f, want %.1f", i, name, ground, got, least)
				}
			}
		}
	}
}

// luminance is that of WCAG 2.
func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	n, err := strconv.ParseUint(colour[1:], 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	linear := func(c uint64) float64 {
		x := float64(c&0xff) / 255
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(n>>16) + 0.7152*linear(n>>8) + 0.0722*linear(n)
}

// TestFieldsOf bounds evidence, and keeps its order.
func TestFieldsOf(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reason, data string
		want         []Field
	}{
		"Nothing": {"no evidence is no field", `{}`, nil},
		"Nested": {
			"paths name the places", `{"b":{"c":1},"a":"x"}`, []Field{{Name: "a", Text: "x"}, {Name: "b.c", Text: "1"}},
		},
		"List":    {"short lists stay on a line", `{"l":[1,2]}`, []Field{{Name: "l", Text: "[1,2]"}}},
		"Plain":   {"a value has no name", `"x"`, []Field{{Name: "value", Text: "x"}}},
		"NotJSON": {"it is shown as it is", `{`, []Field{{Name: "value", Text: "{"}}},
	} {
		if diff := cmp.Diff(c.want, fieldsOf(json.RawMessage(c.data))); diff != "" {
			t.Errorf("%s: %s:\n%s", name, c.reason, diff)
		}
	}
	long := fieldsOf(json.RawMessage(`{"x":"` + strings.Repeat("é", mostText) + `"}`))
	if len(long) != 1 || len(long[0].Text) > mostText || long[0].More != 2*mostText-len(long[0].Text) {
		t.Errorf("a long text is kept with %d bytes, %d more", len(long[0].Text), long[0].More)
	}
}

// TestVerifiedText shows a history that was checked.
func TestVerifiedText(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	plain := Verified{
		Run: "wiki-prod-1", Platform: "wiki-prod", Status: run.Succeeded, Plan: digestOf("plan"), Events: 1027,
		First: at, Last: at.Add(time.Hour), Head: digestOf("head"),
	}
	known := plain
	known.File, known.Known = "wiki.run", &KnownHead{Head: digestOf("known"), Seq: 512, At: at.Add(time.Minute)}
	goldenLayouts(t, "verified", func(w io.Writer, opts TextOptions) error { return VerifiedText(w, plain, opts) })
	goldenLayouts(t, "verified-known", func(w io.Writer, opts TextOptions) error { return VerifiedText(w, known, opts) })
	golden(t, "verified.json", indented(t, known))
}
