package sim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// Invariants says what is judged, by name. I1 to I10 are those of the house
// style; the others are promises of the design.
//
//nolint:lll // A row of the table is one line.
func Invariants() map[string]string {
	return map[string]string{
		"I1":         "a step starts only when all steps that it needs have ended well, were skipped by rule or accepted",
		"I2":         "nothing mutates before the checks of preflight are over and each that failed was accepted by a person",
		"I3":         "at most one attempt of a step is in flight",
		"I4":         "a key changes the world at most once unless it was observed in between that nothing, or a resumable part, was done",
		"I5":         "folding the history, read from JSON, gives the live state",
		"I6":         "a rollback undoes only what has happened, in the reverse order of what rests on it",
		"I7":         "an approval counts only for the digest of the stage and the facts for which it was given",
		"I8":         "after faults stop the run ends or waits for a named person or timer, and what Next names is accepted",
		"I9":         "no event contains a secret",
		"I10":        "pause and cancel take effect before the next mutating step",
		"covered":    "no damaging step without a proved backup of its stage that holds all that users have written",
		"restore":    "data is brought back from a proved backup, while nobody writes",
		"foreign":    "a value of somebody else is never replaced by taking something back",
		"selection":  "an action acts on what was listed and on nothing else; a look and the way back are about all that was acted on",
		"prior":      "what is put back is what was there before",
		"leases":     "what was taken is given back, or listed as held",
		"rollback":   "a rollback ends at the exact state before, or at a point of no return with a written remainder",
		"abort":      "a run whose way back was taken ends with the steps of the way back done",
		"doubt":      "a step in doubt is neither run nor passed over without an observation or a person",
		"order":      "phases begin in their order, and no more steps at once than permitted",
		"resource":   "one user of a resource at a time",
		"window":     "a step that changes things starts in an open window that fits it and the way back",
		"facts":      "no step of a stage starts while a fact or target is not as the plan expects or a finding blocks",
		"gate":       "no step starts before the gates of its stage have passed and the stage before has soaked",
		"bounded":    "the number of pending commands is bounded, and each has an ID of its own",
		"pending":    "the answer to a pending command can follow",
		"late":       "the answer to a command that is no longer pending does not count",
		"impossible": "what is said to be impossible in a state is refused",
		"epoch":      "an owner with an old epoch cannot take over",
		"panic":      "the core never panics",
		"refused":    "an event that is refused changes nothing",
	}
}

// judge keeps its own account of a run, from the events alone, and compares.
type judge struct {
	s       *sim
	encoded [][]byte
	was     moment
	// clear tells by key that an attempt may begin.
	clear map[string]bool
	// doubt are the operations that cannot be known.
	doubt  map[run.Ref]bool
	stages []account
	// paused and ending are what was asked for.
	paused, cancelled, aborted bool
	ids                        map[string]struct{}
	names                      []string
	// settled tells what a person let run again, last the time of the event before.
	settled map[run.Ref]bool
	partial map[string]bool
	// choices are the accounts of steps that pick out what they act on.
	choices map[string]*chosen
	last    time.Time
}

// account is what events say about a stage.
type account struct {
	facts    string
	changed  bool
	blocked  map[string]bool
	votes    map[string]map[string]bool
	window   *run.WindowAnswered
	entered  bool
	forever  bool
	soaked   time.Duration
	healthy  time.Time
	accepted map[string]bool
	// passed tells that its gates were passed before a replan, whose findings are about
	// those that come later.
	passed bool
	checks map[string]bool
}

func newJudge(s *sim) *judge {
	j := &judge{
		s: s, clear: map[string]bool{}, doubt: map[run.Ref]bool{}, settled: map[run.Ref]bool{},
		partial: map[string]bool{}, ids: map[string]struct{}{}, choices: map[string]*chosen{},
	}
	for range s.c.Plan.Stages {
		j.stages = append(j.stages, newAccount())
	}
	return j
}

