package schema_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/schema"
)

type upgradeInput struct {
	Release string                  `json:"release" doc:"Name of the release."`
	Mode    string                  `json:"mode,omitempty" enum:"fast,safe"`
	Kinds   []string                `json:"kinds,omitzero" enum:"a,b"`
	Count   int32                   `json:"count"`
	Ratio   float64                 `json:"ratio"`
	Dry     bool                    `json:"dry"`
	Wait    time.Duration           `json:"wait"`
	When    time.Time               `json:"when"`
	Labels  map[string]string       `json:"labels"`
	Any     any                     `json:"any"`
	Raw     json.RawMessage         `json:"raw"`
	Blob    []byte                  `json:"blob"`
	Sub     *upgradeSub             `json:"sub" refit:"optional"`
	Subs    map[string][]upgradeSub `json:"subs"`
	Token   string                  `json:"token" refit:"sensitive"`
	Key     map[string]any          `json:"key" refit:"secret,optional"`
	Skipped string                  `json:"-"`
	_       string
	embedded
}

type embedded struct {
	Inner string `json:"inner"`
}

type upgradeSub struct {
	Again *upgradeSub `json:"again,omitempty"`
	Name  string      `json:"name"`
}

// TestFromStructSecrets has references alone, in a map and in a list.
func TestFromStructSecrets(t *testing.T) {
	t.Parallel()
	type reference map[string]any
	type secrets struct {
		One  reference            `json:"one" refit:"secret"`
		Many map[string]reference `json:"many" refit:"secret"`
		List []reference          `json:"list" refit:"secret"`
	}
	secret := schema.Of(schema.Secret)
	want := map[string]schema.Field{
		"one":  {Type: secret, Required: true},
		"many": {Type: schema.MapOf(secret), Required: true},
		"list": {Type: schema.ListOf(secret), Required: true},
	}
	if diff := cmp.Diff(schema.ObjectOf(want), schema.FromStruct[secrets]()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestFromStruct(t *testing.T) {
	t.Parallel()
	of := schema.Of
	required := func(t schema.Type) schema.Field { return schema.Field{Type: t, Required: true} }
	sub := schema.ObjectOf(map[string]schema.Field{
		"again": {Type: of(schema.Any)}, "name": required(of(schema.String)),
	})
	want := schema.ObjectOf(map[string]schema.Field{
		"release": {Type: of(schema.String), Required: true, Doc: "Name of the release."},
		"mode":    {Type: schema.Type{Kind: schema.String, Enum: []string{"fast", "safe"}}},
		"kinds":   {Type: schema.ListOf(schema.Type{Kind: schema.String, Enum: []string{"a", "b"}})},
		"count":   required(of(schema.Int)), "ratio": required(of(schema.Number)), "dry": required(of(schema.Bool)),
		"wait": required(of(schema.Duration)), "when": required(of(schema.String)),
		"labels": required(schema.MapOf(of(schema.String))), "any": required(of(schema.Any)),
		"raw": required(of(schema.Any)), "blob": required(of(schema.String)),
		"sub": {Type: sub}, "subs": required(schema.MapOf(schema.ListOf(sub))),
		"token": {Type: of(schema.String), Required: true, Sensitive: true},
		"key":   {Type: of(schema.Secret)}, "inner": required(of(schema.String)),
	})
	if diff := cmp.Diff(want, schema.FromStruct[upgradeInput]()); diff != "" {
		t.Errorf("FromStruct() (-want +got):\n%s", diff)
	}
	if err := schema.CheckTags(reflect.TypeFor[upgradeInput]()); err != nil {
		t.Errorf("CheckTags() = %v", err)
	}
	if got := schema.FromType(nil); !got.IsAny() {
		t.Errorf("FromType(nil) = %v, want any", got)
	}
	if got := schema.FromStruct[struct{}](); got.Open() || got.Kind != schema.Object {
		t.Errorf("an empty struct is %+v, want a closed object", got)
	}
}

func TestCheckTags(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		value any
		want  string
	}{
		"NoTag": {struct{ A string }{}, "A has no json tag"},
		"NoName": {struct {
			A string `json:",omitempty"` //nolint:tagliatelle // that is the case under test
		}{}, "A has no json tag"},
		"Channel": {struct {
			A []chan int `json:"a"`
		}{}, "type chan int has no JSON form"},
		"Key": {struct {
			A map[int]string `json:"a"`
		}{}, "the keys of a map must be strings"},
		"Enum": {struct {
			A int `json:"a" enum:"1"`
		}{}, "A: enum on a int"},
		"Mark": {struct {
			A string `json:"a" refit:"sensitve"`
		}{}, `unknown word "sensitve"`},
		"Twice": {struct {
			embedded

			Other string `json:"inner"`
		}{}, `Other: the name "inner" is used twice`},
		"Deep": {map[string][]struct {
			A func() `json:"a"`
		}{}, "type func() has no JSON form"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := schema.CheckTags(reflect.TypeOf(tc.value)); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("CheckTags() = %v, want %q", err, tc.want)
			}
		})
	}
}
