package yamldoc

import "github.com/refitproject/refit/internal/diag"

// Kind is the shape of a Node.
type Kind int

// The kinds of Node.
const (
	Null Kind = iota
	Scalar
	Sequence
	Mapping
	// Invalid is a value that Parse has reported; Decode passes over it.
	Invalid
)

// String names the kind as it appears in messages.
func (k Kind) String() string {
	return [...]string{"null", "scalar", "list", "mapping", "invalid value"}[k]
}

// Node is one value of a YAML document with its position. Aliases have been
// expanded and merge keys refused, so a tree of Nodes is a plain tree. Nodes
// are shared and must not be changed.
type Node struct {
	Kind Kind
	Pos  diag.Position
	// Value is the value of a Scalar: string, int64, float64 or bool.
	Value any
	// Quoted tells that a string Scalar was quoted or a block scalar.
	Quoted bool
	// Raw is the text of a Scalar as it stands in the file, without quotes: the
	// "1.10" that Value holds as the number 1.1.
	Raw string
	// Items are the members of a Sequence.
	Items []*Node
	// Pairs are the members of a Mapping in the order of the file; keys are
	// unique.
	Pairs []Pair
}

// Pair is one member of a Mapping.
type Pair struct {
	Key    string
	KeyPos diag.Position
	Value  *Node
}

// Get returns the value of key in a Mapping, nil when it is not there.
func (n *Node) Get(key string) *Node {
	if n == nil {
		return nil
	}
	for i := range n.Pairs {
		if n.Pairs[i].Key == key {
			return n.Pairs[i].Value
		}
	}
	return nil
}

// Plain returns the Node as plain values: nil, string, int64, float64, bool,
// []any and map[string]any. The result is fresh and belongs to the caller.
func (n *Node) Plain() any {
	if n == nil {
		return nil
	}
	switch n.Kind {
	case Scalar:
		return n.Value
	case Sequence:
		out := make([]any, len(n.Items))
		for i, item := range n.Items {
			out[i] = item.Plain()
		}
		return out
	case Mapping:
		out := make(map[string]any, len(n.Pairs))
		for _, p := range n.Pairs {
			out[p.Key] = p.Value.Plain()
		}
		return out
	default:
		return nil
	}
}

// Text is a string scalar with its position; it may hold ${…} expressions.
type Text struct {
	Value string
	Pos   diag.Position
}

// IsSet tells whether the key was written in the file.
func (t Text) IsSet() bool { return t.Pos.Line > 0 }

// Named is one member of an Ordered mapping.
type Named[T any] struct {
	Name  string
	Pos   diag.Position // of the name
	Value T
}

// Ordered is a YAML mapping whose order matters and is kept.
type Ordered[T any] []Named[T]

// isOrdered marks Ordered for reflection, which cannot ask for a generic type.
func (Ordered[T]) isOrdered() {}

// Get returns the member called name.
func (o Ordered[T]) Get(name string) (T, bool) {
	for i := range o {
		if o[i].Name == name {
			return o[i].Value, true
		}
	}
	var zero T
	return zero, false
}

// Names returns the names in the order of the file.
func (o Ordered[T]) Names() []string {
	names := make([]string, len(o))
	for i := range o {
		names[i] = o[i].Name
	}
	return names
}
