package expr

import (
	"slices"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// adapter turns plain values into CEL values. It differs from CEL's own in one
// thing: maps are gone through in the order of their keys.
type adapter struct{}

var _ types.Adapter = adapter{}

// NativeToValue implements types.Adapter.
func (a adapter) NativeToValue(value any) ref.Val {
	switch v := value.(type) {
	case string:
		return types.String(v)
	case map[string]any:
		return orderedMap{types.NewStringInterfaceMap(a, v)}
	case map[ref.Val]ref.Val:
		return orderedMap{types.NewRefValMap(a, v)}
	case []any:
		return types.NewDynamicList(a, v)
	case []ref.Val:
		return types.NewRefValList(a, v)
	default:
		return types.DefaultTypeAdapter.NativeToValue(value)
	}
}

// orderedMap is a map whose entries come in the order of their keys. Without
// it a plan would differ each time that it is built.
type orderedMap struct{ traits.Mapper }

var (
	_ traits.Mapper              = orderedMap{}
	_ traits.Foldable            = orderedMap{}
	_ types.AggregateSizeVisitor = orderedMap{}
)

// ordered returns value so that it is gone through in the order of its keys.
func ordered(value ref.Val) ref.Val {
	m, isMap := value.(traits.Mapper)
	if _, done := value.(orderedMap); !isMap || done {
		return value
	}
	return orderedMap{m}
}

// keys returns the keys in their order: strings before other keys.
func (m orderedMap) keys() []ref.Val {
	var keys []ref.Val
	for it := m.Mapper.Iterator(); it.HasNext() == types.True; {
		keys = append(keys, it.Next())
	}
	slices.SortFunc(keys, compareKeys)
	return keys
}

func compareKeys(a, b ref.Val) int {
	if a.Type() == b.Type() {
		if c, ok := a.(traits.Comparer); ok {
			if order, ok := c.Compare(b).(types.Int); ok {
				return int(order)
			}
		}
		return 0
	}
	switch {
	case a.Type() == types.StringType:
		return -1
	case b.Type() == types.StringType || a.Type().TypeName() > b.Type().TypeName():
		return 1
	default:
		return -1
	}
}

// Iterator implements traits.Iterable.
func (m orderedMap) Iterator() traits.Iterator {
	return types.NewRefValList(adapter{}, m.keys()).Iterator()
}

// Fold implements traits.Foldable.
func (m orderedMap) Fold(f traits.Folder) {
	for _, key := range m.keys() {
		value, _ := m.Find(key)
		if !f.FoldEntry(key, value) {
			return
		}
	}
}

// AggregateSize implements types.AggregateSizeVisitor with the size that the
// map underneath remembers.
func (m orderedMap) AggregateSize(sizer types.AggregateSizer) uint32 {
	if inner, ok := m.Mapper.(types.AggregateSizeVisitor); ok {
		return inner.AggregateSize(sizer)
	}
	return sizer.AggregateSize(m.Value())
}
