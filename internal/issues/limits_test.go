package issues_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/refitproject/refit/internal/issues"
)

// megabytes is as much of a log as a worker hands over.
const megabytes = 8 << 20

// costly returns known issues and a log that make as much work as the limits
// permit: every line holds the literal text of every pattern, and none fits.
func costly(tb testing.TB, n int) (*issues.Set, *issues.Failure) {
	tb.Helper()
	list := make([]issues.Issue, n)
	for i := range list {
		list[i] = issues.Issue{ID: fmt.Sprintf("i%d", i), Pattern: fmt.Sprintf(`(\w+[^ ]*)*([a-z]+\d?){20}fail(ed|ure)* %d$`, i)}
	}
	line := strings.Repeat("abc1", 20) + " fail " + strings.Repeat("x", 20) + "\n"
	log := strings.Repeat(line, megabytes/len(line))
	return build(tb, list...), &issues.Failure{Message: "exit code 1", Texts: []issues.Text{{Name: "log", Data: log}}}
}

// TestBounded checks that the worst that an author can write takes seconds and
// not hours, on one long line too. The bound is wide: machines are shared.
func TestBounded(t *testing.T) {
	t.Parallel()
	set, failure := costly(t, 500)
	oneLine := &issues.Failure{Texts: []issues.Text{{
		Name: "log", Data: strings.ReplaceAll(failure.Texts[0].Data, "\n", " "),
	}}}
	for name, f := range map[string]*issues.Failure{"Lines": failure, "OneLine": oneLine} {
		began := time.Now()
		if got := match(set, f, nil); len(got) > 0 {
			t.Errorf("%s: found %d issues", name, len(got))
		}
		if took := time.Since(began); took > 2*time.Minute {
			t.Errorf("%s: it took %s", name, took)
		}
	}
}

// TestLastLine checks that an ordinary log of megabytes is looked at to its end.
func TestLastLine(t *testing.T) {
	t.Parallel()
	set := build(
		t, issues.Issue{ID: "text", Text: "the disk is full"},
		issues.Issue{ID: "pattern", Pattern: `write \S+: no space left on device$`},
	)
	line := "2024-03-02T22:10:04Z INFO write /data/blocks/000001: done, 17 left on device\n"
	log := strings.Repeat(line, megabytes/len(line)) + "write /data/x: no space left on device\nthe disk is full"
	got := match(set, &issues.Failure{Texts: []issues.Text{{Name: "log", Data: log}}}, nil)
	if len(got) != 2 {
		t.Errorf("found %v", got)
	}
}

func BenchmarkMatchLog(b *testing.B) {
	var list []issues.Issue
	for _, set := range catalogues(b) {
		list = append(list, set.List()...)
	}
	for i := range list {
		list[i].State, list[i].Actions, list[i].Phases = "", nil, nil
	}
	set := build(b, list...)
	line := "2024-03-02T22:10:04.121Z INFO hub: pod jupyter-ada is running, upgrade of 12 objects, channel=stable\n"
	f := &issues.Failure{Texts: []issues.Text{{Name: "log", Data: strings.Repeat(line, megabytes/len(line))}}}
	b.SetBytes(megabytes)
	b.ReportAllocs()
	for b.Loop() {
		set.Find(f)
	}
}

func BenchmarkMatchWorst(b *testing.B) {
	set, f := costly(b, 500)
	for b.Loop() {
		set.Find(f)
	}
}
