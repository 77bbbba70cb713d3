package worker_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/issues"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// issuePlan is lampPlan with known issues and a fact.
func issuePlan(known ...issues.Issue) *plan.Plan {
	p := lampPlan()
	p.Issues = known
	p.Observe = []plan.Observe{{
		Name: "lamp", Action: "test.look@1", Target: "home", With: map[string]any{"lamp": "hall"},
	}}
	return p
}

// failed is what a step says that has failed.
func failed() run.MatchIssues {
	return run.MatchIssues{
		Op: run.Ref{What: run.Do, Stage: "s1", Step: "change"}, Turn: 3, Attempt: 2, Reason: "Burnt",
		Message: "the lamp burns already",
	}
}

func TestMatchIssues(t *testing.T) {
	t.Parallel()
	burns := issues.Issue{
		ID: "burns", Explanation: "It burns.", Text: "the lamp burns already", Actions: []string{"test.change"},
		Benign: `${observe.lamp.color == "red"}`, Remedy: "Let it.", Source: issues.Source{Note: "manual", URL: "https://l.example"},
	}
	fuse := issues.Issue{ID: "fuse", Explanation: "A fuse.", Pattern: `fuse \d+ is blown`}
	for name, tc := range map[string]struct {
		reason string
		known  []issues.Issue
		lamp   lampOutput
		err    error
		log    string
		kept   string
		want   []run.Issue
	}{
		"None": {reason: "There need not be any.", log: "fuse 7 is blown"},
		"Benign": {
			reason: "The condition is judged with facts that are observed now.",
			known:  []issues.Issue{burns}, lamp: lampOutput{Color: "red"},
			want: []run.Issue{{
				ID: "burns", Explanation: "It burns.", Remedy: "Let it.", Source: "manual: https://l.example", In: "message",
				Line: "the lamp burns already", Benign: true,
			}},
		},
		"NotAsked": {
			reason: "What cannot be observed excuses nothing.",
			known:  []issues.Issue{burns}, err: errWorld,
			want: []run.Issue{{
				ID: "burns", Explanation: "It burns.", Remedy: "Let it.", Source: "manual: https://l.example", In: "message",
				Line: "the lamp burns already",
			}},
		},
		"Log": {
			reason: "The log of the attempt is looked at.",
			known:  []issues.Issue{fuse}, log: "on\nmain: fuse 7 is blown\noff\n",
			want: []run.Issue{{ID: "fuse", Explanation: "A fuse.", In: "log", Line: "main: fuse 7 is blown"}},
		},
		"Evidence": {
			reason: "What was kept of the attempt comes before its log.",
			known:  []issues.Issue{fuse}, log: "fuse 7 is blown", kept: "fuse 8 is blown",
			want: []run.Issue{{ID: "fuse", Explanation: "A fuse.", In: "status.txt", Line: "fuse 8 is blown"}},
		},
		"Unreadable": {
			reason: "A plan of another release may hold what this one cannot read: the run goes on.",
			known:  []issues.Issue{{ID: "odd", Pattern: "("}},
			want: []run.Issue{{
				ID: "known-issues", Explanation: "the known issues of the plan cannot be read: known issue \"odd\": " +
					"the pattern is no regular expression (RE2): missing closing ): \"(\"",
			}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, issuePlan(tc.known...))
			b.lamp.answer = action.Observed[lampOutput]{Status: action.Done, Output: &tc.lamp}
			b.lamp.err = tc.err
			c := failed()
			if tc.kept != "" {
				c.Artefacts = []run.Artefact{
					{Name: "huge.txt", Digest: "b", Size: 2 << 20},
					{Name: "gone.txt", Digest: "c", Size: 1},
					{Name: "status.txt", Digest: "a", Size: int64(len(tc.kept))},
				}
			}
			body, err := b.Carry(t.Context(), engine.Assignment{
				Run: "r1", Dir: "/platform", Plan: b.plan, Command: c,
				Fetch: func(_ context.Context, digest string) ([]byte, error) {
					if digest != "a" {
						return nil, fmt.Errorf("there is no %s", digest)
					}
					return []byte(tc.kept), nil
				},
				ReadLog: func(_ context.Context, op run.Ref, attempt int) (io.ReadCloser, error) {
					if op != c.Op || attempt != 2 {
						t.Errorf("asked for attempt %d of %v", attempt, op)
					}
					return io.NopCloser(strings.NewReader(tc.log)), nil
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			want := &run.IssuesMatched{Op: c.Op, Turn: 3, Issues: tc.want}
			if diff := cmp.Diff(run.Body(want), body); diff != "" {
				t.Errorf("%s\nevent (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestMatchIssuesFits checks that an event stays small, however much fits.
func TestMatchIssuesFits(t *testing.T) {
	t.Parallel()
	var known []issues.Issue
	for i := range 50 {
		known = append(known, issues.Issue{
			ID: fmt.Sprintf("i%02d", i), Explanation: strings.Repeat("é", 700), Text: "the lamp burns already",
			Remedy: strings.Repeat("\"", 1500), Source: issues.Source{URL: strings.Repeat("x", 1<<20)},
		})
	}
	body := newBench(t, issuePlan(known...)).carry(t, failed())
	matched, ok := body.(*run.IssuesMatched)
	if !ok || len(matched.Issues) != 8 || matched.Issues[0].ID != "i00" {
		t.Fatalf("got %T with %d issues", body, len(matched.Issues))
	}
	data, err := run.EncodeEvent(run.Event{Body: matched})
	if err != nil || len(data) > 64<<10 {
		t.Errorf("the event has %d bytes, %v", len(data), err)
	}
}

// TestLargeLog checks that the begin and the end of a large log are looked at, and
// not more of it than fits.
func TestLargeLog(t *testing.T) {
	t.Parallel()
	list := []issues.Issue{
		{ID: "begin", Text: "said at the begin"}, {ID: "middle", Text: "said in the middle"}, {ID: "end", Text: "said at the end"},
	}
	for name, size := range map[string]int{"Small": 1 << 10, "OneMegabyte": 1 << 20, "Eight": 8 << 20, "Huge": 40 << 20} {
		line := []byte(strings.Repeat("x", 99) + "\n")
		half := bytes.Repeat(line, size/2/len(line))
		log := io.MultiReader(
			strings.NewReader("said at the begin\n"), bytes.NewReader(half), strings.NewReader("said in the middle\n"),
			bytes.NewReader(half), strings.NewReader("said at the end"),
		)
		b := newBench(t, issuePlan(list...))
		body, err := b.Carry(t.Context(), engine.Assignment{
			Run: "r1", Dir: "/platform", Plan: b.plan, Command: failed(),
			ReadLog: func(context.Context, run.Ref, int) (io.ReadCloser, error) { return io.NopCloser(log), nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		matched, _ := body.(*run.IssuesMatched)
		for _, i := range matched.Issues {
			got = append(got, i.ID)
		}
		want := []string{"begin", "middle", "end"}
		if name == "Huge" {
			want = []string{"begin", "end"}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
