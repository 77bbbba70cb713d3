package run_test

import (
	"testing"
	"time"

	"github.com/refitproject/refit/internal/run"
)

// told is an event at so many seconds after the start of the run.
type told struct {
	at   int
	body run.Body
}

// folded returns the state of a run of a plan after the events.
func folded(t *testing.T, text string, events []told) run.State {
	t.Helper()
	p, err := parsePlan(text)
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	s := run.New(p, "r")
	all := append([]told{
		{0, &run.Started{Digest: p.Digest, Epoch: 1, Parallel: 4}},
		{0, &run.StageChecked{Stage: "s1", Turn: 1, Facts: "f"}},
	}, events...)
	for i, e := range all {
		event := run.Event{Seq: uint64(i + 1), At: begin.Add(time.Duration(e.at) * time.Second), Body: e.body}
		if s, err = run.Advance(s, event); err != nil {
			t.Fatalf("event %d: %v", i+1, err)
		}
	}
	return s
}

// doOf names the doing of a step.
func doOf(step string) run.Ref { return run.Ref{What: run.Do, Stage: "s1", Step: step} }

func look(at int, op run.Ref, turn int, status string) told {
	return told{at, &run.Observed{Op: op, Turn: turn, Status: status}}
}

func start(at int, op run.Ref, attempt int) told {
	return told{at, &run.OperationStarted{Op: op, Attempt: attempt, Key: "r/s1/" + op.Step}}
}

func end(at int, op run.Ref, attempt int, ok bool) told {
	return told{at, &run.OperationEnded{Op: op, Attempt: attempt, OK: ok, Extent: "none", Retryable: true}}
}

func TestTook(t *testing.T) {
	t.Parallel()
	a := doOf("a")
	asks := run.Ref{What: run.Do, Stage: "s1", Step: "a"}
	cases := map[string]struct {
		reason  string
		plan    string
		events  []told
		took    int // seconds
		idle    int
		untimed bool
	}{
		"Plain": {
			"The look before counts.", "step a", []told{look(2, a, 1, "notStarted"), start(3, a, 1), end(63, a, 1, true)}, 62, 0, false,
		},
		"Rest": {
			"So do failed attempts and the rests between them.", "step a retry=2", []told{
				look(2, a, 1, "notStarted"), start(2, a, 1), end(12, a, 1, false),
				{22, &run.TimerFired{Timer: run.TimerRef{Kind: run.TimerOperation, Op: a, Turn: 2}}},
				look(23, a, 3, "notStarted"), start(23, a, 2), end(33, a, 2, true),
			}, 33, 0, false,
		},
		"Person": {
			"The night until somebody tried it again does not, both attempts do.", "step a", []told{
				look(0, a, 1, "notStarted"), start(0, a, 1), end(10, a, 1, false),
				{10, &run.IssuesMatched{Op: a, Turn: 2}},
				{5000, &run.RetryRequested{Who: run.Who{By: "ada"}, Stage: "s1", Step: "a"}},
				look(5001, a, 3, "notStarted"), start(5001, a, 2), end(5011, a, 2, true),
			}, 21, 4990, false,
		},
		"Target": {
			"A target that does not answer is waited for.", "step a", []told{
				{1, &run.AskFailed{Op: a, Turn: 1, Cause: run.WaitTarget, Message: "refused"}},
				{301, &run.TimerFired{Timer: run.TimerRef{Kind: run.TimerOperation, Op: a, Turn: 2}}},
				look(302, a, 3, "notStarted"), start(302, a, 1), end(312, a, 1, true),
			}, 12, 300, false,
		},
		"Reads": {
			"What reads does its work when it looks.", "step a reads", []told{look(7, asks, 1, "done")}, 7, 0, false,
		},
		"Lost": {
			"Nobody knows how long it took on its own.", "step a", []told{
				look(0, a, 1, "notStarted"), start(0, a, 1), {900, &run.OwnerChanged{Owner: "b", Epoch: 2}}, look(901, a, 2, "done"),
			}, 1, 900, true,
		},
		"DoneAgain": {
			"But the attempt that did all of it was seen.", "step a", []told{
				look(0, a, 1, "notStarted"), start(0, a, 1),
				{900, &run.OwnerChanged{Owner: "b", Epoch: 2}},
				look(901, a, 2, "notStarted"), start(907, a, 2), end(927, a, 2, true),
			}, 20, 900, false,
		},
		"NotDriven": {
			"A look that nobody drove is made anew.", "step a reads", []told{
				{900, &run.OwnerChanged{Owner: "b", Epoch: 2}}, look(905, asks, 2, "done"),
			}, 5, 900, false,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := folded(t, "stage s1\n"+tc.plan+"\n", tc.events)
			op := &s.Stages[0].Steps[0].Ops[0]
			if op.Life != run.Done || time.Duration(op.Took) != time.Duration(tc.took)*time.Second || op.Untimed != tc.untimed {
				t.Errorf("%s: it is %s and took %s (untimed: %v), want %d s", tc.reason, op.Life, op.Took, op.Untimed, tc.took)
			}
			if got := s.IdleAt(0, s.At.Add(time.Hour)); got != time.Duration(tc.idle)*time.Second {
				t.Errorf("%s: the run waited %s, want %d s", tc.reason, got, tc.idle)
			}
		})
	}
}

func TestIdleNow(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		plan string
		want time.Duration
	}{
		"Approval":  {"stage s1 approval=1\nstep a", time.Hour},
		"Soak":      {"stage s1 soak=10m", 0},
		"UnderWay":  {"stage s1\nstep a", 0},
		"Condition": {"stage s1\nstep a gate=condition", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var events []told
			if name == "Condition" {
				events = []told{{0, &run.StepResolved{Stage: "s1", Step: "a", Terms: &run.Terms{Kind: run.WaitCondition}}}}
			}
			s := folded(t, tc.plan+"\n", events)
			if got := s.IdleAt(0, s.At.Add(time.Hour)); got != tc.want {
				t.Errorf("an hour later it has waited %s, want %s", got, tc.want)
			}
			if !s.Stages[0].Began.Equal(time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)) {
				t.Errorf("the stage began %s", s.Stages[0].Began)
			}
		})
	}
}
