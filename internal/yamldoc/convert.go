package yamldoc

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/refitproject/refit/internal/diag"
)

// expansion is a converted value with its weight: how many Nodes it holds when
// aliases are expanded, and how many levels of lists and mappings.
type expansion struct {
	node   *Node
	nodes  int
	levels int
}

// converter turns the library's tree, in which aliases are pointers, into
// Nodes. A value with an anchor is converted once and shared, but weighed each
// time, so that the work is bounded by the file and the result by the limits.
type converter struct {
	file   string
	limits Limits
	ds     diag.Diagnostics
	// seen holds the values with an anchor; while one is being converted its
	// node is nil.
	seen  map[*yaml.Node]expansion
	nodes int
	deep  bool // too many levels, which is reported once
}

// document converts the library's document; nil when it is empty or too large.
func (c *converter) document(document *yaml.Node) *Node {
	if len(document.Content) != 1 {
		reportEmpty(&c.ds, c.file)
		return nil
	}
	root := c.convert(document.Content[0], 0)
	if c.full() {
		// One line is enough: what was converted so far is a part at most.
		c.ds = slices.DeleteFunc(c.ds, func(d diag.Diagnostic) bool { return d.Code != CodeTooLarge })
		return nil
	}
	if root.node.Kind == Null {
		reportEmpty(&c.ds, c.file)
		return nil
	}
	return root.node
}

// full tells that there are more Nodes than permitted, and that nothing more
// is to be converted.
func (c *converter) full() bool { return c.nodes > c.limits.Nodes }

// count adds Nodes at y, and reports when they become too many.
func (c *converter) count(y *yaml.Node, nodes int) {
	c.nodes += nodes
	if c.full() {
		c.ds.Errorf(CodeTooLarge, position(c.file, y),
			"the document holds more than %d values, counting those of aliases", c.limits.Nodes).
			Suggest("use fewer aliases, or split the document")
	}
}

func (c *converter) invalid(y *yaml.Node) expansion {
	return expansion{node: &Node{Kind: Invalid, Pos: position(c.file, y)}, nodes: 1}
}

func (c *converter) tooDeep(y *yaml.Node) expansion {
	if !c.deep {
		reportDepth(&c.ds, position(c.file, y), c.limits)
	}
	c.deep = true
	return c.invalid(y)
}

// convert converts y, which stands inside depth lists and mappings.
func (c *converter) convert(y *yaml.Node, depth int) expansion {
	if y.Kind == yaml.AliasNode {
		return c.alias(y, depth)
	}
	c.count(y, 1)
	if c.full() {
		return c.invalid(y)
	}
	if y.Anchor != "" {
		c.seen[y] = expansion{}
	}
	out := c.value(y, depth)
	if y.Anchor != "" {
		c.seen[y] = out
	}
	return out
}

func (c *converter) value(y *yaml.Node, depth int) expansion {
	if y.Kind == yaml.ScalarNode {
		return expansion{node: c.scalar(y), nodes: 1}
	}
	if depth >= c.limits.Depth {
		return c.tooDeep(y)
	}
	if y.Style&yaml.TaggedStyle != 0 && y.Tag != "!!map" && y.Tag != "!!seq" {
		return c.tagged(y)
	}
	out := expansion{node: &Node{Pos: position(c.file, y)}, nodes: 1}
	if y.Kind == yaml.SequenceNode {
		c.sequence(y, depth, &out)
	} else {
		c.mapping(y, depth, &out)
	}
	return out
}

// add accounts for a member of out.
func (out *expansion) add(member expansion) {
	out.nodes += member.nodes
	out.levels = max(out.levels, 1+member.levels)
}

func (c *converter) sequence(y *yaml.Node, depth int, out *expansion) {
	out.levels = 1
	out.node.Kind = Sequence
	out.node.Items = make([]*Node, 0, len(y.Content))
	for _, item := range y.Content {
		if c.full() {
			return
		}
		member := c.convert(item, depth+1)
		out.add(member)
		out.node.Items = append(out.node.Items, member.node)
	}
}

