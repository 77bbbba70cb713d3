package run

import "time"

func (s *State) onSettled(e *Settled) error {
	f, err := s.locate(e.Op)
	// A person may also know what an operation has done that nobody can ask about.
	unasked := err == nil && f.op.Life == Asking && f.op.Attempted
	if err != nil || f.op.Life != InDoubt && !unasked {
		return refused("%s is not in doubt", e.Op.text())
	}
	if e.By == "" || e.Reason == "" {
		return refused("settling %s needs a person and a reason", e.Op.text())
	}
	switch e.Verdict {
	case VerdictDone:
		f.op.finish(e.Output, nil)
	case VerdictNotDone:
		f.op.Attempted = false
		f.op.fail("SettledNotDone", e.Reason)
		f.op.Life = Broken
	case VerdictRedo:
		f.op.Attempted, f.op.Half, f.op.Failures = false, false, 0
		f.op.Deadline = time.Time{}
		f.op.Life = Starting
		if e.Op.What == Do && (s.Cancelling || s.Back != nil || s.Aborting) {
			f.op.Life = Dropped
		}
	default:
		return refused("a verdict is done, notDone or redo, not %q", e.Verdict)
	}
	s.after(f)
	return nil
}
