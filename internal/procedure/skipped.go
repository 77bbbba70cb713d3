package procedure

import (
	"slices"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/expr"
)

// checkSkipped warns where a step uses the output of another one that may be
// skipped, and nothing asks whether it is there.
func (b *body) checkSkipped(t *StepTemplate) {
	for _, template := range []*expr.Template{t.When, t.ForEach, t.With, t.Description} {
		b.checkGuarded(template, t)
	}
}

// checkGuarded checks the outputs of steps that a template uses. reader is the
// step that it belongs to, nil for an output of a sub-procedure: its own when
// may guard it too.
func (b *body) checkGuarded(template *expr.Template, reader *StepTemplate) {
	if !refersTo(template, varSteps) {
		return
	}
	guarded := guards(template)
	if reader != nil {
		guarded = append(guarded, guards(reader.When)...)
	}
	for _, ref := range template.References() {
		if ref[0] != varSteps || len(ref) == 1 || slices.Contains(guarded, ref[1]) {
			continue
		}
		if i, known := b.index[ref[1]]; known && b.steps[i].Source.When != nil && !sameWhen(b.steps[i], reader) {
			b.mayBeSkipped(template.Pos(), ref)
			guarded = append(guarded, ref[1]) // each step once
		}
	}
}

// guards returns the steps of whose output t asks with has() whether it is
// there.
func guards(t *expr.Template) []string {
	var out []string
	if t == nil {
		return nil
	}
	for _, ref := range t.Tested() {
		if ref[0] == varSteps && len(ref) > 1 {
			out = append(out, ref[1])
		}
	}
	return out
}

// sameWhen tells whether the reader is skipped when the other step is. A step
// that reads its own output is reported elsewhere.
func sameWhen(t, reader *StepTemplate) bool {
	return reader != nil && textOf(t.Source.When) == textOf(reader.Source.When)
}

func (b *body) mayBeSkipped(pos diag.Position, ref expr.Reference) {
	const selected = 3
	b.ds.Warnf("MayBeSkipped", pos, "step %q may be skipped, then its output is not there", ref[1]).
		Suggest("guard it with has(%s)", ref[:min(selected, len(ref))])
}
