package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/refitproject/refit/internal/report"
)

// gutter is how many columns stand before each row, for the mark of the cursor.
const gutter = 2

// View implements tea.Model.
func (m *model) View() tea.View {
	if m.ended {
		return tea.NewView("")
	}
	lines, cursor := m.frame()
	v := tea.NewView(strings.Join(lines, "\n"))
	v.AltScreen, v.Cursor = true, cursor
	v.WindowTitle = "refit " + m.o.Run
	return v
}

// frame is the screen: as many lines as it is high, none wider than it is wide.
func (m *model) frame() (lines []string, cursor *tea.Cursor) {
	const least = 6
	if m.width == 0 || m.height == 0 {
		return nil, nil
	}
	if m.view == nil {
		text := "looking at run " + m.o.Run + " …"
		if m.err != nil {
			text = m.err.Error()
		}
		return m.fit([]string{text}), nil
	}
	head := m.head()
	keys := m.keysLine()
	if m.prompt != nil && m.notice.text != "" {
		keys = m.noticeLine() // The line above is typed in.
	}
	if m.height < least {
		return m.fit(append(head[:min(len(head), max(1, m.height-1))], keys)), nil
	}
	if m.pane != nil {
		lines = append(head[:1:1], m.rule(""))
		lines = append(lines, strings.Split(m.pane.port.View(), "\n")...)
		lines = m.pad(lines, m.height-2)
	} else {
		lines = append(head, m.rule(m.filtered()))
		lines = append(lines, m.list()...)
		lines = m.pad(lines, m.height-2-len(m.foot())-len(m.tail()))
		lines = append(append(lines, m.foot()...), m.tail()...)
	}
	if m.prompt != nil {
		question := m.prompt.question + " "
		m.prompt.input.SetWidth(max(1, m.width-ansi.StringWidth(question)-1))
		if cursor = m.prompt.input.Cursor(); cursor != nil {
			cursor.X += ansi.StringWidth(question)
			cursor.Y = m.height - 2
		}
		lines = append(lines, m.paint(report.Strong, m.prompt.question)+" "+m.prompt.input.View())
	} else {
		lines = append(lines, m.noticeLine())
	}
	return m.fit(append(lines, keys)), cursor
}

// rendered returns the lines of a text that internal/report writes.
func (m *model) rendered(width int, write func(b *strings.Builder, opts report.TextOptions) error) []string {
	opts := m.o.Text
	opts.Width = max(width, 1)
	var b strings.Builder
	if err := write(&b, opts); err != nil {
		return []string{err.Error()}
	}
	text := strings.TrimRight(b.String(), "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// now is the view of the run with the time of the screen, so that what lasts goes
// on between two looks.
func (m *model) now() *report.RunView {
	v := *m.view
	if now := m.o.Now(); now.After(v.Looked) {
		v.Looked = now
	}
	return &v
}

func (m *model) head() []string {
	return m.rendered(m.width, func(b *strings.Builder, opts report.TextOptions) error {
		return report.LiveHeadText(b, m.now(), opts)
	})
}

// foot is what stands below the rows: a third of the screen at most.
func (m *model) foot() []string {
	const share = 3
	return m.rendered(m.width, func(b *strings.Builder, opts report.TextOptions) error {
		return report.LiveFootText(b, m.now(), max(1, m.height/share), opts)
	})
}

// tail is the newest events, when there is room for them.
func (m *model) tail() []string {
	const small, large, few, many = 18, 30, 2, 4
	n := 0
	switch {
	case m.height >= large:
		n = many
	case m.height >= small:
		n = few
	}
	events := m.events[max(0, len(m.events)-n):]
	if len(events) == 0 {
		return nil
	}
	lines := []string{m.rule("")}
	for _, e := range events {
		lines = append(lines, m.rendered(m.width, func(b *strings.Builder, opts report.TextOptions) error {
			return report.LiveEventText(b, e, opts)
		})...)
	}
	return lines
}

// rowsHeight is how many rows the screen has room for.
func (m *model) rowsHeight() int {
	if m.view == nil || m.height == 0 {
		return 1
	}
	const others = 3 // a rule, the notice and the keys
	return max(1, m.height-len(m.head())-len(m.foot())-len(m.tail())-others)
}

// paneHeight is how many lines of a text the screen has room for.
func (m *model) paneHeight() int {
	const others = 4 // the run, a rule, the notice and the keys
	return max(1, m.height-others)
}

// list is the rows that are seen.
func (m *model) list() []string {
	v := m.now()
	height := m.rowsHeight()
	var lines []string
	for i := m.top; i < len(m.rows) && len(lines) < height; i++ {
		text := m.rendered(m.width-gutter, func(b *strings.Builder, opts report.TextOptions) error {
			return report.LiveRowText(b, v, &m.rows[i], opts)
		})
		mark := "  "
		if i == m.cursor {
			mark = m.paint(report.Strong, "> ")
		}
		lines = append(lines, mark+strings.Join(text, " "))
	}
	if len(m.rows) == 0 {
		lines = append(lines, m.paint(report.Muted, "  no step has "+m.filter+": escape shows all"))
	}
	return lines
}

// rule is a line across the screen, with a title in it if there is one.
func (m *model) rule(title string) string {
	stroke := "─"
	if m.o.Text.ASCII {
		stroke = "-"
	}
	text := ""
	if title != "" {
		text = stroke + stroke + " " + title + " "
	}
	return m.paint(report.Muted, text+strings.Repeat(stroke, max(0, m.width-ansi.StringWidth(text))))
}

// filtered says what is filtered, "" for nothing.
func (m *model) filtered() string {
	if m.filter == "" {
		return ""
	}
	return "filter: " + m.filter
}

func (m *model) noticeLine() string {
	switch {
	case m.notice.text != "":
		return m.paint(m.notice.role, oneLine(m.notice.text))
	case m.stops > 1:
		return m.paint(report.Warn, "stopping now; ctrl+c once more ends the program")
	case m.stopping:
		return m.paint(report.Warn, "stopping: what is under way goes on to its end; ctrl+c stops it now")
	case m.err != nil:
		return m.paint(report.Danger, "the run cannot be read: "+oneLine(m.err.Error()))
	}
	return ""
}

func oneLine(text string) string { return strings.Join(strings.Fields(ansi.Strip(text)), " ") }

func (m *model) paint(role report.Role, text string) string {
	if m.o.Text.Style == nil || text == "" {
		return text
	}
	return m.o.Text.Style.Paint(role, text)
}

// pad adds empty lines, or leaves lines out, so that there are n.
func (m *model) pad(lines []string, n int) []string {
	n = max(n, 0)
	for len(lines) < n {
		lines = append(lines, "")
	}
	return lines[:n]
}

// fit makes lines a screen: cut, and as many as it is high.
func (m *model) fit(lines []string) []string {
	for i, line := range lines {
		if ansi.StringWidth(line) > m.width {
			lines[i] = ansi.Truncate(line, m.width, "")
		}
	}
	return m.pad(lines, m.height)
}