func newAccount() account {
	return account{
		blocked: map[string]bool{}, votes: map[string]map[string]bool{},
		accepted: map[string]bool{}, checks: map[string]bool{},
	}
}

func breachf(name, format string, args ...any) error {
	return &BreachError{Name: name, Text: fmt.Sprintf(format, args...)}
}

// account returns the account of a stage; nil for a way back.
func (j *judge) account(stage string) *account {
	for i := range j.s.c.Plan.Stages {
		if j.s.c.Plan.Stages[i].ID == stage {
			return &j.stages[i]
		}
	}
	return nil
}

// before looks at the state that an event meets.
func (j *judge) before(e run.Event) { j.last = j.s.state.At; j.was = j.momentOf(e.Body) }

// after judges an event that was accepted.
func (j *judge) after(e run.Event) error {
	if j.s.world.broken != nil {
		return j.s.world.broken
	}
	data, err := run.EncodeEvent(e)
	if err != nil {
		return breachf("I5", "event %d cannot be written: %v", e.Seq, err)
	}
	if bytes.Contains(data, []byte(password)) {
		return breachf("I9", "event %d holds a secret", e.Seq)
	}
	j.encoded = append(j.encoded, data)
	if err := j.note(e); err != nil {
		return err
	}
	switch n := len(j.s.history); {
	case n%97 == 0:
		return j.offers()
	case n%61 == 0, n%3 == 0 && j.awaits():
		return j.impossible()
	}
	return nil
}

// note writes an event into the account, and judges the starts of attempts.
//
//nolint:gocognit // One case per type of event.
func (j *judge) note(e run.Event) error {
	//nolint:gochecksumtype // The others are not about this.
	switch b := e.Body.(type) {
	case *run.OperationStarted:
		return j.started(b)
	case *run.Observed:
		j.observed(b)
	case *run.OperationEnded:
		if b.Extent == "none" && !b.OK {
			j.clear[keyOf(b.Op)] = true
			if !j.partial[keyOf(b.Op)] {
				j.cleared(b.Op)
			}
		}
	case *run.Settled:
		delete(j.doubt, b.Op)
		j.settled[b.Op] = true
		if b.Verdict != run.VerdictDone {
			j.cleared(b.Op)
		}
		j.clear[keyOf(b.Op)] = b.Verdict == run.VerdictRedo
	case *run.StageChecked:
		j.checked(b)
	case *run.WindowAnswered:
		if a := j.account(b.Stage); a != nil {
			a.window, a.forever = b, false
		}
	case *run.Approved:
		return j.approved(b)
	case *run.RollbackApproved:
		if b.Digest != j.s.c.Plan.Digest {
			return breachf("I7", "a rollback was approved for another plan")
		}
	case *run.Accepted:
		for i := range j.stages {
			j.stages[i].accepted[b.Name] = true
			delete(j.stages[i].blocked, b.Name)
		}
	case *run.PersonDone:
		j.doneByHand(b)
	case *run.SoakObserved:
		j.soaked(b)
	case *run.TimerFired:
		if a := j.account(b.Timer.Gate.Stage); a != nil && b.Timer.Kind == run.TimerWindow && a.window != nil {
			a.forever = a.window.Open && a.window.OnClose == "finish" && a.entered
			if !a.forever {
				a.window = nil
			}
			if j.s.state.Aborting || j.s.state.Stage >= len(j.s.c.Plan.Stages) {
				j.aborted, j.paused = true, false
			}
		}
	case *run.PauseRequested:
		j.paused = true
	case *run.ResumeRequested, *run.RollbackRequested:
		j.paused = false
	case *run.CancelRequested:
		j.cancelled, j.paused = true, false
	case *run.AbortRequested:
		j.aborted, j.paused = true, false
	}
	return j.doubtful()
}

