package versions

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestConstraintMatch(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason     string
		scheme     string
		constraint string
		in, out    string
	}{
		"Everything":     {"", SchemeSemver, "*", "0.1 1.0.0-rc.1 9.9.9", ""},
		"Range":          {"", SchemeSemver, ">=1.0 <2.0", "1.0 1.9.9 1.0.0-rc.1", "0.9.9 2.0.0 2.0.0-rc.1"},
		"RangeComma":     {"", SchemeSemver, ">= 1.0, < 2.0", "1.5", "2.0.0"},
		"RangeGlued":     {"", SchemeSemver, ">=1.0<2.0", "1.5", "2.0.0"},
		"FullBounds":     {"A full bound is one version, so its pre-releases are older.", SchemeSemver, ">=1.0.0 <2.0.0", "1.0.0 2.0.0-rc.1", "1.0.0-rc.1 2.0.0"},
		"Partial":        {"", SchemeSemver, "1.17", "1.17.0 1.17.9 v1.17.3 1.17.0-rc.1", "1.16.9 1.18.0"},
		"PartialGreater": {"", SchemeSemver, ">1.17", "1.18.0 2.0.0", "1.17.9 1.17"},
		"PartialAtMost":  {"", SchemeSemver, "<=1.17", "1.17.9", "1.18.0"},
		"Wildcard":       {"", SchemeSemver, "1.17.x || 2.*", "1.17.3 2.5.0", "1.18.0 3.0.0"},
		"Exact":          {"", SchemeSemver, "=1.2.3", "1.2.3 v1.2.3 1.2.3+build", "1.2.4 1.2.3-rc.1"},
		"NotEqual":       {"", SchemeSemver, ">=3.0 !=3.0.2 !=3.1", "3.0.1 3.2.0", "3.0.2 3.1.7"},
		"Alternatives":   {"", SchemeSemver, "2.9.x || >=3.4.3", "2.9.49 3.4.3 3.6.0", "3.4.2 2.8.0"},
		"Dates":          {"", SchemeDates, ">=2022-06-02T02-11-04Z <2022-10-29", "RELEASE.2022-10-24T18-35-07Z 2022-06-02T02-11-04Z", "2022-06-01 2022-10-29T06-21-33Z"},
		"DatesYear":      {"", SchemeDates, "2022", "2022-01-01 2022-12-31T23-59-59Z", "2021-12-31 2023"},
		"Tracks":         {"", SchemeTracks, "latest/stable || 1.8/stable", "latest/stable 1.8/stable", "latest/edge"},
		"TracksNot":      {"", SchemeTracks, "!=1.7/stable", "1.8/stable", "1.7/stable"},
		"TracksAll":      {"", SchemeTracks, "*", "a b", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScheme(t, tc.scheme, SchemeOptions{})
			c, err := ParseConstraint(s, tc.constraint)
			if err != nil {
				t.Fatal(err)
			}
			for text := range strings.FieldsSeq(tc.in) {
				if !c.Match(parse(t, s, text)) {
					t.Errorf("%q does not match %q, but it must. %s", tc.constraint, text, tc.reason)
				}
			}
			for text := range strings.FieldsSeq(tc.out) {
				if c.Match(parse(t, s, text)) {
					t.Errorf("%q matches %q, but it must not. %s", tc.constraint, text, tc.reason)
				}
			}
		})
	}
}

func TestConstraintErrors(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ scheme, text, want string }{
		"Empty":            {SchemeSemver, "", `constraint "": nothing is compared: write * for every version`},
		"EmptyAlternative": {SchemeSemver, "1.0 ||", `constraint "1.0 ||": nothing is compared: write * for every version`},
		"SingleBar":        {SchemeTracks, "1.7/stable | 1.8/stable", `constraint "1.7/stable | 1.8/stable": a single | stands in "|": write || between alternatives`},
		"Caret":            {SchemeSemver, "^1.2", `constraint "^1.2": operator "^" is not known: use >=, >, <=, <, = or !=`},
		"Tilde":            {SchemeSemver, "~> 1.2", `constraint "~> 1.2": operator "~>" is not known: use >=, >, <=, <, = or !=`},
		"OperatorAlone":    {SchemeSemver, ">=", `constraint ">=": operator ">=" has no version behind it`},
		"TwoOperators":     {SchemeSemver, "> <1.0", `constraint "> <1.0": operator ">" has no version behind it`},
		"StarWithOperator": {SchemeSemver, ">=*", `constraint ">=*": * stands alone, without an operator`},
		"NoVersion":        {SchemeSemver, ">=abc", `constraint ">=abc": "abc" is not a version such as 1.2.3, v1.2 or 1.2.3-rc.1`},
		"OrderOfTracks":    {SchemeTracks, ">=1.7/stable", `constraint ">=1.7/stable": operator ">=" needs an order, but tracks are never ordered: name the versions`},
		"Long":             {SchemeTracks, strings.Repeat("x", 4097), "constraint is longer than 4096 bytes"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseConstraint(newScheme(t, tc.scheme, SchemeOptions{}), tc.text)
			if err == nil {
				t.Fatalf("ParseConstraint(%q): got no error, want %q", tc.text, tc.want)
			}
			if diff := cmp.Diff(tc.want, err.Error()); diff != "" {
				t.Errorf("ParseConstraint(%q): error -want +got:\n%s", tc.text, diff)
			}
		})
	}
}

