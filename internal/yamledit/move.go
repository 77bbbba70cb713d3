package yamledit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/refitproject/refit/internal/action"
)

// pair is a key with its value, and the map that holds both.
type pair struct {
	parent     *yaml.Node
	key, value *yaml.Node
}

// chain returns the pairs on the way to a key, from the top.
func chain(root *yaml.Node, path action.Path) ([]pair, error) {
	var pairs []pair
	node := root
	for _, part := range path {
		child, err := find(node, part)
		if err != nil {
			return nil, err
		}
		if child == nil {
			return nil, fmt.Errorf("%w: it is not there", ErrNoPlace)
		}
		p := pair{parent: node, value: child}
		if _, isKey := part.(string); isKey {
			p.key, _ = member(node, part)
		}
		pairs, node = append(pairs, p), child
	}
	return pairs, nil
}

// checkMove refuses what is no move from one key to another.
func (c Change) checkMove() error {
	for _, path := range []action.Path{c.Path, c.To} {
		if len(path) == 0 {
			return fmt.Errorf("%w: a path is empty", ErrNoPlace)
		}
		if _, isKey := path[len(path)-1].(string); !isKey {
			return fmt.Errorf("%w: only keys of maps are moved, not members of lists", ErrNoPlace)
		}
	}
	return nil
}

// move moves a key in the tree, with its comments.
func (c Change) move(root *yaml.Node) error {
	if err := c.checkMove(); err != nil {
		return err
	}
	pairs, err := chain(root, c.Path)
	if err != nil {
		return err
	}
	from := pairs[len(pairs)-1]
	name := new(yaml.Node)
	if err := name.Encode(c.To[len(c.To)-1]); err != nil {
		return err
	}
	if c.within() {
		if old, err := find(from.parent, c.To[len(c.To)-1]); err != nil || old != nil {
			return fmt.Errorf("%w: there is a key %s already", ErrNoPlace, c.To)
		}
		from.key.Value, from.key.Style, from.key.Tag = name.Value, name.Style, name.Tag
		return nil
	}
	key := *from.key
	key.Value, key.Style, key.Tag = name.Value, name.Style, name.Tag
	remove(from.parent, c.Path[len(c.Path)-1])
	if err := c.attach(root, &key, from.value); err != nil {
		return err
	}
	for i := len(pairs) - 2; i >= 0; i-- {
		p := pairs[i]
		if p.key == nil || p.value.Kind != yaml.MappingNode || len(p.value.Content) > 0 || p.value.Anchor != "" {
			break
		}
		// What was said of a map that goes is said of what was in it.
		said := []string{p.key.HeadComment, p.key.LineComment, p.value.HeadComment, key.HeadComment}
		said = slices.DeleteFunc(said, func(text string) bool { return text == "" })
		key.HeadComment = strings.Join(said, "\n")
		removePair(p.parent, p.key)
	}
	return nil
}

// removePair removes a pair by its key node.
func removePair(parent, key *yaml.Node) {
	for i := 0; i+1 < len(parent.Content); i += 2 {
		if parent.Content[i] == key {
			parent.Content = slices.Delete(parent.Content, i, i+2)
			return
		}
	}
}

// within tells whether a key only gets another name.
func (c Change) within() bool {
	return slices.Equal(c.Path[:len(c.Path)-1], c.To[:len(c.To)-1])
}

// attach puts a pair behind the others of the map that To leads to.
func (c Change) attach(root, key, value *yaml.Node) error {
	parent := root
	for _, part := range c.To[:len(c.To)-1] {
		child, err := find(parent, part)
		if err != nil {
			return err
		}
		if child == nil {
			if child, err = c.grow(parent, part); err != nil {
				return err
			}
		}
		parent = child
	}
	old, err := find(parent, c.To[len(c.To)-1])
	switch {
	case err != nil:
		return err
	case old != nil:
		return fmt.Errorf("%w: there is a key %s already", ErrNoPlace, c.To)
	case parent.Kind == yaml.ScalarNode && !isNull(parent):
		return fmt.Errorf("%w: the value in line %d is no map", ErrNoPlace, parent.Line)
	}
	if isNull(parent) {
		*parent = yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", LineComment: parent.LineComment}
	}
	parent.Content = append(parent.Content, key, value)
	return nil
}

