package tui

import (
	tea "charm.land/bubbletea/v2"

	"github.com/refitproject/refit/internal/report"
)

// Update implements tea.Model.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
		m.pane.resize(m)
		m.arrange()
	case tickMsg:
		return m, m.ticked()
	case lookedMsg:
		m.looked(msg)
	case paneMsg:
		if msg.err != nil {
			m.fail(msg.err)
			break
		}
		msg.pane.stayAt(m.pane)
		m.pane = msg.pane
		m.pane.resize(m)
	case decidedMsg:
		if msg.err != nil {
			m.fail(msg.err)
			break
		}
		m.pane, m.notice, m.stale = nil, notice{text: msg.text, role: report.Good}, true
	case stoppingMsg:
		m.stopping = true
	case endMsg:
		m.ended = true
		return m, tea.Quit
	case tea.KeyPressMsg:
		return m, m.key(msg)
	case tea.PasteMsg:
		if m.prompt != nil {
			return m, m.prompt.update(msg)
		}
	}
	return m, nil
}

func (m *model) fail(err error) { m.notice = notice{text: err.Error(), role: report.Danger} }

// key takes a key: of what lies on top first.
func (m *model) key(k tea.KeyPressMsg) tea.Cmd {
	if k.String() == "ctrl+c" {
		return m.interrupt()
	}
	m.notice = notice{}
	switch {
	case m.prompt != nil:
		return m.promptKey(k)
	case m.pane != nil:
		return m.paneKey(k)
	}
	return m.listKey(k)
}

// interrupt passes an interrupt on that was typed. The terminal does not make a
// signal of it while it is shown.
func (m *model) interrupt() tea.Cmd {
	if !m.o.Drives {
		return tea.Quit
	}
	m.stops++
	const atOnce = 3
	if m.stops >= atOnce {
		m.last = true // It is passed on when the terminal was given back.
		return tea.Quit
	}
	interrupt := m.o.Interrupt
	return func() tea.Msg { interrupt(); return nil }
}

// leave ends the view. A run that this process drives is stopped in order.
func (m *model) leave() tea.Cmd {
	if !m.o.Drives {
		return tea.Quit
	}
	m.stopping = true
	leave := m.o.Leave
	return func() tea.Msg { leave(); return nil }
}

// listKey takes a key for the list of steps.
func (m *model) listKey(k tea.KeyPressMsg) tea.Cmd {
	if m.moves(k.String()) {
		return nil
	}
	switch k.String() {
	case "enter":
		if r := m.row(); r != nil && r.Step != "" {
			return m.details(r)
		}
		m.toggle()
	case "space", " ":
		m.toggle()
	case "l":
		return m.logs()
	case "a", "x":
		return m.gate("approval")
	case "d":
		return m.gate("person")
	case "p":
		return m.pause()
	case "/":
		m.prompt = newPrompt("Filter", m.filter, func(m *model, text string) tea.Cmd { m.setFilter(text); return nil })
		m.prompt.typed = (*model).setFilter
		return m.prompt.input.Focus()
	case "f":
		m.follow = true
		m.arrange()
	case "esc":
		m.setFilter("")
	case "?", "h":
		m.pane = helpPane(m)
		m.pane.resize(m)
	case "q":
		return m.leave()
	}
	return nil
}

// moves takes the keys that move the cursor, and tells whether this is one.
func (m *model) moves(key string) bool {
	page := max(1, m.rowsHeight()-2)
	by := map[string]int{
		"up": -1, "k": -1, "down": 1, "j": 1, "pgup": -page, "ctrl+b": -page, "pgdown": page, "ctrl+f": page,
		"home": -len(m.rows), "g": -len(m.rows), "end": len(m.rows), "G": len(m.rows),
	}
	n, ok := by[key]
	if !ok {
		return false
	}
	m.follow = false
	m.move(n)
	return true
}

// toggle opens or closes the stage under the cursor. What was folded because there
// is so much of it is opened.
func (m *model) toggle() {
	r := m.row()
	if r == nil {
		return
	}
	m.follow = false
	switch {
	case r.Kind == report.LiveFolded || !r.Open():
		m.fold[r.Stage] = report.FoldOpen
	default:
		m.fold[r.Stage] = report.FoldClosed
		for i := range m.rows { // The cursor stays on the title.
			if m.rows[i].Kind == report.LiveStage && m.rows[i].Stage == r.Stage {
				m.cursor = i
			}
		}
	}
	m.arrange()
}

// setFilter shows the steps that words find.
func (m *model) setFilter(text string) {
	m.filter = text
	if text != "" {
		m.follow, m.cursor, m.top = false, 0, 0
	}
	m.arrange()
}

// pause holds the run, or lets it go on.
func (m *model) pause() tea.Cmd {
	if m.view == nil {
		return nil
	}
	run := m.view.ID
	if m.view.Paused() {
		return func() tea.Msg {
			_, err := m.o.Decider.Resume(m.ctx, run, "")
			return decidedMsg{text: "the run goes on", err: err}
		}
	}
	return func() tea.Msg {
		_, err := m.o.Decider.Pause(m.ctx, run, "")
		return decidedMsg{text: "paused: what is under way goes on to its end; p goes on with the run", err: err}
	}
}
