package procedure

import (
	"strings"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/yamldoc"
)

// checkNeeds resolves the needs of all steps and checks that an order exists.
func (b *body) checkNeeds() {
	nodes := make([]node, len(b.steps))
	for i, t := range b.steps {
		s := b.phaseSpan(t)
		nodes[i] = node{
			lo: s.lo, hi: s.hi,
			// A step whose phase is not known is not judged by it.
			free: t.Source.Order.Value == "free" || !s.known(),
		}
		seen := map[string]bool{}
		for _, need := range t.Source.Needs {
			if j, ok := b.need(t, need, seen); ok {
				nodes[i].needs = append(nodes[i].needs, j)
			}
		}
	}
	b.order = newOrder(nodes)
	for _, cycle := range b.order.cycles() {
		names := make([]string, 0, len(cycle)+1)
		for _, i := range append(cycle, cycle[0]) {
			names = append(names, b.steps[i].ID)
		}
		last := b.steps[cycle[len(cycle)-1]]
		b.ds.Errorf("NeedsCycle", needPos(last, names[0]),
			"steps need each other in a circle: %s", strings.Join(names, " → ")).
			Suggest("remove one of these needs")
	}
	b.checkPhaseOrder()
}

// need resolves one entry of needs.
func (b *body) need(t *StepTemplate, need yamldoc.Text, seen map[string]bool) (int, bool) {
	j, ok := b.index[need.Value]
	switch {
	case !ok:
		b.ds.Errorf("UnknownStep", need.Pos, "step %q needs %q, which does not exist", t.ID, need.Value).
			Suggest("%s", b.suggestStep(need.Value))
		return 0, false
	case need.Value == t.ID:
		b.ds.Errorf("NeedsCycle", need.Pos, "step %q needs itself", t.ID).Suggest("remove it from needs")
		return 0, false
	case seen[need.Value]:
		b.ds.Errorf("Duplicate", need.Pos, "needs of step %q name %q twice", t.ID, need.Value).
			Suggest("remove one of them")
		return 0, false
	}
	seen[need.Value] = true
	return j, true
}

func (b *body) suggestStep(got string) string {
	names := make([]string, len(b.steps))
	for i, t := range b.steps {
		names[i] = t.ID
	}
	if s := diag.DidYouMean(got, names); s != "" {
		return s
	}
	return "needs name steps of the same list only"
}

// needPos returns where t says that it needs id.
func needPos(t *StepTemplate, id string) diag.Position {
	for _, need := range t.Source.Needs {
		if need.Value == id {
			return need.Pos
		}
	}
	return t.Pos
}

// checkPhaseOrder refuses steps that wait for a later phase: none of them could
// ever start.
func (b *body) checkPhaseOrder() {
	reported := map[int]bool{}
	anyFree := false
	for i, t := range b.steps {
		n := b.order.nodes[i]
		anyFree = anyFree || t.Source.Order.Value == "free"
		if n.free {
			continue
		}
		for _, j := range n.needs {
			if m := b.order.nodes[j]; !m.free && m.hi > n.lo {
				reported[i] = true
				b.ds.Errorf("NeedsLaterPhase", needPos(t, b.steps[j].ID),
					"step %q of phase %s needs %q of the later phase %s",
					t.ID, phases()[n.lo], b.steps[j].ID, phases()[m.hi]).
					Suggest("change the phase of one of them, or let %q have order: free", t.ID)
			}
		}
	}
	if !anyFree || len(reported) > 0 {
		return
	}
	for i, t := range b.steps {
		if !b.order.nodes[i].free && b.order.ancestors(i).has(i) {
			b.ds.Errorf("NeedsLaterPhase", t.Pos, "step %q waits over a step with order: free for a later phase", t.ID).
				Suggest("remove order: free, or the need that leads to the later phase")
			return
		}
	}
}

// checkReferences checks that a step uses outputs only of steps that have ended
// for certain when it starts.
func (b *body) checkReferences(t *StepTemplate) {
	reported := map[string]bool{}
	for _, template := range []*expr.Template{t.When, t.ForEach, t.With, t.Description} {
		if template == nil {
			continue
		}
		for _, ref := range template.References() {
			if ref[0] == varSteps {
				b.checkReference(t, template.Pos(), ref, reported)
			}
		}
	}
}

func (b *body) checkReference(t *StepTemplate, pos diag.Position, ref expr.Reference, reported map[string]bool) {
	if len(ref) == 1 {
		b.ds.Errorf("AllSteps", pos, "step %q uses all of steps", t.ID).Suggest("name the step: steps[\"ID\"].output")
		return
	}
	id := ref[1]
	j, ok := b.index[id]
	if !ok || reported[id] {
		return
	}
	reported[id] = true
	i := b.index[t.ID]
	from, to := b.phaseSpan(b.steps[j]), b.phaseSpan(t)
	switch {
	case i == j:
		b.ds.Errorf("OwnOutput", pos, "step %q uses its own output", t.ID).
			Suggest("use the output of a step that has ended before")
	case !from.known() || !to.known() || b.order.before(j, i) || b.misspelt(t, "needs"):
	case from.lo > to.hi:
		b.ds.Errorf("LaterOutput", pos,
			"step %q of phase %s uses the output of %q of the later phase %s",
			t.ID, phases()[to.hi], id, phases()[from.lo]).
			Suggest("change the phase of one of them")
	default:
		b.ds.Errorf("NotNeeded", pos, "step %q uses the output of %q but does not need it", t.ID, id).
			Suggest("add %q to its needs", id)
	}
}
