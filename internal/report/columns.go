package report

// columns are the widths of the first columns of rows that stand below one another.
// What is wider than its column is not cut: the row goes on behind it.
type columns []int

// fitting makes room for one more row; no column gets wider than its limit.
func (c columns) fitting(limits []int, texts ...string) columns {
	for len(c) < len(texts) {
		c = append(c, 0)
	}
	for i, text := range texts {
		if w := width(sanitize(text)); w > c[i] {
			c[i] = min(w, limits[i])
		}
	}
	return c
}

// columnsRow writes a row whose cells stand in columns, two blanks apart. It returns
// false and writes nothing when they do not fit into one line.
func (p *page) columnsRow(indent int, c columns, cells ...[]span) bool {
	var line []span
	for i, cell := range cells {
		cell = p.clean(cell)
		if i > 0 {
			line = append(line, plain("  "))
		}
		line = append(line, cell...)
		if i < len(c) && i < len(cells)-1 {
			line = append(line, plain(padRight("", c[i]-spansWidth(cell))))
		}
	}
	if spansWidth(line) > p.width-indent {
		return false
	}
	p.line(indent, line)
	return true
}
