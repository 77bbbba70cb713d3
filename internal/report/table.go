package report

import (
	"strings"
)

// table is rows of cells under a header. Cells are wrapped so that the table
// fits the page.
type table struct {
	indent int
	header []string
	rows   [][][]span
}

// add appends a row.
func (t *table) add(cells ...[]span) { t.rows = append(t.rows, cells) }

// cell is a cell of one span.
func cell(role Role, text string) []span { return []span{in(role, text)} }

// write lays the table out on p.
func (t *table) write(p *page) {
	rows := make([][][]span, 0, len(t.rows)+1)
	if t.header != nil {
		head := make([][]span, len(t.header))
		for i, name := range t.header {
			head[i] = cell(Muted, name)
		}
		rows = append(rows, head)
	}
	for _, row := range t.rows {
		clean := make([][]span, len(row))
		for i := range row {
			clean[i] = p.clean(row[i])
		}
		rows = append(rows, clean)
	}
	widths := fit(naturalWidths(rows), p.width-t.indent)
	for _, row := range rows {
		t.writeRow(p, row, widths)
	}
}

// writeRow writes one row, as many lines as its highest cell has.
func (t *table) writeRow(p *page, row [][]span, widths []int) {
	cells := make([][][]span, len(row))
	height := 1
	for i := range row {
		cells[i] = layout(row[i], widths[i], widths[i])
		height = max(height, len(cells[i]))
	}
	for y := range height {
		var line []span
		for i, lines := range cells {
			used := 0
			if y < len(lines) {
				used = spansWidth(lines[y])
				line = append(line, lines[y]...)
			}
			line = append(line, plain(strings.Repeat(" ", max(0, widths[i]-used)+2)))
		}
		p.line(t.indent, line)
	}
}

// naturalWidths returns how wide every column would like to be.
func naturalWidths(rows [][][]span) []int {
	var widths []int
	for _, row := range rows {
		for i, spans := range row {
			if i == len(widths) {
				widths = append(widths, 2)
			}
			widths[i] = max(widths[i], spansWidth(spans))
		}
	}
	return widths
}

// fit takes columns from the widest ones, the rightmost first, until all fit
// with two blanks between them.
func fit(widths []int, avail int) []int {
	total := 2 * (len(widths) - 1)
	for _, w := range widths {
		total += w
	}
	for ; total > avail; total-- {
		widest := 0
		for i, w := range widths {
			if w >= widths[widest] {
				widest = i
			}
		}
		if len(widths) == 0 || widths[widest] <= 2 {
			break
		}
		widths[widest]--
	}
	return widths
}
