package expr

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"cel.dev/cel-go/common/types"

	"github.com/refitproject/refit/internal/schema"
)

// secretName is the name of the type of secrets in CEL. Nothing is defined for
// it, so whatever is done with a secret is a type error.
const secretName = "secret"

// objectPrefix starts the names of the types of objects in CEL. The colon
// keeps them apart from everything that can be written in an expression.
const objectPrefix = "object:"

// registry gives a name to each type of object, so that CEL can check the
// fields. Objects with the same fields have the same name, except that each
// variable has a name of its own: they are large and are not compared. It only
// grows; it is shared by an Env and those derived from it.
type registry struct {
	mu     sync.RWMutex
	byKey  map[string]string
	byName map[string]schema.Type
}

func newRegistry() *registry {
	return &registry{byKey: map[string]string{}, byName: map[string]schema.Type{}}
}

// variable returns the CEL type of a variable of type t.
func (r *registry) variable(t schema.Type) *types.Type {
	if t.Kind != schema.Object || t.Open() {
		return r.celType(t)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return types.NewObjectType(r.add(t))
}

// celType returns the type that values of t have in expressions.
func (r *registry) celType(t schema.Type) *types.Type {
	switch t.Kind {
	case schema.String, schema.Duration:
		return types.StringType
	case schema.Int:
		return types.IntType
	case schema.Number:
		return types.DoubleType
	case schema.Bool:
		return types.BoolType
	case schema.List:
		return types.NewListType(r.celType(t.ElemType()))
	case schema.Map:
		return types.NewMapType(types.StringType, r.celType(t.ElemType()))
	case schema.Object:
		if t.Open() {
			return types.DynType
		}
		return types.NewObjectType(r.name(t))
	case schema.Secret:
		return types.NewOpaqueType(secretName)
	default:
		return types.DynType
	}
}

// schemaType returns what is known of values that have the type t in an
// expression.
func (r *registry) schemaType(t *types.Type) schema.Type {
	switch t.Kind() {
	case types.StringKind, types.BytesKind, types.TimestampKind:
		return schema.Of(schema.String)
	case types.IntKind, types.UintKind:
		return schema.Of(schema.Int)
	case types.DoubleKind:
		return schema.Of(schema.Number)
	case types.BoolKind:
		return schema.Of(schema.Bool)
	case types.DurationKind:
		return schema.Of(schema.Duration)
	case types.ListKind:
		return schema.ListOf(r.schemaType(t.Parameters()[0]))
	case types.MapKind:
		return schema.MapOf(r.schemaType(t.Parameters()[1]))
	case types.StructKind:
		known, _ := r.object(t.TypeName())
		return known
	case types.OpaqueKind:
		if t.TypeName() == secretName {
			return schema.Of(schema.Secret)
		}
	default:
	}
	return schema.Of(schema.Any)
}

// object returns the type with the given name.
func (r *registry) object(name string) (schema.Type, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	t, ok := r.byName[name]
	return t, ok
}

// name returns the name of a closed object, the same for equal types.
func (r *registry) name(t schema.Type) string {
	var b strings.Builder
	encode(&b, t)
	key := b.String()
	r.mu.Lock()
	defer r.mu.Unlock()
	name, known := r.byKey[key]
	if !known {
		name = r.add(t)
		r.byKey[key] = name
	}
	return name
}

// add names t; the caller holds the lock.
func (r *registry) add(t schema.Type) string {
	name := objectPrefix + strconv.Itoa(len(r.byName))
	r.byName[name] = t
	return name
}

// encode writes what makes two types the same: everything but the texts for
// people.
func encode(b *strings.Builder, t schema.Type) {
	b.WriteString(string(t.Kind))
	switch {
	case t.Kind == schema.List || t.Kind == schema.Map:
		b.WriteByte('(')
		encode(b, t.ElemType())
		b.WriteByte(')')
	case t.Kind == schema.String && len(t.Enum) > 0:
		for _, value := range t.Enum {
			b.WriteByte('|')
			b.WriteString(strconv.Quote(value))
		}
	case t.Kind == schema.Object && !t.Open():
		b.WriteByte('{')
		for _, name := range slices.Sorted(maps.Keys(t.Fields)) {
			f := t.Fields[name]
			b.WriteString(strconv.Quote(name))
			if f.Required {
				b.WriteByte('!')
			}
			if f.Hidden() {
				b.WriteByte('#')
			}
			encode(b, f.Type)
			b.WriteByte(';')
		}
		b.WriteByte('}')
	}
}

// words names a CEL type in messages, with its article.
func words(t *types.Type) string {
	switch t.Kind() {
	case types.StringKind:
		return "a string"
	case types.IntKind, types.UintKind:
		return "an int"
	case types.DoubleKind:
		return "a number"
	case types.BoolKind:
		return "a bool"
	case types.NullTypeKind:
		return "null"
	case types.BytesKind:
		return "bytes"
	case types.DurationKind:
		return "a duration"
	case types.TimestampKind:
		return "a timestamp"
	case types.ListKind:
		return "a list"
	case types.MapKind:
		return "a map"
	case types.StructKind:
		return "an object"
	case types.TypeKind:
		return "a type"
	case types.OpaqueKind:
		if t.TypeName() == secretName {
			return "a secret"
		}
	default:
	}
	return "any value"
}

// bare is words without the article.
func bare(t *types.Type) string {
	_, word, found := strings.Cut(words(t), " ")
	if !found {
		return words(t)
	}
	return word
}