func (c *converter) mapping(y *yaml.Node, depth int, out *expansion) {
	out.levels = 1
	out.node.Kind = Mapping
	out.node.Pairs = make([]Pair, 0, len(y.Content)/2)
	lines := make(map[string]int, len(y.Content)/2)
	for i := 0; i+1 < len(y.Content) && !c.full(); i += 2 {
		key, ok := c.key(y.Content[i])
		member := c.convert(y.Content[i+1], depth+1)
		out.add(member)
		if !ok {
			continue
		}
		pos := position(c.file, y.Content[i])
		if line, twice := lines[key]; twice {
			c.ds.Errorf(CodeDuplicateKey, pos, "the key %s is already on line %d", quote(key), line).
				Suggest("remove one of them")
			continue
		}
		lines[key] = pos.Line
		out.node.Pairs = append(out.node.Pairs, Pair{Key: key, KeyPos: pos, Value: member.node})
	}
}

// key returns the text of a key, or false when it was refused.
func (c *converter) key(y *yaml.Node) (string, bool) {
	pos := position(c.file, y)
	if y.Kind == yaml.AliasNode {
		y = y.Alias
	}
	if y.Kind != yaml.ScalarNode {
		c.ds.Errorf(CodeInvalidKey, pos, "a key must be a string, is a %s", kindOf(y)).
			Suggest("put a text that starts with [ or { in quotes")
		return "", false
	}
	if y.Value == "<<" && y.Style == 0 {
		c.ds.Errorf(CodeMergeKey, pos, "merge keys (<<) are not read").
			Suggest("write the keys out, or use an alias for a whole value")
		return "", false
	}
	before := len(c.ds)
	n := c.scalar(y)
	switch key, ok := n.Value.(string); {
	case len(c.ds) > before:
		return "", false
	case ok:
		return key, true
	case n.Kind == Null && y.Value == "":
		c.ds.Errorf(CodeInvalidKey, pos, "a key is missing before the colon")
	default:
		c.ds.Errorf(CodeInvalidKey, pos, "the key %s is not a string", clip(y.Value)).
			Suggest("put it in quotes: %s", quote(y.Value))
	}
	return "", false
}

func kindOf(y *yaml.Node) Kind {
	if y.Kind == yaml.SequenceNode {
		return Sequence
	}
	return Mapping
}

// alias returns what y refers to. Positions within it are those of the anchor:
// that is the text that an author has to mend.
func (c *converter) alias(y *yaml.Node, depth int) expansion {
	target, seen := c.seen[y.Alias]
	switch {
	case c.full():
		return c.invalid(y)
	case !seen && y.Alias.Kind == yaml.ScalarNode: // the anchor of a key
		c.count(y, 1)
		return expansion{node: c.scalar(y.Alias), nodes: 1}
	case target.node == nil:
		c.ds.Errorf(CodeInvalidAlias, position(c.file, y), "the alias *%s refers to what it is part of", clip(y.Value)).
			Suggest("write the value out")
		return c.invalid(y)
	case depth+target.levels > c.limits.Depth:
		return c.tooDeep(y)
	}
	c.count(y, target.nodes)
	if c.full() {
		return c.invalid(y)
	}
	return target
}

// quotedStyles are the styles in which a scalar is a string whatever it says.
const quotedStyles = yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle

func (c *converter) scalar(y *yaml.Node) *Node {
	n := &Node{Kind: Scalar, Pos: position(c.file, y), Raw: y.Value, Quoted: y.Style&quotedStyles != 0}
	text := n.Quoted
	if y.Style&yaml.TaggedStyle != 0 {
		if y.Tag != "!!str" {
			return c.tagged(y).node
		}
		text = true
	}
	if text {
		n.Value = y.Value
		if strings.IndexByte(y.Value, 0) >= 0 {
			c.ds.Errorf(CodeInvalidText, n.Pos, "the text holds a NUL character").Suggest("remove the escape \\0")
			n.Kind = Invalid
		}
		return n
	}
	value, problem, suggestion := resolve(y.Value)
	switch {
	case problem != "":
		c.ds.Errorf(CodeInvalidNumber, n.Pos, "%s", problem).Suggest("%s", suggestion)
		n.Kind, n.Value = Invalid, nil
	case value == nil:
		n.Kind, n.Raw = Null, ""
	default:
		n.Value = value
	}
	return n
}

func (c *converter) tagged(y *yaml.Node) expansion {
	c.ds.Errorf(CodeInvalidTag, position(c.file, y), "the tag %s is not read", clip(y.Tag)).
		Suggest("remove it, or put a text that starts with ! in quotes")
	return c.invalid(y)
}
