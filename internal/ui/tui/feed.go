package tui

import (
	"sync"

	"github.com/refitproject/refit/internal/report"
)

// keptEvents is how many of the newest events are kept for the screen.
const keptEvents = 16

// Feed is where those who drive or watch a run tell what happens. It never blocks
// and keeps the newest events only: the screen is drawn at its own pace. It is safe
// for concurrent use.
type Feed struct {
	mu     sync.Mutex
	events []report.EventLine
	said   []string
	fresh  bool
}

// Event tells of an event of the run.
func (f *Feed) Event(l report.EventLine) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l.Data = nil // It may be large, and is not shown.
	if len(f.events) == keptEvents {
		f.events = append(f.events[:0], f.events[1:]...)
	}
	f.events = append(f.events, l)
	f.fresh = true
}

// Changed tells that something has changed that is no event, such as progress.
func (f *Feed) Changed() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fresh = true
}

// Say tells people something in one line that does not concern the steps.
func (f *Feed) Say(line string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.said = append(f.said, line)
}

// Said returns all that was said, for after the screen is gone.
func (f *Feed) Said() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.said...)
}

// news is what the feed has for the screen.
type news struct {
	events []report.EventLine
	said   string
	fresh  bool
}

// take returns what is new; fresh tells whether the run has to be looked at again.
func (f *Feed) take() news {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := news{events: append([]report.EventLine(nil), f.events...), fresh: f.fresh}
	if len(f.said) > 0 {
		n.said = f.said[len(f.said)-1]
	}
	f.fresh = false
	return n
}