func TestRequirementMet(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		scheme, constraint string
		fact               any
		want               bool
		wantErr            string
	}{
		"Met":           {"", ">=1.20", "v1.29.3", true, ""},
		"NotMet":        {"", ">=1.20", "1.19.16", false, ""},
		"VendorSuffix":  {SchemeKubernetes, ">=1.28.0 <1.30", "v1.28.0-eks-adc7111", true, ""},
		"WholeNumber":   {"", ">=15", int64(16), true, ""},
		"Track":         {SchemeTracks, "mysql-k8s", "mysql-k8s", true, ""},
		"Missing":       {"", ">=15", nil, false, `requirement "db": the fact "db.version" is not there`},
		"Number":        {"", ">=1.3", 1.30, false, `requirement "db": the fact "db.version" is not a text that holds a version`},
		"NoVersion":     {"", ">=15", "fifteen", false, `requirement "db": the fact "db.version": "fifteen" is not a version such as 1.2.3, v1.2 or 1.2.3-rc.1`},
		"BadConstraint": {"", "^15", "15", false, `requirement "db": constraint "^15": operator "^" is not known: use >=, >, <=, <, = or !=`},
		"BadScheme":     {"roman", "XV", "15", false, `requirement "db": unknown scheme "roman": one of dates, kubernetes, semver, tracks`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := Requirement{Name: "db", Fact: "db.version", Constraint: tc.constraint, Scheme: tc.scheme}
			got, err := r.Met(tc.fact)
			gotErr := ""
			if err != nil {
				gotErr = err.Error()
			}
			if got != tc.want || gotErr != tc.wantErr {
				t.Errorf("Met(%v) = %v, %q, want %v, %q", tc.fact, got, gotErr, tc.want, tc.wantErr)
			}
		})
	}
}

func FuzzConstraint(f *testing.F) {
	for _, text := range []string{">=1.0 <2.0", "1.17.x||2.*", "*", "!=1.2.3-rc.1", ">=2022-06-02T02-11-04Z", "^1", "= =", "6.0.0b1", "|"} {
		for _, scheme := range SchemeNames() {
			f.Add(scheme, text, "1.17.3")
			f.Add(scheme, text, "RELEASE.2022-10-24T18-35-07Z")
		}
	}
	f.Fuzz(func(t *testing.T, scheme, constraint, version string) {
		s, err := NewScheme(scheme, SchemeOptions{})
		if err != nil {
			return
		}
		v, versionErr := s.Parse(version)
		if versionErr == nil {
			if s.Compare(v, v) != 0 || s.CompareBound(v, v) != 0 {
				t.Errorf("%q is not the same as itself", version)
			}
			if line := s.Line(v); s.Next(line, line) {
				t.Errorf("the line %q of %q follows itself", line, version)
			}
		} else if strings.Contains(versionErr.Error(), "\n") {
			t.Errorf("Parse(%q): the error has more than one line: %v", version, versionErr)
		}
		c, err := ParseConstraint(s, constraint)
		if err != nil || versionErr != nil {
			if err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("ParseConstraint(%q): the error has more than one line: %v", constraint, err)
			}
			return
		}
		matches := c.Match(v)
		// Alternatives add up, and the text of a Constraint reads back.
		again, err := ParseConstraint(s, c.String()+" || *")
		if err != nil || !again.Match(v) {
			t.Errorf("ParseConstraint(%q || *) does not match %q: %v", constraint, version, err)
		}
		twice, err := ParseConstraint(s, c.String()+"||"+c.String())
		if err != nil || twice.Match(v) != matches {
			t.Errorf("%q and its repetition differ on %q: %v", constraint, version, err)
		}
	})
}
