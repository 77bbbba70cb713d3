package image

import "testing"

func TestVersionIn(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"5.5.0\n":                           "5.5.0",
		"jupyterhub 4.1.6":                  "4.1.6",
		"v1.34.4+k3s1":                      "1.34.4+k3s1",
		"Python 3.11.2 (main, Nov 30 2024)": "3.11.2",
		"psql (PostgreSQL) 15.14 (Debian)":  "15.14",
		"mariadb from 11.8.3-MariaDB, client 15.2 for debian": "11.8.3-MariaDB",
		"name=x:2.0.":           "2.0",
		"took 3 seconds":        "",
		"http://127.0.0.1/a.b1": "127.0.0.1",
		"":                      "",
	} {
		if got := versionIn(text); got != want {
			t.Errorf("in %q: %q, want %q", text, got, want)
		}
	}
}

func TestSameVersion(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b, match string
		want        bool
	}{
		{"5.5.4", "5.5.0", matchExact, false},
		{"5.5.0", "5.5.0", matchExact, true},
		{"5.5.4", "5.5.0", matchMinor, true},
		{"5.50.4", "5.5.0", matchMinor, false},
		{"6.1.0", "6.9.0", matchMajor, true},
		{"60.1.0", "6.9.0", matchMajor, false},
		{"6", "6.9.0", matchMinor, false},
	} {
		if got := sameVersion(c.a, c.b, c.match); got != c.want {
			t.Errorf("%s and %s by %s: %v", c.a, c.b, c.match, got)
		}
	}
}
