package kube

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
)

// change is one field that a step sets: the unit in which it is recorded, looked for
// and taken back.
type change struct {
	path   fieldPath
	before side
	after  side
}

// side is a value, or that there is none.
type side struct {
	there bool
	value any
}

func (s side) same(other side) bool {
	return s.there == other.there && (!s.there || action.Equal(s.value, other.value))
}

// fieldPath leads to a field: the key of a map, or the name of a member of a list.
// Places in lists are no part of it: they move.
type fieldPath []pathPart

type pathPart struct {
	key string
	// member tells that key is the name of a member of a list.
	member bool
}

// String returns the path as messages show it: spec.containers[hub].image.
func (p fieldPath) String() string {
	var b strings.Builder
	for i, part := range p {
		switch {
		case part.member:
			fmt.Fprintf(&b, "[%s]", part.key)
		case strings.ContainsAny(part.key, "./[] "):
			fmt.Fprintf(&b, "[%q]", part.key)
		case i > 0:
			b.WriteString("." + part.key)
		default:
			b.WriteString(part.key)
		}
	}
	return b.String()
}

// content returns what people set in an object, as plain values of its own: without
// what the server keeps there for itself, its status, and the mark of Refit.
func content(object *unstructured.Unstructured) map[string]any {
	if object == nil {
		return nil
	}
	o := object.DeepCopy()
	for _, field := range []string{
		"resourceVersion", "generation", "managedFields", "uid", "creationTimestamp", "selfLink",
		"deletionTimestamp", "deletionGracePeriodSeconds",
	} {
		unstructured.RemoveNestedField(o.Object, "metadata", field)
	}
	unstructured.RemoveNestedField(o.Object, "status")
	unstructured.RemoveNestedField(o.Object, "metadata", "annotations", kube.KeyAnnotation)
	if len(o.GetAnnotations()) == 0 {
		unstructured.RemoveNestedField(o.Object, "metadata", "annotations")
	}
	return o.Object
}

// differences returns the fields in which after differs from before, in the order of
// their paths.
func differences(before, after map[string]any) []change {
	return compareMaps(nil, before, after)
}

func compareMaps(path fieldPath, before, after map[string]any) []change {
	keys := map[string]bool{}
	for _, m := range []map[string]any{before, after} {
		for key := range m {
			keys[key] = true
		}
	}
	var found []change
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		old, had := before[key]
		now, has := after[key]
		at := append(slices.Clone(path), pathPart{key: key})
		if had && has {
			found = append(found, compare(at, old, now)...)
			continue
		}
		found = append(found, change{at, side{had, old}, side{has, now}})
	}
	return found
}

func compare(path fieldPath, before, after any) []change {
	if old, ok := before.(map[string]any); ok {
		if now, ok := after.(map[string]any); ok {
			return compareMaps(path, old, now)
		}
	}
	old, now := named(before), named(after)
	if old != nil && slices.Equal(old, now) {
		var found []change
		for _, name := range old {
			at := append(slices.Clone(path), pathPart{key: name, member: true})
			x, _ := memberOf(before, name)
			y, _ := memberOf(after, name)
			found = append(found, compareMaps(at, x, y)...)
		}
		return found
	}
	if action.Equal(before, after) {
		return nil
	}
	return []change{{path, side{true, before}, side{true, after}}}
}

// named returns the names of the members of a list in which all have one of their
// own, else nil: such a list is one value.
func named(v any) []string {
	list, ok := v.([]any)
	if !ok {
		return nil
	}
	var names []string
	for _, member := range list {
		m, _ := member.(map[string]any)
		name, ok := m["name"].(string)
		if !ok || slices.Contains(names, name) {
			return nil
		}
		names = append(names, name)
	}
	return names
}

func memberOf(v any, name string) (map[string]any, bool) {
	list, _ := v.([]any)
	for _, member := range list {
		if m, ok := member.(map[string]any); ok && m["name"] == name {
			return m, true
		}
	}
	return nil, false
}

// lookup returns what stands at path in object.
func (p fieldPath) lookup(object map[string]any) side {
	var v any = object
	for _, part := range p {
		var there bool
		if part.member {
			v, there = memberOf(v, part.key)
		} else {
			m, _ := v.(map[string]any)
			v, there = m[part.key]
		}
		if !there {
			return side{}
		}
	}
	return side{true, v}
}

// set puts s at path in object. The map that it stands in must be there.
func (p fieldPath) set(object map[string]any, s side) error {
	parent := p[:len(p)-1].lookup(object)
	m, ok := parent.value.(map[string]any)
	last := p[len(p)-1]
	if !ok || last.member {
		return fmt.Errorf("there is no place for %s", p)
	}
	if s.there {
		m[last.key] = s.value
	} else {
		delete(m, last.key)
	}
	return nil
}

// plainChanges returns changes as they are recorded.
func plainChanges(changes []change) []any {
	out := make([]any, len(changes))
	for i, c := range changes {
		path := make([]any, len(c.path))
		for j, part := range c.path {
			if path[j] = part.key; part.member {
				path[j] = map[string]any{"name": part.key}
			}
		}
		plain := map[string]any{"path": path}
		if c.before.there {
			plain["before"] = c.before.value
		}
		if c.after.there {
			plain["after"] = c.after.value
		}
		out[i] = plain
	}
	return out
}

// changesOf reads what plainChanges has written.
func changesOf(recorded any) ([]change, error) {
	list, ok := recorded.([]any)
	if !ok && recorded != nil {
		return nil, errors.New("what was recorded of the object is no list of changes")
	}
	var changes []change
	for _, item := range list {
		plain, _ := item.(map[string]any)
		parts, _ := plain["path"].([]any)
		var c change
		for _, part := range parts {
			switch part := part.(type) {
			case string:
				c.path = append(c.path, pathPart{key: part})
			case map[string]any:
				name, _ := part["name"].(string)
				c.path = append(c.path, pathPart{key: name, member: true})
			}
		}
		if len(c.path) == 0 || len(c.path) != len(parts) {
			return nil, errors.New("what was recorded of the object has a change without a path")
		}
		c.before.value, c.before.there = plain["before"]
		c.after.value, c.after.there = plain["after"]
		changes = append(changes, c)
	}
	return changes, nil
}

func sameChanges(a, b []change) bool {
	return slices.EqualFunc(a, b, func(x, y change) bool {
		return slices.Equal(x.path, y.path) && x.before.same(y.before) && x.after.same(y.after)
	})
}

// takeBack sets the fields of object back to what they were and returns how many it
// had to set. A field that holds neither the one nor the other belongs to somebody
// else by now.
func takeBack(object map[string]any, changes []change) (int, error) {
	count := 0
	for _, c := range changes {
		now := c.path.lookup(object)
		switch {
		case now.same(c.before):
		case now.same(c.after):
			if err := c.path.set(object, c.before); err != nil {
				return 0, err
			}
			count++
		default:
			return 0, fmt.Errorf("%s was changed by somebody else", c.path)
		}
	}
	return count, nil
}

// checkBefore refuses what is too large to be recorded.
func checkBefore(before map[string]any, remedy string) error {
	text, err := json.Marshal(before)
	if err == nil && len(text) <= maxBefore {
		return nil
	}
	if err == nil {
		err = fmt.Errorf("record the state before the effect: it has %d bytes, at most %d are kept",
			len(text), maxBefore)
	}
	return &action.Error{Reason: reasonBeforeTooLarge, Effect: action.ExtentNone, Remedy: remedy, Err: err}
}
