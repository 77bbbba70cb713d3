package report

import (
	"fmt"
	"io"
)

// PathsText writes the paths from one version to another, each as a line of
// hops with what they risk and require under it. The error is that of w.
func PathsText(w io.Writer, paths Paths, opts TextOptions) error {
	t := pathsText{page: newPage(w, opts)}
	t.para(0, 2, in(Heading, "Paths of "+paths.Product), plain(fmt.Sprintf(" from %s to %s", paths.From, paths.To)))
	t.blank()
	switch {
	case paths.NoPath != "":
		t.noPath(paths)
	case len(paths.Paths) == 0 || len(paths.Paths[0].Hops) == 0:
		t.para(2, 2, in(Good, "Both are the same version, there is nothing to do."))
	default:
		for i, path := range paths.Paths {
			t.path(i, path)
		}
	}
	return t.close()
}

// pathsText is one rendering of Paths.
type pathsText struct{ *page }

func (t *pathsText) noPath(paths Paths) {
	t.para(2, 4, in(Danger, "✗ "), plain(title(paths.NoPath)))
	if paths.Nearest != "" {
		t.para(4, 6, in(Muted, "Nearest version that can be reached: "), in(Strong, paths.Nearest))
	}
	if paths.Procedure != "" {
		t.para(4, 6, in(Muted, "Procedure that leads on: "), in(Strong, paths.Procedure))
	}
}

// path writes one path: its hops on one line, then each hop that has
// something to say.
func (t *pathsText) path(i int, path VersionPath) {
	risks := map[string]bool{}
	for _, hop := range path.Hops {
		for _, risk := range hop.Risks {
			risks[risk.Name] = true
		}
	}
	line := []span{in(Muted, fmt.Sprintf("%d. ", i+1)), in(Strong, path.Hops[0].From)}
	for _, hop := range path.Hops {
		arrow := " → "
		if hop.Kind == EdgeWaypoint {
			arrow = " → ◆"
		}
		line = append(line, plain(arrow), in(Strong, hop.To))
	}
	line = append(line, in(Muted, "  ("+count(len(path.Hops), "hop")+", "), riskCount(len(risks)), in(Muted, ")"))
	if i == 0 {
		line = append(line, in(Good, "  safest"))
	}
	t.para(2, 5, line...)
	for _, hop := range path.Hops {
		t.hop(hop)
	}
	t.blank()
}

func riskCount(n int) span {
	if n == 0 {
		return in(Good, "no risks")
	}
	return in(Warn, count(n, "risk"))
}

func (t *pathsText) hop(hop PathHop) {
	t.para(5, 7, in(Muted, string(hop.Kind)+" "), plain(hop.From+" → "+hop.To))
	for _, r := range hop.Risks {
		t.para(9, 11, in(Warn, "! "), in(Strong, r.Name), plain(": "+r.Summary), in(Muted, spaced(r.URL)))
		if r.Remedy != "" {
			t.para(11, 13, in(Muted, "Remedy: "), plain(r.Remedy))
		}
	}
	for _, r := range hop.Requires {
		spans := []span{
			in(Muted, "needs "),
			in(Strong, r.Name),
			plain(" " + r.Constraint),
			in(Muted, " (fact "+r.Fact+")"),
		}
		if r.Owner != "" {
			spans = append(spans, in(Muted, ", owner "+r.Owner))
		}
		t.para(9, 11, spans...)
	}
}

// spaced puts a blank before a text that is there.
func spaced(text string) string {
	if text == "" {
		return ""
	}
	return " " + text
}
