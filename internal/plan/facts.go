package plan

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"strconv"

	"github.com/refitproject/refit/internal/expr"
)

// lookup returns the value at a path below facts, and whether it is there.
func lookup(facts map[string]any, path expr.Reference) (any, bool) {
	var current any = facts
	for _, name := range path {
		m, ok := current.(map[string]any)
		if !ok {
			return nil, false
		}
		if current, ok = m[name]; !ok {
			return nil, false
		}
	}
	return current, true
}

// lookupText is lookup with a path as it is written.
func lookupText(facts map[string]any, path string) (any, bool) {
	ref, err := expr.ParsePath(path)
	if err != nil {
		return nil, false
	}
	return lookup(facts, ref)
}

// overlay returns facts with the value at path replaced. Only the maps on the
// way are copied, so that the stages of a long plan share the rest.
func overlay(facts map[string]any, path expr.Reference, value any) map[string]any {
	if len(path) == 0 {
		return facts
	}
	out := maps.Clone(facts)
	if out == nil {
		out = map[string]any{}
	}
	if len(path) == 1 {
		out[path[0]] = value
		return out
	}
	child, _ := out[path[0]].(map[string]any)
	out[path[0]] = overlay(child, path[1:], value)
	return out
}

// FactChange is a fact that is not as a stage expects it.
type FactChange struct {
	Stage string `json:"stage,omitempty"`
	// Fact is the path below observe.
	Fact     string `json:"fact"`
	Expected any    `json:"expected,omitempty"`
	Observed any    `json:"observed,omitempty"`
	// ExpectedAbsent and ObservedAbsent tell that there is no value on that side.
	ExpectedAbsent bool `json:"expectedAbsent,omitempty"`
	ObservedAbsent bool `json:"observedAbsent,omitempty"`
}

// String says in one line which fact it is, from what, to what.
func (c FactChange) String() string {
	return fmt.Sprintf("fact %s changed: expected %s, observed %s", c.Fact,
		show(c.Expected, c.ExpectedAbsent), show(c.Observed, c.ObservedAbsent))
}

// show renders a value on one line; long ones are cut.
func show(v any, absent bool) string {
	if absent {
		return "nothing"
	}
	text, err := json.Marshal(v)
	if err != nil {
		return "a value that cannot be shown"
	}
	const most = 120
	if len(text) > most {
		return string(text[:most]) + "…"
	}
	return string(text)
}

// CompareFacts returns the facts that are not as the stage expects them, in
// the order of the stage's Expects. facts are the outputs of the observe
// block by name, with sensitive members as keyed hashes.
func CompareFacts(s *Stage, facts map[string]any) []FactChange {
	var changes []FactChange
	for _, e := range s.Expects {
		value, there := lookupText(facts, e.Fact)
		observed := expectation(e.Fact, value, there)
		if observed.Absent == e.Absent && observed.Digest == e.Digest && sameValue(observed.Value, e.Value) {
			continue
		}
		change := FactChange{
			Stage: s.ID, Fact: e.Fact,
			Expected: e.Value, ExpectedAbsent: e.Absent, Observed: observed.Value, ObservedAbsent: observed.Absent,
		}
		if e.Digest != "" {
			change.Expected = e.Digest
		}
		if observed.Digest != "" {
			change.Observed = observed.Digest
		}
		changes = append(changes, change)
	}
	return changes
}

// TargetChange is a target that is not the one the plan was made for.
type TargetChange struct {
	Target   string `json:"target"`
	Expected string `json:"expected"`
	Observed string `json:"observed"`
}

// String says in one line which target it is and how the identities differ.
func (c TargetChange) String() string {
	observed := "could not be identified"
	if c.Observed != "" {
		observed = fmt.Sprintf("is %q", c.Observed)
	}
	return fmt.Sprintf("target %q is not the one the plan was made for: its identity was %q, now it %s",
		c.Target, c.Expected, observed)
}

// CompareTargets returns the targets of the plan whose identity is not the
// planned one. A target that was not observed counts as changed.
func CompareTargets(p *Plan, observed []Target) []TargetChange {
	identities := map[string]string{}
	for _, t := range observed {
		identities[t.Name] = t.Identity
	}
	var changes []TargetChange
	for _, t := range p.Targets {
		if identities[t.Name] != t.Identity {
			changes = append(changes, TargetChange{Target: t.Name, Expected: t.Identity, Observed: identities[t.Name]})
		}
	}
	return changes
}

// mostFact is the size in bytes above which a fact is expected by its digest.
const mostFact = 4 << 10

// expectation freezes the value of a fact.
func expectation(path string, value any, there bool) Expect {
	if !there {
		return Expect{Fact: path, Absent: true}
	}
	value = exact(value)
	text, err := json.Marshal(value)
	if err == nil && len(text) <= mostFact {
		return Expect{Fact: path, Value: value}
	}
	digest, err := digestOf(value)
	if err != nil {
		// Facts are plain JSON values; one that is not can never be equal.
		digest = "not JSON: " + err.Error()
	}
	return Expect{Fact: path, Digest: digest}
}

// exact returns v with whole numbers that canonical JSON cannot hold written as
// texts, so that two of them are never taken for the same.
func exact(v any) any {
	if _, huge := hugeNumber(v); !huge {
		return v
	}
	switch v := v.(type) {
	case int64:
		return strconv.FormatInt(v, 10)
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, member := range v {
			out[k] = exact(member)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, member := range v {
			out[i] = exact(member)
		}
		return out
	default:
		return v
	}
}

// sameValue compares plain JSON values; 3 and 3.0 are the same.
func sameValue(a, b any) bool {
	return reflect.DeepEqual(plainNumbers(a), plainNumbers(b))
}

// plainNumbers returns v with every whole number as int64.
func plainNumbers(v any) any {
	switch v := v.(type) {
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return int64(v)
		}
		return v
	case int:
		return int64(v)
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, member := range v {
			out[k] = plainNumbers(member)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, member := range v {
			out[i] = plainNumbers(member)
		}
		return out
	default:
		return v
	}
}
