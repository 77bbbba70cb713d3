package expr

import (
	"fmt"
	"math"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/refitproject/refit/internal/schema"
)

// provider tells CEL the fields of objects. Names of types, such as the string
// in type(x) == string, come from CEL's own provider; protocol buffers are
// left out.
type provider struct {
	*registry

	basic types.Provider
}

var _ types.Provider = (*provider)(nil)

// EnumValue implements types.Provider. There are no enums.
func (*provider) EnumValue(name string) ref.Val { return types.NewErr("there is no enum %q", name) }

// FindIdent implements types.Provider. The types of protocol buffers have
// dots in their names.
func (p *provider) FindIdent(name string) (ref.Val, bool) {
	if strings.Contains(name, ".") {
		return nil, false
	}
	return p.basic.FindIdent(name)
}

// FindStructType implements types.Provider.
func (p *provider) FindStructType(name string) (*types.Type, bool) {
	if _, known := p.object(name); !known {
		return nil, false
	}
	return types.NewTypeTypeWithParam(types.NewObjectType(name)), true
}

// FindStructFieldNames implements types.Provider.
func (p *provider) FindStructFieldNames(name string) ([]string, bool) {
	t, known := p.object(name)
	return t.FieldNames(), known
}

// FindStructFieldType implements types.Provider.
func (p *provider) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	t, known := p.object(name)
	if !known {
		return nil, false
	}
	f, known := t.Fields[field]
	if !known {
		return nil, false
	}
	return &types.FieldType{
		Type: p.celType(f.Type),
		IsSet: func(object any) bool {
			_, err := member(f.Type, object, field)
			return err == nil
		},
		GetFrom: func(object any) (any, error) { return member(f.Type, object, field) },
	}, true
}

// NewValue implements types.Provider. Objects cannot be made in expressions.
func (*provider) NewValue(name string, _ map[string]ref.Val) ref.Val {
	return types.NewErr("there is no type %q to make a value of", name)
}

// absentError is a declared field that is not there.
type absentError struct{ field string }

func (e *absentError) Error() string { return fmt.Sprintf("the field %q is not there", e.field) }

// member returns a field of an object. A null is the same as a field that is
// not there, except for fields that may hold anything.
func member(t schema.Type, object any, field string) (any, error) {
	members, isMap := object.(map[string]any)
	if !isMap {
		return nil, &absentError{field}
	}
	value, found := members[field]
	if !found || value == nil && !t.IsAny() {
		return nil, &absentError{field}
	}
	return coerce(t, value), nil
}

// coerce makes numbers what the expression was compiled for: a whole number
// that was read as a float is an int, and a number that was read as an int is
// a float. Everything else stays as it is.
func coerce(t schema.Type, value any) any {
	switch t.Kind {
	case schema.Int, schema.Number:
		return coerceNumber(t.Kind, value)
	case schema.List:
		if items, ok := value.([]any); ok && numeric(t.ElemType()) {
			out := make([]any, len(items))
			for i, item := range items {
				out[i] = coerce(t.ElemType(), item)
			}
			return out
		}
	case schema.Map:
		if members, ok := value.(map[string]any); ok && numeric(t.ElemType()) {
			out := make(map[string]any, len(members))
			for key, item := range members {
				out[key] = coerce(t.ElemType(), item)
			}
			return out
		}
	default:
	}
	return value
}

func coerceNumber(kind schema.Kind, value any) any {
	const exact = 1 << 53
	switch v := value.(type) {
	case float64:
		if kind == schema.Int && v == math.Trunc(v) && math.Abs(v) < exact {
			return int64(v)
		}
	case int64:
		if kind == schema.Number {
			return float64(v)
		}
	case int:
		if kind == schema.Number {
			return float64(v)
		}
		return int64(v)
	}
	return value
}

// numeric tells whether the values of lists and maps of t may need coerce.
func numeric(t schema.Type) bool {
	switch t.Kind {
	case schema.Int, schema.Number:
		return true
	case schema.List, schema.Map:
		return numeric(t.ElemType())
	default:
		return false
	}
}
