package values

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/yamledit"
)

// The reasons of errors about values and rules.
const (
	reasonNotYAML    = "NotYAML"
	reasonConflict   = "Conflict"
	reasonNotBoolean = "NotBoolean"
	reasonAliased    = "Aliased"
	reasonNoPlace    = "NoPlace"
)

// Applied is one thing that a rule has done.
type Applied struct {
	Rule   string `json:"rule" doc:"What was done: move hub.uid to hub.containerSecurityContext.runAsUser."`
	Line   int    `json:"line,omitempty" doc:"Line of the key in the file that was read; 0 for keys that were not in it."`
	Reason string `json:"reason" doc:"Why, as the rule says."`
}

// migration is values on their way.
type migration struct {
	// name is the file as the author calls it.
	name string
	// old is the document as it was read, was what it said.
	old *yaml.Node
	was any
	// data is the document now, now what it says.
	data []byte
	now  any
	done []Applied
}

// migrate applies rules to the values of a file. The error is an *action.Error; it
// quotes no value.
func migrate(name string, data []byte, rules []Rule) ([]byte, []Applied, error) {
	m := &migration{name: name, data: data}
	if err := m.read(); err != nil {
		return nil, nil, m.failed(reasonNotYAML, "mend the file", fmt.Errorf("read file %q as YAML: %w", name, err))
	}
	m.was = m.now
	for i, rule := range rules {
		p, err := rule.parse()
		if err != nil {
			return nil, nil, m.failed(action.ReasonInvalidInput, "", fmt.Errorf("rules[%d]: %w", i, err))
		}
		if !slices.ContainsFunc(p.If, func(c Condition) bool { return !c.holds(m.was) }) {
			if err := m.apply(p); err != nil {
				return nil, nil, err
			}
		}
	}
	return m.data, m.done, nil
}

// read reads the document as it is now.
func (m *migration) read() error {
	doc, err := yamledit.Parse(m.data)
	if err != nil {
		return err
	}
	v, err := yamledit.Plain(m.data)
	if err != nil {
		return err
	}
	if v == nil {
		v = map[string]any{}
	}
	if _, isMap := v.(map[string]any); !isMap {
		return errors.New("it holds no map of values")
	}
	if m.old == nil {
		m.old = doc
	}
	m.now = v
	return nil
}

func (m *migration) failed(reason, remedy string, err error) error {
	return &action.Error{Reason: reason, Effect: action.ExtentNone, Remedy: remedy, Err: err}
}

// apply applies one rule wherever it fits.
func (m *migration) apply(p parsed) error {
	if p.verb == "set" {
		return m.setAll(p)
	}
	for _, found := range matches(m.now, p.from) {
		if err := m.direct(found.path); err != nil {
			return err
		}
		var err error
		switch p.verb {
		case "remove":
			err = m.remove(found.path)
		case "invert":
			err = m.invert(found.path, filled(p.to, found.stars))
		default:
			err = m.move(found.path, filled(p.to, found.stars))
		}
		if err != nil {
			return err
		}
		text := p.verb + " " + found.path.String()
		if p.to != nil {
			text += " to " + filled(p.to, found.stars).String()
		}
		m.note(text, found.path, p.Reason)
	}
	return nil
}

func (m *migration) note(text string, path action.Path, reason string) {
	line := 0
	if key, _ := yamledit.Find(m.old, path); key != nil {
		line = key.Line
	}
	m.done = append(m.done, Applied{Rule: text, Line: line, Reason: reason})
}

// direct refuses keys that stand elsewhere: what is at an anchor would change for
// all that use it.
func (m *migration) direct(path action.Path) error {
	doc, err := yamledit.Parse(m.data)
	if err != nil {
		return m.failed(reasonNotYAML, "mend the file", err)
	}
	if key, _ := yamledit.Find(doc, path); key != nil {
		return nil
	}
	return m.failed(reasonAliased, "write it out where it is used",
		fmt.Errorf("%s in file %q comes from an anchor or a merge", path, m.name))
}

