package versions

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// The names of the schemes, as they are written in files.
const (
	SchemeSemver     = "semver"
	SchemeKubernetes = "kubernetes"
	SchemeDates      = "dates"
	SchemeTracks     = "tracks"
)

// maxVersionLength bounds the text of one version, in bytes.
const maxVersionLength = 256

// Version is a version as its Scheme reads it. It is immutable and means
// something only to the Scheme that parsed it.
type Version struct {
	text string
	// numbers are those that were written, without missing ones filled in.
	numbers []uint64
	sem     *semver.Version // semver and kubernetes only
}

// String returns the text that was parsed.
func (v Version) String() string { return v.text }

// Scheme knows how one product writes and orders its versions. Schemes are
// immutable and safe for concurrent use.
type Scheme interface {
	// Name is one of the Scheme constants.
	Name() string
	// Ordered tells whether one version can be newer than another. Where it is
	// false only Parse and equality by CompareBound mean anything.
	Ordered() bool
	// Parse reads a version. Its errors name the text and are one line.
	Parse(text string) (Version, error)
	// Compare returns -1, 0 or 1 as a is older than, the same as or newer than b.
	Compare(a, b Version) int
	// CompareBound compares v with a bound of a Constraint. A bound with fewer
	// numbers than versions have stands for all versions that start with them:
	// "1.17" equals 1.17.0, 1.17.9 and 1.17.0-rc.1.
	CompareBound(v, bound Version) int
	// Line returns the release line that v belongs to.
	Line(v Version) Line
	// Next tells whether b is the release line directly after a, as far as the
	// numbers can tell.
	Next(a, b Line) bool
}

// Line is a release line: the versions between which the product promises
// compatible upgrades. It is the major number, or the pair of major and minor.
type Line struct {
	Major, Minor uint64
	// Pair tells that Minor belongs to the name of the line.
	Pair bool
}

// String returns "1" or "1.10".
func (l Line) String() string {
	s := strconv.FormatUint(l.Major, 10)
	if l.Pair {
		s += "." + strconv.FormatUint(l.Minor, 10)
	}
	return s
}

// SchemeOptions are what a product may say about its scheme beside the name.
type SchemeOptions struct {
	// Prefix stands before every version and is dropped: "RELEASE.".
	Prefix string
	// MinorBreaks makes MAJOR.MINOR the release line instead of MAJOR.
	MinorBreaks bool
	// BreaksUntil limits MinorBreaks to the versions before it; empty means all.
	BreaksUntil string
}

// NewScheme returns the scheme called name. It fails for an unknown name, an
// option that the scheme does not have and a BreaksUntil that is no version.
func NewScheme(name string, opts SchemeOptions) (Scheme, error) {
	switch name {
	case SchemeSemver, SchemeKubernetes:
		return newSemverScheme(name, opts)
	case SchemeDates:
		if opts.BreaksUntil != "" {
			return nil, fmt.Errorf("breakingUntil means nothing to the scheme %q", name)
		}
		return datesScheme{prefix: opts.Prefix, months: opts.MinorBreaks}, nil
	case SchemeTracks:
		if opts != (SchemeOptions{}) {
			return nil, fmt.Errorf("the scheme %q has no prefix and no release lines: tracks are names", name)
		}
		return tracksScheme{}, nil
	default:
		return nil, fmt.Errorf("unknown scheme %q: one of %s", name, strings.Join(SchemeNames(), ", "))
	}
}

// SchemeNames lists the names of the schemes in alphabetical order.
func SchemeNames() []string {
	return []string{SchemeDates, SchemeKubernetes, SchemeSemver, SchemeTracks}
}

// checkText refuses texts that no scheme accepts.
func checkText(text string) error {
	switch {
	case text == "":
		return fmt.Errorf("a version is empty")
	case len(text) > maxVersionLength:
		return fmt.Errorf("version %q… is longer than %d bytes", text[:20], maxVersionLength)
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		return fmt.Errorf("version %q holds a space or a control character", text)
	}
	return nil
}
