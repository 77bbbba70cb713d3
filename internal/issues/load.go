package issues

import (
	"regexp"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/yamldoc"
)

// The bounds of one file.
const (
	maxIssues = 500
	// maxWords is how long explanation and suggestion may be, in bytes: several
	// of them have to fit an event.
	maxWords = 1500
	// maxText and minText are how long an exact text may and must be, in bytes.
	maxText, minText = 2000, 8
	// maxUses is how often a remedy may be taken in one run.
	maxUses = 10
	// maxID is how long an id may be.
	maxID = 63
)

var (
	idPattern  = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	urlPattern = regexp.MustCompile(`^https?://[^\s]+$`)
)

// Load reads a file of known issues; file is its name in positions. All mistakes
// of the file come back together, and so do fixtures that are not recognised as
// what they are. The Set is nil when there is an Error among them.
func Load(file string, data []byte) (*Set, diag.Diagnostics) {
	root, ds := yamldoc.Parse(file, data, yamldoc.DefaultLimits())
	if root == nil || ds.HasErrors() {
		ds.Sort()
		return nil, ds
	}
	if !checkKind(file, root, &ds) {
		return nil, ds
	}
	doc := &Document{}
	yamldoc.Decode(root, doc, &ds)
	env, err := newEnv(anyFacts(), anyFacts())
	if err != nil {
		ds.Errorf("Internal", doc.Pos, "prepare the expressions of %q: %v", file, err)
		return nil, ds
	}
	r := &reader{env: env, ds: &ds, clean: !ds.HasErrors()}
	set := r.document(doc)
	ds.Sort()
	if ds.HasErrors() {
		return nil, ds
	}
	return set, ds
}

// checkKind refuses documents of another kind before they are decoded.
func checkKind(file string, root *yamldoc.Node, ds *diag.Diagnostics) bool {
	n := root.Get("kind")
	switch {
	case root.Kind != yamldoc.Mapping:
		ds.Errorf(CodeWrongKind, root.Pos, "%q holds a %s, not known issues", file, root.Kind).
			Suggest("begin with apiVersion: %s and kind: %s", APIVersion, DocumentKind)
	case slices.Contains([]string{"Procedure", "SubProcedure", "Platform", "Versions", "Plan"}, textOf(n)):
		ds.Errorf(CodeWrongKind, n.Pos, "%q is a %s, not a list of known issues", file, textOf(n)).
			Suggest("name a file with kind: %s", DocumentKind)
	default:
		return true
	}
	return false
}

// textOf returns the text of a node, "" for others.
func textOf(n *yamldoc.Node) string {
	if n == nil {
		return ""
	}
	s, _ := n.Value.(string)
	return s
}

// reader makes a Set of a Document and collects what is wrong on the way.
type reader struct {
	env *expr.Env
	ds  *diag.Diagnostics
	// clean tells that everything could be decoded, so that what seems missing
	// really is.
	clean bool
}

func (r *reader) document(doc *Document) *Set {
	if v := doc.APIVersion; v.IsSet() && v.Value != APIVersion {
		r.ds.Errorf(CodeUnsupportedVersion, v.Pos, "apiVersion %q is not known", v.Value).
			Suggest("write apiVersion: %s", APIVersion)
	}
	if n := len(doc.Issues); n > maxIssues {
		r.ds.Errorf(CodeTooMany, doc.Issues[maxIssues].Pos,
			"the file has %d issues, at most %d are read", n, maxIssues).
			Suggest("leave out those of versions from which nobody upgrades any more")
		return nil
	}
	s := &Set{doc: doc}
	for i := range doc.Issues {
		named := &doc.Issues[i]
		if !idPattern.MatchString(named.Name) || len(named.Name) > maxID {
			r.ds.Errorf(CodeBadName, named.Pos, "issue %q has an id that is not permitted", named.Name).
				Suggest("use lower case letters, digits and dashes, beginning with a letter, at most %d", maxID)
		}
		before := len(*r.ds)
		k := r.issue(named.Name, named.Pos, &named.Value)
		s.list = append(s.list, k)
		if !(*r.ds)[before:].HasErrors() && r.clean {
			r.fixtures(k, named.Pos, &named.Value)
		}
	}
	return s
}

func (r *reader) issue(id string, pos diag.Position, d *IssueDocument) *known {
	k := &known{Issue: Issue{
		ID: id, Explanation: strings.TrimSpace(d.Explanation.Value), Text: d.Match.Text.Value,
		Pattern: d.Match.Pattern.Value, Reasons: texts(d.Match.Reasons),
		Source: Source{URL: d.Source.URL.Value, Note: strings.TrimSpace(d.Source.Note)},
	}}
	if d.In != nil {
		k.Actions, k.Phases = texts(d.In.Actions), texts(d.In.Phases)
	}
	r.words("explanation", d.Explanation)
	r.match(k, pos, &d.Match)
	k.State, k.state = r.condition(d.Match.State)
	k.Benign, k.benign = r.condition(d.Benign)
	r.remedy(k, d.Remedy)
	r.source(&d.Source)
	return k
}

