package report

import (
	"io"
)

// RunList is all runs that are known, the newest first.
type RunList struct {
	Runs []RunInfo `json:"runs"`
}

// RunListText writes l for people, one line for each run where it fits. The
// error is that of w.
func RunListText(w io.Writer, l RunList, opts TextOptions) error {
	p := newPage(w, opts)
	if len(l.Runs) == 0 {
		p.para(0, 0, plain("There are no runs. refit apply PLAN.json begins one."))
		return p.close()
	}
	t := &table{header: []string{"RUN", "STATUS", "PLATFORM", "STARTED", "LAST EVENT", "DRIVEN BY"}}
	for i := range l.Runs {
		r := &l.Runs[i]
		by := in(Muted, "nobody")
		switch {
		case r.Moved:
			by = in(Muted, "elsewhere")
		case r.Owner != nil:
			by = in(Good, "process "+number0(r.Owner.PID)+" on "+r.Owner.Host)
		case r.Status.Final():
			by = plain("")
		}
		const minute = "2006-01-02 15:04"
		t.add(cell(Strong, r.ID), cell(statusRole(r.Status), string(r.Status)), cell(Text, r.Platform),
			cell(Muted, r.Created.UTC().Format(minute)), cell(Muted, r.Updated.UTC().Format(minute)), []span{by})
	}
	t.write(p)
	return p.close()
}

// Open counts the runs that have not ended and are driven here.
func (l *RunList) Open() int {
	n := 0
	for i := range l.Runs {
		if !l.Runs[i].Status.Final() && !l.Runs[i].Moved {
			n++
		}
	}
	return n
}
