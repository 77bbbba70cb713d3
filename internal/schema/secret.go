package schema

import (
	"maps"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/diag"
)

// SecretExample says in half a sentence how a reference to a secret is written. A
// reference to a captured one is handed out by a step and seldom written.
const SecretExample = "write {env: NAME}, {file: PATH}, {command: [PROGRAM, …]} " +
	"or {kubernetes: {namespace: NAMESPACE, name: NAME, key: KEY}}"

// SecretCaptured is the form of a reference to a secret that was captured into
// a backup store. The key that opens it is a reference of another form.
const SecretCaptured = "captured"

// secretPrefix is the field of a reference that may stand beside its form: a
// text that is no secret and comes before the value, such as "Bearer ".
const secretPrefix = "prefix"

// SecretForms returns the forms of a reference to a secret with the types of
// their values: exactly one of these fields is given. The result belongs to
// the caller.
func SecretForms() map[string]Type {
	return map[string]Type{
		"env":     Of(String),
		"file":    Of(String),
		"command": ListOf(Of(String)),
		"kubernetes": ObjectOf(map[string]Field{
			"name":      {Type: Of(String), Required: true},
			"key":       {Type: Of(String), Required: true},
			"namespace": {Type: Of(String), Required: true},
			"target":    {Type: Of(String)},
		}),
		SecretCaptured: ObjectOf(map[string]Field{
			"backup": {Type: Of(String)},
			"name":   {Type: Of(String)},
			"store":  {Type: Of(String), Required: true},
			"key":    {Type: Of(Secret), Required: true},
		}),
	}
}

// SecretFields returns everything that may stand in a reference to a secret:
// the forms, and the prefix. The result belongs to the caller.
func SecretFields() map[string]Type {
	fields := SecretForms()
	fields[secretPrefix] = Of(String)
	return fields
}

// secret checks a reference to a secret. Whatever stands there may be the
// secret itself, written by mistake: nothing of it is quoted but the names of
// fields.
func (c *checker) secret(value any, path string) {
	members, ok := value.(map[string]any)
	if !ok {
		c.addf(path, SecretExample, "must be a reference to a secret, is %s", describe(value))
		return
	}
	fields := SecretFields()
	var given []string
	for _, key := range slices.Sorted(maps.Keys(members)) {
		field, known := fields[key]
		if !known {
			names := slices.Sorted(maps.Keys(fields))
			c.addf(path+"/"+escape(key), diag.DidYouMean(clip(key), names), "unknown field %s", quote(key))
			continue
		}
		if key != secretPrefix {
			given = append(given, key)
		}
		c.value(field, members[key], path+"/"+key, true)
		if key == SecretCaptured {
			c.captured(members[key], path+"/"+key)
		}
		if key != secretPrefix && isEmpty(members[key]) {
			c.addf(path+"/"+key, SecretExample, "must not be empty")
		}
	}
	switch len(given) {
	case 0:
		c.addf(path, SecretExample, "is not a reference to a secret")
	case 1:
	default:
		c.addf(path, "keep one of them", "has %s: a secret comes from one place", strings.Join(given, " and "))
	}
}

// captured checks what the types of the members do not say: which of the captured
// secrets is meant, and that the key was not captured itself. What opens it would
// be kept beside what it opens, and so on without end.
func (c *checker) captured(value any, path string) {
	members, ok := value.(map[string]any)
	if !ok {
		return
	}
	_, byID := members["backup"]
	if _, byName := members["name"]; byID == byName {
		c.addf(path, "name the backup, or its series to get the newest of it",
			"needs either backup or name")
	}
	key, _ := members["key"].(map[string]any)
	if _, again := key[SecretCaptured]; again {
		c.addf(path+"/key", "keep the key elsewhere, and write {env: NAME}, {file: PATH} or {command: [PROGRAM, …]}",
			"the key of a captured secret must not be a captured secret")
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
