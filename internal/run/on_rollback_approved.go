package run

func (s *State) onRollbackApproved(e *RollbackApproved) error {
	switch b := s.Back; {
	case b == nil || !b.waiting():
		return refused("no rollback waits for an approval")
	case e.By == "":
		return refused("nobody is named")
	case e.Digest != s.Digest:
		return refused("the approval is for plan %s, the run carries out %s", e.Digest, s.Digest)
	}
	s.Back.ApprovedBy = e.By
	return nil
}
