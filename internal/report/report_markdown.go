package report

import (
	"bufio"
	"io"
	"strings"
)

// RenderMarkdown writes r as Markdown, for a wiki or an issue. Whatever texts the
// run brought are shown as texts. The error is that of w.
func RenderMarkdown(w io.Writer, r *Report) error {
	m := &markdown{out: bufio.NewWriter(w), r: r}
	m.head()
	m.next()
	m.downtime()
	m.steps()
	m.findings()
	m.decisions()
	m.leases()
	m.backups()
	m.files()
	m.attempts()
	v := &r.Run
	m.para("---")
	m.para("Made " + moment(v.Looked) + " by refit " + md(r.Refit) + " from " + number(len64(v.Events)) +
		" events, whose chain was checked. Times are UTC. To check it again:")
	m.code("refit report --verify " + oneLine(v.ID) + " --head " + v.Head)
	return m.out.Flush()
}

func len64(n uint64) int { return int(n) } //nolint:gosec // A history is far shorter.

// markdown writes the parts of a report.
type markdown struct {
	out *bufio.Writer
	r   *Report
}

// para writes a paragraph of finished Markdown. The writer keeps its error.
func (m *markdown) para(text string) { _, _ = m.out.WriteString(text + "\n\n") }

// code writes a text as it is, between fences that it cannot close.
func (m *markdown) code(text string) {
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	m.para(fence + "\n" + block(text) + "\n" + fence)
}