// doneByHand notes that the changes of a stage have begun.
func (j *judge) doneByHand(b *run.PersonDone) {
	in, a := j.s.world.infos[b.Gate.Stage+"/"+b.Gate.Step], j.account(b.Gate.Stage)
	if in != nil && a != nil && in.step.Effect == action.Mutating && in.step.Phase != plan.Prepare {
		a.entered = true
	}
}

func keyOf(r run.Ref) string {
	return string(r.What) + r.Stage + "/" + r.Step + "[" + r.Member + "]" + r.Component
}

func (j *judge) observed(b *run.Observed) {
	key := keyOf(b.Op)
	j.listed(b)
	if b.Status != "unknown" {
		j.partial[key] = b.Status == "partial"
	}
	j.clear[key] = b.Status == "notStarted" || b.Status == "partial" && b.Resumable
	delete(j.doubt, b.Op)
	in := j.s.world.info(b.Op)
	if in.step.Effect == action.ReadOnly {
		if a := j.account(b.Op.Stage); a != nil {
			a.checks[in.step.ID] = b.Status == "done"
		}
		return
	}
	if b.Status == "unknown" {
		j.doubt[b.Op] = true
	}
}

// doubtful judges that what cannot be known is in doubt, and stays it.
func (j *judge) doubtful() error {
	for ref := range j.doubt {
		if op := j.findOperation(ref); op != nil && op.Life != run.InDoubt && op.Life != run.Observing {
			return breachf("doubt", "%s %s/%s cannot be known and is %q", ref.What, ref.Stage, ref.Step, op.Life)
		}
	}
	return nil
}

// findOperation returns the operation that ref names as the state has it.
func (j *judge) findOperation(ref run.Ref) *run.Operation {
	s := &j.s.state
	if b := s.Back; b != nil && !s.Status.Final() && b.Built && b.Next < len(b.Items) && b.Items[b.Next].Ref == ref {
		return &b.Items[b.Next]
	}
	in := j.s.world.info(ref)
	if in == nil || ref.What != run.Do && ref.What != run.Release {
		return nil
	}
	st := &s.Stages[in.at.Stage].Steps[in.at.Step]
	if ref.What == run.Release {
		if st.Lease != nil && st.Lease.Op.Ref == ref {
			return &st.Lease.Op
		}
		return nil
	}
	for n := range st.Ops {
		if st.Ops[n].Ref == ref {
			return &st.Ops[n]
		}
	}
	return nil
}

func (j *judge) checked(b *run.StageChecked) {
	a := j.account(b.Stage)
	if b.Back || a == nil {
		return
	}
	if a.facts != b.Facts {
		a.votes = map[string]map[string]bool{}
	}
	a.facts, a.changed = b.Facts, len(b.Changed) > 0
	for _, f := range b.Findings {
		delete(a.blocked, f.Name)
		if (f.Outcome == plan.Fail || f.Outcome == plan.UnknownOutcome) && !a.accepted[f.Name] {
			a.blocked[f.Name] = true
		}
	}
}

// approved counts an approval, and judges that it is for what stands.
func (j *judge) approved(b *run.Approved) error {
	j.approvedList(b)
	a := j.account(b.Gate.Stage)
	if a == nil {
		return nil
	}
	i := slices.IndexFunc(j.s.c.Plan.Stages, func(st plan.Stage) bool { return st.ID == b.Gate.Stage })
	if b.Digest != j.s.c.Plan.Stages[i].Digest || b.Facts != a.facts {
		return breachf("I7", "an approval for digest %s and facts %s counted", b.Digest, b.Facts)
	}
	name := b.Gate.Step + "/" + b.Gate.Name
	if a.votes[name] == nil {
		a.votes[name] = map[string]bool{}
	}
	a.votes[name][b.By] = true
	return nil
}

