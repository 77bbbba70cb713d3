package versions

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func newScheme(tb testing.TB, name string, opts SchemeOptions) Scheme {
	tb.Helper()
	s, err := NewScheme(name, opts)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func parse(tb testing.TB, s Scheme, text string) Version {
	tb.Helper()
	v, err := s.Parse(text)
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

func TestSchemeOrder(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		scheme string
		opts   SchemeOptions
		want   string // texts from old to new; those joined with = are the same
	}{
		"Semver": {
			scheme: SchemeSemver,
			want:   "0.9 1.0.0-alpha.1 1.0.0-rc.1 1.0=1.0.0=v1.0=v1.0.0=1=1.0.0+build.7 1.2.9 1.2.10 2.0.0",
		},
		"SemverGlued": {
			reason: "Pre-releases as Python writes them count as numbers, not as text.",
			scheme: SchemeSemver,
			want:   "6.0.0a1 6.0.0b1=6.0.0-b.1 6.0.0b9 6.0.0b10 6.0.0rc1 6.0.0",
		},
		"SemverPrefix": {
			scheme: SchemeSemver, opts: SchemeOptions{Prefix: "helm-chart-"},
			want: "helm-chart-4.9.1 helm-chart-4.10.0=4.10.0",
		},
		"SemverVendorSuffix": {
			reason: "To semver every suffix is a pre-release.",
			scheme: SchemeSemver,
			want:   "1.29.3-gke.1203 1.29.3",
		},
		"KubernetesVendorSuffix": {
			reason: "To Kubernetes a suffix of a vendor is a build of the same version.",
			scheme: SchemeKubernetes,
			want:   "v1.29.3-alpha.1 v1.29.3-rc.0 v1.29.3-gke.1203=v1.29.3=1.29.3+k3s1=v1.29.3-eks-adc7111 v1.30.0-beta.0",
		},
		"Dates": {
			scheme: SchemeDates, opts: SchemeOptions{Prefix: "RELEASE."},
			want: "RELEASE.2021-09-03T03-56-13Z 2022 RELEASE.2022-10-24=2022-10-24 RELEASE.2022-10-24T18-35-07Z RELEASE.2022-10-29T06-21-33Z",
		},
		"DatesWithDots": {
			scheme: SchemeDates,
			want:   "2024.2 2024.10=2024-10=v2024.10 2024.10.1 2025.1",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScheme(t, tc.scheme, tc.opts)
			groups := strings.Fields(tc.want)
			for i, left := range groups {
				for j, right := range groups {
					for a := range strings.SplitSeq(left, "=") {
						for b := range strings.SplitSeq(right, "=") {
							want := max(-1, min(1, i-j))
							if got := s.Compare(parse(t, s, a), parse(t, s, b)); got != want {
								t.Errorf("%s Compare(%q, %q) = %d, want %d", tc.reason, a, b, got, want)
							}
						}
					}
				}
			}
		})
	}
}

