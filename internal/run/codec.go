package run

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	jsonv1 "github.com/go-json-experiment/json/v1"
)

// envelope is an event as it is written. Type carries the version of its form:
// "Observed@1".
type envelope struct {
	Seq  uint64          `json:"seq"`
	At   time.Time       `json:"at"`
	Type string          `json:"type"`
	Data json.RawMessage `json:"data"`
}

// maxEvent is the largest event that is written.
const maxEvent = 64 << 10

// MaxOutput is how many bytes the output of a step may have in an event. A
// larger one is an artefact.
const MaxOutput = 32 << 10

// EncodeEvent writes an event as JSON: {"seq", "at", "type", "data"}.
func EncodeEvent(e Event) ([]byte, error) {
	name := typeName(e.Body)
	if name == "" {
		return nil, errors.New("encode event: it has no body")
	}
	if n := outputSize(e.Body); n > MaxOutput {
		return nil, fmt.Errorf("encode event %s: its output has %d bytes, at most %d are kept: store it as an artefact",
			name, n, MaxOutput)
	}
	data, err := json.Marshal(e.Body)
	if err != nil {
		return nil, fmt.Errorf("encode event %s: %w", name, err)
	}
	// An envelope; that its data is JSON need not be found out again.
	const room = 96
	out := make([]byte, 0, len(data)+room)
	out = strconv.AppendUint(append(out, `{"seq":`...), e.Seq, 10)
	out, err = e.At.UTC().AppendText(append(out, `,"at":"`...))
	if err != nil {
		return nil, fmt.Errorf("encode event %s: %w", name, err)
	}
	out = append(append(out, `","type":"`...), name...)
	out = append(append(append(out, `@1","data":`...), data...), '}')
	if len(out) > maxEvent {
		return nil, fmt.Errorf("encode event %s: it has %d bytes, at most %d are kept: store the output as an artefact",
			name, len(out), maxEvent)
	}
	return out, nil
}

// outputSize returns how many bytes the output in an event has.
func outputSize(b Body) int {
	if e, ok := b.(*Observed); ok {
		return len(e.Output)
	}
	if e, ok := b.(*OperationEnded); ok {
		return len(e.Output)
	}
	if e, ok := b.(*ConditionAnswered); ok {
		return len(e.Output)
	}
	return 0
}

// DecodeEvent reads what EncodeEvent writes. A type or a version that it does
// not know is an error: an event is never skipped.
func DecodeEvent(data []byte) (Event, error) {
	env, ok := asWritten(data)
	if !ok {
		if err := strictly(data, &env); err != nil {
			return Event{}, fmt.Errorf("decode event: %w", err)
		}
	}
	name, version, _ := strings.Cut(env.Type, "@")
	body := newBody(name)
	if body == nil {
		return Event{}, fmt.Errorf("decode event %d: unknown type %q: a newer refit wrote it, use that one",
			env.Seq, env.Type)
	}
	if n, err := strconv.Atoi(version); err != nil || n != 1 {
		return Event{}, fmt.Errorf("decode event %d: unknown version of %q: a newer refit wrote it, use that one",
			env.Seq, env.Type)
	}
	if err := strictly(env.Data, body); err != nil {
		return Event{}, fmt.Errorf("decode event %d of type %s: %w", env.Seq, name, err)
	}
	return Event{Seq: env.Seq, At: env.At, Body: body}, nil
}

// asWritten takes an envelope apart that looks as EncodeEvent writes it, which is
// quicker than to read it; whatever looks otherwise is left alone. That the data is
// one JSON value is found out when it is read.
func asWritten(data []byte) (env envelope, ok bool) {
	number, rest, ok := between(data, `{"seq":`, `,"at":"`)
	if !ok {
		return env, false
	}
	at, rest, ok := between(rest, "", `","type":"`)
	if !ok {
		return env, false
	}
	name, rest, ok := between(rest, "", `","data":`)
	if !ok || len(rest) == 0 || rest[len(rest)-1] != '}' || bytes.ContainsAny(name, `"\`) {
		return env, false
	}
	env.Type, env.Data = string(name), json.RawMessage(rest[:len(rest)-1])
	if len(number) > 1 && number[0] == '0' || env.At.UnmarshalText(at) != nil {
		return env, false
	}
	var err error
	env.Seq, err = strconv.ParseUint(string(number), 10, 64)
	return env, err == nil
}

// between cuts what lies between two texts, and what follows the second.
func between(data []byte, before, after string) (inner, rest []byte, ok bool) {
	data, ok = bytes.CutPrefix(data, []byte(before))
	if !ok {
		return nil, nil, false
	}
	return bytes.Cut(data, []byte(after))
}

// strictly reads a JSON value as encoding/json does, and refuses members that it
// does not know and what follows the value. The other implementation of the same
// rules takes less than half of the time, and histories are long.
func strictly(data []byte, into any) error {
	return jsonv2.Unmarshal(data, into, jsonv1.DefaultOptionsV1(), jsonv2.RejectUnknownMembers(true))
}

// DecodeState reads a state that was written as JSON. Only the program that has
// written it can: a state is a copy of what the history says, not a form that is
// kept. It has no plan; see Resume and ResumeFrom.
func DecodeState(data []byte) (State, error) {
	var s State
	err := jsonv2.Unmarshal(data, &s, jsonv1.DefaultOptionsV1())
	return s, err
}

// typeName returns the name of the type of a body without its package.
func typeName(b Body) string {
	if b == nil {
		return ""
	}
	return strings.TrimPrefix(fmt.Sprintf("%T", b), "*run.")
}

// newBody returns an empty body of a type, or nil.
//
//nolint:funlen // One line per type.
func newBody(name string) Body {
	switch name {
	case "Started":
		return &Started{}
	case "OwnerChanged":
		return &OwnerChanged{}
	case "StageChecked":
		return &StageChecked{}
	case "StageAskFailed":
		return &StageAskFailed{}
	case "WindowAnswered":
		return &WindowAnswered{}
	case "StepResolved":
		return &StepResolved{}
	case "Observed":
		return &Observed{}
	case "AskFailed":
		return &AskFailed{}
	case "OperationStarted":
		return &OperationStarted{}
	case "OperationEnded":
		return &OperationEnded{}
	case "IssuesMatched":
		return &IssuesMatched{}
	case "ConditionAnswered":
		return &ConditionAnswered{}
	case "SoakObserved":
		return &SoakObserved{}
	case "TimerFired":
		return &TimerFired{}
	case "Approved":
		return &Approved{}
	case "Rejected":
		return &Rejected{}
	case "PersonDone":
		return &PersonDone{}
	case "Accepted":
		return &Accepted{}
	case "PauseRequested":
		return &PauseRequested{}
	case "ResumeRequested":
		return &ResumeRequested{}
	case "CancelRequested":
		return &CancelRequested{}
	case "RetryRequested":
		return &RetryRequested{}
	case "Settled":
		return &Settled{}
	case "ReleaseRequested":
		return &ReleaseRequested{}
	case "RollbackRequested":
		return &RollbackRequested{}
	case "RollbackApproved":
		return &RollbackApproved{}
	case "AbortRequested":
		return &AbortRequested{}
	case "Replanned":
		return &Replanned{}
	case "UntilRequested":
		return &UntilRequested{}
	case "ProbeChanged":
		return &ProbeChanged{}
	}
	return nil
}
