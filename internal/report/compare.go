package report

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// FieldChange is one field that differs.
type FieldChange struct {
	Op Op `json:"op"` // added, removed or changed
	// Path is a JSON pointer to the field, relative to what is compared: the
	// plan, the stage or the step. Indexes count in the new value, for removed
	// fields in the old one.
	Path string `json:"path"`
	// Name is the field for people: members of lists are called by their name
	// instead of their index: "expects[release.chart.version].value".
	Name string `json:"name"`
	// Decisive tells that the field is inside a digest, so that approvals end
	// with its change. Predictions, descriptions and previews are not.
	Decisive bool `json:"decisive"`
	Old      any  `json:"old,omitempty"`
	New      any  `json:"new,omitempty"`
}

// place is where a comparison is.
type place struct {
	path, name string
	decisive   bool
}

// member returns the place of a member of an object.
func (at place) member(key string) place {
	name := key
	if at.name != "" {
		name = at.name + "." + key
	}
	escaped := strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
	return place{path: at.path + "/" + escaped, name: name, decisive: at.decisive && !indecisive(at.path, key)}
}

// element returns the place of a member of a list.
func (at place) element(index int, label string) place {
	return place{
		path: at.path + "/" + strconv.Itoa(index), name: at.name + "[" + label + "]", decisive: at.decisive,
	}
}

// indecisive tells whether a field stays outside every digest. Inside the
// values that authors choose (inputs, facts, with) any name is decisive.
func indecisive(parent, key string) bool {
	switch parent {
	case "":
		return slices.Contains([]string{
			"description", "windows", "estimate", "back", "template", "preview", "facts",
		}, key)
	case "/procedure":
		return key == "file"
	case "/abort":
		return key == "description"
	default:
		return strings.HasPrefix(parent, "/abort/steps/") && strings.Count(parent, "/") == 3 &&
			slices.Contains([]string{"description", "estimate", "back", "preview"}, key)
	}
}

// compare returns the fields in which two values differ as JSON. With
// decisive false none of them is inside a digest.
func compare(older, newer any, decisive bool) []FieldChange {
	var c comparer
	c.values(place{decisive: decisive}, normal(older), normal(newer))
	return c.changes
}

// normal returns v as JSON has it, so that a plan that was built and one that
// was read from a file compare alike.
func normal(v any) any {
	data, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var out any
	if err := dec.Decode(&out); err != nil {
		return nil
	}
	return out
}

// comparer collects changes.
type comparer struct{ changes []FieldChange }

func (c *comparer) values(at place, a, b any) {
	if reflect.DeepEqual(a, b) {
		return
	}
	switch x := a.(type) {
	case map[string]any:
		if y, ok := b.(map[string]any); ok {
			c.objects(at, x, y)
			return
		}
	case []any:
		if y, ok := b.([]any); ok && c.lists(at, x, y) {
			return
		}
	}
	op := Changed
	switch {
	case a == nil:
		op = Added
	case b == nil:
		op = Removed
	}
	c.changes = append(c.changes, FieldChange{
		Op: op, Path: at.path, Name: at.name, Decisive: at.decisive, Old: a, New: b,
	})
}

func (c *comparer) objects(at place, a, b map[string]any) {
	keys := maps.Clone(a)
	maps.Copy(keys, b)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		c.values(at.member(key), a[key], b[key])
	}
}

// lists compares lists whose members have names, member by member. Other
// lists are one value: false is returned.
func (c *comparer) lists(at place, a, b []any) bool {
	olds, ok := indexByName(a)
	if !ok {
		return false
	}
	news, ok := indexByName(b)
	if !ok {
		return false
	}
	before := len(c.changes)
	for i, member := range b {
		name := nameOf(member)
		var was any
		if j, ok := olds[name]; ok {
			was = a[j]
		}
		c.values(at.element(i, name), was, member)
	}
	for i, member := range a {
		if name := nameOf(member); !has(news, name) {
			c.values(at.element(i, name), member, nil)
		}
	}
	return len(c.changes) > before // Else only the order differs.
}

func has(index map[string]int, name string) bool {
	_, ok := index[name]
	return ok
}

// indexByName returns where each member of a list stands; false when a member
// has no name or two have the same.
func indexByName(members []any) (map[string]int, bool) {
	index := make(map[string]int, len(members))
	for i, member := range members {
		name := nameOf(member)
		if name == "" || has(index, name) {
			return nil, false
		}
		index[name] = i
	}
	return index, true
}

// nameOf returns what names a member of a list in a plan.
func nameOf(member any) string {
	object, ok := member.(map[string]any)
	if !ok {
		return ""
	}
	for _, key := range []string{"id", "name", "fact", "component", "step", "path"} {
		if name, ok := object[key].(string); ok && name != "" {
			return name
		}
	}
	from, hop := object["from"].(string)
	if to, ok := object["to"].(string); ok && hop {
		return from + " → " + to
	}
	return ""
}