// texts returns the values of a list.
func texts(list []yamldoc.Text) []string {
	var out []string
	for _, t := range list {
		out = append(out, t.Value)
	}
	return out
}

// words checks a text that people read.
func (r *reader) words(key string, t yamldoc.Text) {
	switch {
	case !t.IsSet():
	case strings.TrimSpace(t.Value) == "":
		r.ds.Errorf(CodeEmptyValue, t.Pos, "%s is empty", key).
			Suggest("people read it when the step has failed: write it out")
	case len(t.Value) > maxWords:
		r.ds.Errorf(CodeTooLong, t.Pos, "%s has %d bytes, at most %d can be shown with a failure",
			key, len(t.Value), maxWords).Suggest("keep what helps at once, and name the rest in source")
	}
}

// match checks what an issue is recognised by.
func (r *reader) match(k *known, pos diag.Position, d *MatchDocument) {
	if !d.Text.IsSet() && !d.Pattern.IsSet() && d.State == nil && len(d.Reasons) == 0 && r.clean {
		if d.Pos.Line > 0 {
			pos = d.Pos
		}
		r.ds.Errorf(CodeNothingToMatch, pos, "issue %q says nothing that it is recognised by", k.ID).
			Suggest("write text, pattern, state or reasons")
	}
	if t := d.Text; t.IsSet() {
		k.text = fold(t.Value)
		switch {
		case len(k.text) < minText:
			r.ds.Errorf(CodeTextTooShort, t.Pos, "the text %q would be found in too many failures", t.Value).
				Suggest("copy more of the line, at least %d characters", minText)
		case len(t.Value) > maxText:
			r.ds.Errorf(CodeTooLong, t.Pos, "the text has %d bytes, at most %d are compared", len(t.Value), maxText).
				Suggest("keep the part that never changes")
		}
	}
	if t := d.Pattern; t.IsSet() {
		var err error
		if k.pattern, err = compilePattern(t.Value); err != nil {
			r.ds.Errorf(CodeBadPattern, t.Pos, "%v", err).
				Suggest("write a shorter one that holds a part of the message as it is printed")
		}
	}
	for _, reason := range d.Reasons {
		if strings.TrimSpace(reason.Value) == "" {
			r.ds.Errorf(CodeEmptyValue, reason.Pos, "a reason is empty").Suggest("remove it")
		}
	}
}

// condition compiles a condition and returns its text.
func (r *reader) condition(n *yamldoc.Node) (string, *expr.Template) {
	if n == nil || n.Kind == yamldoc.Invalid {
		return "", nil
	}
	t, ds := r.env.CompileTemplate(n, boolean())
	*r.ds = append(*r.ds, ds...)
	if s, isText := n.Value.(string); isText {
		return s, t
	}
	return n.Raw, t
}

// remedy checks what helps.
func (r *reader) remedy(k *known, d *RemedyDocument) {
	if d == nil {
		return
	}
	r.words("suggest", d.Suggest)
	k.Remedy, k.Planned = strings.TrimSpace(d.Suggest.Value), d.Step != nil
	if !d.Suggest.IsSet() && d.Step == nil && r.clean {
		r.ds.Errorf(CodeEmptyValue, d.Pos, "the remedy of issue %q says nothing", k.ID).
			Suggest("write suggest, or step, or remove remedy")
	}
	if d.Step != nil && (d.Step.Max < 1 || d.Step.Max > maxUses) && r.clean {
		r.ds.Errorf(CodeOutOfRange, d.Step.Pos, "max %d of the remedy of issue %q is not permitted", d.Step.Max, k.ID).
			Suggest("use 1 to %d", maxUses)
	}
}

// source checks where an issue comes from.
func (r *reader) source(d *SourceDocument) {
	switch {
	case d.URL.IsSet() && !urlPattern.MatchString(d.URL.Value):
		r.ds.Errorf(CodeBadURL, d.URL.Pos, "%q is no address of the web", d.URL.Value).
			Suggest("write https://…, or say it in note")
	case d.Pos.Line > 0 && !d.URL.IsSet() && strings.TrimSpace(d.Note) == "":
		r.ds.Errorf(CodeNoSource, d.Pos, "the source says nothing").
			Suggest("write url or note: whoever doubts the issue looks there")
	}
}
