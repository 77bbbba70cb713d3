package run

import (
	"encoding/json"
	"time"

	"github.com/refitproject/refit/internal/plan"
)

// What an operation does.
type What string

// The operations. Check is a part of a rollback that changes nothing: it looks
// whether the facts are again as they were when the stage started.
const (
	Do      What = "do"
	Undo    What = "undo"
	Restore What = "restore"
	Release What = "release"
	Retake  What = "retake"
	Check   What = "check"
)

// Ref names an operation.
type Ref struct {
	What  What   `json:"what"`
	Stage string `json:"stage"`
	Step  string `json:"step,omitempty"`
	// Member is the key of a forEach member.
	Member string `json:"member,omitempty"`
	// Component is what a restore brings back; Step is then the backup.
	Component string `json:"component,omitempty"`
}

// Life is where an operation stands.
type Life string

// The lives of an operation. Asleep has not begun. Asking could not ask and
// tries again later. Polling found the effect under way. Resting waits before
// the next attempt. Matching has failed and looks for known issues. Mending has
// failed and waits for a remedy of the plan. Awaiting waits for a person who
// takes work of a person back.
const (
	Asleep    Life = ""
	Observing Life = "observing"
	Asking    Life = "asking"
	Starting  Life = "starting"
	Active    Life = "running"
	Polling   Life = "polling"
	Resting   Life = "resting"
	Matching  Life = "matching"
	Mending   Life = "mending"
	Awaiting  Life = "awaiting"
	InDoubt   Life = "inDoubt"
	Done      Life = "done"
	Broken    Life = "failed"
	Dropped   Life = "dropped"
)

// Operation is one effect on the world, with everything needed to go on with
// it after a crash.
type Operation struct {
	Ref
	// Key is the same for all attempts and owners.
	Key  string `json:"key"`
	Life Life   `json:"life,omitempty"`
	// Turn numbers the commands of this operation, so that late answers are
	// told from expected ones.
	Turn    int `json:"turn,omitempty"`
	Attempt int `json:"attempt,omitempty"`
	// Failures counts attempts that failed; attempts lost in a crash do not
	// count.
	Failures int `json:"failures,omitempty"`
	// Attempted is true from the start of an attempt until it is known that it
	// changed nothing.
	Attempted bool `json:"attempted,omitempty"`
	// Half is set while some of the effect is known to be there.
	Half bool `json:"half,omitempty"`
	// Unclear asks for an observation to be judged as the end of an attempt.
	Unclear   bool            `json:"unclear,omitempty"`
	Retryable bool            `json:"retryable,omitempty"`
	With      json.RawMessage `json:"with,omitempty"`
	Before    json.RawMessage `json:"before,omitempty"`
	Output    json.RawMessage `json:"output,omitempty"`
	// OutputArtefact is the output when it is too large to be here, WithArtefact
	// such an input.
	OutputArtefact *Artefact `json:"outputArtefact,omitempty"`
	WithArtefact   *Artefact `json:"withArtefact,omitempty"`
	// Remedy is the step that it waits for while Mending.
	Remedy string `json:"remedy,omitempty"`
	// Selection is what the step acts on, SelectionBy who approved it. A list of
	// more than the plan allows is cut behind the first that is too many.
	Selection   []Selected `json:"selection,omitempty"`
	SelectionBy string     `json:"selectionBy,omitempty"`
	// Acted is what any attempt was begun with: what is looked for after it, and
	// what the way back is about.
	Acted []Selected `json:"acted,omitempty"`
	// Artefacts are the evidence of what was looked at or tried last.
	Artefacts []Artefact `json:"artefacts,omitempty"`
	Reason    string     `json:"reason,omitempty"`
	Message   string     `json:"message,omitempty"`
	Cause     Wait       `json:"cause,omitempty"`
	// Asks counts attempts to ask that failed, in a row.
	Asks int `json:"asks,omitempty"`
	// Refused counts attempts whose credentials were not taken, in a row.
	Refused int `json:"refused,omitempty"`
	// Next is when a resting, asking or polling operation goes on.
	Next time.Time `json:"next,omitzero"`
	// Deadline is when the attempt times out.
	Deadline time.Time `json:"deadline,omitzero"`
	// Took is how long it was worked on, up to Counted, since when that is not
	// counted yet; zero while it waits. Untimed tells that some of it was not seen.
	Took    plan.Duration `json:"took,omitempty"`
	Counted time.Time     `json:"counted,omitzero"`
	Untimed bool          `json:"untimed,omitempty"`
}

// happened tells whether the operation changed the world or may have.
func (o *Operation) happened() bool { return o.Attempted }

