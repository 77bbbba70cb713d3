package form

import (
	"charm.land/huh/v2"
	"charm.land/lipgloss/v2"
)

// theme uses the eight colours that every terminal has, as the rest of the command
// line does.
func theme(isDark bool) *huh.Styles {
	s := huh.ThemeBase(isDark)
	heading := lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Cyan)
	s.Group.Title = heading
	s.Focused.Title = lipgloss.NewStyle().Bold(true)
	s.Blurred.Title = lipgloss.NewStyle()
	muted := lipgloss.NewStyle().Faint(true)
	s.Focused.Description, s.Blurred.Description = muted, muted
	danger := lipgloss.NewStyle().Foreground(lipgloss.Red)
	s.Focused.ErrorMessage, s.Focused.ErrorIndicator = danger, danger.SetString(" *")
	s.Focused.SelectSelector = lipgloss.NewStyle().Foreground(lipgloss.Cyan).SetString("> ")
	s.Focused.TextInput.Prompt = lipgloss.NewStyle().Foreground(lipgloss.Cyan)
	s.Focused.TextInput.Placeholder = muted
	s.Blurred.TextInput.Placeholder = muted
	return s
}
