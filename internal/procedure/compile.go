package procedure

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/schema"
	"github.com/refitproject/refit/internal/versions"
	"github.com/refitproject/refit/internal/yamldoc"
)

// The variables of expressions.
const (
	varInputs   = "inputs"
	varObserve  = "observe"
	varPlatform = "platform"
	varPath     = "path"
	varSteps    = "steps"
)

// pathType is the type of the variable path.
func pathType(graph *versions.Graph) schema.Type {
	hop := schema.Of(schema.Any)
	if graph != nil {
		hop = graph.HopType()
	}
	text := schema.Of(schema.String)
	return schema.ObjectOf(map[string]schema.Field{
		"from": {Type: text, Required: true, Doc: "Version that is installed now."},
		"to":   {Type: text, Required: true, Doc: "Version that the plan leads to."},
		"hops": {Type: schema.ListOf(hop), Required: true, Doc: "Hops of the version path, in order."},
		"rehearsal": {
			Type: text, Required: true,
			Doc: "Digest over the procedure and the path, the same on every platform, for rehearsal.check.",
		},
	})
}

// newEnv returns an environment; a failure is ours and reported as such.
func (f *file) newEnv(vars map[string]schema.Type) *expr.Env {
	env, err := expr.NewEnv(vars)
	if err != nil {
		f.ds.Errorf("Internal", f.doc.Pos, "prepare the expressions of %q: %v", f.name, err)
	}
	return env
}

// with returns env with further variables.
func (f *file) with(env *expr.Env, vars map[string]schema.Type) *expr.Env {
	if env == nil || len(vars) == 0 {
		return env
	}
	extended, err := env.With(vars)
	if err != nil {
		f.ds.Errorf("Internal", f.doc.Pos,
			"prepare the variables %s: %v", strings.Join(slices.Sorted(maps.Keys(vars)), ", "), err)
		return env
	}
	return extended
}

// compile compiles a value that may hold expressions. It returns nil when n is
// nil or has mistakes, which are reported.
func (f *file) compile(env *expr.Env, n *yamldoc.Node, want schema.Type) *expr.Template {
	t := f.compileAny(env, n, want)
	f.checkSensitive(t, false)
	return t
}

// compileAny is compile without the check of sensitive values.
func (f *file) compileAny(env *expr.Env, n *yamldoc.Node, want schema.Type) *expr.Template {
	if n == nil || env == nil {
		return nil
	}
	t, ds := env.CompileTemplate(n, want)
	f.ds = append(f.ds, ds...)
	if ds.HasErrors() {
		f.used.text(n)
		f.hint(len(f.ds)-len(ds), varSteps, "outputs of steps are known only when the steps of a stage run")
		return nil
	}
	f.used.references(t.References())
	return t
}

// hint explains in the diagnostics from the given one on why a variable that
// exists elsewhere is not there.
func (f *file) hint(from int, variable, why string) {
	for i := from; i < len(f.ds); i++ {
		if d := &f.ds[i]; d.Code == expr.CodeUnknownReference && strings.Contains(d.Summary, strconv.Quote(variable)) {
			d.Suggest("%s", why)
		}
	}
}

// compileText compiles a value that has to be a string.
func (f *file) compileText(env *expr.Env, n *yamldoc.Node) *expr.Template {
	return f.compile(env, n, schema.Of(schema.String))
}

// compileName compiles a value that becomes part of an id: a string or a whole
// number.
func (f *file) compileName(env *expr.Env, n *yamldoc.Node) *expr.Template {
	t := f.compile(env, n, schema.Of(schema.Any))
	if t == nil {
		return nil
	}
	switch t.Type().Kind {
	case schema.String, schema.Int, schema.Duration, schema.Any, "":
		return t
	default:
		f.ds.Errorf("TypeMismatch", n.Pos, "%s is a %s, needs a string", textOf(n), t.Type())
		return nil
	}
}

// dashed finds selections of a step's id that are read as a subtraction.
var dashed = regexp.MustCompile(`\bsteps\.([a-z][a-z0-9]*(?:-[a-z0-9]+)+)`)

// compileStep is compile for values of steps.
func (b *body) compileStep(env *expr.Env, n *yamldoc.Node, want schema.Type) *expr.Template {
	return b.explained(n, func() *expr.Template { return b.compile(env, n, want) })
}

// explained compiles n and explains the mistake that everybody makes in it.
func (b *body) explained(n *yamldoc.Node, compile func() *expr.Template) *expr.Template {
	before := len(b.ds)
	t := compile()
	if len(b.ds) > before {
		b.explainDashes(n, before)
	}
	return t
}

// explainDashes replaces the diagnostics from the given one on that come from
// the one mistake that everybody makes, steps.logins-off, by what to write.
func (b *body) explainDashes(n *yamldoc.Node, from int) {
	walkStrings(n, func(at *yamldoc.Node, s string) {
		for _, m := range dashed.FindAllStringSubmatch(s, -1) {
			if _, known := b.index[m[1]]; !known {
				continue
			}
			end := at.Pos.Column + len(s) + len(`""`)
			rest := slices.DeleteFunc(slices.Clone(b.ds[from:]), func(d diag.Diagnostic) bool {
				return d.File == at.Pos.File && d.Line == at.Pos.Line &&
					d.Column >= at.Pos.Column && d.Column <= end
			})
			b.ds = slices.Concat(b.ds[:from], rest)
			b.ds.Errorf("DashInReference", at.Pos, "steps.%s is read as a subtraction", m[1]).
				Suggest("write steps[\"%s\"]", m[1])
			return
		}
	})
}

// refersTo tells whether t uses the variable name.
func refersTo(t *expr.Template, name string) bool {
	return t != nil && slices.ContainsFunc(t.References(), func(r expr.Reference) bool {
		return len(r) > 0 && r[0] == name
	})
}
