package run

import (
	"maps"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/plan"
)

// reader finds out which outputs the expressions of a step may speak of. It
// reads the texts only, it evaluates nothing: too many outputs do no harm, one
// too few does.
type reader struct {
	v *stageView
	// byName holds what steps and uses are called, by the use that they stand
	// in. Members of a forEach share a name.
	byName map[string]map[string]*named
	uses   map[string]*plan.Group
}

// named are the steps and uses of one name.
type named struct {
	steps  []int
	groups []string
}

func newReader(v *stageView) *reader {
	r := &reader{v: v, byName: map[string]map[string]*named{}, uses: map[string]*plan.Group{}}
	for i := range v.steps {
		n := r.called(v.steps[i].Group, v.steps[i].ID)
		n.steps = append(n.steps, i)
	}
	for i := range v.groups {
		g := &v.groups[i]
		r.uses[g.ID] = g
		n := r.called(g.Parent, g.ID)
		n.groups = append(n.groups, g.ID)
	}
	return r
}

// called returns what has the name of id within a use, "" for the stage.
func (r *reader) called(use, id string) *named {
	prefix := use + "/"
	if use == "" && r.v.abort {
		prefix = plan.AbortPrefix
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(id, prefix), "[")
	if r.byName[use] == nil {
		r.byName[use] = map[string]*named{}
	}
	n := r.byName[use][name]
	if n == nil {
		n = &named{}
		r.byName[use][name] = n
	}
	return n
}

// of returns the steps of whose outputs the expressions of a step speak, also
// through the inputs and outputs of sub-procedures.
func (r *reader) of(s *plan.Step) []int {
	f := &finder{reader: r, used: map[string]bool{}}
	f.text(s.Group, s.When)
	f.deferred(s.Group, s.Deferred)
	if s.ForEach != nil {
		f.text(s.Group, s.ForEach.Expr)
		f.text(s.Group, s.ForEach.Key)
	}
	f.around(s.Group)
	slices.Sort(f.steps)
	return slices.Compact(f.steps)
}

// finder collects the steps that texts speak of.
type finder struct {
	*reader
	steps []int
	used  map[string]bool
}

// around reads the conditions and inputs of the uses that a step stands in.
func (f *finder) around(use string) {
	for g := f.uses[use]; g != nil && !f.used["in "+g.ID]; g = f.uses[g.Parent] {
		f.used["in "+g.ID] = true
		f.text(g.Parent, g.When)
		f.deferred(g.Parent, g.Deferred)
	}
}

// outputs reads what a use hands back.
func (f *finder) outputs(use string) {
	g := f.uses[use]
	if g == nil || f.used["out "+use] {
		return
	}
	f.used["out "+use] = true
	f.value(use, g.Outputs)
	f.around(use)
}

func (f *finder) deferred(use string, places []plan.Deferred) {
	for _, d := range places {
		f.text(use, d.Text)
	}
}

func (f *finder) value(use string, v any) {
	switch v := v.(type) {
	case string:
		f.text(use, v)
	case []any:
		for _, member := range v {
			f.value(use, member)
		}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			f.value(use, v[k])
		}
	}
}

func (f *finder) text(use, text string) {
	names, all := mentions(text)
	known := f.byName[use]
	if all {
		names = slices.Sorted(maps.Keys(known))
	}
	for _, name := range names {
		if n := known[name]; n != nil {
			f.take(n)
		}
	}
}

func (f *finder) take(n *named) {
	f.steps = append(f.steps, n.steps...)
	for _, use := range n.groups {
		f.outputs(use)
	}
}

// mentions returns the names behind "steps" in a text: steps.NAME or
// steps["NAME"]. It answers all when a name is written in another way.
func mentions(text string) (names []string, all bool) {
	const word = "steps"
	for from := 0; ; {
		i := strings.Index(text[from:], word)
		if i < 0 {
			return names, all
		}
		i += from
		from = i + len(word)
		if i > 0 && (inName(rune(text[i-1])) || text[i-1] == '.') {
			continue
		}
		rest := strings.TrimLeft(text[from:], " \t\n\r")
		if rest == "" || rest[0] != '.' && rest[0] != '[' {
			continue
		}
		name, ok := selected(rest)
		all = all || !ok
		names = append(names, name)
	}
}

// selected returns the name at the start of ".NAME" or "["NAME"]".
func selected(rest string) (string, bool) {
	open := rest[0]
	rest = strings.TrimLeft(strings.TrimPrefix(rest[1:], "?"), " \t\n\r")
	if rest == "" {
		return "", false
	}
	quoted := strings.IndexByte("\"'`", rest[0]) >= 0
	if !quoted {
		end := strings.IndexFunc(rest, func(r rune) bool { return !inName(r) })
		if end < 0 {
			end = len(rest)
		}
		return rest[:end], open == '.' && end > 0
	}
	name, _, closed := strings.Cut(rest[1:], rest[:1])
	return name, closed && name != "" && !strings.Contains(name, `\`)
}

// inName tells whether a letter may stand in a name of an expression.
func inName(c rune) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
