package tui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/refitproject/refit/internal/report"
)

// Messages from outside of the terminal.
type (
	endMsg      struct{}
	stoppingMsg struct{}
	tickMsg     time.Time
	// lookedMsg is where the run stands, and how long it took to find that out.
	lookedMsg struct {
		view *report.RunView
		err  error
		took time.Duration
	}
	// paneMsg is a text that was asked for.
	paneMsg struct {
		pane *pane
		err  error
	}
	// decidedMsg is the answer to a decision.
	decidedMsg struct {
		text string
		err  error
	}
)

// model is what is on the screen.
type model struct {
	ctx context.Context //nolint:containedctx // The library has no other way for it.
	o   Options

	width, height int
	view          *report.RunView
	err           error
	events        []report.EventLine
	notice        notice
	stops         int  // interrupts that were typed
	stopping      bool // nothing new is begun any more
	last          bool // the last of them ends the program
	ended         bool

	rows   []report.LiveRow
	cursor int
	top    int
	follow bool
	fold   map[string]report.LiveFold
	filter string

	pane   *pane
	prompt *prompt
	// looking is set while somebody looks where the run stands; next is when that
	// may be done again.
	looking, stale bool
	next           time.Time
	said           string
	// stuck is the event at which the run was seen to be stuck, and since when.
	stuck      uint64
	stuckSince time.Time
}

// notice is one line about what was asked for last.
type notice struct {
	text string
	role report.Role
}

// newModel returns the screen before anything is known.
func newModel(ctx context.Context, o Options) *model {
	return &model{ctx: ctx, o: o, follow: true, fold: map[string]report.LiveFold{}, stale: true}
}

// Init implements tea.Model.
func (m *model) Init() tea.Cmd { return tea.Batch(m.look(), tick()) }

// tickEvery is how often the screen is drawn anew.
const tickEvery = 100 * time.Millisecond

func tick() tea.Cmd { return tea.Tick(tickEvery, func(t time.Time) tea.Msg { return tickMsg(t) }) }

// look finds out where the run stands.
func (m *model) look() tea.Cmd {
	m.looking, m.stale = true, false
	return func() tea.Msg {
		begin := m.o.Now()
		v, err := m.o.Reader.Status(m.ctx, m.o.Run)
		return lookedMsg{view: v, err: err, took: m.o.Now().Sub(begin)}
	}
}

// ticked draws what is new, and looks again when there is something to see. A look
// at a large run takes its time: a quarter of it at most is spent on looking, so that
// the run does not become much slower by being watched.
func (m *model) ticked() tea.Cmd {
	const calm = time.Second
	n := m.o.Feed.take()
	m.events = n.events
	if n.said != "" && n.said != m.said {
		m.said = n.said
		m.notice = notice{text: n.said, role: report.Warn}
	}
	now := m.o.Now()
	m.stale = m.stale || n.fresh || m.view == nil || now.Sub(m.view.Looked) > calm
	cmds := []tea.Cmd{tick()}
	if m.stale && !m.looking && !now.Before(m.next) {
		cmds = append(cmds, m.look())
	}
	if m.isStuck(now) {
		cmds = append(cmds, m.leave())
	}
	return tea.Batch(cmds...)
}

// isStuck tells once that the run that is driven has been stuck for a moment: the
// shell is where people type what it needs. For a moment, as a view may have been made
// between two events.
func (m *model) isStuck(now time.Time) bool {
	const moment = 2 * time.Second
	if !m.o.Drives || m.view == nil || !m.view.Stuck() || m.pane != nil || m.prompt != nil {
		m.stuck = 0
		return false
	}
	if m.stuck != m.view.Events {
		m.stuck, m.stuckSince = m.view.Events, now
		return false
	}
	if m.stuckSince.IsZero() || now.Sub(m.stuckSince) < moment {
		return false
	}
	m.stuckSince = time.Time{} // It is told already.
	return true
}

// looked takes over where the run stands.
func (m *model) looked(msg lookedMsg) {
	const rest = 3 // times as long as the look took
	m.looking = false
	m.next = m.o.Now().Add(msg.took * rest)
	if m.err = msg.err; msg.err == nil {
		m.view = msg.view
		m.arrange()
	}
}

// arrange makes the rows anew and keeps the cursor on the row where it was, or,
// while it follows the run, on what goes on.
func (m *model) arrange() {
	if m.view == nil {
		return
	}
	at := ""
	if m.cursor < len(m.rows) {
		at = m.rows[m.cursor].ID()
	}
	before := m.cursor
	m.rows = report.LiveRows(m.view, report.LiveOptions{Fold: m.fold, Filter: m.filter})
	m.cursor = -1
	for i := range m.rows {
		if m.follow && m.rows[i].Current || !m.follow && m.rows[i].ID() == at {
			m.cursor = i
			break
		}
	}
	if m.cursor < 0 {
		m.cursor = before
		if m.follow {
			m.cursor = m.lastReached()
		}
	}
	m.move(0)
}

// lastReached is the row where a run stands that has nothing under way: the title
// of the stage that it is in, or its last row.
func (m *model) lastReached() int {
	for i := range m.rows {
		if m.rows[i].Kind != report.LiveStage {
			continue
		}
		for j := range m.view.Stages {
			if s := &m.view.Stages[j]; s.ID == m.rows[i].Stage && s.Current {
				return i
			}
		}
	}
	return len(m.rows) - 1
}

// move moves the cursor by n rows, and the window with it.
func (m *model) move(n int) {
	m.cursor = max(0, min(m.cursor+n, len(m.rows)-1))
	height := m.rowsHeight()
	const margin = 2
	switch {
	case m.cursor < m.top+margin:
		m.top = m.cursor - margin
	case m.cursor >= m.top+height-margin:
		m.top = m.cursor - height + margin + 1
	}
	m.top = max(0, min(m.top, len(m.rows)-height))
}

// row is the row under the cursor; nil when there is none.
func (m *model) row() *report.LiveRow {
	if m.cursor < 0 || m.cursor >= len(m.rows) {
		return nil
	}
	return &m.rows[m.cursor]
}
