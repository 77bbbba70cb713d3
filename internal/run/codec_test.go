package run

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestEventsSurviveTheCodec(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	seen := map[string]bool{}
	for _, b := range bodies() {
		data, err := EncodeEvent(Event{Seq: 7, At: at, Body: b})
		if err != nil {
			t.Fatal(err)
		}
		got, err := DecodeEvent(data)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(Event{Seq: 7, At: at, Body: b}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", data, diff)
		}
		seen[typeName(b)] = true
	}
	if len(seen) != 30 {
		t.Errorf("%d types of events have names of their own, want 30", len(seen))
	}
}

// TestDecodeReadsEarlierForms keeps events readable that were written before
// members were added to their types.
func TestDecodeReadsEarlierForms(t *testing.T) {
	t.Parallel()
	for _, data := range []string{
		`{"seq":1,"at":"2026-01-01T00:00:00Z","type":"Started@1","data":{"digest":"sha256:a","owner":"o","epoch":1,"parallel":4}}`,
		`{"seq":2,"at":"2026-01-01T00:00:00Z","type":"StepResolved@1","data":{"stage":"s","step":"a","with":{"x":1}}}`,
		`{"seq":3,"at":"2026-01-01T00:00:00Z","type":"Observed@1","data":{"op":{"what":"do","stage":"s","step":"a"},"turn":1,"status":"notStarted","before":{"was":1}}}`,
		`{"seq":4,"at":"2026-01-01T00:00:00Z","type":"OperationEnded@1","data":{"op":{"what":"do","stage":"s","step":"a"},"attempt":1,"ok":true,"output":{"x":1}}}`,
		`{"seq":5,"at":"2026-01-01T00:00:00Z","type":"Approved@1","data":{"by":"ada","gate":{"stage":"s","name":"go"},"digest":"sha256:s","facts":"f"}}`,
	} {
		e, err := DecodeEvent([]byte(data))
		if err != nil {
			t.Errorf("%s: %v", data, err)
			continue
		}
		again, err := EncodeEvent(e)
		if err != nil || string(again) != data {
			t.Errorf("written again it is %s (%v), it was %s", again, err, data)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ in, want string }{
		"UnknownType":    {`{"seq":1,"at":"2026-01-01T00:00:00Z","type":"Teleported@1","data":{}}`, `unknown type "Teleported@1"`},
		"UnknownVersion": {`{"seq":1,"at":"2026-01-01T00:00:00Z","type":"Observed@2","data":{}}`, `unknown version of "Observed@2"`},
		"NoVersion":      {`{"seq":1,"at":"2026-01-01T00:00:00Z","type":"Observed","data":{}}`, `unknown version of "Observed"`},
		"UnknownMember":  {`{"seq":1,"at":"2026-01-01T00:00:00Z","type":"TimerFired@1","data":{"x":1}}`, `unknown field "x"`},
		"Twice":          {`{"seq":1,"at":"2026-01-01T00:00:00Z","type":"TimerFired@1","data":{}} {}`, `after top-level value`},
		"NotJSON":        {`seq`, `invalid character`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := DecodeEvent([]byte(tc.in))
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want one line with %q", err, tc.want)
			}
		})
	}
}

func TestEncodeRefusesLargeEvents(t *testing.T) {
	t.Parallel()
	_, err := EncodeEvent(Event{Body: &Observed{Message: strings.Repeat("x", maxEvent)}})
	if err == nil || !strings.Contains(err.Error(), "store the output as an artefact") {
		t.Errorf("got %v", err)
	}
	large := []byte(`"` + strings.Repeat("x", MaxOutput) + `"`)
	_, err = EncodeEvent(Event{Body: &OperationEnded{Output: large}})
	if err == nil || !strings.Contains(err.Error(), "its output has 32770 bytes, at most 32768 are kept") {
		t.Errorf("got %v", err)
	}
	if _, err := EncodeEvent(Event{}); err == nil {
		t.Error("an event without a body was written")
	}
}

func FuzzDecodeEvent(f *testing.F) {
	for _, b := range bodies() {
		data, err := EncodeEvent(Event{Seq: 1, Body: b})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"type":"Observed@1","data":null}`))
	f.Add([]byte(`{"seq":01,"at":"2026-01-01T00:00:00Z","type":"TimerFired@1","data":{}}`))
	f.Add([]byte(`{"seq":1,"at":"2026-01-01T00:00:00Z","type":"TimerFired@1","data":{},"seq":2}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := DecodeEvent(data)
		if err != nil {
			return
		}
		if quick, ok := asWritten(data); ok {
			var read envelope
			if err := strictly(data, &read); err != nil {
				t.Fatalf("%s was taken apart, and is no event: %v", data, err)
			}
			if !quick.At.Equal(read.At) || quick.Seq != read.Seq || quick.Type != read.Type {
				t.Fatalf("%s was taken apart as %+v, and read as %+v", data, quick, read)
			}
		}
		again, err := EncodeEvent(e)
		if err != nil {
			return
		}
		if _, err := DecodeEvent(again); err != nil {
			t.Fatal(fmt.Errorf("%s: %w", again, err))
		}
	})
}

// bodies returns an empty body of every type.
func bodies() []Body {
	return []Body{
		&Started{}, &OwnerChanged{}, &StageChecked{}, &StageAskFailed{}, &WindowAnswered{}, &StepResolved{},
		&Observed{}, &AskFailed{}, &OperationStarted{}, &OperationEnded{}, &IssuesMatched{}, &ConditionAnswered{},
		&SoakObserved{}, &TimerFired{}, &Approved{}, &Rejected{}, &PersonDone{}, &Accepted{}, &PauseRequested{},
		&ResumeRequested{}, &CancelRequested{}, &RetryRequested{}, &Settled{}, &ReleaseRequested{},
		&RollbackRequested{}, &RollbackApproved{}, &AbortRequested{}, &Replanned{}, &UntilRequested{}, &ProbeChanged{},
	}
}
