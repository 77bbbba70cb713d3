package http

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/refitproject/refit/internal/action"
)

// Expect is what an answer must be. What is not given may be anything, but the
// status: by default it is one of success.
type Expect struct {
	Status  int               `json:"status,omitempty" doc:"Status code; default any from 200 to 299."`
	Headers map[string]string `json:"headers,omitempty" doc:"Values of headers, by name."`
	JSON    map[string]any    `json:"json,omitempty" doc:"Values in the JSON of the body, by paths such as items[0].name."`
}

// check refuses expectations that no answer can fulfil.
func (e Expect) check(field string) error {
	if e.Status != 0 && (e.Status < 100 || e.Status > 599) {
		return fmt.Errorf("field \"%s.status\" is %d, needs 100 to 599", field, e.Status)
	}
	for _, name := range slices.Sorted(maps.Keys(e.Headers)) {
		if name == "" || strings.ContainsFunc(name, notInName) {
			return fmt.Errorf("field \"%s.headers\": %q cannot be the name of a header", field, name)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(e.JSON)) {
		if _, err := action.ParsePath(path); err != nil {
			return fmt.Errorf("field \"%s.json\": %w", field, err)
		}
	}
	return nil
}

// differs says what an answer has that was not expected, "" when it is as
// expected.
func (e Expect) differs(out GetOutput) string {
	var found []string
	add := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	switch {
	case e.Status == 0 && (out.Status < 200 || out.Status > 299):
		add("status must be 200 to 299, is %d", out.Status)
	case e.Status != 0 && e.Status != out.Status:
		add("status must be %d, is %d", e.Status, out.Status)
	}
	for _, name := range slices.Sorted(maps.Keys(e.Headers)) {
		if got, there := out.Headers[strings.ToLower(name)]; !there {
			add("header %s must be %q, is not there", name, e.Headers[name])
		} else if got != e.Headers[name] {
			add("header %s must be %q, is %s", name, e.Headers[name], shown(got))
		}
	}
	if len(e.JSON) > 0 && out.JSON == nil {
		add("the body must be JSON, is not")
		return strings.Join(found, "; ")
	}
	for _, text := range slices.Sorted(maps.Keys(e.JSON)) {
		path, err := action.ParsePath(text)
		if err != nil { // check has refused it
			continue
		}
		want := e.JSON[text]
		if got, there := path.Find(out.JSON); !there {
			add("json %s must be %s, is not there", path, shown(want))
		} else if !action.Equal(got, want) {
			add("json %s must be %s, is %s", path, shown(want), shown(got))
		}
	}
	return strings.Join(found, "; ")
}

// shown returns a value as messages show it: as JSON, and not too long.
func shown(v any) string {
	const most = 100
	text, err := json.Marshal(v)
	if err != nil {
		return strconv.Quote(fmt.Sprint(v))
	}
	if runes := []rune(string(text)); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return string(text)
}
