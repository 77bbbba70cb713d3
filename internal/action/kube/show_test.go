package kube

import (
	"strings"
	"testing"
)

func TestShowDiffHidesSecrets(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		before, after string
		want, hidden  []string
	}{
		"Secret": {
			`{"kind":"Secret","data":{"same":"aHVudGVy","other":"aHVudGVyMg==","gone":"aHVudGVyMw=="}}`,
			`{"kind":"Secret","data":{"same":"aHVudGVy","other":"aHVudGVyNA=="}}`,
			[]string{"-  other: '***'", "+  other: '*** (new)'", "-  gone: '***'", "   same: '***'"},
			[]string{"aHVudGVy"},
		},
		"NewSecret": {
			`{}`, `{"kind":"Secret","stringData":{"user":"hunter2"}}`,
			[]string{"+  user: '***'"},
			[]string{"hunter2"},
		},
		"Key": {
			`{"kind":"ConfigMap","data":{"a":"1","db-password":"hunter2"}}`, `{"kind":"ConfigMap","data":{"a":"2","db-password":"hunter2"}}`,
			[]string{`+  a: "2"`, "db-password: ***"},
			[]string{"hunter2"},
		},
		"Variable": {
			`{"kind":"Pod","env":[{"name":"DB_PASSWORD","value":"hunter2"},{"name":"X","value":"1"}]}`,
			`{"kind":"Pod","env":[{"name":"DB_PASSWORD","value":"hunter3"},{"name":"X","value":"2"}]}`,
			[]string{`+  value: "2"`},
			[]string{"hunter"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := showDiff("object", plainOf(t, tc.before), plainOf(t, tc.after))
			for _, want := range tc.want {
				if !strings.Contains(got, want) {
					t.Errorf("%q is missing:\n%s", want, got)
				}
			}
			for _, hidden := range tc.hidden {
				if strings.Contains(got, hidden) {
					t.Errorf("%q is shown:\n%s", hidden, got)
				}
			}
		})
	}
}

func TestCutDiff(t *testing.T) {
	t.Parallel()
	if got := cutDiff("short\n"); got != "short\n" {
		t.Errorf("got %q", got)
	}
	if got := cutDiff(strings.Repeat("a line of ä\n", maxDiff)); len(got) > maxDiff+100 || !strings.HasSuffix(got, "the rest is not shown\n") {
		t.Errorf("%d bytes, ends in %q", len(got), got[len(got)-30:])
	}
}
