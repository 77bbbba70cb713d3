package report

import (
	"fmt"
	"io"
	"path"
	"strings"
	"time"
)

// backupTime is how times are shown to people, always in UTC.
const backupTime = "2006-01-02 15:04 UTC"

// BackupListText writes what a store has for people. The error is that of w.
func BackupListText(w io.Writer, list []BackupInfo, opts TextOptions) error {
	p := newPage(w, opts)
	if len(list) == 0 {
		p.para(0, 0, plain("There are no backups. Steps with the action archive.backup make them."))
	}
	for i := range list {
		p.backup(&list[i])
	}
	return p.close()
}

// backup writes one backup of a list.
func (p *page) backup(b *BackupInfo) {
	p.para(0, 2, append([]span{in(Strong, b.ID), plain("  ")}, backupState(b)...)...)
	p.para(2, 2, plain(backupFacts(b)))
	if b.Kind != "" { // a path that is broken over lines cannot be copied
		p.line(2, []span{in(Muted, backupSource(b))})
	}
	if b.Problem != "" {
		p.para(2, 2, in(Danger, b.Problem))
	}
}

func backupState(b *BackupInfo) []span {
	switch b.State {
	case BackupProved:
		return []span{in(Good, provedHow(b.Proof.Level))}
	case BackupUnproved:
		return []span{in(Warn, "not proved")}
	case BackupIncomplete:
		return []span{in(Warn, "incomplete")}
	case BackupDamaged:
		return []span{in(Danger, "damaged")}
	default:
		return []span{plain(string(b.State))}
	}
}

// provedHow says what a level of proof is worth.
func provedHow(level int) string {
	how := [...]string{"", "read back", "parsed", "restored and counted"}
	return fmt.Sprintf("proved: %s (level %d)", how[min(max(level, 0), len(how)-1)], level)
}

// backupFacts says when it was made and how large it is.
func backupFacts(b *BackupInfo) string {
	if b.Kind == "" {
		return fmt.Sprintf("last written %s, %s stored", b.Written.UTC().Format(backupTime), sizeText(b.Stored))
	}
	text := fmt.Sprintf("made %s, %s, %s stored",
		b.Began.UTC().Format(backupTime), sizeText(b.Size), sizeText(b.Stored))
	if b.Encrypted {
		text += ", encrypted"
	}
	return text
}

func backupSource(b *BackupInfo) string {
	text := b.Kind + " " + b.Path
	if b.Host != "" {
		text += " of " + b.Host
	}
	return text
}

// sizeText writes a number of bytes for people.
func sizeText(n int64) string {
	const step = 1024
	if n < step {
		return fmt.Sprintf("%d B", n)
	}
	value, units := float64(n)/step, []string{"KiB", "MiB", "GiB", "TiB"}
	for value >= step && len(units) > 1 {
		value, units = value/step, units[1:]
	}
	return fmt.Sprintf("%.1f %s", value, units[0])
}

// BackupText writes everything of one backup for people. The error is that of w.
func BackupText(w io.Writer, b BackupDetail, opts TextOptions) error {
	p := newPage(w, opts)
	p.para(0, 2, append([]span{in(Heading, b.ID), plain("  ")}, backupState(&b.BackupInfo)...)...)
	p.blank()
	field := func(name, text string) {
		if text != "" {
			p.field(name, plain(text))
		}
	}
	field("Problem", b.Problem)
	field("Store", b.Store)
	if b.Kind != "" {
		field("Holds", backupSource(&b.BackupInfo))
		field("Without", strings.Join(b.Excluded, ", "))
		field("Counted", b.Counted)
		field("Made", fmt.Sprintf("%s, in %s",
			b.Began.UTC().Format(backupTime), b.Ended.Sub(b.Began).Round(time.Second)))
		field("By step", b.Step)
		field("Series", fmt.Sprintf("%s, number %d", b.Name, b.Sequence))
		field("Size", fmt.Sprintf("%s, %s stored in %s",
			sizeText(b.Size), sizeText(b.Stored), count(b.Parts, "part")))
		field("Encrypted", keyText(b.Recipients))
		field("Tools", strings.Join(b.Tools, ", "))
		field("Manifest", "sha256:"+b.Manifest[:min(len(b.Manifest), 12)])
	} else {
		field("Stored", sizeText(b.Stored)+", last "+b.Written.UTC().Format(backupTime))
	}
	for i := range b.Proofs {
		name := ""
		if i == 0 {
			name = "Proofs"
		}
		field(name, backupProofText(&b.Proofs[i]))
	}
	return p.close()
}

func keyText(recipients []string) string {
	if len(recipients) == 0 {
		return "no"
	}
	return strings.Join(recipients, " ")
}

func backupProofText(pr *BackupProof) string {
	text := pr.At.UTC().Format(backupTime) + ": " + strings.TrimPrefix(provedHow(pr.Level), "proved: ")
	if pr.Counted != "" {
		text += ", " + pr.Counted
	}
	if pr.Host != "" {
		text += ", on " + pr.Host
	}
	return text
}

// PruneText writes which backups go and which stay for people. The error is that
// of w.
func PruneText(w io.Writer, r PruneResult, opts TextOptions) error {
	p := newPage(w, opts)
	lines := func(title string, role Role, list []PruneLine) {
		if len(list) == 0 {
			return
		}
		p.para(0, 0, in(role, title))
		for i := range list {
			b := &list[i]
			p.para(2, 4, in(Strong, b.ID), in(Muted, "  "+backupFacts(&b.BackupInfo)))
			p.para(4, 4, plain(b.Why))
		}
	}
	lines("Stay", Good, r.Stays)
	lines("Go", Danger, r.Goes)
	switch {
	case len(r.Goes) == 0:
		p.para(0, 0, plain("Nothing goes."))
	case len(r.Removed) > 0:
		p.para(0, 0, plain(fmt.Sprintf("Removed %d of %s.", len(r.Removed), count(len(r.Goes), "backup"))))
	default:
		p.para(0, 0, plain(fmt.Sprintf("%s would go, and free %s. Nothing was removed.",
			count(len(r.Goes), "backup"), sizeText(r.Freed))))
	}
	return p.close()
}

// BackupVerifiedText says how well a backup was proved. The error is that of w.
func BackupVerifiedText(w io.Writer, id string, pr BackupProof, opts TextOptions) error {
	p := newPage(w, opts)
	text := ""
	if pr.Counted != "" {
		text += ": " + pr.Counted
	}
	p.para(0, 2, in(Strong, id), plain("  "), in(Good, provedHow(pr.Level)), plain(text))
	return p.close()
}

// RestoredText says what was brought back. The error is that of w.
func RestoredText(w io.Writer, r RestoreResult, opts TextOptions) error {
	p := newPage(w, opts)
	p.para(0, 2, in(Strong, r.Backup), plain(" was brought back: "+r.Counted))
	p.line(2, []span{plain("to " + r.Path)})
	if r.Kept != "" {
		p.para(0, 2, plain("What was there before is kept. When nobody needs it any more, remove"))
		p.line(2, []span{plain(path.Dir(r.Kept))})
	}
	return p.close()
}
