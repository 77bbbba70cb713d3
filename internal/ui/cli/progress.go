package cli

import (
	"fmt"
	"sync"

	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/service"
)

// progress shows what the service is doing: on a terminal as one line that is
// overwritten, with --verbose as one line each, else not at all. A nil
// progress shows nothing.
type progress struct {
	console  *console
	terminal bool

	mu    sync.Mutex
	shown bool
	// instead is called for each note while a screen is shown; else nil.
	instead func()
}

// newProgress returns the progress of a console.
func newProgress(c *console) *progress {
	_, terminal := c.app.Terminal(c.app.Stderr)
	return &progress{console: c, terminal: terminal && c.app.Getenv("TERM") != "dumb"}
}

// note shows one note.
func (p *progress) note(n service.Note) {
	text := oneLine(n.Text)
	if n.Total > 0 {
		text = fmt.Sprintf("%s (%d of %d)", text, n.Done, n.Total)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.instead != nil {
		p.instead()
		return
	}
	opts := p.console.textOptions(p.console.app.Stderr)
	switch {
	case p.console.verbose:
		_, _ = fmt.Fprintln(p.console.app.Stderr, opts.Style.Paint(report.Muted, text))
	case p.terminal:
		// Longer lines would wrap, and a wrapped line cannot be overwritten.
		if most := opts.Width - 1; len(text) > most {
			text = string([]rune(text)[:min(most, len([]rune(text)))])
		}
		_, _ = fmt.Fprintf(p.console.app.Stderr, "\r\x1b[K%s", opts.Style.Paint(report.Muted, text))
		p.shown = true
	}
}

// silence lets notes call a function and be shown nowhere, until it is called with
// nil.
func (p *progress) silence(instead func()) {
	p.clear()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.instead = instead
}

// clear removes the line on a terminal.
func (p *progress) clear() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		_, _ = fmt.Fprint(p.console.app.Stderr, "\r\x1b[K")
		p.shown = false
	}
}
