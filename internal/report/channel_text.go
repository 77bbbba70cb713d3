package report

// channels says which channels of notifications have something left to tell.
func (t *runText) channels() {
	if len(t.v.Channels) == 0 {
		return
	}
	t.blank()
	t.para(0, 2, in(Heading, "Not delivered"), plain(": messages about the run"))
	for _, c := range t.v.Channels {
		spans := []span{in(Strong, c.Name), plain(" " + count(c.Waiting, "message"))}
		if c.Trouble != "" {
			spans = append(spans, plain(": "), in(Warn, c.Trouble))
		}
		if !c.Tried.IsZero() {
			spans = append(spans, in(Muted, ", tried "+moment(c.Tried)+", fails since "+moment(c.Since)))
		}
		t.para(2, 4, spans...)
	}
}
