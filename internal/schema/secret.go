package schema

import (
	"maps"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/diag"
)

const exampleOfReference = "write {env: NAME}, {file: PATH}, {command: [PROGRAM, …]} " +
	"or {kubernetes: {name: NAME, key: KEY}}"

// secretForms returns the forms of a reference to a secret: exactly one of
// these fields is given.
func secretForms() map[string]Type {
	return map[string]Type{
		"env":     Of(String),
		"file":    Of(String),
		"command": ListOf(Of(String)),
		"kubernetes": ObjectOf(map[string]Field{
			"name":      {Type: Of(String), Required: true},
			"key":       {Type: Of(String), Required: true},
			"namespace": {Type: Of(String)},
			"target":    {Type: Of(String)},
		}),
	}
}

// secret checks a reference to a secret. Whatever stands there may be the
// secret itself, written by mistake: nothing of it is quoted but the names of
// fields.
func (c *checker) secret(value any, path string) {
	members, ok := value.(map[string]any)
	if !ok {
		c.addf(path, exampleOfReference, "must be a reference to a secret, is %s", describe(value))
		return
	}
	forms := secretForms()
	var given []string
	for _, key := range slices.Sorted(maps.Keys(members)) {
		form, known := forms[key]
		if !known {
			names := slices.Sorted(maps.Keys(forms))
			c.addf(path+"/"+escape(key), diag.DidYouMean(clip(key), names), "unknown field %s", quote(key))
			continue
		}
		given = append(given, key)
		c.value(form, members[key], path+"/"+key, true)
		if isEmpty(members[key]) {
			c.addf(path+"/"+key, exampleOfReference, "must not be empty")
		}
	}
	switch len(given) {
	case 0:
		c.addf(path, exampleOfReference, "is not a reference to a secret")
	case 1:
	default:
		c.addf(path, "keep one of them", "has %s: a secret comes from one place", strings.Join(given, " and "))
	}
}

func isEmpty(value any) bool {
	switch v := value.(type) {
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	default:
		return false
	}
}
