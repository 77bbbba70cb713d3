package schema

import (
	"fmt"
	"iter"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/refitproject/refit/internal/diag"
)

// Problem is one way in which a value does not fit its Type. Its texts never
// hold values of sensitive fields.
type Problem struct {
	// Path is an RFC 6901 JSON pointer to the place in the value; "" is the
	// whole value.
	Path string
	// Message says in one line what is wrong there.
	Message string
	// Suggestion says in one line what to do; may be empty.
	Suggestion string
}

// String returns the Problem as one line: "/name: must be a string, is a list".
func (p Problem) String() string {
	s := p.Message
	if p.Path != "" {
		s = p.Path + ": " + s
	}
	if p.Suggestion != "" {
		s += ": " + p.Suggestion
	}
	return s
}

// Check compares value with t and returns everything that does not fit, in
// the order of the paths; nil means that it fits. Values are plain: nil,
// string, int64 (or int), float64, bool, []any, map[string]any. A whole number
// fits Number, and a float without fraction fits Int. null fits only Any.
func Check(t Type, value any) []Problem {
	// Most values fit, and large plans check hundreds of thousands: paths,
	// order and texts are made only when there is something to report.
	quick := &checker{quick: true}
	quick.value(t, value, "", false)
	if !quick.failed {
		return nil
	}
	c := &checker{}
	c.value(t, value, "", false)
	return c.problems
}

// checker collects problems. The argument hide, where there is one, tells that
// the value must not be quoted.
type checker struct {
	problems []Problem
	// quick asks only whether there is a problem; the answer is in failed.
	quick, failed bool
}

// below returns the path of a member.
func (c *checker) below(path, key string) string {
	if c.quick {
		return ""
	}
	return path + "/" + escape(key)
}

// keys returns the names of members, sorted where the order is seen.
func (c *checker) keys(members map[string]any) iter.Seq[string] {
	if c.quick {
		return maps.Keys(members)
	}
	return slices.Values(slices.Sorted(maps.Keys(members)))
}

func (c *checker) addf(path, suggestion, format string, args ...any) {
	if c.quick {
		c.failed = true
		return
	}
	c.problems = append(c.problems, Problem{Path: path, Message: fmt.Sprintf(format, args...), Suggestion: suggestion})
}

func (c *checker) value(t Type, value any, path string, hide bool) {
	switch t.Kind {
	case Any, "":
	case String:
		if s, ok := value.(string); !ok {
			c.wrong(path, "a string", value)
		} else {
			c.enum(t, s, path, hide)
		}
	case Duration:
		c.duration(value, path, hide)
	case Bool:
		if _, ok := value.(bool); !ok {
			c.wrong(path, "true or false", value)
		}
	case Int, Number:
		c.number(t.Kind, value, path)
	case List:
		c.list(t, value, path, hide)
	case Map:
		c.mapping(t, value, path, hide)
	case Object:
		c.object(t, value, path, hide)
	case Secret:
		c.secret(value, path)
	default:
		c.addf(path, "", "has the unknown type %q", t.Kind)
	}
}

func (c *checker) wrong(path, want string, value any) {
	c.addf(path, "", "must be %s, is %s", want, describe(value))
}

func (c *checker) enum(t Type, s, path string, hide bool) {
	if len(t.Enum) == 0 || slices.Contains(t.Enum, s) {
		return
	}
	if hide {
		c.addf(path, "one of: "+strings.Join(t.Enum, ", "), "is not a permitted value")
		return
	}
	c.addf(path, diag.DidYouMean(clip(s), t.Enum), "%s is not a permitted value", quote(s))
}

func (c *checker) duration(value any, path string, hide bool) {
	s, ok := value.(string)
	if !ok {
		c.addf(path, "write a number with a unit, such as 90s, 20m, 1h30m or 7d",
			"must be a duration, is %s", describe(value))
		return
	}
	if _, err := ParseDuration(s); err == nil {
		return
	} else if hide {
		c.addf(path, "write a number with a unit, such as 90s, 20m, 1h30m or 7d", "is not a duration")
	} else {
		c.addf(path, "", "%s", err.Error())
	}
}

func (c *checker) number(kind Kind, value any, path string) {
	switch v := value.(type) {
	case int64, int:
	case float64:
		if kind == Int && !isWhole(v) {
			c.wrong(path, "a whole number", value)
		} else if math.IsNaN(v) || math.IsInf(v, 0) {
			c.addf(path, "", "must be a finite number")
		}
	default:
		want := "a number"
		if kind == Int {
			want = "a whole number"
		}
		c.wrong(path, want, value)
	}
}

// isWhole tells whether f stands for exactly one int64.
func isWhole(f float64) bool {
	const limit = 1 << 53
	return f == math.Trunc(f) && math.Abs(f) < limit
}

func (c *checker) list(t Type, value any, path string, hide bool) {
	items, ok := value.([]any)
	if !ok {
		c.wrong(path, "a list", value)
		return
	}
	for i, item := range items {
		c.value(t.ElemType(), item, c.below(path, strconv.Itoa(i)), hide)
	}
}

func (c *checker) mapping(t Type, value any, path string, hide bool) {
	members, ok := value.(map[string]any)
	if !ok {
		c.wrong(path, "a map", value)
		return
	}
	for key := range c.keys(members) {
		c.value(t.ElemType(), members[key], c.below(path, key), hide)
	}
}

func (c *checker) object(t Type, value any, path string, hide bool) {
	members, ok := value.(map[string]any)
	if !ok {
		c.wrong(path, "an object", value)
		return
	}
	if t.Open() {
		return
	}
	for key := range c.keys(members) {
		if f, known := t.Fields[key]; known {
			c.value(f.Type, members[key], c.below(path, key), hide || f.Sensitive)
		} else {
			c.unknown(t, path, key)
		}
	}
	var missing []string
	for name, f := range t.Fields {
		if _, given := members[name]; !given && f.Required {
			missing = append(missing, name)
		}
	}
	slices.Sort(missing)
	for _, name := range missing {
		c.addf(path, "", "field %q is missing", name)
	}
}

func (c *checker) unknown(t Type, path, key string) {
	if c.quick {
		c.failed = true
		return
	}
	c.addf(c.below(path, key), diag.DidYouMean(clip(key), t.FieldNames()), "unknown field %s", quote(key))
}

// describe names the kind of a value, and never quotes it.
func describe(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case string:
		return "a string"
	case int64, int:
		return "a whole number"
	case float64:
		return "a number"
	case bool:
		return "true or false"
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	default:
		return fmt.Sprintf("a value of Go type %T", value)
	}
}

// escape writes key as one token of a JSON pointer.
func escape(key string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
}

// clip keeps what is quoted in a message short.
func clip(s string) string {
	const longest = 60
	if len(s) <= longest {
		return s
	}
	return strings.ToValidUTF8(s[:longest], "") + "…"
}

func quote(s string) string { return strconv.Quote(clip(s)) }
