package detect

import (
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/schema"
	"github.com/refitproject/refit/internal/yamldoc"
)

// The codes of diagnostics of this package.
const (
	CodeWrongKind = "WrongKind"
	CodeBadInput  = "BadInput"
	CodeBadList   = "BadList"
)

// The variables of expressions beside the lists.
const (
	varRelease = "release"
	varValues  = "values"
)

// Rules are how one kind of platform is recognised. They do not change and are safe
// for concurrent use.
type Rules struct {
	// Chart is the name of the chart whose releases are such platforms.
	Chart  string
	lists  []list
	inputs []input
}

type list struct{ name, apiVersion, kind, selector string }

type input struct {
	name, otherwise string
	value           *expr.Template
}

// ReleaseType is the type of the variable release.
func ReleaseType() schema.Type {
	text := schema.Of(schema.String)
	return schema.ObjectOf(map[string]schema.Field{
		"name":       {Type: text, Required: true, Doc: "Name of the release."},
		"namespace":  {Type: text, Required: true, Doc: "Namespace of the release."},
		"version":    {Type: text, Required: true, Doc: "Version of its chart."},
		"appVersion": {Type: text, Required: true, Doc: "Version of what the chart installs."},
		"status":     {Type: text, Required: true, Doc: "Status of its newest revision."},
	})
}

// Load reads a detect.yaml; file is its name in positions, inputs the type of the
// inputs of its procedure. All mistakes come together; the Rules are nil when there is
// an Error among them.
func Load(file string, data []byte, inputs schema.Type) (*Rules, diag.Diagnostics) {
	root, ds := yamldoc.Parse(file, data, yamldoc.DefaultLimits())
	if root == nil || ds.HasErrors() {
		ds.Sort()
		return nil, ds
	}
	doc := &Document{}
	yamldoc.Decode(root, doc, &ds)
	if v := doc.APIVersion; v.IsSet() && v.Value != APIVersion {
		ds.Errorf(CodeWrongKind, v.Pos, "apiVersion %q is not known", v.Value).
			Suggest("write apiVersion: %s", APIVersion)
	}
	rules := &Rules{Chart: doc.Helm.Chart.Value}
	vars := map[string]schema.Type{varRelease: ReleaseType(), varValues: schema.Of(schema.Any)}
	for i := range doc.Lists {
		l := &doc.Lists[i]
		if _, taken := vars[l.Name]; taken {
			ds.Errorf(CodeBadList, l.Pos, "%q is a variable already", l.Name).Suggest("give the list another name")
		}
		if strings.EqualFold(l.Value.Kind.Value, "Secret") {
			ds.Errorf(CodeBadList, l.Value.Kind.Pos, "Secrets are not read to find platforms").
				Suggest("take what is needed from elsewhere, or leave the input to a person")
		}
		vars[l.Name] = schema.Of(schema.List)
		rules.lists = append(rules.lists, list{l.Name, l.Value.APIVersion.Value, l.Value.Kind.Value, l.Value.Selector})
	}
	env, err := expr.NewEnv(vars)
	if err != nil {
		ds.Errorf(CodeBadList, doc.Pos, "the lists cannot be used in expressions: %v", err)
		return nil, ds
	}
	for i := range doc.Inputs {
		in := &doc.Inputs[i]
		rules.input(in.Name, in.Pos, &in.Value, env, inputs, &ds)
	}
	ds.Sort()
	if ds.HasErrors() {
		return nil, ds
	}
	return rules, ds
}

func (r *Rules) input(
	name string, pos diag.Position, d *InputDocument, env *expr.Env, inputs schema.Type, ds *diag.Diagnostics,
) {
	t, known, ok := typeOf(inputs, name)
	switch {
	case !ok:
		ds.Errorf(CodeBadInput, pos, "the procedure has no input %q", name).Suggest("%s", diag.DidYouMean(name, known))
		return
	case t.Kind == schema.Secret && d.Value != nil && !isReference(d.Value):
		ds.Errorf(CodeBadInput, d.Value.Pos, "input %q is a secret, which is never read from a cluster", name).
			Suggest("give a reference, or otherwise: and what a person does")
		return
	case d.Value == nil && !d.Otherwise.IsSet():
		ds.Errorf(CodeBadInput, pos, "nothing says where input %q is found", name).
			Suggest("write value, otherwise, or both")
		return
	}
	out := input{name: name, otherwise: strings.TrimSpace(d.Otherwise.Value)}
	if d.Value != nil {
		// What comes out is looked at when it is there: values of charts have no types.
		template, found := env.CompileTemplate(d.Value, schema.Of(schema.Any))
		*ds = append(*ds, found...)
		out.value = template
	}
	r.inputs = append(r.inputs, out)
}

// isReference tells of a mapping without expressions, as references to secrets are.
func isReference(n *yamldoc.Node) bool { return n.Kind == yamldoc.Mapping }

// typeOf finds the type of an input, or of a member of one, and which there are.
func typeOf(inputs schema.Type, name string) (t schema.Type, known []string, ok bool) {
	t = inputs
	for part := range strings.SplitSeq(name, ".") {
		known = t.FieldNames()
		if !slices.Contains(known, part) {
			return t, known, false
		}
		t = t.Fields[part].Type
	}
	return t, known, true
}
