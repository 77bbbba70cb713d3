package yamldoc

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"github.com/refitproject/refit/internal/diag"
)

const byteOrderMark = 0xFEFF

// checkText refuses bytes that are not text, at the first such place.
func checkText(file string, data []byte, ds *diag.Diagnostics) bool {
	if bytes.HasPrefix(data, []byte{0xFF, 0xFE}) || bytes.HasPrefix(data, []byte{0xFE, 0xFF}) {
		ds.Errorf(CodeInvalidText, diag.Position{File: file, Line: 1}, "the file is UTF-16").Suggest("save it as UTF-8")
		return false
	}
	pos := diag.Position{File: file, Line: 1, Column: 1}
	for i := 0; i < len(data); {
		r, size := rune(data[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(data[i:])
		}
		switch {
		case r == utf8.RuneError && size == 1:
			ds.Errorf(CodeInvalidText, pos, "the byte 0x%02x is not UTF-8 text", data[i]).
				Suggest("save the file as UTF-8")
			return false
		case r == 0:
			ds.Errorf(CodeInvalidText, pos, "the file holds a NUL character").
				Suggest("is it a text file? if so, save it as UTF-8")
			return false
		case !isPrintable(r) && (r != byteOrderMark || i > 0):
			ds.Errorf(CodeInvalidText, pos, "the file holds the control character %U", r).Suggest("remove it")
			return false
		case r == '\n':
			pos.Line, pos.Column = pos.Line+1, 0
		}
		pos.Column++
		i += size
	}
	return true
}

// isPrintable tells whether YAML permits r in a file.
func isPrintable(r rune) bool {
	switch {
	case r < ' ':
		return r == '\t' || r == '\n' || r == '\r'
	case r < 0x7F:
		return true
	case r < 0xA0:
		return r == 0x85
	default:
		return r != byteOrderMark && r != 0xFFFE && r != 0xFFFF
	}
}

// clip keeps what is quoted in a message short.
func clip(s string) string {
	const longest = 60
	if len(s) <= longest {
		return s
	}
	end := longest
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

func quote(s string) string { return strconv.Quote(clip(s)) }