// table writes rows of finished cells; nothing when there are none.
func (m *markdown) table(header []string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	line := func(cells []string) { _, _ = m.out.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	line(header)
	rule := make([]string, len(header))
	for i := range rule {
		rule[i] = "---"
	}
	line(rule)
	for _, row := range rows {
		line(row)
	}
	m.para("")
}

// md makes any text safe within a line of Markdown: each sign that could mean
// something is escaped, and so are addresses, which some readers turn into links.
func md(text string) string {
	var b strings.Builder
	for _, r := range oneLine(text) {
		switch {
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '&':
			b.WriteString("&amp;")
		case r == ':':
			b.WriteString("&#58;")
		case r == '@':
			b.WriteString("&#64;")
		case strings.ContainsRune("\\`*_{}[]()#+-!|~$=", r):
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	text = strings.ReplaceAll(b.String(), "www.", "www&#46;")
	return strings.ReplaceAll(text, "&#58; ", ": ")
}

func (m *markdown) head() {
	r, v := m.r, &m.r.Run
	m.para("# Run " + md(v.ID) + ": " + string(v.Status))
	m.para(md(shorten(v.Headline, mostBrief)))
	what := md(v.Procedure)
	if v.Path != "" {
		what += " " + md(v.Path)
	}
	ended := moment(v.Updated) + ", not ended"
	if !r.Ended.IsZero() {
		ended = moment(r.Ended)
		if took := since(r.Began, r.Ended); took != "" {
			ended += ", after " + took
		}
	}
	rows := [][]string{
		{"Platform", md(v.Platform)},
		{"Procedure", what},
		{"Started", moment(v.Created) + " by " + md(v.By)},
		{"Ended", ended},
		{"Steps", countsText(v.Counts)},
		{"Plan", "`" + v.Digest + "`"},
		{"Chain", "`" + v.Head + "` at event " + number(len64(v.Events))},
	}
	if v.Reason != "" {
		rows = append(rows, []string{"Reason", md(v.Reason)})
	}
	m.table([]string{"", ""}, rows)
}

func (m *markdown) next() {
	r, v := m.r, &m.r.Run
	m.para("## What remains")
	for _, d := range v.InDoubt {
		m.para("**In doubt: " + md(d.Text) + "**, attempt " + number(d.Attempt) + ": " +
			md(orText(d.Message, d.Reason)))
	}
	for _, l := range v.Leases {
		text := "**Held: " + md(l.Stage+"/"+l.Step) + "** since " + moment(l.Since)
		if l.Failed != "" {
			text += ": " + md(l.Failed)
		}
		m.para(text)
	}
	if v.Rollback != nil && len(v.Rollback.Remainder) > 0 {
		m.para("**Stays done, behind a point of no return:** " + md(list(v.Rollback.Remainder, 40)))
	}
	if len(v.Remains) > 0 {
		m.para(remainsWord(*v) + ": " + md(list(v.Remains, 40)))
	}
	if len(v.Undone) > 0 {
		m.para("Taken back: " + md(list(v.Undone, 40)))
	}
	if r.Nothing() {
		m.para("Nothing: the run has ended, and holds nothing.")
	}
	if len(v.Commands) > 0 {
		m.para("### What you can type next")
	}
	for _, c := range v.Commands {
		m.para(md(shorten(c.Why, mostBrief)) + ":")
		m.code(oneLine(c.Command))
	}
}

func (m *markdown) downtime() {
	m.para("## Downtime")
	var rows [][]string
	for _, d := range m.r.Downtime {
		rows = append(rows, []string{
			md(d.Component), predictedText(d.Predicted), downtimeText(d),
		})
	}
	m.table([]string{"Component", "Predicted", "Measured"}, rows)
	if len(rows) == 0 {
		m.para("The plan predicts none, and none was measured.")
	}
}

func (m *markdown) steps() {
	m.para("## What was done")
	for _, s := range m.r.Run.Stages {
		m.para("### " + md(stageTitle(s)))
		for _, c := range s.Changed {
			m.para(md(c.Name) + " is " + md(c.Got) + ", the plan expects " + md(c.Want))
		}
		var rows [][]string
		for _, st := range m.r.Shown(s) {
			state := stepText(st)
			if why := stepWhy(st); why != "" {
				state += ": " + md(why)
			}
			said := []string{state}
			for _, issue := range st.Issues {
				said = append(said, "known issue "+md(issue.ID+": "+issue.Explanation))
			}
			rows = append(rows, []string{
				md(st.ID), string(st.Phase), md(orText(m.r.About(s.ID, st.ID), st.Action)),
				strings.Join(said, "; "), clock(st.Began), since(st.Began, st.Ended),
			})
		}
		m.table([]string{"Step", "Phase", "What it does", "State", "Began", "Took"}, rows)
		if hidden := m.r.Hidden(s); hidden > 0 {
			m.para(count(hidden, "more step") + " of this stage not shown.")
		}
	}
}

func (m *markdown) findings() {
	m.para("## Findings and accepted risks")
	var rows [][]string
	for _, f := range m.r.Findings {
		text := md(f.Message)
		if f.Remedy != "" && f.Blocks() {
			text += " Remedy: " + md(f.Remedy)
		}
		rows = append(rows, []string{md(f.Name), md(f.Stage), findingText(f), text})
	}
	m.table([]string{"Finding", "Stage", "Outcome", "What was found"}, rows)
	if len(rows) == 0 {
		m.para("No check found anything.")
	}
	rows = nil
	for _, a := range m.r.Accepted {
		at := "in the plan"
		if !a.At.IsZero() {
			at = moment(a.At)
		}
		rows = append(rows, []string{md(a.Name), md(a.By) + ", " + at, md(a.Reason), md(a.Expires)})
	}
	m.table([]string{"Accepted", "By", "Why", "Until"}, rows)
}

func (m *markdown) decisions() {
	m.para("## Approvals and other decisions")
	var rows [][]string
	for _, d := range m.r.Decisions {
		what := "**" + d.Kind + "** " + md(d.Where)
		if d.Reason != "" {
			what += ": " + md(d.Reason)
		}
		said := []string{what}
		for _, f := range d.Evidence {
			said = append(said, md(f.Name+": "+f.Text))
		}
		whence := md(d.By)
		if d.From != "" {
			whence += " from " + md(d.From)
		}
		var counts []string
		for _, c := range []struct{ name, digest string }{
			{"digest ", d.Digest}, {"facts ", d.Facts}, {"list ", d.Selection}, {"chain ", d.Head},
		} {
			if c.digest != "" {
				counts = append(counts, c.name+"`"+shortDigest(c.digest)+"`")
			}
		}
		rows = append(rows, []string{moment(d.At), whence, strings.Join(said, "; "), strings.Join(counts, " ")})
	}
	m.table([]string{"When", "Who", "What", "Counts for"}, rows)
	if len(rows) == 0 {
		m.para("Nobody had to decide anything.")
	}
}
