package procedure

import (
	"fmt"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/yamldoc"
)

// action looks up an action by the name that the author wrote.
func (f *file) action(name yamldoc.Text, pos diag.Position) (action.Spec, bool) {
	if !name.IsSet() {
		return action.Spec{}, false // the missing key was reported
	}
	if spec, ok := f.catalog.Spec(name.Value); ok {
		return spec, true
	}
	if name.Pos.Line > 0 {
		pos = name.Pos
	}
	base, version, pinned := strings.Cut(name.Value, "@")
	if newest, ok := f.catalog.Spec(base); ok && pinned {
		f.ds.Errorf("UnknownAction", pos, "action %q has no version %q", base, version).
			Suggest("the newest is %s", newest.ID())
		return action.Spec{}, false
	}
	f.ds.Errorf("UnknownAction", pos, "action %q does not exist", name.Value).
		Suggest("%s", diag.DidYouMean(base, f.catalog.Names()))
	return action.Spec{}, false
}

// target resolves the target that an action acts on: the one that is named, or
// the only one of a kind that the action accepts.
func (f *file) target(named yamldoc.Text, spec action.Spec, pos diag.Position) string {
	if named.IsSet() {
		return f.namedTarget(named, spec)
	}
	if len(spec.Targets) == 0 {
		return ""
	}
	var fits []string
	for _, t := range f.doc.Targets {
		if slices.Contains(spec.Targets, t.Value.Kind.Value) {
			fits = append(fits, t.Name)
			f.used.targets[t.Name] = true
		}
	}
	switch len(fits) {
	case 1:
		return fits[0]
	case 0:
		f.ds.Errorf("NoTarget", pos,
			"%s acts on a target of kind %s, and none is declared", spec.Name, strings.Join(spec.Targets, " or ")).
			Suggest("add one to targets, such as %s: {kind: %s}", spec.Targets[0], spec.Targets[0])
	default:
		f.ds.Errorf("AmbiguousTarget", pos, "%s could act on %s", spec.Name, strings.Join(fits, ", ")).
			Suggest("add target: %s", fits[0])
	}
	return ""
}

func (f *file) namedTarget(named yamldoc.Text, spec action.Spec) string {
	t, ok := f.doc.Targets.Get(named.Value)
	if !ok {
		f.ds.Errorf("UnknownTarget", named.Pos, "target %q is not declared", named.Value).
			Suggest("%s", suggestName(named.Value, f.doc.Targets.Names(), "targets"))
		return ""
	}
	f.used.targets[named.Value] = true
	switch {
	case len(spec.Targets) == 0:
		f.ds.Errorf("TargetNotNeeded", named.Pos, "%s acts on no target", spec.Name).Suggest("remove target")
		return ""
	case t.Kind.IsSet() && !slices.Contains(spec.Targets, t.Kind.Value):
		f.ds.Errorf("TargetKind", named.Pos,
			"%s does not act on target %q of kind %s", spec.Name, named.Value, t.Kind.Value).
			Suggest("it acts on targets of kind %s", strings.Join(spec.Targets, " or "))
		return ""
	}
	return named.Value
}

// component looks up a component and marks it as used.
func (f *file) component(name yamldoc.Text) (Component, bool) {
	if !name.IsSet() {
		return Component{}, false
	}
	c, ok := f.doc.Components.Get(name.Value)
	if !ok {
		f.ds.Errorf("UnknownComponent", name.Pos, "component %q is not declared", name.Value).
			Suggest("%s", suggestName(name.Value, f.doc.Components.Names(), "components"))
		return Component{}, false
	}
	f.used.components[name.Value] = true
	return c, true
}

// componentList looks up several components and returns those that exist, each
// once.
func (f *file) componentList(key string, names []yamldoc.Text) map[string]Component {
	found := make(map[string]Component, len(names))
	for _, name := range names {
		if _, twice := found[name.Value]; twice {
			f.ds.Errorf("Duplicate", name.Pos, "%s names %q twice", key, name.Value).Suggest("remove one of them")
			continue
		}
		if c, ok := f.component(name); ok {
			found[name.Value] = c
		}
	}
	return found
}

// suggestName suggests the nearest of the declared names, or to declare it.
func suggestName(got string, declared []string, where string) string {
	if s := diag.DidYouMean(got, declared); s != "" {
		return s
	}
	return fmt.Sprintf("declare it below %s", where)
}

// maxNameLen keeps names usable as labels in the systems that steps act on.
const maxNameLen = 63

// isName tells whether s can name a procedure, target, component, probe, step
// or stage: lower case letters, digits and dashes.
func isName(s string) bool {
	if s == "" || len(s) > maxNameLen || s[0] < 'a' || s[0] > 'z' || s[len(s)-1] == '-' {
		return false
	}
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' {
			return false
		}
	}
	return true
}

// isIdent tells whether s can be selected with a dot in an expression. Inputs,
// facts and outputs of sub-procedures are named so.
func isIdent(s string) bool {
	if s == "" || len(s) > maxNameLen || slices.Contains(literals(), s) {
		return false
	}
	for i, r := range s {
		letter := r == '_' || (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z')
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return true
}

// isVariable tells whether s can be a variable of its own: an identifier that
// the expression language does not keep for itself.
func isVariable(s string) bool { return isIdent(s) && !slices.Contains(reserved(), s) }

// literals are the words of the expression language that cannot even be
// selected with a dot.
func literals() []string { return []string{"false", "in", "null", "true"} }

// reserved are the words that the expression language keeps.
func reserved() []string {
	return []string{
		"as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop",
		"namespace", "package", "return", "var", "void", "while",
	}
}

const (
	nameRule  = "use lower case letters, digits and dashes, beginning with a letter, at most 63"
	identRule = "use letters, digits and underscores, beginning with a letter, and no word of the expression language"
)
