package expr

import (
	"strings"
	"sync"

	"cel.dev/cel-go/common/ast"

	"github.com/refitproject/refit/internal/diag"
)

// cache holds compiled expressions, because long procedures repeat theirs. It
// is shared by an Env and those derived from it, and safe for concurrent use.
type cache struct {
	mu       sync.Mutex
	bindings int
	bySource map[string]cached
}

// cached is an expression and what the names in it meant: it means the same in
// every Env in which they do.
type cached struct {
	*expression

	names map[string]int
}

func newCache() *cache { return &cache{bySource: map[string]cached{}} }

// bind returns a number for the declaration of a variable; 0 is none.
func (c *cache) bind() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bindings++
	return c.bindings
}

// find returns the compiled source with another place, nil when it has not been
// compiled with the same variables.
func (c *cache) find(e *Env, source string, opening diag.Position) *expression {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.bySource[source]
	if !ok {
		return nil
	}
	for name, binding := range found.names {
		if e.bound[name] != binding {
			return nil
		}
	}
	x := *found.expression
	x.pos, x.vars = opening, e.vars
	return &x
}

// keep remembers an expression that was compiled without any problem. What
// holds places of its own is not kept.
func (c *cache) keep(e *Env, source string, x *expression) {
	if len(x.sensitive) > 0 {
		return
	}
	names := map[string]int{}
	for _, n := range x.nodes {
		if n.Kind() == ast.IdentKind {
			name := strings.TrimPrefix(n.AsIdent(), ".")
			names[name] = e.bound[name]
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bySource[source] = cached{expression: x, names: names}
}
