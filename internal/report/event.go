package report

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/refitproject/refit/internal/run"
)

// EventLine is one event for people and for programs: the event itself, with
// its number and its type, and what it says in plain words.
type EventLine struct {
	Run  string          `json:"run"`
	Seq  uint64          `json:"seq"`
	At   time.Time       `json:"at"`
	Type string          `json:"type"`
	Data json.RawMessage `json:"data"`
	// Where is the stage, the step or the operation, Text what happened.
	Where string `json:"where,omitempty"`
	Text  string `json:"text"`

	role Role
}

// BuildEvent returns the line of an event.
func BuildEvent(id string, e run.Event) (EventLine, error) {
	data, err := run.EncodeEvent(e)
	if err != nil {
		return EventLine{}, err
	}
	line := EventLine{Run: id}
	if err := json.Unmarshal(data, &line); err != nil {
		return EventLine{}, fmt.Errorf("show event %d of run %q: %w", e.Seq, id, err)
	}
	said := sayEvent(e.Body)
	line.Where, line.Text, line.role = said.where, said.text, said.role
	return line, nil
}

// EventText writes one event as one line; it is never wrapped, so that lines
// can be counted and searched. manyRuns puts the name of the run in front. The
// error is that of w.
func EventText(w io.Writer, l EventLine, manyRuns bool, opts TextOptions) error {
	opts.Width = 1 << 20
	p := newPage(w, opts)
	spans := []span{in(Muted, l.At.UTC().Format("2006-01-02 15:04:05")), plain("  ")}
	if manyRuns {
		spans = append(spans, in(Muted, l.Run), plain("  "))
	}
	if l.Where != "" {
		spans = append(spans, in(Strong, l.Where), plain("  "))
	}
	p.line(0, p.clean(append(spans, in(l.role, l.Text))))
	return p.close()
}

// said is what an event says.
type said struct {
	where, text string
	role        Role
}
