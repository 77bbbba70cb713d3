package run

import "time"

// Changed is the answer of an observation before an undo, a restore or a
// release when the target no longer shows what the step left. The other
// answers are those of the action contract, and are about the operation that
// is asked for: done before an undo means that it is already undone.
const Changed = "changed"

// observed judges an observation.
func (o *Operation) observed(e Observed, now time.Time, r rules, patient bool) {
	o.Asks, o.Cause = 0, ""
	o.keep(e.Artefacts)
	if r.readOnly {
		o.read(e, now, r, patient)
		return
	}
	switch e.Status {
	case "notStarted":
		o.untouched(e, now, r, patient)
	case "partial":
		o.half(e, now, r, patient)
	case "inProgress":
		o.poll(now, r)
	case "done":
		o.finish(e.Output, e.OutputArtefact)
	case "failed":
		o.fail(orElse(e.Reason, "Failed"), e.Message)
	case Changed:
		o.fail("TargetChanged", orElse(e.Message, "the target no longer shows what the step left"))
	default:
		o.doubt(orElse(e.Reason, "Unknown"), e.Message)
	}
}

// read judges the observation of a step that only reads: it is the attempt.
func (o *Operation) read(e Observed, now time.Time, r rules, patient bool) {
	switch e.Status {
	case "done":
		o.finish(e.Output, e.OutputArtefact)
	case "inProgress":
		o.poll(now, r)
	default:
		o.Failures++
		o.Reason, o.Message = orElse(e.Reason, "CheckFailed"), e.Message
		if e.Status == "unknown" {
			o.Reason = "Unknown"
		}
		o.Retryable = true
		o.again(now, r, patient)
	}
}

// untouched handles a world that is as before: the one state in which an
// attempt may begin, or begin again.
func (o *Operation) untouched(e Observed, now time.Time, r rules, patient bool) {
	o.Attempted, o.Half = false, false
	if o.What == Do {
		o.Before = nil // Nothing of ours is there: what counts is what is there now.
	}
	o.Deadline = time.Time{}
	if o.Unclear {
		o.again(now, r, patient)
		return
	}
	o.ready(e)
}

// half handles an effect of which some has happened and nothing is under way.
func (o *Operation) half(e Observed, now time.Time, r rules, patient bool) {
	o.Half = o.Attempted // What somebody else left is not ours to take back.
	switch {
	case !e.Resumable:
		o.fail(orElse(e.Reason, "Partial"), orElse(e.Message, "some of it was done, and the action cannot go on"))
	case o.Unclear:
		o.again(now, r, patient)
	default:
		o.ready(e)
	}
}

func (o *Operation) ready(e Observed) {
	o.Life = Starting
	if o.Before == nil {
		o.Before = e.Before
	}
}

func (o *Operation) poll(now time.Time, r rules) {
	if o.Deadline.IsZero() && r.timeout > 0 {
		o.Deadline = now.Add(r.timeout)
	}
	if !o.Deadline.IsZero() && !now.Before(o.Deadline) {
		o.Life = Polling
		o.expire(r)
		return
	}
	o.sleep(Polling, now.Add(pollEvery))
}

// ended judges the result of an attempt. Only a failure that certainly changed
// nothing may be followed by another attempt without a look at the world, and only when
// the target was there.
func (o *Operation) ended(e OperationEnded, now time.Time, r rules, patient bool) {
	o.keep(e.Artefacts)
	if e.OK {
		o.finish(e.Output, e.OutputArtefact)
		return
	}
	o.Reason, o.Message, o.Retryable = orElse(e.Reason, "Failed"), e.Message, e.Retryable
	if e.Extent == "none" && e.Cause == WaitCredentials {
		o.Attempted, o.Deadline = o.Half, time.Time{} // An earlier attempt may have left something.
		o.refuse(now, e.Message)
		return
	}
	o.Failures++
	if e.Extent == "none" {
		o.Attempted, o.Deadline = o.Half, time.Time{}
		if e.Cause == "" {
			o.again(now, r, patient)
			return
		}
	}
	o.Unclear = true
	o.Deadline = time.Time{}
	o.observe()
}

// keep remembers the newest evidence; all of it is in the history.
func (o *Operation) keep(evidence []Artefact) {
	if len(evidence) > 0 {
		o.Artefacts = evidence
	}
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
