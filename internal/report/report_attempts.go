package report

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/refitproject/refit/internal/run"
)

// operation folds an event about an operation into its story.
func (b *reportBuilder) operation(e *Event) {
	switch body := any(e.Body).(type) {
	case *run.OperationStarted:
		o := b.story(body.Op)
		o.Attempts = append(o.Attempts, Attempt{Number: body.Attempt, Began: e.At, Outcome: OutcomeOpen})
		o.Outcome = OutcomeOpen
		o.add(e, body.Before, nil)
	case *run.OperationEnded:
		o := b.story(body.Op)
		o.ended(e, body)
		b.keep(body.Op, body.OK, body.Output)
		o.add(e, body.Output, withOutput(body.Artefacts, body.OutputArtefact))
	case *run.Observed:
		o := b.story(body.Op)
		o.observed(e, body)
		b.keep(body.Op, body.Status == "done", body.Output)
		o.add(e, orJSON(body.Output, body.Before), withOutput(body.Artefacts, body.OutputArtefact))
	case *run.AskFailed:
		b.story(body.Op).add(e, nil, nil)
	case *run.IssuesMatched:
		if o := b.story(body.Op); len(body.Issues) > 0 {
			o.add(e, nil, nil)
		}
	case *run.Settled:
		b.settled(e, body)
	case *run.OwnerChanged:
		for i := range b.out.Attempts {
			b.out.Attempts[i].lose()
		}
	}
}

// keep notes what an operation has handed back.
func (b *reportBuilder) keep(ref run.Ref, ok bool, output json.RawMessage) {
	if ok && len(output) > 0 {
		b.outputs[ref] = output
	}
}

// story returns the story of an operation, a new one at the first event.
func (b *reportBuilder) story(ref run.Ref) *OperationStory {
	i, ok := b.at[ref]
	if !ok {
		i = len(b.out.Attempts)
		b.at[ref] = i
		b.out.acted[ref.Stage+"/"+ref.Step] = true
		b.out.Attempts = append(b.out.Attempts, OperationStory{
			Ref: ref, Text: refText(ref), About: b.out.texts[ref.Stage+"/"+ref.Step], Outcome: OutcomeOpen,
		})
	}
	return &b.out.Attempts[i]
}

func (b *reportBuilder) settled(e *Event, body *run.Settled) {
	o := b.story(body.Op)
	o.add(e, body.Output, nil)
	b.keep(body.Op, body.Verdict == run.VerdictDone, body.Output)
	switch body.Verdict {
	case run.VerdictDone:
		o.Outcome = OutcomeDone
	case run.VerdictNotDone:
		o.Outcome = OutcomeFailed
	case run.VerdictRedo:
		o.Outcome = OutcomeOpen
	}
}

// add puts an event down with its evidence. Of very many the first and the last
// are kept.
func (o *OperationStory) add(e *Event, evidence json.RawMessage, artefacts []run.Artefact) {
	if o.Began.IsZero() {
		o.Began = e.At
	}
	o.Ended = e.At
	said := sayEvent(e.Body)
	if len(o.Entries) == mostEntries {
		const first = mostEntries / 4
		o.Entries = append(o.Entries[:first], o.Entries[first+1:]...)
		o.Omitted++
	}
	text, _ := clip(said.text, mostText)
	o.Entries = append(o.Entries, Entry{
		Seq: e.Seq, At: e.At, Text: text, Evidence: fieldsOf(evidence), Artefacts: artefacts, role: said.role,
	})
}

// last returns the attempt under way, or nil.
func (o *OperationStory) last() *Attempt {
	if n := len(o.Attempts); n > 0 {
		return &o.Attempts[n-1]
	}
	return nil
}

func (o *OperationStory) ended(e *Event, body *run.OperationEnded) {
	outcome := OutcomeFailed
	if body.OK {
		outcome = OutcomeDone
	}
	o.Outcome = outcome
	if a := o.last(); a != nil && a.Number == body.Attempt {
		a.Ended, a.Outcome = e.At, outcome
		a.Message, _ = clip(orText(body.Message, body.Reason), mostText)
	}
}

// observed judges a look: before an attempt it finds how things are, after one
// it says what came of it.
func (o *OperationStory) observed(e *Event, body *run.Observed) {
	outcome := OutcomeOpen
	switch body.Status {
	case "done":
		outcome = OutcomeDone
		if len(o.Attempts) == 0 {
			outcome = OutcomeFound
		}
	case "failed", "partial", "changed":
		outcome = OutcomeFailed
	case "unknown":
		outcome = OutcomeInDoubt
	case "inProgress":
		return
	}
	o.Outcome = outcome
	a := o.last()
	if a == nil || a.Outcome == OutcomeDone {
		return
	}
	if a.Ended.IsZero() {
		a.Ended = e.At
		if a.Outcome == OutcomeOpen {
			a.Outcome, a.Message = OutcomeLost, "its result never came; it was looked at afterwards"
		}
	}
	if outcome == OutcomeDone || outcome == OutcomeInDoubt {
		a.Outcome = outcome
	}
}

// lose marks an attempt whose process went away.
func (o *OperationStory) lose() {
	if a := o.last(); a != nil && a.Outcome == OutcomeOpen && a.Ended.IsZero() {
		a.Outcome, a.Message = OutcomeLost, "the process that drove the run went away; it was looked at afterwards"
	}
}

func withOutput(list []run.Artefact, output *run.Artefact) []run.Artefact {
	if output == nil {
		return list
	}
	return append(append([]run.Artefact{}, list...), *output)
}

// clip shortens text to at most limit bytes and tells how many are left out.
func clip(text string, limit int) (short string, more int) {
	if len(text) <= limit {
		return text, 0
	}
	short = strings.ToValidUTF8(text[:limit], "")
	return short, len(text) - len(short)
}

// fieldsOf flattens a JSON value: members in the order of their names, texts as
// they are, everything bounded.
func fieldsOf(data json.RawMessage) []Field {
	if len(data) == 0 || string(data) == "null" || string(data) == "{}" {
		return nil
	}
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		text, more := clip(string(data), mostText)
		return []Field{{Name: "value", Text: text, More: more}}
	}
	f := flattener{}
	f.add("", v)
	if f.left > 0 {
		f.fields = append(f.fields, Field{Name: "…", Text: count(f.left, "more value")})
	}
	return f.fields
}

type flattener struct {
	fields []Field
	left   int
}

func (f *flattener) add(name string, v any) {
	switch v := v.(type) {
	case nil:
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			f.add(joined(name, k), v[k])
		}
	case []any:
		if text := value(v); len(text) <= valueLimit {
			f.put(name, text)
			return
		}
		for i := range v {
			f.add(name+"["+strconv.Itoa(i)+"]", v[i])
		}
	case string:
		if v != "" {
			f.put(name, v)
		}
	default:
		f.put(name, value(v))
	}
}

func joined(name, key string) string {
	if name == "" {
		return key
	}
	return name + "." + key
}

func (f *flattener) put(name, text string) {
	if len(f.fields) == mostFields {
		f.left++
		return
	}
	short, more := clip(text, mostText)
	name, _ = clip(orText(name, "value"), valueLimit)
	f.fields = append(f.fields, Field{Name: name, Text: short, More: more})
}

// ArtefactsOf returns the evidence that is kept beside an event.
func ArtefactsOf(body run.Body) []run.Artefact {
	switch b := any(body).(type) {
	case *run.Observed:
		return withOutput(b.Artefacts, b.OutputArtefact)
	case *run.OperationEnded:
		return withOutput(b.Artefacts, b.OutputArtefact)
	default:
		return nil
	}
}
