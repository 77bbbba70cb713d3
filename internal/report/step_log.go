package report

import (
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// StepLog is what is kept of a step: its attempts with what they gave back, and
// what the action wrote meanwhile.
type StepLog struct {
	Run     string     `json:"run"`
	Stage   string     `json:"stage"`
	Step    string     `json:"step"`
	Entries []LogEntry `json:"entries"`
	// Texts is what the action wrote while it was carried out.
	Texts []AttemptLog `json:"texts,omitempty"`
}

// LogEntry is one event about a step with its evidence.
type LogEntry struct {
	EventLine
	// Evidence is what came back, as a plain JSON value.
	Evidence any `json:"evidence,omitempty"`
}

// AttemptLog is what an action wrote while it was carried out.
type AttemptLog struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// AboutStep tells whether an event is about a step, and returns what it brought
// back.
func AboutStep(body run.Body, stage, step string) (evidence json.RawMessage, about bool) {
	ref := func(r run.Ref) bool { return r.Stage == stage && r.Step == step }
	gate := func(g run.GateRef) bool { return g.Stage == stage && (g.Step == step || g.Name == step) }
	switch b := any(body).(type) {
	case *run.StepResolved:
		return b.With, b.Stage == stage && b.Step == step
	case *run.Observed:
		return orJSON(b.Output, b.Before), ref(b.Op)
	case *run.AskFailed:
		return nil, ref(b.Op)
	case *run.OperationStarted:
		return b.Before, ref(b.Op)
	case *run.OperationEnded:
		return b.Output, ref(b.Op)
	case *run.IssuesMatched:
		return nil, ref(b.Op) && len(b.Issues) > 0
	case *run.ConditionAnswered:
		return b.Output, gate(b.Gate)
	case *run.Approved:
		return nil, gate(b.Gate)
	case *run.Rejected:
		return nil, gate(b.Gate)
	case *run.PersonDone:
		return b.Evidence, gate(b.Gate)
	case *run.RetryRequested:
		return nil, b.Stage == stage && b.Step == step
	case *run.ReleaseRequested:
		return nil, b.Stage == stage && b.Step == step
	case *run.Settled:
		return b.Output, ref(b.Op)
	case *run.TimerFired:
		return nil, ref(b.Timer.Op)
	default:
		return nil, false
	}
}

func orJSON(a, b json.RawMessage) json.RawMessage {
	if len(a) > 0 && string(a) != "null" {
		return a
	}
	return b
}

// NewLogEntry returns the entry of an event with its evidence.
func NewLogEntry(line EventLine, evidence json.RawMessage) LogEntry {
	e := LogEntry{EventLine: line}
	if len(evidence) > 0 && string(evidence) != "null" {
		if err := json.Unmarshal(evidence, &e.Evidence); err != nil {
			e.Evidence = string(evidence)
		}
	}
	return e
}

// StepLogText writes l for people. The error is that of w.
func StepLogText(w io.Writer, l StepLog, opts TextOptions) error {
	p := newPage(w, opts)
	p.para(0, 2, in(Heading, plan.StepPath(l.Stage, l.Step)), in(Muted, " of run "+l.Run))
	p.blank()
	if len(l.Entries) == 0 {
		p.para(0, 0, plain("Nothing has happened to this step yet."))
	}
	for i := range l.Entries {
		e := &l.Entries[i]
		p.para(0, 2, in(Muted, moment(e.At)+"  "), in(Strong, e.Where), plain("  "), in(e.role, e.Text))
		p.evidence(4, "", e.Evidence)
	}
	for _, a := range l.Texts {
		p.blank()
		p.para(0, 2, in(Heading, "What "+a.Name+" wrote"))
		for line := range strings.Lines(a.Text) {
			p.para(2, 4, plain(strings.TrimRight(line, "\r\n")))
		}
	}
	return p.close()
}

// evidence writes a JSON value: members in the order of their names, texts of
// several lines as they are.
func (p *page) evidence(indent int, name string, v any) {
	switch v := v.(type) {
	case nil:
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			p.evidence(indent, joined(name, k), v[k])
		}
	case string:
		lines := strings.Split(strings.TrimRight(v, "\n"), "\n")
		if len(lines) == 1 {
			if v != "" {
				p.para(indent, indent+2, in(Muted, name+": "), plain(v))
			}
			return
		}
		p.para(indent, indent+2, in(Muted, name+":"))
		for _, line := range lines {
			p.para(indent+2, indent+4, plain(line))
		}
	default:
		p.para(indent, indent+2, in(Muted, name+": "), plain(value(v)))
	}
}