func (j *judge) soaked(b *run.SoakObserved) {
	a := j.account(b.Gate.Stage)
	if a == nil || b.Gate.Step != "" {
		return
	}
	i := slices.IndexFunc(j.s.c.Plan.Stages, func(st plan.Stage) bool { return st.ID == b.Gate.Stage })
	at := j.s.state.At
	switch gap := at.Sub(a.healthy); {
	case !b.Healthy:
		a.soaked, a.healthy = 0, time.Time{}
	case a.healthy.IsZero():
		a.healthy = at
	default:
		if gap <= time.Duration(j.s.c.Plan.Stages[i].Soak.MaxGap) {
			a.soaked += gap
		}
		a.healthy = at
	}
}

// pending judges the commands of the state.
func (j *judge) pending(commands []run.Command) error {
	clear(j.ids)
	j.names = j.names[:0]
	looks := 0
	for _, c := range commands {
		id := c.ID()
		if _, twice := j.ids[id]; twice {
			return breachf("bounded", "two commands are called %q", id)
		}
		j.ids[id] = struct{}{}
		j.names = append(j.names, id)
		//nolint:gochecksumtype // The others are not about this.
		switch t := c.(type) {
		case run.ObserveOperation:
			if err := j.about(id, t.Op, t.Attempted, false, t.Selection); err != nil {
				return err
			}
		case run.PerformOperation:
			if err := j.about(id, t.Op, true, true, t.Selection); err != nil {
				return err
			}
		case run.EvaluateCondition, run.ObserveSoak:
			looks++
		case run.Timer:
			if t.Timer.Kind == run.TimerGate {
				looks++
			}
		}
	}
	if most := 2*(j.s.state.Parallel+len(j.settled)) + looks + 3; len(commands) > most {
		return breachf("bounded", "%d commands are pending, at most %d should be", len(commands), most)
	}
	return nil
}

// reload judges that what is stored gives the live state (I5): the history from
// its first event now and then, the state through JSON always.
func (j *judge) reload() error {
	s := j.s
	if s.state.Status == run.Planned {
		return nil
	}
	if s.d.oneIn(16) {
		return j.fold()
	}
	data, err := json.Marshal(s.state)
	if err != nil {
		return breachf("I5", "the state cannot be written: %v", err)
	}
	back, err := run.DecodeState(data)
	if err != nil {
		return breachf("I5", "the state cannot be read: %v", err)
	}
	if back, err = run.ResumeFrom(s.source, back); err != nil {
		return breachf("I5", "the state cannot be resumed: %v", err)
	}
	s.state = back
	return nil
}

func (j *judge) fold() error {
	s := j.s
	folded := run.WithPlans(run.New(s.first, runID), s.source)
	for i, data := range j.encoded {
		e, err := run.DecodeEvent(data)
		if err != nil {
			return breachf("I5", "event %d cannot be read: %v", i+1, err)
		}
		if folded, err = run.Advance(folded, e); err != nil {
			return breachf("I5", "event %d cannot be folded: %v", i+1, err)
		}
	}
	live, err := json.Marshal(s.state)
	if err != nil {
		return breachf("I5", "the state cannot be written: %v", err)
	}
	again, err := json.Marshal(folded)
	if err != nil || !bytes.Equal(live, again) {
		return breachf("I5", "the fold differs from the live state:\n%s\n%s", live, again)
	}
	s.state = folded
	return nil
}

// offers judges that what Next names is accepted (I8).
func (j *judge) offers() error {
	for _, n := range run.Summarize(j.s.state).Next {
		body := j.s.request(n)
		if body == nil {
			return breachf("I8", "nobody knows how to %s %v", n.Verb, n.Args)
		}
		copied, err := j.s.state.Clone()
		if err != nil {
			return breachf("I5", "%v", err)
		}
		e := run.Event{Seq: copied.Seq + 1, At: j.s.clock(), Body: body}
		if _, err := run.Advance(copied, e); err != nil && !errors.Is(err, run.ErrInvalidTransition) {
			return breachf("I8", "%s %v is named, and then: %v", n.Verb, n.Args, err)
		} else if err != nil {
			return breachf("I8", "%s %v is named, and cannot follow: %v", n.Verb, n.Args, err)
		}
	}
	return nil
}
