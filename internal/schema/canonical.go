package schema

import (
	"encoding/json"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// CanonicalJSON returns the canonical JSON text (RFC 8785) of v: the same bytes
// for equal values, whatever the order of members. Whole numbers beyond 2^53-1
// lose digits there, as in all of JSON; whoever rests a digest on the text
// refuses them first.
func CanonicalJSON(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode as JSON: %w", err)
	}
	value := jsontext.Value(text)
	if err := value.Canonicalize(); err != nil {
		return nil, fmt.Errorf("canonicalize JSON: %w", err)
	}
	return value, nil
}
