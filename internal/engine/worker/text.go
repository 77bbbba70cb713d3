package worker

import (
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxMessage is how long a message of an event may be in bytes.
const maxMessage = 4 << 10

// oneLine returns a message as one line that is harmless to terminals and not
// too long for an event.
func oneLine(s string) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "�"), unicode.IsControl), " ")
	return shorten(s, maxMessage)
}

// shorten cuts a text to so many bytes, with a sign that it was cut.
func shorten(s string, most int) string {
	if len(s) <= most {
		return s
	}
	const dots = "…"
	end := most - len(dots)
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + dots
}

// show renders a value on one line; a long one is cut.
func show(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return "a value that cannot be shown"
	}
	const most = 120
	return shorten(string(data), most)
}