// flying tells whether the operation has to be observed to its end.
func (o *Operation) flying() bool {
	switch o.Life {
	case Observing, Asking, Starting, Active, Polling, Resting, Matching, Mending:
		return true
	case Asleep, Awaiting, InDoubt, Done, Broken, Dropped:
		return false
	}
	return false
}

// rules are what the plan says about the attempts of an operation.
type rules struct {
	readOnly            bool
	attempts            int
	timeout             time.Duration
	backoff, maxBackoff time.Duration
}

// Delays between two looks at an effect under way, and after it was not
// possible to ask.
const (
	pollEvery = 5 * time.Second
	askFirst  = 2 * time.Second
	askMost   = 5 * time.Minute
)

func rulesOf(s *plan.Step, what What) rules {
	return rules{
		readOnly: s.Effect == "readOnly" && what == Do,
		attempts: max(s.Retry.Attempts, 1),
		timeout:  time.Duration(s.Timeout),
		backoff:  time.Duration(s.Retry.Backoff), maxBackoff: time.Duration(s.Retry.MaxBackoff),
	}
}

// doubled returns first·2ⁿ, at most most. A most of zero is no limit but a day.
func doubled(first time.Duration, n int, most time.Duration) time.Duration {
	if most <= 0 {
		most = 24 * time.Hour
	}
	d := first
	for range n {
		if d >= most {
			break
		}
		d *= 2
	}
	return min(d, most)
}

// observe asks for a look at the world.
func (o *Operation) observe() {
	o.Life = Observing
	o.Turn++
	o.Next = time.Time{}
}

// sleep lets the operation go on later.
func (o *Operation) sleep(life Life, at time.Time) {
	o.Life, o.Next = life, at
	o.Turn++
}

// askAgain handles "could not ask". An attempt that has failed meanwhile, because the
// target was away or did not take the credentials any more, is none that counts: the
// operation goes on from what is seen once it is possible to ask.
func (o *Operation) askAgain(now time.Time, cause Wait, message string) {
	if o.Unclear && o.Failures > 0 {
		o.Unclear = false
		o.Failures--
	}
	o.Cause, o.Message = cause, message
	o.sleep(Asking, now.Add(doubled(askFirst, o.Asks, askMost)))
	o.Asks++
}

// refuse handles an attempt whose credentials were not taken. It does not count: the
// operation waits for better ones, and goes on less and less often from what is seen then.
func (o *Operation) refuse(now time.Time, message string) {
	o.Cause, o.Message, o.Unclear = WaitCredentials, message, false
	o.sleep(Asking, now.Add(doubled(askFirst, o.Refused, askMost)))
	o.Refused++
}

// start begins an attempt. The zero before keeps what an earlier observation
// saw: the state before the first attempt is what undoing goes back to.
func (o *Operation) start(now time.Time, r rules, before json.RawMessage) {
	o.Life = Active
	o.Attempt++
	o.act()
	o.Attempted, o.Unclear = true, false
	if o.Before == nil {
		o.Before = before
	}
	o.Deadline = time.Time{}
	if r.timeout > 0 {
		o.Deadline = now.Add(r.timeout)
	}
}

// finish ends the operation well.
func (o *Operation) finish(output json.RawMessage, large *Artefact) {
	o.Life, o.Output, o.OutputArtefact = Done, output, large
	o.Reason, o.Message, o.Cause = "", "", ""
	o.Unclear = false
	o.Next, o.Deadline = time.Time{}, time.Time{}
}

// fail ends the operation; known issues are looked for next.
func (o *Operation) fail(reason, message string) {
	o.Life, o.Reason, o.Message = Matching, reason, message
	o.Unclear = false
	o.Next, o.Deadline = time.Time{}, time.Time{}
	o.Turn++
}

// doubt leaves the operation to a person.
func (o *Operation) doubt(reason, message string) {
	o.fail(reason, message)
	o.Life = InDoubt
}

// again decides, when it is known that nothing or a resumable part was done,
// whether another attempt follows. patient is false while the run ends: then
// nothing is repeated.
func (o *Operation) again(now time.Time, r rules, patient bool) {
	o.Unclear = false
	if !o.Retryable || !patient || o.Failures >= r.attempts {
		o.fail(o.Reason, o.Message)
		return
	}
	o.sleep(Resting, now.Add(doubled(r.backoff, o.Failures-1, r.maxBackoff)))
}

// expire ends an attempt that took too long. What it did is unclear.
func (o *Operation) expire(r rules) {
	if o.Life == Polling {
		if r.readOnly {
			o.fail("Timeout", "it was still under way after "+r.timeout.String())
			return
		}
		o.doubt("StillInProgress", "it was still under way after "+r.timeout.String())
		return
	}
	o.Failures++
	o.Unclear, o.Retryable = true, true
	o.Reason, o.Message = "Timeout", "it did not end within "+r.timeout.String()
	o.Deadline = time.Time{}
	o.observe()
}
