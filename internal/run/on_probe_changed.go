package run

// onProbeChanged keeps a measurement. Nothing rests on it.
func (s *State) onProbeChanged(e *ProbeChanged) error {
	switch {
	case s.Status.Final():
		return refused("the run is %s", s.Status)
	case e.Probe == "" || e.Since.IsZero():
		return refused("a measurement names its probe and its time")
	}
	return nil
}
