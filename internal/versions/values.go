package versions

import (
	"encoding/json"
	"maps"
	"slices"
)

// checkValues reports edges that give different values to one property of a
// pair, risks that are declared twice for a pair, and hops without a value
// that they must have.
func (b *builder) checkValues() {
	for i := range b.g.properties {
		p := &b.g.properties[i]
		b.checkSameValue(p)
		if p.required && !b.partial {
			b.checkPresent(p)
		}
	}
	b.checkRiskNames()
}

// checkSameValue goes through the distinct values of a property: a pair that
// has got a value may not get another one.
func (b *builder) checkSameValue(p *property) {
	groups, order := map[string][]*edge{}, []string{}
	for _, e := range b.g.edges {
		value, ok := e.Properties[p.name]
		if !ok {
			continue
		}
		text, err := json.Marshal(value)
		if err != nil {
			continue // Not a plain value; the check of its type has reported it.
		}
		if groups[string(text)] == nil {
			order = append(order, string(text))
		}
		groups[string(text)] = append(groups[string(text)], e)
	}
	if len(order) < 2 {
		return
	}
	given := newPairSet(len(b.g.versions))
	for _, text := range order {
		for _, e := range groups[text] {
			b.differs(p, e, text, given)
		}
		for _, e := range groups[text] {
			b.g.add(e, given)
		}
	}
}

func (b *builder) differs(p *property, e *edge, text string, given pairSet) {
	i, j, count := b.g.overlap(e, given, nil)
	if count == 0 {
		return
	}
	other := b.g.edgeOf(i, j, func(o *edge) bool {
		value, ok := o.Properties[p.name]
		otherText, err := json.Marshal(value)
		return ok && err == nil && string(otherText) != text
	})
	first, second := other, e
	if second.Pos.Line < first.Pos.Line {
		first, second = second, first
	}
	b.ds.Errorf(CodeContradiction, second.Pos,
		"property %q of the pair %q to %q differs from that of the edge on line %d",
		p.name, b.g.name(i), b.g.name(j), first.Pos.Line).
		Suggest("give both the same value, or narrow one of the edges")
}

// checkPresent reports versions to which a hop leads without a value for p.
func (b *builder) checkPresent(p *property) {
	n := len(b.g.versions)
	without, given := newBitset(n), newPairSet(n)
	for j, v := range b.g.versions {
		if _, ok := v.Properties[p.name]; !ok {
			without.set(j)
		}
	}
	for _, e := range b.g.edges {
		if _, ok := e.Properties[p.name]; ok {
			b.g.add(e, given)
		}
	}
	reported := newBitset(n)
	for i, usable := range b.g.pairs.usable {
		missing := slices.Clone(usable)
		missing.and(without)
		missing.andNot(given[i])
		missing.andNot(reported)
		for j := range missing.all() {
			reported.set(j)
			b.ds.Errorf(CodeMissingProperty, b.g.versions[j].pos,
				"the hop from %q to %q has no value for the property %q",
				b.g.name(i), b.g.name(j), p.name).
				Suggest("give it to the version %q, or declare a default or optional: true", b.g.name(j))
		}
	}
}

// checkRiskNames reports risks that two edges declare for one pair: a person
// who accepts the name must know what is accepted.
func (b *builder) checkRiskNames() {
	byName := map[string][]*edge{}
	for _, e := range b.g.edges {
		for _, name := range slices.Compact(slices.Sorted(slices.Values(e.Risks))) {
			byName[name] = append(byName[name], e)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		if len(byName[name]) < 2 {
			continue
		}
		declared := newPairSet(len(b.g.versions))
		for _, e := range byName[name] {
			i, j, count := b.g.overlap(e, declared, nil)
			if count > 0 {
				other := b.g.edgeOf(i, j, func(o *edge) bool { return slices.Contains(o.Risks, name) })
				b.twice(name, e, other, b.g.name(i), b.g.name(j))
			}
			b.g.add(e, declared)
		}
	}
}

func (b *builder) twice(name string, e, other *edge, from, to string) {
	b.ds.Errorf(CodeContradiction, e.Pos, "the pair %q to %q has the risk %q from the edge on line %d already",
		from, to, name, other.Pos.Line).Suggest("choose another name, or narrow one of the edges")
}
