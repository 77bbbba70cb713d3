package yamldoc

import (
	"math"
	"strconv"
	"strings"
)

// resolve gives the value of a plain scalar by the core schema of YAML 1.2:
// nil, bool, int64, float64 or string. Dates, yes, no, on and off are strings.
// When the text cannot stand as it is, problem says why and suggestion what to
// write.
func resolve(raw string) (value any, problem, suggestion string) {
	switch raw {
	case "", "~", "null", "Null", "NULL":
		return nil, "", ""
	case "true", "True", "TRUE":
		return true, "", ""
	case "false", "False", "FALSE":
		return false, "", ""
	}
	if strings.IndexByte("+-.0123456789", raw[0]) < 0 {
		return raw, "", ""
	}
	switch strings.TrimLeft(raw, "+-") {
	case ".inf", ".Inf", ".INF":
		return nil, "infinity is not a number that is read", "write a finite number, or quotes around a text"
	case ".nan", ".NaN", ".NAN":
		return nil, "\"not a number\" is not a number that is read", "write a number, or quotes around a text"
	}
	return number(raw)
}

func number(raw string) (value any, problem, suggestion string) {
	digits := strings.TrimLeft(raw[:1], "+-") + raw[1:]
	switch {
	case isBased(raw, "0x", "0123456789abcdefABCDEF"), isBased(raw, "0o", "01234567"):
		n, err := strconv.ParseInt(raw, 0, 64)
		return whole(raw, n, err)
	case isDecimal(digits) && len(digits) > 1 && digits[0] == '0':
		return nil, quote(raw) + " is octal to some programs and decimal to others",
			"put it in quotes for a text, or write 0o before an octal number"
	case isDecimal(digits):
		n, err := strconv.ParseInt(raw, 10, 64)
		return whole(raw, n, err)
	case isFloat(digits):
		f, err := strconv.ParseFloat(raw, 64)
		if err != nil || math.IsInf(f, 0) {
			return nil, "the number " + clip(raw) + " is too large", "put it in quotes if it is a text"
		}
		return f, "", ""
	default:
		return raw, "", ""
	}
}

func whole(raw string, n int64, err error) (value any, problem, suggestion string) {
	if err != nil {
		return nil, "the number " + clip(raw) + " does not fit in 64 bits", "put it in quotes if it is a text"
	}
	return n, "", ""
}

func isBased(raw, prefix, digits string) bool {
	rest, found := strings.CutPrefix(raw, prefix)
	return found && rest != "" && strings.Trim(rest, digits) == ""
}

func isDecimal(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// isFloat tells whether s, which has no sign, is a number with a fraction or
// an exponent.
func isFloat(s string) bool {
	mantissa := s
	if at := strings.IndexAny(s, "eE"); at >= 0 {
		exponent := s[at+1:]
		if exponent != "" && (exponent[0] == '+' || exponent[0] == '-') {
			exponent = exponent[1:]
		}
		if !isDecimal(exponent) {
			return false
		}
		mantissa = s[:at]
	}
	before, after, _ := strings.Cut(mantissa, ".")
	return isDecimal(before + after)
}
