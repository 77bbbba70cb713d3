package versions

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// semverNumbers is how many numbers a semantic version has.
const semverNumbers = 3

// semverScheme reads and orders semantic versions. Beside the letter of semver
// it accepts a leading v, MAJOR.MINOR and MAJOR alone, and pre-releases that
// are glued to the number as Python writes them (6.0.0b1).
//
// Under the name kubernetes a suffix that is no pre-release of Kubernetes
// names the build of a vendor (v1.29.3-gke.1203, v1.28.0-eks-adc7111) and does
// not make the version older.
type semverScheme struct {
	name        string
	prefix      string
	minorBreaks bool
	until       *Version
}

var _ Scheme = (*semverScheme)(nil)

func newSemverScheme(name string, opts SchemeOptions) (Scheme, error) {
	s := &semverScheme{name: name, prefix: opts.Prefix, minorBreaks: opts.MinorBreaks}
	if opts.BreaksUntil == "" {
		return s, nil
	}
	if !opts.MinorBreaks {
		return nil, fmt.Errorf("breakingUntil needs breaking: minor")
	}
	until, err := s.Parse(opts.BreaksUntil)
	if err != nil {
		return nil, err
	}
	s.until = &until
	return s, nil
}

// Name implements Scheme.
func (s *semverScheme) Name() string { return s.name }

// Ordered implements Scheme.
func (s *semverScheme) Ordered() bool { return true }

// Parse implements Scheme.
func (s *semverScheme) Parse(text string) (Version, error) {
	if err := checkText(text); err != nil {
		return Version{}, err
	}
	bare := splitGluedPrerelease(strings.TrimPrefix(text, s.prefix))
	sem, err := semver.NewVersion(bare)
	if err != nil {
		return Version{}, fmt.Errorf("%q is not a version such as 1.2.3, v1.2 or 1.2.3-rc.1", text)
	}
	if s.name == SchemeKubernetes && !kubernetesPrerelease(sem.Prerelease()) {
		sem = semver.New(sem.Major(), sem.Minor(), sem.Patch(), "", sem.Metadata())
	}
	written := 1 + strings.Count(numericHead(bare), ".")
	numbers := []uint64{sem.Major(), sem.Minor(), sem.Patch()}
	return Version{text: text, numbers: numbers[:min(written, semverNumbers)], sem: sem}, nil
}

// Compare implements Scheme: the order of semver, build metadata ignored.
func (s *semverScheme) Compare(a, b Version) int { return a.sem.Compare(b.sem) }

// CompareBound implements Scheme.
func (s *semverScheme) CompareBound(v, bound Version) int {
	if len(bound.numbers) >= semverNumbers || bound.sem.Prerelease() != "" {
		return s.Compare(v, bound)
	}
	written := []uint64{v.sem.Major(), v.sem.Minor()}
	for i, n := range bound.numbers {
		if c := cmp.Compare(written[i], n); c != 0 {
			return c
		}
	}
	return 0
}

// Line implements Scheme.
func (s *semverScheme) Line(v Version) Line {
	if s.minorBreaks && (s.until == nil || s.CompareBound(v, *s.until) < 0) {
		return Line{Major: v.sem.Major(), Minor: v.sem.Minor(), Pair: true}
	}
	return Line{Major: v.sem.Major()}
}

// Next implements Scheme. After 1.10 comes 1.11 or 2.0, after 1 comes 2; a
// product that leaves a number out needs an edge of its own.
func (s *semverScheme) Next(a, b Line) bool {
	if a.Pair && b == s.lineOf(a.Major, a.Minor+1) {
		return true
	}
	return b == s.lineOf(a.Major+1, 0)
}

func (s *semverScheme) lineOf(major, minor uint64) Line {
	return s.Line(Version{sem: semver.New(major, minor, 0, "", "")})
}

// kubernetesPrerelease tells whether a suffix is one that Kubernetes itself
// gives to what comes before a release.
func kubernetesPrerelease(pre string) bool {
	word, _, _ := strings.Cut(pre, ".")
	return word == "alpha" || word == "beta" || word == "rc"
}

// numericHead returns the leading part of a version that is numbers and dots.
func numericHead(bare string) string {
	bare = strings.TrimPrefix(bare, "v")
	if end := strings.IndexFunc(bare, func(r rune) bool { return r != '.' && (r < '0' || r > '9') }); end >= 0 {
		return bare[:end]
	}
	return bare
}

// splitGluedPrerelease turns 6.0.0b1 into 6.0.0-b.1, so that b10 comes after
// b9. Other texts come back as they are.
func splitGluedPrerelease(bare string) string {
	head := numericHead(bare)
	start := strings.Index(bare, head) + len(head)
	rest := bare[start:]
	for _, word := range []string{"a", "b", "rc"} {
		number, ok := strings.CutPrefix(rest, word)
		if ok && head != "" && number != "" && strings.Trim(number, "0123456789") == "" {
			return bare[:start] + "-" + word + "." + number
		}
	}
	return bare
}
