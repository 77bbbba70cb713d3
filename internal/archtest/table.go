package archtest

import "strings"

// row is one row of a Markdown table.
type row struct {
	Line  int
	Cells []string
}

// tables returns the rows of all tables of a Markdown file whose first column
// has the given heading, without their headings.
func (t *Tree) tables(name, heading string) []row {
	var rows []row
	wanted, inside := false, false
	for i, line := range t.lines(name) {
		cells, ok := splitRow(line)
		switch {
		case !ok:
			inside = false
		case !inside:
			inside, wanted = true, strings.EqualFold(cells[0], heading)
		case wanted && strings.Trim(cells[0], "-: ") != "":
			rows = append(rows, row{Line: i + 1, Cells: cells})
		}
	}
	return rows
}

// splitRow splits "| a | b |" into its cells.
func splitRow(line string) ([]string, bool) {
	line = strings.TrimSpace(line)
	if len(line) < 2 || line[0] != '|' || line[len(line)-1] != '|' {
		return nil, false
	}
	cells := strings.Split(line[1:len(line)-1], "|")
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	return cells, true
}

// quoted returns the texts between backticks of a cell.
func quoted(cell string) []string {
	var out []string
	for i, part := range strings.Split(cell, "`") {
		if i%2 == 1 {
			out = append(out, part)
		}
	}
	return out
}