// move takes a key with all below it to another path. Maps are merged.
func (m *migration) move(from, to action.Path) error {
	value, _ := from.Find(m.now)
	other, there := to.Find(m.now)
	if !there {
		return m.edit(yamledit.Change{Verb: "move", Path: from, To: to})
	}
	if err := m.direct(to); err != nil {
		return err
	}
	if action.Equal(value, other) {
		return m.remove(from)
	}
	members, isMap := value.(map[string]any)
	others, isOther := other.(map[string]any)
	if !isMap || !isOther {
		return m.conflict("move", from, to)
	}
	if len(others) == 0 { // an empty map is written {}, where nothing can be added in lines of its own
		if err := m.edit(yamledit.Change{Verb: "delete", Path: to}); err != nil {
			return err
		}
		return m.edit(yamledit.Change{Verb: "move", Path: from, To: to})
	}
	if len(members) == 0 {
		return m.remove(from)
	}
	for _, key := range slices.Sorted(maps.Keys(members)) {
		if err := m.move(append(slices.Clone(from), key), append(slices.Clone(to), key)); err != nil {
			return err
		}
	}
	return nil
}

// remove removes a key, and the maps that held nothing else.
func (m *migration) remove(path action.Path) error {
	for len(path) > 1 {
		parent, _ := path[:len(path)-1].Find(m.now)
		members, isMap := parent.(map[string]any)
		_, isKey := path[len(path)-2].(string)
		if !isMap || !isKey || len(members) > 1 {
			break
		}
		path = path[:len(path)-1]
	}
	return m.edit(yamledit.Change{Verb: "delete", Path: path})
}

// invert makes the opposite of a switch another switch.
func (m *migration) invert(from, to action.Path) error {
	value, _ := from.Find(m.now)
	on, isBool := value.(bool)
	if !isBool {
		return m.failed(reasonNotBoolean, "make it true or false",
			fmt.Errorf("invert %s: it is neither true nor false", m.at(from)))
	}
	other, there := to.Find(m.now)
	switch {
	case !there:
		if err := m.edit(yamledit.Change{Verb: "move", Path: from, To: to}); err != nil {
			return err
		}
		return m.edit(yamledit.Change{Verb: "set", Path: to, Value: !on})
	case other == any(!on):
		return m.remove(from)
	}
	return m.conflict("invert", from, to)
}

// setAll sets a key wherever the map is that it belongs to.
func (m *migration) setAll(p parsed) error {
	last := -1
	for i, part := range p.from {
		if part == any(star) {
			last = i
		}
	}
	for _, found := range matches(m.now, p.from[:last+1]) {
		path := filled(p.from, found.stars)
		old, there := path.Find(m.now)
		switch {
		case there && action.Equal(old, p.Value):
			continue
		case there && !p.Overwrite:
			return m.failed(reasonConflict, "keep one of them, or let the rule overwrite it",
				fmt.Errorf("set %s: it is there with another value", m.at(path)))
		case there:
			if err := m.direct(path); err != nil {
				return err
			}
		}
		if err := m.edit(yamledit.Change{Verb: "set", Path: path, Value: p.Value}); err != nil {
			return err
		}
		m.note("set "+path.String(), path, p.Reason)
	}
	return nil
}

// edit makes a change in the document.
func (m *migration) edit(c yamledit.Change) error {
	data, err := yamledit.Edit(m.data, []yamledit.Change{c})
	if err != nil {
		return m.failed(reasonNoPlace, "mend the file by hand, then the rule finds nothing to do",
			fmt.Errorf("%s: %w", m.at(c.Path), err))
	}
	m.data = data
	if err := m.read(); err != nil {
		return m.failed(reasonNoPlace, "mend the file by hand, then the rule finds nothing to do",
			fmt.Errorf("%s: what it becomes cannot be read: %w", m.at(c.Path), err))
	}
	return nil
}

func (m *migration) conflict(verb string, from, to action.Path) error {
	return m.failed(reasonConflict, "keep one of them",
		fmt.Errorf("%s %s to %s: both are there, with other values", verb, m.at(from), m.at(to)))
}

// at names a key with its position in the file as the author wrote it.
func (m *migration) at(path action.Path) string {
	if key, _ := yamledit.Find(m.old, path); key != nil {
		return fmt.Sprintf("%s (%s:%d:%d)", path, m.name, key.Line, key.Column)
	}
	return fmt.Sprintf("%s (%s, made by an earlier rule)", path, m.name)
}
