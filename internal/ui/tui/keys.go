package tui

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/refitproject/refit/internal/report"
)

// binding is a key and what it does.
type binding struct{ key, does string }

// bindings are the keys that do something now, the most useful first.
func (m *model) bindings() []binding {
	switch {
	case m.prompt != nil:
		return []binding{{"enter", "go on"}, {"esc", "back"}}
	case m.pane != nil:
		return m.paneBindings()
	case m.view == nil:
		return []binding{{"ctrl+c", "leave"}}
	}
	var out []binding
	if len(m.view.GatesOf("approval")) > 0 || m.view.AsksForRollback() {
		out = append(out, binding{"a", "approve"})
	}
	if len(m.view.GatesOf("person")) > 0 {
		out = append(out, binding{"d", "done"})
	}
	pause := "pause"
	if m.view.Paused() {
		pause = "go on"
	}
	out = append(out, binding{"p", pause}, binding{"l", "logs"}, binding{"enter", "details"}, binding{"/", "filter"})
	if !m.follow {
		out = append(out, binding{"f", "follow"})
	}
	out = append(out, binding{"?", "help"})
	switch {
	case m.stops > 1:
		return append([]binding{{"ctrl+c", "end"}}, out...)
	case m.stopping || m.stops > 0:
		return append([]binding{{"ctrl+c", "stop now"}}, out...)
	}
	return append(out, binding{"q", m.leaves()})
}

func (m *model) leaves() string {
	if m.o.Drives {
		return "stop"
	}
	return "leave"
}

func (m *model) paneBindings() []binding {
	var out []binding
	if a := m.pane.gate; a != nil {
		switch {
		case !m.pane.seen:
			out = append(out, binding{"pgdn", "read on"})
		case a.Person():
			out = append(out, binding{"y", "it is done"})
		default:
			out = append(out, binding{"y", "approve"})
		}
		if !a.Person() {
			out = append(out, binding{"x", "refuse"})
		}
	}
	if m.pane.reload != nil {
		out = append(out, binding{"r", "look again"})
	}
	return append(out, binding{"esc", "back"})
}

// keysLine names the keys, as many as there is room for.
func (m *model) keysLine() string {
	line, used := "", 0
	for i, b := range m.bindings() {
		text := b.key + " " + b.does
		if i > 0 {
			text = "   " + text
		}
		if used += ansi.StringWidth(text); used > m.width {
			break
		}
		gap := text[:len(text)-len(b.key)-1-len(b.does)]
		line += gap + m.paint(report.Strong, b.key) + " " + m.paint(report.Muted, b.does)
	}
	return line
}

// helpPane shows all keys.
func helpPane(m *model) *pane {
	stop := "Stop: what is under way ends first. A run that only waits is left as it is."
	interrupt := "First: as q. Second: stop what is under way, in order. Third: end the program."
	if !m.o.Drives {
		stop, interrupt = "Leave the view; the run goes on.", "The same."
	}
	keys := []report.LiveKey{
		{Keys: "up down k j", Text: "Move."},
		{Keys: "pgup pgdn", Text: "Move by a page; home and end, or g and G, to the ends."},
		{Keys: "f", Text: "Follow what goes on; moving ends that."},
		{Keys: "enter", Text: "Show what there is to know of a step; open or close a stage."},
		{Keys: "space", Text: "Open or close the stage."},
		{Keys: "l", Text: "Show the attempts of the step and what they wrote."},
		{Keys: "/", Text: "Show only steps whose name, action, phase or state has the words; esc shows all."},
		{Keys: "a", Text: "Show what waits for an approval; y approves exactly that, x refuses."},
		{Keys: "d", Text: "Show the work of a person that is waited for; y says that it is done."},
		{Keys: "p", Text: "Pause before the next step, and go on."},
		{Keys: "q", Text: stop},
		{Keys: "ctrl+c", Text: interrupt},
	}
	return &pane{render: func(b *strings.Builder, opts report.TextOptions) error {
		return report.LiveHelpText(b, keys, opts)
	}}
}
