package worker

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/refitproject/refit/internal/schema"
	"github.com/refitproject/refit/internal/yamldoc"
)

// text returns a text as the value of a document.
func text(s string) *yamldoc.Node { return &yamldoc.Node{Kind: yamldoc.Scalar, Value: s, Raw: s} }

// nodeOf returns plain values as a document, whose texts may hold ${…}.
func nodeOf(value any) *yamldoc.Node {
	switch v := value.(type) {
	case nil:
		return &yamldoc.Node{Kind: yamldoc.Null}
	case []any:
		n := &yamldoc.Node{Kind: yamldoc.Sequence}
		for _, member := range v {
			n.Items = append(n.Items, nodeOf(member))
		}
		return n
	case map[string]any:
		n := &yamldoc.Node{Kind: yamldoc.Mapping}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			n.Pairs = append(n.Pairs, yamldoc.Pair{Key: key, Value: nodeOf(v[key])})
		}
		return n
	case string:
		return text(v)
	default:
		return &yamldoc.Node{Kind: yamldoc.Scalar, Value: v}
	}
}

// clonePlain copies the lists and mappings of a value.
func clonePlain(value any) any {
	switch v := value.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = clonePlain(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, member := range v {
			out[key] = clonePlain(member)
		}
		return out
	default:
		return v
	}
}

// firstToken returns the first name of a JSON pointer.
func firstToken(pointer string) string {
	for token := range jsontext.Pointer(pointer).Tokens() {
		return token
	}
	return ""
}

// put replaces the value at a JSON pointer.
func put(root map[string]any, pointer string, value any) error {
	tokens := slices.Collect(jsontext.Pointer(pointer).Tokens())
	if len(tokens) == 0 {
		return fmt.Errorf("the place %q cannot be replaced", pointer)
	}
	var at any = root
	for i, token := range tokens {
		last := i == len(tokens)-1
		switch v := at.(type) {
		case map[string]any:
			if last {
				v[token] = value
			}
			at = v[token]
		case []any:
			n, err := strconv.Atoi(token)
			if err != nil || n < 0 || n >= len(v) {
				return fmt.Errorf("there is no place %q", pointer)
			}
			if last {
				v[n] = value
			}
			at = v[n]
		default:
			return fmt.Errorf("there is no place %q", pointer)
		}
	}
	return nil
}

// conform gives whole numbers the form that their type has in expressions: in
// JSON, 3.0 is written as 3.
func conform(t schema.Type, value any) any {
	switch v := value.(type) {
	case int64:
		if t.Kind == schema.Number {
			return float64(v)
		}
	case []any:
		if t.Kind == schema.List {
			for i := range v {
				v[i] = conform(t.ElemType(), v[i])
			}
		}
	case map[string]any:
		for key := range v {
			switch {
			case t.Kind == schema.Map:
				v[key] = conform(t.ElemType(), v[key])
			case t.Kind == schema.Object && !t.Open():
				v[key] = conform(t.Fields[key].Type, v[key])
			}
		}
	}
	return value
}
