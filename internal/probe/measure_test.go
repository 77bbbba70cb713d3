package probe_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/probe"
)

// at is a moment, in seconds from the beginning of the measurement.
func at(seconds int) time.Time {
	return time.Date(2026, time.November, 21, 2, 0, 0, 0, time.UTC).Add(time.Duration(seconds) * time.Second)
}

func span(name string, up bool, from, to int) probe.Span {
	s := probe.Span{Probe: name, Up: up, From: at(from), To: at(to), Samples: to - from + 1}
	if !up {
		s.Why = "it answered 503"
	}
	return s
}

func TestMeasure(t *testing.T) {
	t.Parallel()
	of := func(name, component string) probe.Plan {
		return probe.Plan{Name: name, Component: component, Every: time.Second, Timeout: time.Second}
	}
	web, api, data := of("web", "hub"), of("api", "hub"), of("data", "data")
	hub := func(up, down, unmeasured int, outages ...probe.Outage) probe.Measured {
		return probe.Measured{
			Component: "hub", From: at(0), To: at(100), Outages: outages, Up: time.Duration(up) * time.Second,
			Down: time.Duration(down) * time.Second, Unmeasured: time.Duration(unmeasured) * time.Second,
		}
	}
	outage := func(from, to int) probe.Outage {
		return probe.Outage{From: at(from), To: at(to), Why: "it answered 503", Open: to == 100}
	}
	for name, tc := range map[string]struct {
		reason string
		plans  []probe.Plan
		spans  []probe.Span
		want   []probe.Measured
	}{
		"Nothing": {
			reason: "What was never sampled is not measured, and never up.",
			plans:  []probe.Plan{web}, want: []probe.Measured{hub(0, 0, 100)},
		},
		"Up": {
			reason: "A sample counts until the next one.",
			plans:  []probe.Plan{web}, spans: []probe.Span{span("web", true, 0, 50), span("web", true, 51, 100)},
			want: []probe.Measured{hub(100, 0, 0)},
		},
		"Down": {
			reason: "It is down from the first sample that is to the first one that is not.",
			plans:  []probe.Plan{web},
			spans:  []probe.Span{span("web", true, 0, 9), span("web", false, 10, 19), span("web", true, 20, 100)},
			want:   []probe.Measured{hub(90, 10, 0, outage(10, 20))},
		},
		"Gap": {
			reason: "A probe that was killed leaves a hole, also where it was down before and behind.",
			plans:  []probe.Plan{web},
			spans:  []probe.Span{span("web", false, 0, 10), span("web", false, 40, 50), span("web", true, 51, 100)},
			want:   []probe.Measured{hub(49, 21, 30, outage(0, 10), outage(40, 51))},
		},
		"Late": {
			reason: "One late sample is no hole: two times the pause and a timeout.",
			plans:  []probe.Plan{web}, spans: []probe.Span{span("web", true, 0, 50), span("web", true, 53, 100)},
			want: []probe.Measured{hub(100, 0, 0)},
		},
		"TooLate": {
			reason: "A second more is one.",
			plans:  []probe.Plan{web}, spans: []probe.Span{span("web", true, 0, 50), span("web", true, 54, 100)},
			want: []probe.Measured{hub(96, 0, 4)},
		},
		"Ends": {
			reason: "Nothing is known before the first sample; one that is down now is open.",
			plans:  []probe.Plan{web}, spans: []probe.Span{span("web", true, 10, 79), span("web", false, 80, 99)},
			want: []probe.Measured{hub(70, 20, 10, outage(80, 100))},
		},
		"Outside": {
			reason: "Only the time that is asked for counts.",
			plans:  []probe.Plan{web}, spans: []probe.Span{span("web", false, -50, 150)},
			want: []probe.Measured{hub(0, 100, 0, outage(0, 100))},
		},
		"Two": {
			reason: "Of two probes one that is down is enough, and both must be up.",
			plans:  []probe.Plan{web, data, api},
			spans: []probe.Span{
				span("web", true, 0, 29), span("web", false, 30, 49), span("web", true, 50, 100),
				span("api", true, 0, 39), span("api", false, 40, 59), span("api", true, 60, 80),
				span("data", true, 0, 100),
			},
			want: []probe.Measured{
				hub(50, 30, 20, outage(30, 60)),
				{Component: "data", From: at(0), To: at(100), Up: 100 * time.Second},
			},
		},
		"Clock": {
			reason: "Where spans overlap, because a clock was set back, the second one counts.",
			plans:  []probe.Plan{web}, spans: []probe.Span{span("web", true, 0, 60), span("web", false, 40, 99)},
			want: []probe.Measured{hub(40, 60, 0, outage(40, 100))},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := probe.Measure(tc.plans, tc.spans, at(0), at(100))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
	if got := probe.Measure([]probe.Plan{web}, nil, at(1), at(1)); got != nil {
		t.Errorf("no time was measured: got %v", got)
	}
}

func TestSpan(t *testing.T) {
	t.Parallel()
	want := span("web", false, 1, 2)
	line, err := probe.EncodeSpan(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := probe.DecodeSpan(line)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("got %v (-want +got):\n%s", err, diff)
	}
	for _, cut := range []int{0, 1, len(line) / 2, len(line) - 2} {
		if s, err := probe.DecodeSpan(line[:cut]); err == nil {
			t.Errorf("a line that was cut off is read as %v", s)
		}
	}
}
