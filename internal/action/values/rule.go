package values

import (
	"errors"
	"fmt"
	"slices"

	"github.com/refitproject/refit/internal/action"
)

// Rule is one change of the values between two versions of a chart. Exactly one of
// Rename, Move, Remove, Invert and Set is given. A rule whose key is not there does
// nothing.
type Rule struct {
	Rename    string      `json:"rename,omitempty" doc:"Path of a key that gets another name within its map, where it stands; to is its new path."`
	Move      string      `json:"move,omitempty" doc:"Path of a key that goes to another map, with all below it; maps that it leaves empty go with it."`
	Remove    string      `json:"remove,omitempty" doc:"Path of a key that the new version does not know any more."`
	Invert    string      `json:"invert,omitempty" doc:"Path of a switch that becomes another one with the opposite meaning: true becomes false."`
	Set       string      `json:"set,omitempty" doc:"Path of a key that gets value when it is not there."`
	To        string      `json:"to,omitempty" doc:"New path, for rename, move and invert."`
	Value     any         `json:"value,omitempty" doc:"Value for set; null when it is left out."`
	If        []Condition `json:"if,omitempty" doc:"Conditions on the values as they were before all rules; the rule applies when all hold."`
	Overwrite bool        `json:"overwrite,omitempty" doc:"Lets set replace another value; default false: it is a conflict."`
	Reason    string      `json:"reason" doc:"Why, in one sentence, for the person who owns the values."`
}

// Condition is a condition on the old values. Exactly one of Is, Equals and Differs
// is given.
type Condition struct {
	Path    string `json:"path" doc:"Path of a key, without *."`
	Is      string `json:"is,omitempty" enum:"there,absent" doc:"Whether the key is there; a key that is not there has the default of the chart."`
	Equals  any    `json:"equals,omitempty" doc:"Value that the key has."`
	Differs any    `json:"differs,omitempty" doc:"Value that the key does not have; also true of a key that is not there."`
}

// parsed is a Rule with its paths read.
type parsed struct {
	Rule
	verb     string
	from, to action.Path
}

// star stands in a path for every key of a map and every member of a list.
const star = "*"

// parse reads a rule and tells what is wrong with it.
func (r Rule) parse() (parsed, error) {
	p := parsed{Rule: r}
	for _, verb := range []struct{ name, path string }{
		{"rename", r.Rename}, {"move", r.Move}, {"remove", r.Remove}, {"invert", r.Invert}, {"set", r.Set},
	} {
		if verb.path == "" {
			continue
		}
		if p.verb != "" {
			return p, fmt.Errorf("%s and %s are two rules: write them one below the other", p.verb, verb.name)
		}
		path, err := keyPath(verb.path)
		if err != nil {
			return p, err
		}
		p.verb, p.from = verb.name, path
	}
	if p.verb == "" {
		return p, errors.New("give one of rename, move, remove, invert and set")
	}
	if r.Reason == "" {
		return p, errors.New("the reason is missing: say why, for who owns the values")
	}
	if err := p.checkWords(); err != nil {
		return p, err
	}
	for i, c := range r.If {
		if err := c.check(); err != nil {
			return p, fmt.Errorf("if[%d]: %w", i, err)
		}
	}
	return p, p.readTo()
}

// checkWords refuses words that say nothing with this verb.
func (p *parsed) checkWords() error {
	leads := p.verb == "rename" || p.verb == "move" || p.verb == "invert"
	switch {
	case leads && p.To == "":
		return fmt.Errorf("to is missing: where does %s lead?", p.verb)
	case !leads && p.To != "":
		return fmt.Errorf("to says nothing with %s", p.verb)
	case p.verb != "set" && p.Value != nil:
		return fmt.Errorf("value says nothing with %s", p.verb)
	case p.verb != "set" && p.Overwrite:
		return fmt.Errorf("overwrite says nothing with %s", p.verb)
	}
	return nil
}

