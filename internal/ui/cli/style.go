package cli

import "github.com/refitproject/refit/internal/report"

// ansiStyle paints with the eight colours that every terminal has, so that the
// reader's own colour scheme decides how they look.
type ansiStyle struct{}

var _ report.Style = ansiStyle{}

// Paint implements report.Style.
func (ansiStyle) Paint(role report.Role, text string) string {
	code := ansiCode(role)
	if code == "" || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// ansiCode returns the parameters of the SGR sequence of a role, "" for none.
func ansiCode(role report.Role) string {
	switch role {
	case report.Heading:
		return "1;36" // bold cyan
	case report.Strong:
		return "1" // bold
	case report.Muted:
		return "2" // faint
	case report.Add, report.Good:
		return "32" // green
	case report.Change:
		return "33" // yellow
	case report.Warn:
		return "1;33" // bold yellow
	case report.Danger:
		return "1;31" // bold red
	case report.Text:
		return ""
	default:
		return ""
	}
}