func TestSchemeLines(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		scheme string
		opts   SchemeOptions
		// versions are grouped into lines; each line is followed directly by
		// the next one unless a ~ stands between.
		want string
	}{
		"Major":      {SchemeSemver, SchemeOptions{}, "0: 0.1 0.9 | 1: 1.0.0-rc.1 1.9.9 | 2: 2.0.0 | ~ | 4: 4.1"},
		"Minor":      {SchemeSemver, SchemeOptions{MinorBreaks: true}, "1.9: 1.9.0 1.9.7 | 1.10: 1.10 | ~ | 1.12: 1.12.0 | 2.0: 2.0.0 | ~ | 3.1: 3.1.0"},
		"MinorUntil": {SchemeSemver, SchemeOptions{MinorBreaks: true, BreaksUntil: "1.11"}, "1.9: 1.9.0 | 1.10: 1.10.5 | 1: 1.11.0-rc.1 1.11.0 1.13.4 | 2: 2.0.0 2.11.6"},
		"Years":      {SchemeDates, SchemeOptions{}, "2021: 2021-09-03 2021-12 | 2022: 2022 | 2024: 2024.1"},
		"Months":     {SchemeDates, SchemeOptions{MinorBreaks: true}, "2022.10: 2022-10-24 2022-10-29 | 2023.1: 2023-01-02"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScheme(t, tc.scheme, tc.opts)
			var previous *Line
			follows := true
			for group := range strings.SplitSeq(tc.want, " | ") {
				if group == "~" {
					follows = false
					continue
				}
				head, members, _ := strings.Cut(group, ": ")
				var line Line
				for text := range strings.FieldsSeq(members) {
					line = s.Line(parse(t, s, text))
					if line.String() != head {
						t.Errorf("Line(%q) = %q, want %q", text, line, head)
					}
				}
				if previous != nil {
					if got := s.Next(*previous, line); got != follows {
						t.Errorf("Next(%q, %q) = %v, want %v", previous, line, got, follows)
					}
					if s.Next(line, *previous) || s.Next(line, line) {
						t.Errorf("Next(%q, …): a line must come after", line)
					}
				}
				previous, follows = &line, true
			}
		})
	}
}

func TestSchemeErrors(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		scheme string
		opts   SchemeOptions
		text   string
		want   string
	}{
		"UnknownScheme":  {"calver", SchemeOptions{}, "", `unknown scheme "calver": one of dates, kubernetes, semver, tracks`},
		"UntilAlone":     {SchemeSemver, SchemeOptions{BreaksUntil: "1.0"}, "", `breakingUntil needs breaking: minor`},
		"UntilNoVersion": {SchemeSemver, SchemeOptions{MinorBreaks: true, BreaksUntil: "x"}, "", `"x" is not a version such as 1.2.3, v1.2 or 1.2.3-rc.1`},
		"UntilOfDates":   {SchemeDates, SchemeOptions{BreaksUntil: "2020"}, "", `breakingUntil means nothing to the scheme "dates"`},
		"TracksPrefix":   {SchemeTracks, SchemeOptions{Prefix: "v"}, "", `the scheme "tracks" has no prefix and no release lines: tracks are names`},
		"Empty":          {SchemeSemver, SchemeOptions{}, "", `a version is empty`},
		"Space":          {SchemeTracks, SchemeOptions{}, "a b", `version "a b" holds a space or a control character`},
		"Long":           {SchemeTracks, SchemeOptions{}, strings.Repeat("x", 257), `version "xxxxxxxxxxxxxxxxxxxx"… is longer than 256 bytes`},
		"FourNumbers":    {SchemeSemver, SchemeOptions{}, "1.2.3.4", `"1.2.3.4" is not a version such as 1.2.3, v1.2 or 1.2.3-rc.1`},
		"NotADate":       {SchemeDates, SchemeOptions{Prefix: "RELEASE."}, "RELEASE.2022-13-01", `"RELEASE.2022-13-01" is not a date such as RELEASE.2022-10-24 or RELEASE.2022-10-24T18-35-07Z`},
		"DoubleDash":     {SchemeDates, SchemeOptions{}, "2022--01", `"2022--01" is not a date such as 2022-10-24 or 2022-10-24T18-35-07Z`},
		"TooManyNumbers": {SchemeDates, SchemeOptions{}, "2022-01-01T01-01-01-01", `"2022-01-01T01-01-01-01" is not a date such as 2022-10-24 or 2022-10-24T18-35-07Z`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := NewScheme(tc.scheme, tc.opts)
			if err == nil {
				_, err = s.Parse(tc.text)
			}
			if err == nil {
				t.Fatalf("got no error, want %q", tc.want)
			}
			if diff := cmp.Diff(tc.want, err.Error()); diff != "" {
				t.Errorf("error -want +got:\n%s", diff)
			}
		})
	}
}
