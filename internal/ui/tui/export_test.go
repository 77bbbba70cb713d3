package tui

import (
	"context"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// Frame is the first screen of a view that has looked at its run.
func Frame(ctx context.Context, o Options, width, height int) string {
	m := newModel(ctx, o)
	_, _ = m.Update(tea.WindowSizeMsg{Width: width, Height: height})
	_, _ = m.Update(m.look()())
	lines, _ := m.frame()
	return strings.Join(lines, "\n")
}