// readTo reads the new path, which must fit the old one.
func (p *parsed) readTo() error {
	if p.To == "" {
		return nil
	}
	to, err := keyPath(p.To)
	if err != nil {
		return err
	}
	p.to = to
	isStar := func(part any) bool { return part == star }
	switch {
	case stars(p.from) != stars(to):
		return fmt.Errorf("%q and %q need * equally often", p.from, to)
	case slices.Equal(p.from, to):
		return errors.New("both paths are the same")
	case isPrefix(p.from, to) || isPrefix(to, p.from):
		return fmt.Errorf("one of %q and %q lies within the other", p.from, to)
	case isStar(p.from[len(p.from)-1]) || isStar(to[len(to)-1]):
		return errors.New("the last name of a path is no *")
	case p.verb == "rename" && !slices.Equal(p.from[:len(p.from)-1], to[:len(to)-1]):
		return fmt.Errorf("rename keeps the map: use move to lead from %q to %q", p.from, to)
	}
	return nil
}

// keyPath reads a path that ends at a key.
func keyPath(text string) (action.Path, error) {
	path, err := action.ParsePath(text)
	if err != nil {
		return nil, err
	}
	if _, isKey := path[len(path)-1].(string); !isKey {
		return nil, fmt.Errorf("%q leads to the member of a list, needs a key", text)
	}
	return path, nil
}

func stars(p action.Path) int {
	n := 0
	for _, part := range p {
		if part == star {
			n++
		}
	}
	return n
}

func isPrefix(short, long action.Path) bool {
	return len(short) <= len(long) && slices.Equal(short, long[:len(short)])
}

func (c Condition) check() error {
	path, err := action.ParsePath(c.Path)
	if err != nil {
		return err
	}
	if stars(path) > 0 {
		return fmt.Errorf("path %q has a *, and a condition is about one key", c.Path)
	}
	given := 0
	for _, is := range []bool{c.Is != "", c.Equals != nil, c.Differs != nil} {
		if is {
			given++
		}
	}
	if given != 1 {
		return errors.New("give one of is, equals and differs")
	}
	return nil
}

// holds tells whether the condition is true of values.
func (c Condition) holds(values any) bool {
	path, err := action.ParsePath(c.Path)
	if err != nil {
		return false
	}
	v, there := path.Find(values)
	switch {
	case c.Is != "":
		return there == (c.Is == "there")
	case c.Equals != nil:
		return there && action.Equal(v, c.Equals)
	default:
		return !there || !action.Equal(v, c.Differs)
	}
}

// match is one place that a path with stars leads to.
type match struct {
	path action.Path
	// stars are what the stars stand for, in their order.
	stars []any
}

// matches returns all places within values that a path leads to, in a fixed order.
func matches(values any, path action.Path) []match {
	found := []match{{}}
	for i, part := range path {
		var next []match
		for _, m := range found {
			at, there := m.path.Find(values)
			if !there {
				continue
			}
			for _, member := range membersOf(at, part) {
				n := match{path: append(slices.Clone(m.path), member), stars: m.stars}
				if path[i] == any(star) {
					n.stars = append(slices.Clone(m.stars), member)
				}
				if _, there := n.path.Find(values); there {
					next = append(next, n)
				}
			}
		}
		found = next
	}
	return found
}

// membersOf returns what a part of a path stands for.
func membersOf(v any, part any) []any {
	if part != any(star) {
		return []any{part}
	}
	var all []any
	switch v := v.(type) {
	case map[string]any:
		for key := range v {
			all = append(all, key)
		}
		slices.SortFunc(all, func(a, b any) int { return compareText(a, b) })
	case []any:
		for i := range v {
			all = append(all, i)
		}
	}
	return all
}

func compareText(a, b any) int {
	x, _ := a.(string)
	y, _ := b.(string)
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// filled returns a path with the stars replaced.
func filled(path action.Path, by []any) action.Path {
	out := slices.Clone(path)
	for i, part := range out {
		if part == any(star) && len(by) > 0 {
			out[i], by = by[0], by[1:]
		}
	}
	return out
}