// move moves the lines of a key.
func (t *text) move(root *yaml.Node, c Change) ([]byte, bool) {
	pairs, err := chain(root, c.Path)
	if err != nil || c.checkMove() != nil {
		return nil, false
	}
	name, ok := written(c.To[len(c.To)-1])
	from := pairs[len(pairs)-1]
	if !ok || from.parent.Style&yaml.FlowStyle != 0 || !t.begins(from.key.Line, from.key.Column) {
		return nil, false
	}
	if !t.rename(from.key, name) {
		return nil, false
	}
	if c.within() {
		return t.bytes(), true
	}
	block, ok := t.take(pairs, c.To)
	if !ok {
		return nil, false
	}
	return t.place(block, c.To)
}

// written returns a key as it is written.
func written(part any) (string, bool) {
	out, err := yaml.Marshal(part)
	word := strings.TrimSuffix(string(out), "\n")
	return word, err == nil && !strings.Contains(word, "\n")
}

// rename writes another word in the place of a key.
func (t *text) rename(key *yaml.Node, name string) bool {
	line := []rune(t.lines[key.Line-1])
	if key.Column < 1 || key.Column > len(line) {
		return false
	}
	head, rest := string(line[:key.Column-1]), string(line[key.Column-1:])
	length := wordLength(rest, key)
	if length == 0 {
		return false
	}
	t.lines[key.Line-1] = head + name + rest[length:]
	return true
}

// block is lines that were taken out of a document.
type block struct {
	// comments stand above the key, body begins with it.
	comments, body []string
	// indent is how far the key was indented.
	indent int
}

// take cuts out the lines of the last of pairs, and those of maps that hold
// nothing else.
func (t *text) take(pairs []pair, to action.Path) (block, bool) {
	top := len(pairs) - 1
	for top > 0 {
		above := pairs[top-1]
		isEmptied := above.key != nil && len(above.value.Content) == 2 && above.value.Anchor == ""
		if !isEmptied || startsWith(to, pairs[:top]) {
			break
		}
		top--
	}
	if len(pairs[top].parent.Content) <= 2 { // nothing would be left to show what it is
		return block{}, false
	}
	first, last := pairs[top].key, pairs[len(pairs)-1].key
	start, end := t.above(first), t.end(first.Line, first.Column)
	gone := map[int]string{}
	for _, p := range pairs[top : len(pairs)-1] {
		if p.value.Line <= p.key.Line || p.value.Style&yaml.FlowStyle != 0 || !t.begins(p.key.Line, p.key.Column) {
			return block{}, false
		}
		gone[p.key.Line-1] = p.key.LineComment
	}
	taken := block{indent: last.Column - 1}
	for i := start; i < last.Line-1; i++ {
		line, isGone := gone[i]
		if !isGone {
			line = strings.TrimSpace(t.lines[i])
		}
		if line != "" {
			taken.comments = append(taken.comments, line)
		}
	}
	taken.body = slices.Clone(t.lines[last.Line-1 : end])
	t.lines = slices.Delete(t.lines, start, end)
	return taken, true
}

// startsWith tells whether a path leads through the last of pairs.
func startsWith(path action.Path, pairs []pair) bool {
	if len(path) <= len(pairs) {
		return false
	}
	for i, p := range pairs {
		if p.key == nil || path[i] != any(p.key.Value) {
			return false
		}
	}
	return true
}

