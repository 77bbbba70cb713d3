package yamledit

import (
	"bytes"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Edit makes changes in a document. It touches the lines of each change
// only where it can, so that people find nothing else in the difference; what
// it wrote is read again and must say what the change says. Where that does
// not succeed, the document is written anew with its comments and its order.
func Edit(data []byte, changes []Change) ([]byte, error) {
	for _, c := range changes {
		old, err := Parse(data)
		if err != nil {
			return nil, err
		}
		want, err := Parse(data)
		if err != nil {
			return nil, err
		}
		if err := c.apply(want); err != nil {
			return nil, fmt.Errorf("%s %s: %w", c.Verb, c.Path, err)
		}
		if text, ok := newText(data).change(old, c); ok {
			if got, err := Parse(text); err == nil && Same(got, want) && keepsComments(got, want) {
				data = text
				continue
			}
		}
		if data, err = encodeYAML(want); err != nil {
			return nil, err
		}
		got, err := Parse(data)
		if err != nil || !Same(got, want) {
			return nil, fmt.Errorf("%s %s: %w: other places use it by an anchor", c.Verb, c.Path, ErrNoPlace)
		}
		if !keepsComments(got, want) {
			return nil, fmt.Errorf("%s %s: %w: a comment near it would be lost", c.Verb, c.Path, ErrNoPlace)
		}
	}
	return data, nil
}

// text is a document as lines, each with its end.
type text struct{ lines []string }

func newText(data []byte) *text {
	t := &text{}
	for line := range strings.Lines(string(data)) {
		t.lines = append(t.lines, line)
	}
	if n := len(t.lines); n > 0 && !strings.HasSuffix(t.lines[n-1], "\n") {
		t.lines[n-1] += "\n"
	}
	return t
}

func (t *text) bytes() []byte { return []byte(strings.Join(t.lines, "")) }

// change makes a change in the lines. It may do nonsense with what it does not
// know, such as flow style; who calls it compares.
func (t *text) change(doc *yaml.Node, c Change) ([]byte, bool) {
	if c.Verb == "move" {
		return t.move(doc.Content[0], c)
	}
	parent := doc.Content[0]
	for i, part := range c.Path {
		child, err := find(parent, part)
		switch {
		case err != nil:
			return nil, false
		case child == nil: // put what is missing behind the other members
			return t.add(parent, c, i)
		case i < len(c.Path)-1:
			parent = child
		case c.Verb == "append":
			return t.extend(child, c.Value)
		case c.Verb == "delete":
			return t.cut(parent, part)
		default:
			return t.replace(parent, part, child, c.Value)
		}
	}
	return nil, false
}

// add puts a new pair behind the last one of a map.
func (t *text) add(parent *yaml.Node, c Change, from int) ([]byte, bool) {
	value := c.Value
	if c.Verb == "append" {
		value = []any{value}
	}
	for i := len(c.Path) - 1; i >= from; i-- {
		key, ok := c.Path[i].(string)
		if !ok {
			return nil, false
		}
		value = map[string]any{key: value}
	}
	if parent.Kind != yaml.MappingNode || parent.Style&yaml.FlowStyle != 0 || len(parent.Content) == 0 {
		return nil, false
	}
	first, last := parent.Content[0], parent.Content[len(parent.Content)-2]
	return t.splice(t.end(last.Line, first.Column), 0, value, first.Column-1)
}

// extend puts a new member behind the last one of a list.
func (t *text) extend(list *yaml.Node, value any) ([]byte, bool) {
	if list.Kind != yaml.SequenceNode || list.Style&yaml.FlowStyle != 0 || len(list.Content) == 0 {
		return nil, false
	}
	last := list.Content[len(list.Content)-1]
	return t.splice(t.end(last.Line, list.Column), 0, []any{value}, list.Column-1)
}

// cut removes a member, with the comment right above it.
func (t *text) cut(parent *yaml.Node, part any) ([]byte, bool) {
	if len(parent.Content) <= 2 { // nothing would be left to show what it is
		return nil, false
	}
	node, column := member(parent, part)
	start := node.Line - 1
	end := t.end(node.Line, column)
	if !t.begins(node.Line, column) {
		return nil, false
	}
	for n := strings.Count(node.HeadComment, "\n") + 1; node.HeadComment != "" && n > 0 && start > 0; n-- {
		if !strings.HasPrefix(strings.TrimSpace(t.lines[start-1]), "#") {
			break
		}
		start--
	}
	t.lines = append(t.lines[:start:start], t.lines[end:]...)
	return t.bytes(), true
}

// member returns the node at which a member of parent begins, and the column
// at which its siblings begin.
func member(parent *yaml.Node, part any) (*yaml.Node, int) {
	if i, ok := part.(int); ok {
		return parent.Content[i], parent.Column
	}
	for i := 0; i+1 < len(parent.Content); i += 2 {
		if parent.Content[i].Value == part {
			return parent.Content[i], parent.Content[i].Column
		}
	}
	return parent, parent.Column
}

// replace gives a member another value: within its line when both values are
// scalars of one line, else with all of its lines.
func (t *text) replace(parent *yaml.Node, part any, old *yaml.Node, value any) ([]byte, bool) {
	node := new(yaml.Node)
	if node.Encode(value) != nil {
		return nil, false
	}
	if node.Kind == yaml.ScalarNode && old.Kind == yaml.ScalarNode {
		if node.Style == 0 && node.ShortTag() == "!!str" && old.ShortTag() == "!!str" {
			node.Style = old.Style
		}
		if out, ok := t.word(old, node); ok {
			return out, true
		}
	}
	key, isKey := part.(string)
	name, column := member(parent, part)
	if !isKey || !t.begins(name.Line, column) {
		return nil, false
	}
	start := name.Line - 1
	return t.splice(start, t.end(name.Line, column)-start, map[string]any{key: value}, column-1)
}

// word replaces a scalar that stands within one line.
func (t *text) word(old, node *yaml.Node) ([]byte, bool) {
	written, err := yaml.Marshal(node)
	word := strings.TrimSuffix(string(written), "\n")
	if err != nil || strings.Contains(word, "\n") || old.Line < 1 || old.Line > len(t.lines) {
		return nil, false
	}
	line := []rune(t.lines[old.Line-1])
	if old.Column < 1 || old.Column > len(line) {
		return nil, false
	}
	head, rest := string(line[:old.Column-1]), string(line[old.Column-1:])
	length := wordLength(rest, old)
	if length == 0 {
		return nil, false
	}
	t.lines[old.Line-1] = head + word + rest[length:]
	return t.bytes(), true
}

// wordLength returns how long the scalar old at the beginning of rest is
// written, in bytes; 0 when it cannot be told.
func wordLength(rest string, old *yaml.Node) int {
	switch old.Style {
	case 0:
		if strings.HasPrefix(rest, old.Value) {
			return len(old.Value)
		}
	case yaml.SingleQuotedStyle:
		quoted := "'" + strings.ReplaceAll(old.Value, "'", "''") + "'"
		if strings.HasPrefix(rest, quoted) {
			return len(quoted)
		}
	case yaml.DoubleQuotedStyle:
		for i := 1; i < len(rest); i++ {
			switch rest[i] {
			case '\\':
				i++
			case '"':
				return i + 1
			}
		}
	default: // texts of several lines
	}
	return 0
}

// splice puts value, written with an indentation, in the place of count lines.
func (t *text) splice(at, count int, value any, indent int) ([]byte, bool) {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if enc.Encode(value) != nil || enc.Close() != nil || at > len(t.lines) || indent < 0 {
		return nil, false
	}
	var added []string
	for line := range strings.Lines(b.String()) {
		if strings.TrimSpace(line) != "" {
			line = strings.Repeat(" ", indent) + line
		}
		added = append(added, line)
	}
	behind := append(added, t.lines[at+count:]...)
	t.lines = append(t.lines[:at:at], behind...)
	return t.bytes(), true
}

// begins tells whether nothing stands before a column but the dash of a list.
func (t *text) begins(line, column int) bool {
	if line < 1 || line > len(t.lines) || column-1 > len(t.lines[line-1]) || column < 1 {
		return false
	}
	return strings.TrimSpace(t.lines[line-1][:column-1]) == ""
}

// end returns the number of the line behind a member that begins in line and
// whose siblings begin at column: all that is indented further is part of it,
// and so are lists that begin at the same column as their key.
func (t *text) end(line, column int) int {
	end := line
	for i := line; i < len(t.lines); i++ {
		text := strings.TrimSpace(t.lines[i])
		indent := len(t.lines[i]) - len(strings.TrimLeft(t.lines[i], " "))
		isItem := indent == column-1 && (text == "-" || strings.HasPrefix(text, "- ")) && !t.isItem(line, column)
		switch {
		case text == "":
			continue
		case indent > column-1 || isItem:
			end = i + 1
		default:
			return end
		}
	}
	return end
}

// isItem tells whether a member is one of a list.
func (t *text) isItem(line, column int) bool {
	text := t.lines[line-1]
	return column <= len(text) && strings.HasPrefix(text[column-1:], "-") && strings.TrimSpace(text[:column-1]) == ""
}
