package tui

import (
	"strings"

	"charm.land/bubbles/v2/viewport"
	tea "charm.land/bubbletea/v2"

	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/service"
)

// pane is a text that lies above the list of steps. The nil pane shows nothing.
type pane struct {
	// render writes the text for a width.
	render func(w *strings.Builder, opts report.TextOptions) error
	port   viewport.Model
	// gate is what the text asks about; nil when it asks for nothing.
	gate *report.ApprovalView
	// seen tells that the end of the text has been on the screen.
	seen bool
	// reload asks for the text again; nil for one that does not change.
	reload func(m *model) tea.Cmd
	// subject is what the text is about: when it is asked for again the reader stays
	// at the same place, or at its end.
	subject string
	// atEnd shows the end of the text first, else the line numbered offset; laid tells
	// that this was done.
	atEnd, laid bool
	offset      int
}

// stayAt shows the place of an earlier text about the same subject.
func (p *pane) stayAt(old *pane) {
	switch {
	case old == nil || old.subject == "" || old.subject != p.subject:
	case old.port.AtBottom() && old.port.TotalLineCount() > old.port.Height():
		p.atEnd = true
	default:
		p.atEnd, p.offset = false, old.port.YOffset()
	}
}

// resize lays the text out anew.
func (p *pane) resize(m *model) {
	if p == nil {
		return
	}
	opts := m.o.Text
	opts.Width = max(m.width, 1)
	var b strings.Builder
	if err := p.render(&b, opts); err != nil {
		b.WriteString(err.Error())
	}
	at := p.port.YOffset()
	if !p.laid {
		at = p.offset
	}
	p.port = viewport.New(viewport.WithWidth(m.width), viewport.WithHeight(m.paneHeight()))
	p.port.SetContent(strings.TrimRight(b.String(), "\n"))
	p.port.SetYOffset(at)
	if p.atEnd && !p.laid {
		p.port.GotoBottom()
	}
	p.laid = true
	p.seen = p.seen || p.port.AtBottom()
}

// details shows what there is to know of a step.
func (m *model) details(r *report.LiveRow) tea.Cmd {
	stage, step := r.Stage, r.Step
	return func() tea.Msg {
		d, err := m.o.Reader.Detail(m.ctx, m.o.Run, stage, step)
		return paneMsg{err: err, pane: &pane{
			subject: "details " + stage + "/" + step,
			render: func(b *strings.Builder, opts report.TextOptions) error {
				return report.StepDetailText(b, *d, opts)
			},
			reload: func(m *model) tea.Cmd { return m.details(&report.LiveRow{Stage: stage, Step: step}) },
		}}
	}
}

// logs shows what is kept of the step under the cursor.
func (m *model) logs() tea.Cmd {
	r := m.row()
	if r == nil || r.Step == "" {
		m.notice = notice{text: "choose a step first: its logs are shown then", role: report.Warn}
		return nil
	}
	return m.logsOf(r.Stage, r.Step)
}

// logsOf shows the logs of a step, those of one that is under way from their end.
func (m *model) logsOf(stage, step string) tea.Cmd {
	running := m.view.Running(stage, step)
	return func() tea.Msg {
		l, err := m.o.Reader.Logs(m.ctx, m.o.Run, stage, step)
		return paneMsg{err: err, pane: &pane{
			subject: "logs " + stage + "/" + step, atEnd: running,
			render: func(b *strings.Builder, opts report.TextOptions) error { return report.StepLogText(b, *l, opts) },
			reload: func(m *model) tea.Cmd { return m.logsOf(stage, step) },
		}}
	}
}

// gate shows what a gate asks for: the one under the cursor, else the first one
// that waits.
func (m *model) gate(kind string) tea.Cmd {
	if m.view == nil {
		return nil
	}
	q := service.GateQuery{Run: m.o.Run}
	gates := m.view.GatesOf(kind)
	if len(gates) > 0 {
		q.Stage, q.Name = gates[0].Stage, gates[0].Name
	}
	if r := m.row(); r != nil {
		for i := range gates {
			if gates[i].Stage == r.Stage && gates[i].Name == r.Step {
				q.Stage, q.Name = r.Stage, r.Step
			}
		}
	}
	return func() tea.Msg {
		a, err := m.o.Reader.Gate(m.ctx, q, kind)
		return paneMsg{err: err, pane: &pane{
			gate:   a,
			render: func(b *strings.Builder, opts report.TextOptions) error { return report.ApprovalText(b, *a, opts) },
		}}
	}
}

// paneKey takes a key for the text that is shown.
func (m *model) paneKey(k tea.KeyPressMsg) tea.Cmd {
	p := m.pane
	switch k.String() {
	case "esc", "q", "n", "left":
		m.pane = nil
		return nil
	case "r":
		if p.reload != nil {
			return p.reload(m)
		}
	case "home", "g":
		p.port.GotoTop()
	case "end", "G":
		p.port.GotoBottom()
	default:
		if p.gate != nil {
			if cmd, taken := m.gateKey(k.String()); taken {
				return cmd
			}
		}
		var cmd tea.Cmd
		p.port, cmd = p.port.Update(k)
		p.seen = p.seen || p.port.AtBottom()
		return cmd
	}
	p.seen = p.seen || p.port.AtBottom()
	return nil
}

// gateKey takes a key that decides about a gate. Nobody approves what they have
// not seen to its end.
func (m *model) gateKey(key string) (cmd tea.Cmd, taken bool) {
	a, person := m.pane.gate, m.pane.gate.Person()
	switch {
	case key == "y" && !m.pane.seen:
		m.notice = notice{text: "read it to its end first: page down shows more", role: report.Warn}
	case key == "y" && person:
		return m.askEvidence(a, a.Gate.Evidence, map[string]string{}), true
	case key == "y":
		return func() tea.Msg {
			_, err := m.o.Decider.Approve(m.ctx, a, "", "")
			return decidedMsg{text: "approved: " + a.Subject(), err: err}
		}, true
	case key == "x" && !person:
		m.prompt = newPrompt("Why is it refused?", "", func(m *model, text string) tea.Cmd {
			return func() tea.Msg {
				_, err := m.o.Decider.Reject(m.ctx, a, text)
				return decidedMsg{text: "refused: " + a.Subject(), err: err}
			}
		})
		return m.prompt.input.Focus(), true
	default:
		return nil, false
	}
	return nil, true
}

// askEvidence asks for one value after the other, and puts down that the work is
// done.
func (m *model) askEvidence(a *report.ApprovalView, names []string, got map[string]string) tea.Cmd {
	if len(names) == 0 {
		return func() tea.Msg {
			_, err := m.o.Decider.Done(m.ctx, a, got, "")
			return decidedMsg{text: "done: " + a.Gate.Stage + "/" + a.Gate.Name, err: err}
		}
	}
	m.prompt = newPrompt("What is "+names[0]+"?", "", func(m *model, text string) tea.Cmd {
		got[names[0]] = text
		return m.askEvidence(a, names[1:], got)
	})
	m.prompt.required = true
	return m.prompt.input.Focus()
}
