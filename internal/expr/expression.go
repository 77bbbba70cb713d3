package expr

import (
	"errors"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/checker"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/schema"
)

// expression is one compiled ${…}.
type expression struct {
	source string
	pos    diag.Position // of the ${
	typ    schema.Type
	refs   []Reference
	tested []Reference // those of refs that has() asks for
	// sensitive are the places where hidden values are used.
	sensitive []SensitiveUse
	// path is what a plain selection selects: most expressions are one, and
	// are evaluated without CEL.
	path    []string
	types   []schema.Type // of the values along path
	program cel.Program
	nodes   map[int64]ast.Expr // to explain errors
	vars    map[string]schema.Type
}

// compilation is the work on one expression.
type compilation struct {
	env      *Env
	language *language
	source   string
	where    place // of source
	ds       *diag.Diagnostics
	checked  *ast.AST
	nodes    map[int64]ast.Expr
}

// compile checks and prepares an expression; where is the place of its text,
// opening the position of its ${. It returns nil after it has reported what is
// wrong.
func (e *Env) compile(source string, where place, opening diag.Position, ds *diag.Diagnostics) *expression {
	if len(source) > MaxSource {
		ds.Errorf(CodeTooComplex, opening, "the expression is %d bytes, at most %d are read", len(source), MaxSource).
			Suggest("take it apart, or put the values into an input")
		return nil
	}
	if x := e.compiled.find(e, source, opening); x != nil {
		return x
	}
	l, err := e.language()
	if err != nil {
		ds.Errorf(CodeInternal, opening, "%v", err)
		return nil
	}
	c := &compilation{env: e, language: l, source: source, where: where, ds: ds}
	before := len(*ds)
	if !c.parse(opening) || !c.check(opening) {
		return nil
	}
	x := &expression{source: strings.TrimSpace(source), pos: opening, nodes: c.nodes, vars: e.vars}
	c.describe(x)
	c.prepare(x, opening)
	if len(*ds) > before {
		return nil
	}
	e.compiled.keep(e, source, x)
	return x
}

// parse reads the text. Only the first syntax error is reported: those that
// follow it are mostly its consequences.
func (c *compilation) parse(opening diag.Position) bool {
	if c.checked = parseChain(c.source); c.checked != nil {
		return true
	}
	parsed, issues := c.language.env.Parse(c.source)
	if issues.Err() != nil {
		c.syntaxError(issues.Errors(), opening)
		return false
	}
	c.checked = parsed.NativeRep()
	selectByIndex(c.checked.Expr())
	return true
}

// check types the expression.
func (c *compilation) check(opening diag.Position) bool {
	check, err := c.env.checker()
	if err != nil {
		c.ds.Errorf(CodeInternal, opening, "%v", err)
		return false
	}
	checked, errs := checker.Check(c.checked, common.NewTextSource(c.source), check)
	c.checked = checked
	c.nodes = nodesByID(checked.Expr())
	if found := errs.GetErrors(); len(found) > 0 {
		c.typeErrors(found)
		return false
	}
	return c.validate(errs) && c.inspect()
}

// validate runs the checks that functions have for their literal arguments,
// such as the pattern of matches.
func (c *compilation) validate(errs *common.Errors) bool {
	issues := cel.NewIssuesWithSourceInfo(errs, c.checked.SourceInfo())
	for _, v := range c.language.env.Validators() {
		v.Validate(c.language.env, nil, c.checked, issues)
	}
	for _, e := range issues.Errors() {
		c.ds.Errorf(CodeInvalidExpression, c.at(e), "%s", compact(e.Message))
	}
	return len(issues.Errors()) == 0
}

// describe fills in what is known without evaluating.
func (c *compilation) describe(x *expression) {
	root := c.checked.Expr()
	x.refs, x.tested = references(root, c.env.vars)
	x.typ = c.language.schemaType(c.typeOf(root))
	x.sensitive = c.sensitiveUses()
	path, isPath := selection(root)
	if !isPath {
		return
	}
	t, declared := c.env.vars[path[0]]
	if !declared {
		return
	}
	x.path, x.types = path, []schema.Type{t}
	for _, name := range path[1:] {
		t = selected(t, name)
		x.types = append(x.types, t)
	}
	x.typ = t
}

// selected returns the type of a member of a value of type t.
func selected(t schema.Type, name string) schema.Type {
	switch t.Kind {
	case schema.Object:
		return t.Fields[name].Type
	case schema.Map:
		return t.ElemType()
	default:
		return schema.Of(schema.Any)
	}
}

// prepare plans the evaluation; an expression that refers to nothing is tried
// at once.
func (c *compilation) prepare(x *expression, opening diag.Position) {
	if x.path != nil {
		return
	}
	program, err := c.language.env.PlanProgram(c.checked, programOptions(mustTrack(c.nodes))...)
	if err != nil {
		c.ds.Errorf(CodeInvalidExpression, opening, "%s", compact(err.Error()))
		return
	}
	x.program = program
	if len(x.refs) > 0 {
		return
	}
	if _, err := x.eval(newBudget(), newActivation(nil, nil)); err != nil {
		if failed := new(EvalError); errors.As(err, &failed) {
			err = failed.Err
		}
		c.ds.Errorf(CodeInvalidExpression, opening, "%s: %v", quoted(x.source), err).Suggest("%s", Suggestion(err))
	}
}

// mustTrack tells whether the steps of an expression have to be counted.
func mustTrack(nodes map[int64]ast.Expr) bool {
	if len(nodes) > maxUntracked {
		return true
	}
	for _, n := range nodes {
		if n.Kind() == ast.ComprehensionKind {
			return true
		}
	}
	return false
}

// typeOf returns the type that the check found for a node, the dynamic type
// when it found none.
func (c *compilation) typeOf(e ast.Expr) *types.Type {
	if t, known := c.checked.TypeMap()[e.ID()]; known && t != nil {
		return t
	}
	return types.DynType
}

// selectByIndex turns x["name"] into the selection of name, so that fields
// whose names are not identifiers are checked like all others. It must run
// before the check.
func selectByIndex(root ast.Expr) {
	factory := ast.NewExprFactory()
	ast.PostOrderVisit(root, ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != operators.Index || len(e.AsCall().Args()) != 2 {
			return
		}
		operand, index := e.AsCall().Args()[0], e.AsCall().Args()[1]
		if index.Kind() != ast.LiteralKind {
			return
		}
		if name, ok := index.AsLiteral().(types.String); ok && operand.Kind() != ast.MapKind {
			e.SetKindCase(factory.NewSelect(e.ID(), operand, string(name)))
		}
	}))
}

func nodesByID(root ast.Expr) map[int64]ast.Expr {
	nodes := map[int64]ast.Expr{}
	ast.PostOrderVisit(root, ast.NewExprVisitor(func(e ast.Expr) { nodes[e.ID()] = e }))
	return nodes
}

// quoted names an expression in messages, short and on one line.
func quoted(source string) string {
	const longest = 60
	short := strings.Join(strings.Fields(source), " ")
	if len(short) > longest {
		short = strings.ToValidUTF8(short[:longest], "") + "…"
	}
	return "${" + short + "}"
}

// sortReferences sorts references and drops repetitions.
func sortReferences(refs []Reference) []Reference {
	slices.SortFunc(refs, func(a, b Reference) int { return slices.Compare(a, b) })
	return slices.CompactFunc(refs, func(a, b Reference) bool { return slices.Equal(a, b) })
}
