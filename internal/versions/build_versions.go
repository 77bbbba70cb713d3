package versions

import (
	"slices"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/yamldoc"
)

// versions reads the versions, puts them in order and gives them their names.
func (b *builder) versions(docs []VersionDocument) {
	for i := range docs {
		if v := b.version(&docs[i]); v != nil {
			b.g.versions = append(b.g.versions, v)
		} else {
			b.partial = true
		}
	}
	if b.g.scheme.Ordered() {
		slices.SortStableFunc(b.g.versions, func(v, w *version) int { return b.g.scheme.Compare(v.parsed, w.parsed) })
	}
	b.dropDuplicates()
	for i, v := range b.g.versions {
		b.g.byName[v.Version] = i
	}
	b.lines()
	for i := range docs {
		b.aliases(&docs[i])
	}
}

func (b *builder) version(doc *VersionDocument) *version {
	v := &version{
		VersionInfo: VersionInfo{
			Version: doc.Version.Value, Released: doc.Released.Value,
			Properties: b.values(doc.Properties), Requires: b.requirements(doc.Requires),
		},
		pos: doc.Version.Pos,
	}
	if doc.Released.IsSet() {
		if _, err := time.Parse(time.DateOnly, doc.Released.Value); err != nil {
			b.ds.Errorf(CodeInvalidDate, doc.Released.Pos, "released %q is not a day", doc.Released.Value).
				Suggest("write it as 2021-06-01")
		}
	}
	if !doc.Version.IsSet() {
		return nil // The decoder has said what is missing.
	}
	parsed, err := b.g.scheme.Parse(doc.Version.Value)
	if err != nil {
		b.ds.Errorf(CodeInvalidVersion, doc.Version.Pos, "%v", err)
		return nil
	}
	v.parsed = parsed
	return v
}

// dropDuplicates reports versions that are the same and keeps the first.
func (b *builder) dropDuplicates() {
	var kept []*version
	seen := map[string]*version{}
	for _, v := range b.g.versions {
		same := seen[v.Version]
		if n := len(kept); same == nil && n > 0 && b.g.scheme.Compare(kept[n-1].parsed, v.parsed) == 0 {
			same = kept[n-1]
		}
		if same == nil {
			seen[v.Version] = v
			kept = append(kept, v)
			continue
		}
		b.ds.Errorf(CodeDuplicateVersion, v.pos,
			"version %q is the same as %q on line %d", v.Version, same.Version, same.pos.Line).
			Suggest("remove one of them, or make it an alias")
	}
	b.g.versions = kept
}

// lines numbers the release lines of the versions, which are in order.
func (b *builder) lines() {
	if !b.g.scheme.Ordered() {
		return
	}
	for i, v := range b.g.versions {
		line := b.g.scheme.Line(v.parsed)
		v.Line = line.String()
		if i > 0 {
			previous := b.g.versions[i-1]
			v.line = previous.line
			if line != b.g.scheme.Line(previous.parsed) {
				v.line++
			}
		}
	}
}

func (b *builder) aliases(doc *VersionDocument) {
	own := b.g.index(doc.Version.Value)
	if own < 0 {
		return
	}
	for _, alias := range doc.Aliases {
		if alias.Value == "" {
			b.ds.Errorf(CodeInvalidVersion, alias.Pos, "an alias is empty")
			continue
		}
		if other := b.g.index(alias.Value); other >= 0 && other != own {
			b.ds.Errorf(CodeDuplicateVersion, alias.Pos,
				"alias %q of %q means %q already", alias.Value, doc.Version.Value,
				b.g.name(other)).Suggest("remove one of them")
			continue
		}
		b.g.byName[alias.Value] = own
		b.g.versions[own].Aliases = append(b.g.versions[own].Aliases, alias.Value)
	}
}

// requirements reads what a version or an edge requires.
func (b *builder) requirements(docs yamldoc.Ordered[RequirementDocument]) []Requirement {
	var list []Requirement
	for i := range docs {
		name, doc := docs[i].Name, &docs[i].Value
		r := Requirement{
			Name: name, Fact: doc.Fact.Value, Constraint: doc.Constraint.Value,
			Scheme: doc.Scheme.Value, Owner: doc.Owner.Value,
		}
		if !namePattern.MatchString(name) {
			b.ds.Errorf(CodeInvalidName, docs[i].Pos,
				"requirement %q needs a name of lower case letters, digits and dashes", name)
		}
		known := doc.Fact.IsSet()
		if path, err := expr.ParsePath(r.Fact); known && err != nil {
			d := b.ds.Errorf(CodeUnknownFact, doc.Fact.Pos, "fact %q is not a path such as cluster.version", r.Fact)
			if d.Suggest("%v", err); strings.Contains(r.Fact, "${") {
				d.Suggest("write the path below observe, without ${}")
			}
			known = false
		} else if known {
			r.Fact = path.String()
		}
		if doc.Constraint.IsSet() {
			if _, err := r.parse(); err != nil {
				b.ds.Errorf(CodeInvalidConstraint, doc.Constraint.Pos, "requirement %q: %v", name, err)
			}
		}
		if known {
			b.g.facts = append(b.g.facts, factUse{requirement: name, fact: r.Fact, pos: doc.Fact.Pos})
		}
		list = append(list, r)
	}
	return list
}
