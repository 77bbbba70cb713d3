package tui

import (
	"strings"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"github.com/refitproject/refit/internal/report"
)

// prompt is a line in which a person types.
type prompt struct {
	question string
	input    textinput.Model
	// given is called with what was typed, typed after each key; it may be nil.
	given func(m *model, text string) tea.Cmd
	typed func(m *model, text string)
	// before is what stood there when the typing began.
	before   string
	required bool
}

// newPrompt returns a prompt that begins with a text.
func newPrompt(question, text string, given func(m *model, text string) tea.Cmd) *prompt {
	in := textinput.New()
	in.Prompt = ""
	in.SetVirtualCursor(false)
	in.SetStyles(textinput.Styles{})
	in.SetValue(text)
	return &prompt{question: question, input: in, given: given, before: text}
}

func (p *prompt) update(msg tea.Msg) tea.Cmd {
	var cmd tea.Cmd
	p.input, cmd = p.input.Update(msg)
	return cmd
}

// promptKey takes a key for the line that is typed.
func (m *model) promptKey(k tea.KeyPressMsg) tea.Cmd {
	p := m.prompt
	switch k.String() {
	case "esc":
		m.prompt = nil
		if p.typed != nil {
			p.typed(m, p.before)
		}
		return nil
	case "enter":
		text := strings.TrimSpace(p.input.Value())
		if text == "" && p.required {
			m.notice = notice{text: "type something, or press escape", role: report.Warn}
			return nil
		}
		m.prompt = nil
		return p.given(m, text)
	}
	cmd := p.update(k)
	if p.typed != nil {
		p.typed(m, p.input.Value())
	}
	return cmd
}
