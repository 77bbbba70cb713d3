package schema

import "fmt"

// Redact returns a copy of value in which everything below a Sensitive field
// of t is replaced by keyed of its canonical JSON text (RFC 8785). Where the
// shape of value is not that of t, so that sensitive parts cannot be told from
// others, the whole part is replaced. value is not changed and shares nothing
// with the result; keyed must be the same function for values that are to be
// compared.
func Redact(t Type, value any, keyed func(string) string) any {
	if !hasSensitive(t) {
		return clone(value)
	}
	hidden := func() any { return keyed(canonical(value)) }
	switch t.Kind {
	case List:
		items, ok := value.([]any)
		if !ok {
			return hidden()
		}
		out := make([]any, len(items))
		for i, item := range items {
			out[i] = Redact(t.ElemType(), item, keyed)
		}
		return out
	case Map, Object:
		members, ok := value.(map[string]any)
		if !ok {
			return hidden()
		}
		out := make(map[string]any, len(members))
		for key, member := range members {
			elem, plain := part(t, key)
			if plain {
				out[key] = Redact(elem, member, keyed)
			} else {
				out[key] = keyed(canonical(member))
			}
		}
		return out
	default:
		return hidden()
	}
}

// part returns the type of the member key of an Object or Map; false when the
// member is sensitive, or unknown, as a misspelt sensitive one would be.
func part(t Type, key string) (Type, bool) {
	if t.Kind == Map {
		return t.ElemType(), true
	}
	f, known := t.Fields[key]
	return f.Type, known && !f.Sensitive
}

func hasSensitive(t Type) bool {
	if t.Elem != nil && hasSensitive(*t.Elem) {
		return true
	}
	for _, f := range t.Fields {
		if f.Sensitive || hasSensitive(f.Type) {
			return true
		}
	}
	return false
}

// canonical returns the canonical JSON text of value. A value without JSON
// form, such as an infinite number, is written as Go writes it: it is hashed
// all the same.
func canonical(value any) string {
	text, err := CanonicalJSON(value)
	if err != nil {
		return fmt.Sprintf("%#v", value)
	}
	return string(text)
}

func clone(value any) any {
	switch v := value.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = clone(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, member := range v {
			out[key] = clone(member)
		}
		return out
	default:
		return value
	}
}
