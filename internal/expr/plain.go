package expr

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// budget is what the result of one evaluation may still hold.
type budget struct{ nodes, bytes int }

func newBudget() *budget { return &budget{nodes: MaxResultNodes, bytes: MaxResultBytes} }

func (b *budget) spend(size int) error {
	b.nodes--
	b.bytes -= size
	if b.nodes < 0 {
		return limitf("the result holds more than %d values", MaxResultNodes)
	}
	if b.bytes < 0 {
		return limitf("the result is larger than %d bytes", MaxResultBytes)
	}
	return nil
}

// value copies a CEL value or a plain value into fresh plain values: nil,
// string, int64, float64, bool, []any, map[string]any.
func (b *budget) value(value any) (any, error) {
	switch v := value.(type) {
	case ref.Val:
		return b.celValue(v)
	case string:
		return v, b.spend(len(v))
	case nil, bool, int64:
		return v, b.spend(0)
	case int:
		return int64(v), b.spend(0)
	case float64:
		return v, errors.Join(finite(v), b.spend(0))
	case []any:
		return copyList(b, v)
	case map[string]any:
		return b.members(v)
	default:
		return nil, fmt.Errorf("a value of Go type %T is not a plain value", value)
	}
}

func finite(f float64) error {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return errors.New("the result is not a finite number")
	}
	return nil
}

func (b *budget) celValue(value ref.Val) (any, error) {
	switch v := value.(type) {
	case types.String:
		return string(v), b.spend(len(v))
	case types.Int:
		return int64(v), b.spend(0)
	case types.Bool:
		return bool(v), b.spend(0)
	case types.Double:
		return float64(v), errors.Join(finite(float64(v)), b.spend(0))
	case types.Uint:
		if v > math.MaxInt64 {
			return nil, fmt.Errorf("the number %d does not fit in 64 bits with a sign", v)
		}
		return int64(v), b.spend(0)
	case types.Null:
		return nil, b.spend(0)
	case types.Bytes:
		text := base64.StdEncoding.EncodeToString(v)
		return text, b.spend(len(text))
	case types.Duration:
		text := v.String()
		return text, b.spend(len(text))
	case types.Timestamp:
		text := v.UTC().Format(time.RFC3339Nano)
		return text, b.spend(len(text))
	case traits.Mapper:
		return b.mapper(v)
	case traits.Lister:
		return b.lister(v)
	case *types.Err:
		return nil, v
	default:
		return nil, fmt.Errorf("%s is not a value that can be used outside of an expression", bareName(value))
	}
}

func bareName(value ref.Val) string { return "a " + value.Type().TypeName() }

func (b *budget) lister(list traits.Lister) (any, error) {
	switch native := list.Value().(type) {
	case []any:
		return copyList(b, native)
	case []ref.Val:
		return copyList(b, native)
	}
	size, _ := list.Size().(types.Int)
	if err := b.spend(0); err != nil {
		return nil, err
	}
	out := make([]any, 0, min(int(size), MaxResultNodes))
	for it := list.Iterator(); it.HasNext() == types.True; {
		item, err := b.value(it.Next())
		if err != nil {
			return nil, err
		}
		out = append(out, item)
	}
	return out, nil
}

func copyList[T any](b *budget, list []T) (any, error) {
	if err := b.spend(0); err != nil {
		return nil, err
	}
	out := make([]any, 0, min(len(list), MaxResultNodes))
	for _, item := range list {
		value, err := b.value(item)
		if err != nil {
			return nil, err
		}
		out = append(out, value)
	}
	return out, nil
}

func (b *budget) mapper(m traits.Mapper) (any, error) {
	if native, ok := m.Value().(map[string]any); ok {
		return b.members(native)
	}
	if err := b.spend(0); err != nil {
		return nil, err
	}
	out := map[string]any{}
	for it := m.Iterator(); it.HasNext() == types.True; {
		key := it.Next()
		name, ok := key.(types.String)
		if !ok {
			return nil, fmt.Errorf("the map has the key %v, keys must be strings", key.Value())
		}
		b.bytes -= len(name)
		value, _ := m.Find(key)
		plain, err := b.value(value)
		if err != nil {
			return nil, err
		}
		out[string(name)] = plain
	}
	return out, nil
}

func (b *budget) members(members map[string]any) (any, error) {
	if err := b.spend(0); err != nil {
		return nil, err
	}
	out := make(map[string]any, len(members))
	for name, member := range members {
		b.bytes -= len(name)
		value, err := b.value(member)
		if err != nil {
			return nil, err
		}
		out[name] = value
	}
	return out, nil
}
