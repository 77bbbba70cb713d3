package yamledit

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"

	"github.com/refitproject/refit/internal/action"
)

// ErrNoPlace is returned when an edit leads to a place that is not there or
// cannot be changed.
var ErrNoPlace = errors.New("no such place")

// Change is one edit of a document.
type Change struct {
	// Verb is set, delete, append or move. A map that a move leaves without
	// members is removed with it.
	Verb string
	// Path leads to what is changed; numbers count the members of lists.
	Path action.Path
	// To is the new path of what is moved; nothing may be there. Maps on the way
	// are made.
	To action.Path
	// Value is what is set or appended, as a plain value.
	Value any
}

// Parse reads the one document of a file. The node of an empty file is an
// empty map.
func Parse(data []byte) (*yaml.Node, error) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	if err := dec.Decode(&doc); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		if err == nil {
			err = errors.New("it holds several documents")
		}
		return nil, err
	}
	if len(doc.Content) == 0 {
		doc.Kind = yaml.DocumentNode
		doc.Content = []*yaml.Node{{Kind: yaml.MappingNode, Tag: "!!map"}}
	}
	return &doc, nil
}

// apply makes the change in the tree.
func (c Change) apply(doc *yaml.Node) error {
	if c.Verb == "move" {
		return c.move(doc.Content[0])
	}
	parent := doc.Content[0]
	for _, part := range c.Path[:len(c.Path)-1] {
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
	last := c.Path[len(c.Path)-1]
	old, err := find(parent, last)
	if err != nil {
		return err
	}
	switch {
	case c.Verb == "delete" && old == nil:
		return fmt.Errorf("%w: it is not there", ErrNoPlace)
	case c.Verb == "delete":
		remove(parent, last)
		return nil
	}
	node := new(yaml.Node)
	if err := node.Encode(c.Value); err != nil {
		return err
	}
	if c.Verb == "append" {
		return appendTo(parent, last, old, node)
	}
	return put(parent, last, old, node)
}

// grow makes a map on the way to a place that is to be set.
func (c Change) grow(parent *yaml.Node, part any) (*yaml.Node, error) {
	key, ok := part.(string)
	if !ok || c.Verb == "delete" {
		return nil, fmt.Errorf("%w: %v is not there", ErrNoPlace, part)
	}
	child := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	return child, put(parent, key, nil, child)
}

// find returns the member of a node, nil when it has none of that name.
func find(parent *yaml.Node, part any) (*yaml.Node, error) {
	switch part := part.(type) {
	case string:
		if isNull(parent) {
			return nil, nil
		}
		if parent.Kind != yaml.MappingNode {
			return nil, fmt.Errorf("%w: what holds %q in line %d is no map", ErrNoPlace, part, parent.Line)
		}
		for i := 0; i+1 < len(parent.Content); i += 2 {
			if parent.Content[i].Value == part && parent.Content[i].Kind == yaml.ScalarNode {
				return parent.Content[i+1], nil
			}
		}
		return nil, nil
	case int:
		if parent.Kind != yaml.SequenceNode || part >= len(parent.Content) {
			return nil, fmt.Errorf("%w: there is no member %d in line %d", ErrNoPlace, part, parent.Line)
		}
		return parent.Content[part], nil
	default:
		return nil, ErrNoPlace
	}
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// put gives a member of parent the value node. What was said about the old
// value in its line stays.
func put(parent *yaml.Node, part any, old, node *yaml.Node) error {
	if old != nil {
		node.HeadComment, node.LineComment, node.FootComment = old.HeadComment, old.LineComment, old.FootComment
		if node.Kind == yaml.ScalarNode && node.ShortTag() == "!!str" && old.ShortTag() == "!!str" && node.Style == 0 {
			node.Style = old.Style &^ (yaml.LiteralStyle | yaml.FoldedStyle)
		}
		if old.Anchor != "" {
			return fmt.Errorf("%w: other places use the value in line %d by its anchor %q",
				ErrNoPlace, old.Line, old.Anchor)
		}
		*old = *node
		return nil
	}
	key, ok := part.(string)
	if !ok {
		return ErrNoPlace
	}
	if isNull(parent) { // "hub:" with nothing behind it is an empty map
		comment := parent.LineComment
		*parent = yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", LineComment: comment}
	}
	name := new(yaml.Node)
	if err := name.Encode(key); err != nil {
		return err
	}
	parent.Content = append(parent.Content, name, node)
	return nil
}

func appendTo(parent *yaml.Node, part any, list, node *yaml.Node) error {
	switch {
	case list == nil || isNull(list):
		return put(parent, part, list, &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: []*yaml.Node{node}})
	case list.Kind != yaml.SequenceNode:
		return fmt.Errorf("%w: the value in line %d is no list", ErrNoPlace, list.Line)
	}
	list.Content = append(list.Content, node)
	return nil
}

func remove(parent *yaml.Node, part any) {
	switch part := part.(type) {
	case string:
		for i := 0; i+1 < len(parent.Content); i += 2 {
			if parent.Content[i].Value == part {
				parent.Content = append(parent.Content[:i], parent.Content[i+2:]...)
				return
			}
		}
	case int:
		parent.Content = append(parent.Content[:part], parent.Content[part+1:]...)
	}
}

// Same tells whether two documents say the same, however they write it.
func Same(a, b *yaml.Node) bool {
	if a.Kind != b.Kind || a.Anchor != b.Anchor || len(a.Content) != len(b.Content) {
		return false
	}
	if a.Kind != yaml.DocumentNode && (a.ShortTag() != b.ShortTag() || a.Value != b.Value) {
		return false
	}
	for i := range a.Content {
		if !Same(a.Content[i], b.Content[i]) {
			return false
		}
	}
	return true
}

// encodeYAML writes a document anew, with comments and order, and with the
// indentation that it had.
func encodeYAML(doc *yaml.Node) ([]byte, error) {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	indent, compact := habits(doc.Content[0])
	enc.SetIndent(indent)
	if compact {
		enc.CompactSeqIndent()
	}
	err := errors.Join(enc.Encode(doc), enc.Close())
	return b.Bytes(), err
}

// habits finds out how a document is indented.
func habits(n *yaml.Node) (indent int, compact bool) {
	indent = 2
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if value.Style&yaml.FlowStyle != 0 || len(value.Content) == 0 || value.Line <= key.Line {
			continue
		}
		if value.Kind == yaml.SequenceNode && value.Column == key.Column {
			compact = true
		}
		if d := value.Column - key.Column; value.Kind == yaml.MappingNode && d >= 2 && d <= 8 {
			return d, compact
		}
	}
	return indent, compact
}
