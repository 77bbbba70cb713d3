package report

import (
	"io"
	"time"

	"github.com/refitproject/refit/internal/run"
)

// Verified is a history whose chain was checked from its first event to its last.
type Verified struct {
	Run      string     `json:"run"`
	Platform string     `json:"platform"`
	Status   run.Status `json:"status"`
	// File is where the history was read from; empty for the state folder.
	File   string    `json:"file,omitempty"`
	Plan   string    `json:"plan"`
	Events uint64    `json:"events"`
	First  time.Time `json:"first,omitzero"`
	Last   time.Time `json:"last,omitzero"`
	// Head is the hash of the chain at the last event.
	Head string `json:"head"`
	// Known is the head that was asked for, and the event that it stands at.
	Known *KnownHead `json:"known,omitempty"`
}

// KnownHead is a head of the chain that somebody knows from an approval or a
// report.
type KnownHead struct {
	Head string    `json:"head"`
	Seq  uint64    `json:"seq"`
	At   time.Time `json:"at"`
}

// VerifiedText writes v for people. The error is that of w.
func VerifiedText(w io.Writer, v Verified, opts TextOptions) error {
	p := newPage(w, opts)
	events := number(len64(v.Events))
	p.para(0, 2, in(Heading, "Run "+v.Run), plain(" "), in(Good, "verified"),
		plain(": the chain of its "+events+" events has no gap, and each event is as it was written"))
	p.blank()
	p.field("Platform", in(Strong, v.Platform))
	p.field("State", in(statusRole(v.Status), string(v.Status)))
	if v.File != "" {
		p.field("File", plain(v.File))
	}
	p.field("Plan", plain(v.Plan))
	if !v.First.IsZero() {
		p.field("Events", plain(moment(v.First)+" to "+moment(v.Last)))
	}
	p.field("Head", plain(v.Head))
	if k := v.Known; k != nil {
		p.field("Known head", in(Good, "event "+number(len64(k.Seq))+" of "+events+", "+moment(k.At)))
		return p.close()
	}
	p.blank()
	p.para(0, 0, in(Muted, "Compare the head with the one in a report or an approval, or let --head do it: the chain "+
		"shows damage; only a head that was noted elsewhere shows that it is the same history."))
	return p.close()
}
