package expr

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"cel.dev/cel-go/checker"
	"cel.dev/cel-go/common/containers"
	"cel.dev/cel-go/common/decls"

	"github.com/refitproject/refit/internal/schema"
)

// Env is a set of declared variables. It never changes and is safe for
// concurrent use.
type Env struct {
	vars map[string]schema.Type
	// bound tells which declaration of a variable counts.
	bound    map[string]int
	registry *registry
	compiled *cache
	// language is the same for an Env and those derived from it. Both it and
	// the checker are built when the first expression is compiled.
	language func() (*language, error)
	checker  func() (*checker.Env, error)
}

// NewEnv returns an Env with the given variables. The error names a variable
// whose name cannot stand in an expression. The types are kept and must not be
// changed afterwards.
func NewEnv(vars map[string]schema.Type) (*Env, error) {
	e := &Env{registry: newRegistry(), compiled: newCache()}
	e.language = sync.OnceValues(func() (*language, error) { return newLanguage(e.registry) })
	return e.With(vars)
}

// With returns an Env that has vars beside the variables of e; a variable of
// vars takes the place of one with the same name. It is cheap.
func (e *Env) With(vars map[string]schema.Type) (*Env, error) {
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		if !isIdentifier(name) {
			return nil, fmt.Errorf("declare variable %q: the name cannot stand in an expression", name)
		}
	}
	derived := &Env{
		vars:     make(map[string]schema.Type, len(e.vars)+len(vars)),
		bound:    make(map[string]int, len(e.vars)+len(vars)),
		registry: e.registry,
		compiled: e.compiled,
		language: e.language,
	}
	maps.Copy(derived.vars, e.vars)
	maps.Copy(derived.vars, vars)
	maps.Copy(derived.bound, e.bound)
	for name := range vars {
		derived.bound[name] = e.compiled.bind()
	}
	derived.checker = sync.OnceValues(derived.newChecker)
	return derived, nil
}

// newChecker returns what CEL checks expressions against: the functions, and
// the variables of e.
func (e *Env) newChecker() (*checker.Env, error) {
	l, err := e.language()
	if err != nil {
		return nil, err
	}
	check, err := checker.NewEnv(containers.DefaultContainer, l.env.CELTypeProvider(),
		checker.CrossTypeNumericComparisons(true), checker.ValidatedDeclarations(l.checker))
	if err != nil {
		return nil, fmt.Errorf("prepare the check of expressions: %w", err)
	}
	for _, name := range e.names() {
		if err := check.AddIdents(decls.NewVariable(name, e.registry.variable(e.vars[name]))); err != nil {
			return nil, fmt.Errorf("declare variable %q: %w", name, err)
		}
	}
	return check, nil
}

// names returns the variables in alphabetical order.
func (e *Env) names() []string { return slices.Sorted(maps.Keys(e.vars)) }

// isIdentifier tells whether name can be written as a variable.
func isIdentifier(name string) bool {
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		return false
	}
	for i := range len(name) {
		if !isNameByte(name[i]) {
			return false
		}
	}
	return !slices.Contains(reserved(), name)
}

// reserved lists the words that CEL keeps for itself.
func reserved() []string {
	return []string{
		"as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let",
		"loop", "namespace", "null", "package", "return", "true", "var", "void", "while",
	}
}