// above returns the index of the first line of the comment right above a key, or
// of its own line.
func (t *text) above(key *yaml.Node) int {
	start := key.Line - 1
	for n := strings.Count(key.HeadComment, "\n") + 1; key.HeadComment != "" && n > 0 && start > 0; n-- {
		if !strings.HasPrefix(strings.TrimSpace(t.lines[start-1]), "#") {
			break
		}
		start--
	}
	return start
}

// place puts a block behind the members of the map that to leads to.
func (t *text) place(b block, to action.Path) ([]byte, bool) {
	doc, err := Parse(t.bytes())
	if err != nil {
		return nil, false
	}
	parent, missing := doc.Content[0], to[:len(to)-1]
	for len(missing) > 0 {
		child, err := find(parent, missing[0])
		if err != nil {
			return nil, false
		}
		if child == nil {
			break
		}
		parent, missing = child, missing[1:]
	}
	if parent.Kind != yaml.MappingNode || parent.Style&yaml.FlowStyle != 0 || len(parent.Content) == 0 {
		return nil, false
	}
	first, last := parent.Content[0], parent.Content[len(parent.Content)-2]
	indent := first.Column - 1
	var lines []string
	for _, part := range missing {
		word, ok := written(part)
		if _, isKey := part.(string); !ok || !isKey {
			return nil, false
		}
		lines = append(lines, strings.Repeat(" ", indent)+word+":\n")
		indent += 2
	}
	for _, comment := range b.comments {
		lines = append(lines, strings.Repeat(" ", indent)+comment+"\n")
	}
	for _, line := range b.body {
		lines = append(lines, shifted(line, indent-b.indent))
	}
	t.lines = slices.Insert(t.lines, t.end(last.Line, first.Column), lines...)
	return t.bytes(), true
}

// shifted indents a line by more or fewer blanks.
func shifted(line string, by int) string {
	if strings.TrimSpace(line) == "" {
		return line
	}
	if by >= 0 {
		return strings.Repeat(" ", by) + line
	}
	blanks := len(line) - len(strings.TrimLeft(line, " "))
	return line[min(-by, blanks):]
}

// keepsComments tells whether a document has all comments of another.
func keepsComments(got, want *yaml.Node) bool {
	there := map[string]int{}
	comments(got, func(line string) { there[line]++ })
	kept := true
	comments(want, func(line string) {
		there[line]--
		kept = kept && there[line] >= 0
	})
	return kept
}

// comments calls f with every line of the comments below n.
func comments(n *yaml.Node, f func(line string)) {
	for _, comment := range []string{n.HeadComment, n.LineComment, n.FootComment} {
		for line := range strings.Lines(comment) {
			if line = strings.TrimSpace(line); line != "" {
				f(line)
			}
		}
	}
	for _, child := range n.Content {
		comments(child, f)
	}
}

// Comments returns the lines of all comments of a document, in its order.
func Comments(data []byte) ([]string, error) {
	doc, err := Parse(data)
	if err != nil {
		return nil, err
	}
	var lines []string
	comments(doc, func(line string) { lines = append(lines, line) })
	return lines, nil
}

// Find returns the node that a path leads to in a document, and the node of its
// key, nil when there is none. Aliases are not followed.
func Find(doc *yaml.Node, path action.Path) (key, value *yaml.Node) {
	pairs, err := chain(doc.Content[0], path)
	if err != nil || len(pairs) == 0 {
		return nil, nil
	}
	last := pairs[len(pairs)-1]
	if last.key == nil {
		return last.value, last.value
	}
	return last.key, last.value
}

// Plain returns what a document says, with aliases and merges in their places.
func Plain(data []byte) (any, error) {
	var v any
	dec := yaml.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(&v); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return plain(v), nil
}

// plain writes keys that are no texts as texts, as Helm does.
func plain(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = plain(v[key])
		}
	case map[any]any:
		out := make(map[string]any, len(v))
		for key := range v {
			out[fmt.Sprint(key)] = plain(v[key])
		}
		return out
	}
	return v
}
