package report

import "strings"

func (m *markdown) leases() {
	m.para("## Leases")
	var rows [][]string
	for _, l := range m.r.Leases {
		state := leaseText(l)
		if l.Failed != "" {
			state += ": " + md(l.Failed)
		}
		back := l.Until
		if !l.GivenBack.IsZero() {
			back = moment(l.GivenBack)
		}
		rows = append(rows, []string{md(l.Stage + "/" + l.Step), state, momentOrNothing(l.Since), md(back)})
	}
	m.table([]string{"Temporary change", "State", "Taken", "Given back"}, rows)
	if len(rows) == 0 {
		m.para("Nothing was changed for a time only.")
	}
}

func (m *markdown) backups() {
	m.para("## Backups and their proofs")
	var rows [][]string
	for _, b := range m.r.Backups {
		name := b.Stage + "/" + b.Step
		if b.Member != "" {
			name += "[" + b.Member + "]"
		}
		var output []string
		for _, f := range b.Output {
			output = append(output, md(f.Name+": "+f.Text))
		}
		rows = append(rows, []string{
			md(name), md(list(b.Covers, 40)), strings.TrimSpace(string(b.Status) + " " + clock(b.Ended)), provenText(b),
			strings.Join(output, "; "),
		})
	}
	m.table([]string{"Backup", "Covers", "State", "Proof", "What it is"}, rows)
	if len(rows) == 0 {
		m.para("The plan makes no backup.")
	}
}

func (m *markdown) files() {
	m.para("## Edited files")
	for _, e := range m.r.Edits {
		title := "### " + md(e.Path) + " by " + md(e.Stage+"/"+e.Step)
		if e.Undone {
			title += ", taken back"
		}
		m.para(title)
		m.code(e.Diff)
		if e.Truncated {
			m.para("The difference is longer than this.")
		}
	}
	if len(m.r.Edits) == 0 {
		m.para("No step changed a file and kept the difference.")
	}
}

func (m *markdown) attempts() {
	m.para("## Attempts and their evidence")
	for i := range m.r.Attempts {
		o := &m.r.Attempts[i]
		m.para("### " + md(o.Text) + ": " + outcomeText(o.Outcome))
		m.para(attemptsText(*o))
		if o.Omitted > 0 {
			m.para(count(o.Omitted, "event") + " in the middle left out.")
		}
		for _, e := range o.Entries {
			m.para("- " + clock(e.At) + " " + md(e.Text))
			m.evidence(&e)
		}
	}
	if len(m.r.Attempts) == 0 {
		m.para("Nothing was started.")
	}
	if n := m.r.Omitted.Operations; n > 0 {
		m.para(count(n, "more operation") + " in the history only.")
	}
}

func (m *markdown) evidence(e *Entry) {
	for _, f := range e.Evidence {
		if inline(f) {
			m.para("  " + md(f.Name) + ": " + md(f.Text))
			continue
		}
		more := ""
		if f.More > 0 {
			more = ", and " + count(f.More, "byte") + " more"
		}
		m.para("  " + md(f.Name) + more + ":")
		m.code(f.Text)
	}
	for _, a := range e.Artefacts {
		m.para("  kept beside the history: " + md(a.Name) + ", " + count(int(a.Size), "byte") + ", `" +
			shortDigest(a.Digest) + "`")
	}
}
