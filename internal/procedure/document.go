package procedure

import (
	"slices"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/schema"
	"github.com/refitproject/refit/internal/yamldoc"
)

// file is one document while it is compiled.
type file struct {
	*loader
	name   string
	doc    *Document
	inputs schema.Type
	// observed is the type of the variable observe, in a procedure.
	observed schema.Type
	used     usage
	// typos are the unknown keys of which it is clear what was meant.
	typos []typo
	// clean tells that the document was decoded without errors, so that what
	// seems unused really is.
	clean bool
}

// document decodes a document of the wanted kind and checks what stands at its
// head; nil when it is something else altogether.
func (l *loader) document(name string, root *yamldoc.Node, want string) *file {
	if root.Kind != yamldoc.Mapping {
		l.ds.Errorf("WrongKind", root.Pos, "%q holds a %s, not a %s", name, root.Kind, want).
			Suggest("begin with apiVersion: %s and kind: %s", APIVersion, want)
		return nil
	}
	if !l.checkKind(name, root, want) {
		return nil
	}
	f := &file{loader: l, name: name, doc: &Document{}, used: newUsage()}
	before := len(l.ds)
	yamldoc.Decode(root, f.doc, &l.ds)
	f.clean, f.typos = !l.ds[before:].HasErrors(), typosOf(l.ds[before:])
	f.checkHead(root)
	f.checkPlaces()
	f.checkInputs()
	f.inputs = f.doc.InputsType()
	return f
}

// checkKind refuses documents of another kind before they are decoded, so that
// a platform file does not come back as a list of unknown keys.
func (l *loader) checkKind(name string, root *yamldoc.Node, want string) bool {
	n := root.Get("kind")
	got := textOf(n)
	if got == want || !slices.Contains(kinds(), got) {
		return true
	}
	d := l.ds.Errorf("WrongKind", n.Pos, "%q is a %s, not a %s", name, got, want)
	switch got {
	case KindProcedure:
		d.Suggest("a step can use sub-procedures only; write kind: SubProcedure")
	case KindSubProcedure:
		d.Suggest("name the procedure that uses it")
	case "Platform":
		d.Suggest("name the procedure file; the platform file is for refit plan")
	}
	return false
}

// kinds are the kinds of the documents that people write.
func kinds() []string {
	return []string{KindProcedure, KindSubProcedure, "Platform", "Versions", "Plan", "Issues"}
}

// checkHead checks version, name and which keys the kind of document permits.
func (f *file) checkHead(root *yamldoc.Node) {
	if v := f.doc.APIVersion; v.IsSet() && v.Value != APIVersion {
		f.ds.Errorf("UnsupportedAPIVersion", v.Pos, "apiVersion %q is not known", v.Value).
			Suggest("write apiVersion: %s", APIVersion)
	}
	if n := f.doc.Metadata.Name; n.IsSet() && !isName(n.Value) {
		f.ds.Errorf("BadName", n.Pos, "name %q is not permitted", n.Value).Suggest(nameRule)
	}
	refused := map[string][]string{
		KindProcedure:    {"steps", "outputs"},
		KindSubProcedure: {"versions", "issues", "observe", "from", "probes", "stages"},
	}[f.doc.Kind.Value]
	for _, p := range root.Pairs {
		if !slices.Contains(refused, p.Key) {
			continue
		}
		d := f.ds.Errorf("KeyNotPermitted", p.KeyPos, "a %s cannot have %s", f.doc.Kind.Value, p.Key)
		switch {
		case f.doc.Kind.Value == KindSubProcedure:
			d.Suggest("only a procedure has it; hand values over with inputs")
		case p.Key == "steps":
			d.Suggest("write the steps into a stage below stages")
		default:
			d.Suggest("only a sub-procedure has it")
		}
	}
	f.checkMain()
}

// checkMain checks which parts of a document belong together.
func (f *file) checkMain() {
	if f.doc.Kind.Value == KindSubProcedure {
		if len(f.doc.Steps) == 0 && f.clean {
			f.ds.Errorf("NoSteps", f.doc.Kind.Pos, "the sub-procedure has no steps").Suggest("add steps")
		}
		return
	}
	if len(f.doc.Stages) == 0 && f.clean {
		f.ds.Errorf("NoStages", f.doc.Kind.Pos, "the procedure has no stages").
			Suggest("add stages with at least one step")
	}
	switch {
	case f.misspeltAt(1, "from", "versions"):
	case f.doc.Versions.IsSet() && f.doc.From == nil:
		f.ds.Errorf("FromMissing", f.doc.Versions.Pos, "versions is given, but not from").
			Suggest("write from: ${observe.FACT…}, the version that is installed now")
	case !f.doc.Versions.IsSet() && f.doc.From != nil:
		f.ds.Errorf("VersionsMissing", f.doc.From.Pos, "from is given, but not versions").
			Suggest("write versions: versions.yaml, or remove from")
	}
}

// checkPlaces checks the names of targets and components.
func (f *file) checkPlaces() {
	for _, t := range f.doc.Targets {
		f.checkName("target", t.Name, t.Pos)
	}
	for _, c := range f.doc.Components {
		f.checkName("component", c.Name, c.Pos)
	}
}

func (f *file) checkName(what, name string, pos diag.Position) {
	if !isName(name) {
		f.ds.Errorf("BadName", pos, "%s %q has a name that is not permitted", what, name).Suggest(nameRule)
	}
}

func (f *file) checkIdent(what, name string, pos diag.Position) {
	if !isIdent(name) {
		f.ds.Errorf("BadName", pos, "%s %q has a name that cannot be selected in expressions", what, name).
			Suggest(identRule)
	}
}
