package local

import (
	"reflect"
	"testing"
)

func TestShapeTellsTypesApart(t *testing.T) {
	t.Parallel()
	type inner struct {
		A int `json:"a"`
	}
	type renamed struct {
		A int `json:"b"`
	}
	shapes := map[string]string{}
	for name, typ := range map[string]reflect.Type{
		"Field":  reflect.TypeFor[struct{ X inner }](),
		"Tag":    reflect.TypeFor[struct{ X renamed }](),
		"Type":   reflect.TypeFor[struct{ X []inner }](),
		"Name":   reflect.TypeFor[struct{ Y inner }](),
		"Nested": reflect.TypeFor[struct{ X map[string]*inner }](),
	} {
		shape := shapeOf(typ)
		if other, taken := shapes[shape]; taken {
			t.Errorf("%s and %s have the same shape", name, other)
		}
		if shape != shapeOf(typ) {
			t.Errorf("the shape of %s changes", name)
		}
		shapes[shape] = name
	}
}
