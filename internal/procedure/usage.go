package procedure

import (
	"regexp"

	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/yamldoc"
)

// usage records which declarations of a file something refers to.
type usage struct {
	inputs, facts, targets, components map[string]bool
	// allInputs and allFacts are set by expressions that take them as a whole.
	allInputs, allFacts bool
}

func newUsage() usage {
	return usage{
		inputs: map[string]bool{}, facts: map[string]bool{}, targets: map[string]bool{}, components: map[string]bool{},
	}
}

// references records what a compiled expression refers to.
func (u *usage) references(refs []expr.Reference) {
	for _, ref := range refs {
		switch {
		case len(ref) == 0:
		case ref[0] == "inputs" && len(ref) == 1:
			u.allInputs = true
		case ref[0] == "inputs":
			u.inputs[ref[1]] = true
		case ref[0] == "observe" && len(ref) == 1:
			u.allFacts = true
		case ref[0] == "observe":
			u.facts[ref[1]] = true
		}
	}
}

// selection finds what a text that did not compile most likely refers to.
var selection = regexp.MustCompile(`\b(inputs|observe)\.([A-Za-z_][A-Za-z0-9_]*)`)

// text records what the strings of n seem to refer to. It keeps a mistake in an
// expression from making everything that it uses look unused.
func (u *usage) text(n *yamldoc.Node) {
	walkStrings(n, func(_ *yamldoc.Node, s string) { u.words(s) })
}

// words records what a text seems to refer to.
func (u *usage) words(s string) {
	for _, m := range selection.FindAllStringSubmatch(s, -1) {
		u.references([]expr.Reference{{m[1], m[2]}})
	}
}

// walkStrings calls do for every string below n.
func walkStrings(n *yamldoc.Node, do func(at *yamldoc.Node, s string)) {
	if n == nil {
		return
	}
	if s, ok := n.Value.(string); ok && n.Kind == yamldoc.Scalar {
		do(n, s)
	}
	for _, item := range n.Items {
		walkStrings(item, do)
	}
	for i := range n.Pairs {
		walkStrings(n.Pairs[i].Value, do)
	}
}

// checkUnused warns of declarations that nothing refers to.
func (f *file) checkUnused() {
	if !f.clean {
		return
	}
	const unused = "Unused"
	for _, in := range f.doc.Inputs {
		if !f.used.allInputs && !f.used.inputs[in.Name] {
			f.ds.Warnf(unused, in.Pos, "input %q is not used", in.Name).
				Suggest("remove it, or use ${inputs.%s}", in.Name)
		}
	}
	for _, fact := range f.doc.Observe {
		if !f.used.allFacts && !f.used.facts[fact.Name] {
			f.ds.Warnf(unused, fact.Pos, "fact %q is not used", fact.Name).
				Suggest("remove it, or use ${observe.%s}", fact.Name)
		}
	}
	acted := f.actedOn()
	for _, t := range f.doc.Targets {
		// What no action acts on is declared to be pinned.
		if !f.used.targets[t.Name] && acted[t.Value.Kind.Value] {
			f.ds.Warnf(unused, t.Pos, "target %q is not used", t.Name).Suggest("remove it, or let a step act on it")
		}
	}
	for _, c := range f.doc.Components {
		if !f.used.components[c.Name] {
			f.ds.Warnf(unused, c.Pos, "component %q is not used", c.Name).
				Suggest("remove it, or name it in changes, downtime, quiesces or covers")
		}
	}
}

// actedOn returns the kinds of target that actions act on.
func (f *file) actedOn() map[string]bool {
	kinds := map[string]bool{}
	for _, name := range f.catalog.Names() {
		if spec, ok := f.catalog.Spec(name); ok {
			for _, kind := range spec.Targets {
				kinds[kind] = true
			}
		}
	}
	return kinds
}
