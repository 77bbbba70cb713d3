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
	if len(seen) != 27 {
		t.Errorf("%d types of events have names of their own, want 27", len(seen))
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ in, want string }{
		"UnknownType":    {`{"seq":1,"at":"2026-01-01T00:00:00Z","type":"Teleported@1","data":{}}`, `unknown type "Teleported@1"`},
		"UnknownVersion": {`{"seq":1,"at":"2026-01-01T00:00:00Z","type":"Observed@2","data":{}}`, `unknown version of "Observed@2"`},
		"NoVersion":      {`{"seq":1,"at":"2026-01-01T00:00:00Z","type":"Observed","data":{}}`, `unknown version of "Observed"`},
		"UnknownMember":  {`{"seq":1,"at":"2026-01-01T00:00:00Z","type":"TimerFired@1","data":{"x":1}}`, `unknown field "x"`},
		"Twice":          {`{"seq":1,"at":"2026-01-01T00:00:00Z","type":"TimerFired@1","data":{}} {}`, `something follows`},
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
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := DecodeEvent(data)
		if err != nil {
			return
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
