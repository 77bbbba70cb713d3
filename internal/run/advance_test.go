package run_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/run"
)

func started(tb testing.TB, text string) (run.State, *world) {
	tb.Helper()
	p, err := parsePlan(text)
	if err != nil {
		tb.Fatal(err)
	}
	s, err := run.Advance(run.New(p, "r"), run.Event{Seq: 1, Body: &run.Started{Digest: p.Digest, Epoch: 3, Parallel: 4}})
	if err != nil {
		tb.Fatal(err)
	}
	return s, newWorld(p, 0)
}

func TestAdvanceRefuses(t *testing.T) {
	t.Parallel()
	check := &run.StageChecked{Stage: "s1", Turn: 1, Facts: "f"}
	cases := map[string]struct {
		reason string
		event  run.Event
		want   error
	}{
		"Gap":         {"an event is missing", run.Event{Seq: 3, Body: check}, run.ErrInvalidTransition},
		"Twice":       {"an event came twice", run.Event{Seq: 1, Body: check}, run.ErrInvalidTransition},
		"SecondStart": {"a run starts once", run.Event{Seq: 2, Body: &run.Started{Digest: "sha256:plan", Parallel: 1}}, run.ErrInvalidTransition},
		"NoBody":      {"an event has a body", run.Event{Seq: 2}, run.ErrInvalidTransition},
		"StaleEpoch":  {"an old owner cannot come back", run.Event{Seq: 2, Body: &run.OwnerChanged{Epoch: 3}}, run.ErrInvalidTransition},
		"OtherStage":  {"the plan knows its stages", run.Event{Seq: 2, Body: &run.StageChecked{Stage: "s9"}}, run.ErrInvalidTransition},
		"LateCheck":   {"an earlier check does not count", run.Event{Seq: 2, Body: &run.StageChecked{Stage: "s1", Turn: 0}}, run.ErrStale},
		"BlindStart":  {"nothing starts unobserved", run.Event{Seq: 2, Body: &run.OperationStarted{Op: run.Ref{What: run.Do, Stage: "s1", Step: "a"}, Attempt: 1}}, run.ErrStale},
		"Settle":      {"nothing is in doubt", run.Event{Seq: 2, Body: &run.Settled{Op: run.Ref{What: run.Do, Stage: "s1", Step: "a"}}}, run.ErrRefused},
		"Release":     {"nothing is held", run.Event{Seq: 2, Body: &run.ReleaseRequested{Stage: "s1", Step: "a"}}, run.ErrRefused},
		"Abort":       {"there is no way back", run.Event{Seq: 2, Body: &run.AbortRequested{}}, run.ErrRefused},
		"Resume":      {"it is not paused", run.Event{Seq: 2, Body: &run.ResumeRequested{}}, run.ErrRefused},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := started(t, "stage s1\nstep a\n")
			before, err := s.Clone()
			if err != nil {
				t.Fatal(err)
			}
			after, err := run.Advance(s, tc.event)
			if !errors.Is(err, tc.want) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("%s: got %v, want %v", tc.reason, err, tc.want)
			}
			if diff := cmp.Diff(before, after, cmp.FilterPath(func(p cmp.Path) bool {
				return p.Last().String() == ".live" || p.Last().String() == ".ix" || p.Last().String() == ".was" || p.Last().String() == ".source"
			}, cmp.Ignore())); diff != "" {
				t.Errorf("the state changed (-want +got):\n%s", diff)
			}
		})
	}
}

func TestClockThatGoesBack(t *testing.T) {
	t.Parallel()
	s, _ := started(t, "stage s1\nstep a\n")
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for i, at := range []time.Time{noon, noon.Add(-time.Hour)} {
		var err error
		if s, err = run.Advance(s, run.Event{Seq: uint64(i + 2), At: at, Body: &run.OwnerChanged{Epoch: uint64(i + 4)}}); err != nil {
			t.Fatal(err)
		}
	}
	if !s.At.Equal(noon) {
		t.Errorf("time went back to %s", s.At)
	}
	if len(s.Findings) != 1 || s.Findings[0].Reason != "ClockWentBack" {
		t.Errorf("no finding says that the clock went back: %v", s.Findings)
	}
}

func TestResumeRefusesAnotherPlan(t *testing.T) {
	t.Parallel()
	s, _ := started(t, "stage s1\nstep a\n")
	for name, text := range map[string]string{"Stages": "stage s1\nstep a\nstage s2\n", "Steps": "stage s1\n"} {
		p, err := parsePlan(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := run.Resume(p, s); err == nil {
			t.Errorf("%s: a state was bound to another plan", name)
		}
	}
	p, _ := parsePlan("stage s1\nstep a\n")
	p.Digest = "sha256:other"
	if _, err := run.Resume(p, s); err == nil {
		t.Error("a state was bound to a plan of another digest")
	}
}

// chain records the history of a plan of n steps, half of them in a chain.
func chain(b *testing.B, n int) (run.State, []run.Event) {
	b.Helper()
	var text strings.Builder
	text.WriteString("stage s1\n")
	for i := range n {
		fmt.Fprintf(&text, "step x%d timeout=1m", i)
		if i%2 == 1 {
			fmt.Fprintf(&text, " needs=x%d", i-1)
		}
		text.WriteByte('\n')
	}
	s, w := started(b, text.String())
	var events []run.Event
	for !s.Status.Final() {
		body, _ := w.answer(run.Pending(s)[0], s.At)
		e := run.Event{Seq: s.Seq + 1, At: s.At.Add(time.Second), Body: body}
		var err error
		if s, err = run.Advance(s, e); err != nil {
			b.Fatal(err)
		}
		events = append(events, e)
	}
	fresh, _ := started(b, text.String())
	return fresh, events
}

func benchmark(b *testing.B, pending bool) {
	b.Helper()
	first, events := chain(b, 50)
	b.ReportAllocs()
	b.ResetTimer()
	s, i := first, 0
	for range b.N {
		if i == 0 {
			b.StopTimer()
			s, _ = first.Clone()
			b.StartTimer()
		}
		var err error
		if s, err = run.Advance(s, events[i]); err != nil {
			b.Fatal(err)
		}
		if pending {
			run.Pending(s)
		}
		i = (i + 1) % len(events)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkAdvance folds events into the state of a plan of 50 steps.
func BenchmarkAdvance(b *testing.B) { benchmark(b, false) }

// BenchmarkDrive asks for the pending commands after every event.
func BenchmarkDrive(b *testing.B) { benchmark(b, true) }

// BenchmarkLongChain drives one stage of many steps, each of which needs the one
// before it.
func BenchmarkLongChain(b *testing.B) {
	for _, n := range []int{500, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var text strings.Builder
			text.WriteString("stage s1\n")
			for i := range n {
				fmt.Fprintf(&text, "step x%d timeout=1m", i)
				if i > 0 {
					fmt.Fprintf(&text, " needs=x%d", i-1)
				}
				text.WriteByte('\n')
			}
			events := 0
			for range b.N {
				s, w := started(b, text.String())
				for !s.Status.Final() {
					body, _ := w.answer(run.Pending(s)[0], s.At)
					var err error
					if s, err = run.Advance(s, run.Event{Seq: s.Seq + 1, At: s.At.Add(time.Second), Body: body}); err != nil {
						b.Fatal(err)
					}
					events++
				}
			}
			b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
