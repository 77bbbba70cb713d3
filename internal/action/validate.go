package action

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"unicode"

	"github.com/refitproject/refit/internal/schema"
)

// namePattern is family.verb; verbs may have several words: "file.read",
// "helm.rollback-to".
const namePattern = `^[a-z][a-z0-9]*\.[a-z][a-z0-9]*(-[a-z0-9]+)*$`

// functions tells which functions a Definition gives.
type functions struct{ preview, observe, run, undo bool }

// inspector is implemented by the actions that Define makes.
type inspector interface {
	functions() functions
	// checkStructs finds fields of In and Out that have no plain value.
	checkStructs() error
}

// functions implements inspector.
func (d *defined[In, Out]) functions() functions {
	return functions{
		preview: d.def.Preview != nil, observe: d.def.Observe != nil,
		run: d.def.Run != nil, undo: d.def.Undo != nil,
	}
}

// checkStructs implements inspector.
func (d *defined[In, Out]) checkStructs() error {
	return errors.Join(schema.CheckTags(reflect.TypeFor[In]()), schema.CheckTags(reflect.TypeFor[Out]()))
}

// validate returns everything that is wrong with the definition of a.
func validate(a Action) error {
	s := a.Spec()
	errs := []error{checkIdentity(s), checkWords(s), checkFields(s)}
	if d, ok := a.(inspector); ok {
		errs = append(errs, d.checkStructs(), checkFunctions(s, d.functions()))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("define action %q: %w", s.Name, err)
	}
	return nil
}

func checkIdentity(s Spec) error {
	var errs []error
	if !regexp.MustCompile(namePattern).MatchString(s.Name) {
		errs = append(errs, errors.New("the name must be family.verb in lower case letters"))
	}
	if s.Version < 1 {
		errs = append(errs, fmt.Errorf("the version is %d and must be at least 1", s.Version))
	}
	switch s.Effect {
	case ReadOnly, Scratch, Mutating:
	default:
		errs = append(errs, fmt.Errorf("the effect %q is not known", s.Effect))
	}
	switch s.Gate {
	case "", GateApproval, GateCondition, GateSoak, GatePerson:
	default:
		errs = append(errs, fmt.Errorf("the gate %q is not known", s.Gate))
	}
	if s.MaxProof < 0 || s.MaxProof > 3 {
		errs = append(errs, fmt.Errorf("the level of proof %d is not between 0 and 3", s.MaxProof))
	}
	if s.Typical < 0 || s.Worst < s.Typical {
		errs = append(errs, errors.New("the worst duration must not be shorter than the typical one"))
	}
	return errors.Join(errs...)
}

// checkWords refuses texts that would read badly on the reference page.
func checkWords(s Spec) error {
	var errs []error
	if !isSentence(s.Summary) {
		errs = append(errs, fmt.Errorf("the summary %q must be one sentence with a capital and a full stop", s.Summary))
	}
	errs = append(errs, checkDocs("input", s.Input), checkDocs("output", s.Output))
	return errors.Join(errs...)
}

func checkDocs(where string, t schema.Type) error {
	var errs []error
	for _, name := range t.FieldNames() {
		f := t.Fields[name]
		path := where + "." + name
		if !isSentence(f.Doc) {
			errs = append(errs, fmt.Errorf("the doc of %s must be one sentence with a capital and a full stop", path))
		}
		errs = append(errs, checkDocs(path, f.Type))
	}
	if t.Elem != nil {
		errs = append(errs, checkDocs(where, *t.Elem))
	}
	return errors.Join(errs...)
}

func isSentence(s string) bool {
	first := strings.IndexFunc(s, func(r rune) bool { return !unicode.IsSpace(r) })
	return first == 0 && !strings.ContainsRune(s, '\n') && strings.HasSuffix(s, ".") &&
		(unicode.IsUpper([]rune(s)[0]) || !unicode.IsLetter([]rune(s)[0]))
}

// checkFields refuses closed types that are not objects and references to
// fields that do not exist.
func checkFields(s Spec) error {
	var errs []error
	for _, t := range []schema.Type{s.Input, s.Output} {
		if t.Kind != schema.Object || t.Open() {
			errs = append(errs, errors.New("input and output must be closed objects, made from structs"))
		}
	}
	for _, field := range []string{s.UndoField, s.ObserveField} {
		if field == "" {
			continue
		}
		if f, ok := s.Input.Fields[field]; !ok || f.Required {
			errs = append(errs, fmt.Errorf("the field %q must be an optional field of the input", field))
		}
	}
	return errors.Join(errs...)
}

func checkFunctions(s Spec, f functions) error {
	changes, isGate := s.Effect != ReadOnly, s.Gate != ""
	rules := []struct {
		broken bool
		text   string
	}{
		{isGate && (f.observe || f.run || f.undo), "a gate has no Observe, Run or Undo: the core carries it out"},
		{isGate && changes && s.Gate != GatePerson, "a gate other than a person's work is read-only"},
		{!isGate && !f.observe, "Observe is missing"},
		{!changes && (f.run || f.undo), "a read-only action has no Run and no Undo"},
		{changes && !isGate && !f.run, "Run is missing"},
		{changes && !f.preview, "Preview is missing"},
		{changes && s.CanUndo && s.UndoField == "" && s.WhyNoUndo != "", "Undo and NoUndo exclude each other"},
		{changes && !s.CanUndo && s.WhyNoUndo == "", "one of Undo and NoUndo is needed"},
		{s.UndoField != "" && (!s.CanUndo || s.WhyNoUndo == ""), "UndoField needs Undo, and NoUndo for other inputs"},
		{s.Selects && (!changes || isGate), "an action that selects changes things"},
		{s.Selects && !s.Resumable, "an action that selects is resumable: what is left of its list is done again"},
		{s.CanLease && !s.CanUndo, "a lease needs Undo: it is how the change is given back"},
	}
	var errs []error
	for _, r := range rules {
		if r.broken {
			errs = append(errs, errors.New(r.text))
		}
	}
	return errors.Join(errs...)
}
