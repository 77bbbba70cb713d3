package report

import (
	"io"

	"github.com/refitproject/refit/internal/plan"
)

// RunStandsText writes in a few lines where a run stands: its state, why, what
// is held, and the commands that can be typed next. The error is that of w.
func RunStandsText(w io.Writer, v RunView, opts TextOptions) error {
	t := runText{page: newPage(w, opts), v: &v}
	t.para(0, 2, in(Heading, "Run "+v.ID), plain(" "), in(statusRole(v.Status), string(v.Status)),
		plain(": "+v.Headline))
	if v.Owner == nil && len(v.Leases) > 0 {
		names := make([]string, len(v.Leases))
		for i, l := range v.Leases {
			names[i] = plan.StepPath(l.Stage, l.Step)
		}
		t.para(2, 4, in(Warn, "held: "), plain(list(names, 5)+"; nothing is released while nobody drives the run"))
	}
	for i := range v.Commands {
		t.offer(&v.Commands[i])
	}
	return t.close()
}
