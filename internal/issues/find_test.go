package issues_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/issues"
)

// found is what a test looks at of a Found.
type found struct {
	ID, In, Line string
	Benign       bool
}

func match(set *issues.Set, f *issues.Failure, scope expr.Scope) []found {
	var out []found
	for _, one := range set.Find(f).Judge(scope) {
		out = append(out, found{one.Issue.ID, one.In, one.Line, one.Benign})
	}
	return out
}

// build makes a Set of issues that need no file.
func build(tb testing.TB, list ...issues.Issue) *issues.Set {
	tb.Helper()
	set, err := issues.Build(list)
	if err != nil {
		tb.Fatal(err)
	}
	return set
}

func TestJudge(t *testing.T) {
	t.Parallel()
	harmless := issues.Issue{ID: "harmless", Text: "the secret exists already", Benign: "true"}
	checked := issues.Issue{ID: "checked", Text: "the secret exists already", Benign: "${observe.secret.same}"}
	full := issues.Issue{ID: "full", Pattern: `no space left on (\w+)`}
	state := issues.Issue{ID: "state", State: `${observe.pods.pending > 0 && failure.phase == "upgrade"}`}
	same := expr.Scope{"observe": map[string]any{"secret": map[string]any{"same": true}}}
	for name, tc := range map[string]struct {
		reason  string
		set     []issues.Issue
		failure issues.Failure
		scope   expr.Scope
		want    []found
	}{
		"Message": {
			reason:  "A text of the message may be benign.",
			set:     []issues.Issue{harmless},
			failure: issues.Failure{Message: "kubectl: the secret  exists\nalready"},
			want:    []found{{"harmless", "message", "kubectl: the secret exists already", true}},
		},
		"Log": {
			reason:  "What stands in the log only may be older than the failure: it explains and excuses nothing.",
			set:     []issues.Issue{harmless},
			failure: issues.Failure{Message: "timeout", Texts: []issues.Text{{Name: "log", Data: "the secret exists already"}}},
			want:    []found{{"harmless", "log", "the secret exists already", false}},
		},
		"Condition": {
			reason:  "A condition that holds makes it benign.",
			set:     []issues.Issue{checked},
			failure: issues.Failure{Message: "the secret exists already"},
			scope:   same,
			want:    []found{{"checked", "message", "the secret exists already", true}},
		},
		"NotObserved": {
			reason:  "A fact that could not be observed excuses nothing.",
			set:     []issues.Issue{checked, state},
			failure: issues.Failure{Message: "the secret exists already", Phase: "upgrade"},
			scope:   expr.Scope{"observe": map[string]any{}},
			want:    []found{{"checked", "message", "the secret exists already", false}},
		},
		"SomethingElse": {
			reason:  "Beside another issue nothing is benign.",
			set:     []issues.Issue{harmless, full},
			failure: issues.Failure{Message: "the secret exists already", Texts: []issues.Text{{Name: "log", Data: "a\nwrite: no space left on device\nb"}}},
			want: []found{
				{"harmless", "message", "the secret exists already", false},
				{"full", "log", "write: no space left on device", false},
			},
		},
		"Order": {
			reason: "The message comes first, then other texts, then state; each in the order of the file.",
			set:    []issues.Issue{state, full, harmless, checked},
			failure: issues.Failure{
				Message: "the secret exists already", Phase: "upgrade",
				Texts: []issues.Text{{Name: "stderr", Data: "no space left on a"}, {Name: "log", Data: "no space left on b"}},
			},
			scope: expr.Scope{"observe": map[string]any{"pods": map[string]any{"pending": int64(1)}}},
			want: []found{
				{"harmless", "message", "the secret exists already", false},
				{"checked", "message", "the secret exists already", false},
				{"full", "stderr", "no space left on a", false},
				{"state", "", "", false},
			},
		},
		"Terminal": {
			reason: "Colours and progress written over itself hide nothing.",
			set:    []issues.Issue{full, harmless},
			failure: issues.Failure{
				Message: "the \x1b[1;31msecret\x1b[0m exists already",
				Texts:   []issues.Text{{Name: "log", Data: "50 %\r99 %\rno space \x1b[31mleft on\x1b[0m device\r\n"}},
			},
			want: []found{
				{"harmless", "message", "the secret exists already", false},
				{"full", "log", "no space left on device", false},
			},
		},
		"OneLine": {
			reason:  "A pattern fits within one line.",
			set:     []issues.Issue{{ID: "line", Pattern: `(?s)begin.*the end$`}},
			failure: issues.Failure{Message: "begin\nthe end"},
		},
		"Both": {
			reason: "Text and pattern have to stand in the same place.",
			set:    []issues.Issue{{ID: "both", Text: "the disk is full", Pattern: `inode \d+`}},
			failure: issues.Failure{
				Message: "the disk is full", Texts: []issues.Text{{Name: "log", Data: "inode 7"}},
			},
		},
		"Version": {
			reason:  "Actions are named without their version.",
			set:     []issues.Issue{{ID: "one", Text: "the disk is full", Actions: []string{"exec.command"}}},
			failure: issues.Failure{Message: "the disk is full", Action: "exec.command@1"},
			want:    []found{{"one", "message", "the disk is full", false}},
		},
		"Nobody": {reason: "There need not be any.", failure: issues.Failure{Message: "the disk is full"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, match(build(t, tc.set...), &tc.failure, tc.scope)); diff != "" {
				t.Errorf("%s\nissues (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestFacts(t *testing.T) {
	t.Parallel()
	set := build(
		t,
		issues.Issue{ID: "a", State: "${observe.pods.pending > 0 && observe.nodes.ready}"},
		issues.Issue{ID: "b", Text: "the disk is full", Benign: "${observe.disk.spare || observe.pods.pending > 1}"},
		issues.Issue{ID: "c", Text: "the disk is slow", Benign: "${observe.clock.right}"},
	)
	got := set.Find(&issues.Failure{Message: "the disk is full"}).Facts()
	if diff := cmp.Diff([]string{"nodes", "pods", "disk"}, got); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
}

func TestBuildBad(t *testing.T) {
	t.Parallel()
	for name, issue := range map[string]issues.Issue{
		"Pattern": {ID: "a", Pattern: "("},
		"State":   {ID: "a", State: "${"},
		"Benign":  {ID: "a", Text: "the disk is full", Benign: "${1}"},
	} {
		if _, err := issues.Build([]issues.Issue{issue}); err == nil || !strings.HasPrefix(err.Error(), `known issue "a": `) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	set := catalogues(t)["kubeflow"]
	for name, tc := range map[string]struct {
		reason, text string
		want         []string
	}{
		"Pasted": {"A message that was copied from a terminal.", "ERROR Unable to use the drive /data: Drive /data:\n  found backend type fs, expected xl or xl-single", []string{"minio-backend-fs"}},
		"Words":  {"Words are looked for everywhere, without regard to case.", "ISTIO gateway", []string{"istio-waits-for-gateway"}},
		"None":   {"Nothing fits.", "postgres", nil},
		"Empty":  {"Nothing is asked.", " \n", nil},
	} {
		var got []string
		for _, i := range set.Search(tc.text) {
			got = append(got, i.ID)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s: %s (-want +got):\n%s", name, tc.reason, diff)
		}
	}
}

// TestExcerpt checks that what is shown of a text is one short line of valid
// characters.
func TestExcerpt(t *testing.T) {
	t.Parallel()
	set := build(t, issues.Issue{ID: "a", Text: strings.Repeat("x", 1000)}, issues.Issue{ID: "b", Pattern: "é+xxxxxxxxxé"})
	long := strings.Repeat("é", 500) + strings.Repeat("x", 1000) + strings.Repeat("é", 500) + "\n" +
		strings.Repeat("é", 90) + strings.Repeat("x", 9) + strings.Repeat("é", 400)
	for _, f := range match(set, &issues.Failure{Message: long}, nil) {
		if len(f.Line) > 400 || strings.ContainsAny(f.Line, "\n�") || !strings.HasPrefix(f.Line, "…") && f.ID == "a" {
			t.Errorf("%s is shown as %d bytes: %q", f.ID, len(f.Line), f.Line)
		}
	}
}
