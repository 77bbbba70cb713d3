package run

import (
	"slices"
	"time"

	"github.com/refitproject/refit/internal/plan"
)

// Advance folds one event into the state. It is a function of its arguments
// only. It takes s over: on success only the returned State may be used; on an
// error s is as it was. The error is ErrInvalidTransition when the event cannot
// follow, ErrStale when nobody waits for the result any more, and ErrRefused
// when what a person asks for is not possible now.
func Advance(s State, e Event) (State, error) {
	if e.Seq != s.Seq+1 {
		return s, invalid("event %d follows event %d", e.Seq, s.Seq)
	}
	if _, first := e.Body.(*Started); first != (s.Status == Planned) {
		return s, invalid("event %d is %s in a run that is %s", e.Seq, typeName(e.Body), s.Status)
	}
	before := s.At
	now := e.At.UTC().Round(0)
	if now.Before(before) {
		now = before // Durations are never negative.
	}
	stage, idle := s.Stage, s.idle()
	s.At, s.was = now, before
	if err := s.dispatch(e.Body); err != nil {
		s.At = before
		return s, err
	}
	s.Seq = e.Seq
	if e.At.Before(before) {
		s.noteClock(before.Sub(e.At))
	}
	s.follow()
	if _, unwatched := e.Body.(*OwnerChanged); unwatched {
		idle = true
	}
	s.pass(stage, idle)
	return s, nil
}

// dispatch hands an event to the handler of its type. A handler checks first
// and changes then, so that an error leaves no trace.
//
//nolint:funlen // One line per type of event; gochecksumtype checks that none is missing.
func (s *State) dispatch(b Body) error {
	switch b := b.(type) {
	case *Started:
		return s.onStarted(b)
	case *OwnerChanged:
		return s.onOwnerChanged(b)
	case *StageChecked:
		return s.onStageChecked(b)
	case *StageAskFailed:
		return s.onStageAskFailed(b)
	case *WindowAnswered:
		return s.onWindowAnswered(b)
	case *StepResolved:
		return s.onStepResolved(b)
	case *Observed:
		return s.onObserved(b)
	case *AskFailed:
		return s.onAskFailed(b)
	case *OperationStarted:
		return s.onOperationStarted(b)
	case *OperationEnded:
		return s.onOperationEnded(b)
	case *IssuesMatched:
		return s.onIssuesMatched(b)
	case *ConditionAnswered:
		return s.onConditionAnswered(b)
	case *SoakObserved:
		return s.onSoakObserved(b)
	case *TimerFired:
		return s.onTimerFired(b)
	case *Approved:
		return s.onApproved(b)
	case *Rejected:
		return s.onRejected(b)
	case *PersonDone:
		return s.onPersonDone(b)
	case *Accepted:
		return s.onAccepted(b)
	case *PauseRequested:
		return s.onPauseRequested(b)
	case *ResumeRequested:
		return s.onResumeRequested(b)
	case *CancelRequested:
		return s.onCancelRequested(b)
	case *RetryRequested:
		return s.onRetryRequested(b)
	case *Settled:
		return s.onSettled(b)
	case *ReleaseRequested:
		return s.onReleaseRequested(b)
	case *RollbackRequested:
		return s.onRollbackRequested(b)
	case *RollbackApproved:
		return s.onRollbackApproved(b)
	case *Replanned:
		return s.onReplanned(b)
	case *UntilRequested:
		return s.onUntilRequested(b)
	case *ProbeChanged:
		return s.onProbeChanged(b)
	case *AbortRequested:
		return s.onAbortRequested(b)
	}
	return invalid("the event has no body")
}

// noteClock records that a clock went backwards.
func (s *State) noteClock(by time.Duration) {
	s.find(plan.Finding{
		Name: "clock", Outcome: plan.Warn, Reason: "ClockWentBack",
		Message: "the clock was " + by.String() + " earlier than the event before",
		Remedy:  "check the time service of the machine",
	})
}

// find records a finding, in place of one with the same name and stage. What
// was accepted before stays accepted while its acceptance counts.
func (s *State) find(f plan.Finding) {
	for _, a := range s.ix.plan.Accept {
		if a.Name == f.Name {
			f = a.LetPass(f, s.At)
		}
	}
	i := slices.IndexFunc(s.Findings, func(o plan.Finding) bool { return o.Name == f.Name && o.Stage == f.Stage })
	if i < 0 {
		s.Findings = append(s.Findings, f)
		return
	}
	if old := s.Findings[i].Accepted; old != nil && f.Accepted == nil {
		f = plan.Accept{Name: f.Name, Reason: old.Reason, By: old.By, Expires: old.Expires}.LetPass(f, s.At)
	}
	s.Findings[i] = f
}

// blocked returns the first finding that keeps a stage from its first step.
func (s *State) blocked(stage string) *plan.Finding {
	for i := range s.Findings {
		f := &s.Findings[i]
		if (f.Stage == stage || f.Stage == "") && f.Step == "" && f.Blocks() {
			return f
		}
	}
	return nil
}
