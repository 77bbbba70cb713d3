package versions

import "strings"

// tracksScheme holds versions that are names, such as the channels of charms.
// They are never ordered: 2.0 to 2.0-alpha.7 may well be the way forward.
type tracksScheme struct{}

var _ Scheme = tracksScheme{}

// Name implements Scheme.
func (tracksScheme) Name() string { return SchemeTracks }

// Ordered implements Scheme.
func (tracksScheme) Ordered() bool { return false }

// Parse implements Scheme: every text without spaces is a name.
func (tracksScheme) Parse(text string) (Version, error) {
	if err := checkText(text); err != nil {
		return Version{}, err
	}
	return Version{text: text}, nil
}

// Compare implements Scheme: only 0 has a meaning, equality.
func (tracksScheme) Compare(a, b Version) int { return strings.Compare(a.text, b.text) }

// CompareBound implements Scheme: only 0 has a meaning, equality.
func (tracksScheme) CompareBound(v, bound Version) int { return strings.Compare(v.text, bound.text) }

// Line implements Scheme: there are no lines.
func (tracksScheme) Line(Version) Line { return Line{} }

// Next implements Scheme: there are no lines.
func (tracksScheme) Next(_, _ Line) bool { return false }
