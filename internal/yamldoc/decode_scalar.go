package yamldoc

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/refitproject/refit/internal/schema"
)

func (d *decoder) text(n *Node, at place, v reflect.Value, f *field) {
	text, ok := n.Value.(string)
	if n.Kind != Scalar || !ok {
		d.wrong(n, at, "a string")
		return
	}
	if v.Kind() == reflect.String {
		v.SetString(text)
	} else {
		v.Set(reflect.ValueOf(Text{Value: text, Pos: n.Pos}))
	}
	d.enum(n, at, text, f)
}

func (d *decoder) scalar(n *Node, at place, v reflect.Value, s shape) {
	if n.Kind != Scalar {
		d.wrong(n, at, scalarName(s))
		return
	}
	switch value := n.Value.(type) {
	case bool:
		if s == shapeBool {
			v.SetBool(value)
			return
		}
	case int64:
		if s == shapeFloat {
			v.SetFloat(float64(value))
			return
		}
		if s == shapeInt && v.OverflowInt(value) {
			d.ds.Errorf(CodeInvalidNumber, n.Pos, "%s is %d, which is too large", at, value)
			return
		}
		if s == shapeInt {
			v.SetInt(value)
			return
		}
	case float64:
		if s == shapeFloat {
			v.SetFloat(value)
			return
		}
	}
	d.wrong(n, at, scalarName(s))
}

func scalarName(s shape) string {
	switch s {
	case shapeBool:
		return "true or false"
	case shapeInt:
		return "a whole number"
	default:
		return "a number"
	}
}

const durationExample = "write a number with a unit, such as 90s, 20m, 1h30m or 7d"

func (d *decoder) duration(n *Node, at place, v reflect.Value) {
	text, ok := n.Value.(string)
	if n.Kind != Scalar || !ok {
		d.wrong(n, at, "a duration")
		return
	}
	value, err := schema.ParseDuration(text)
	switch {
	case strings.HasPrefix(text, "-") || err == nil && value <= 0:
		d.ds.Errorf(CodeInvalidDuration, n.Pos, "%s must be longer than zero, is %s", at, quote(text)).
			Suggest(durationExample)
	case err != nil:
		d.ds.Errorf(CodeInvalidDuration, n.Pos, "%s must be a duration, is %s", at, quote(text)).
			Suggest(durationExample)
	}
	// The position is kept in any case: the key was written.
	v.Set(reflect.ValueOf(Duration{Value: value, Pos: n.Pos}))
}

// wrong reports a value of another type than the key has.
func (d *decoder) wrong(n *Node, at place, want string) {
	if n.Kind == Null {
		d.ds.Errorf(CodeWrongType, n.Pos, "%s must be %s, has no value", at, want).
			Suggest("give it a value, or remove the key")
		return
	}
	entry := d.ds.Errorf(CodeWrongType, n.Pos, "%s must be %s, is %s", at, want, describe(n))
	text, isText := n.Value.(string)
	switch {
	case n.Kind != Scalar:
	case want == "a string":
		entry.Suggest("put it in quotes: %s", quote(n.Raw))
	case want == "a duration":
		entry.Suggest(durationExample)
	case isText && strings.Contains(text, "${"):
		entry.Suggest("an expression is not permitted here, write the value")
	case want == "true or false":
		if word := boolWord(text); word != "" {
			entry.Suggest("write %s", word)
		}
	case isText && n.Quoted && want != "a list" && want != "a mapping":
		entry.Suggest("remove the quotes")
	}
}

// boolWord returns what an author means who writes a boolean as YAML 1.1 does.
func boolWord(text string) string {
	switch strings.ToLower(text) {
	case "yes", "on", "y", "true":
		return "true"
	case "no", "off", "n", "false":
		return "false"
	default:
		return ""
	}
}

// describe names what stands in the file.
func describe(n *Node) string {
	switch n.Kind {
	case Sequence:
		return "a list"
	case Mapping:
		return "a mapping"
	case Scalar:
	case Null, Invalid:
		return "nothing"
	}
	switch value := n.Value.(type) {
	case string:
		return "the string " + quote(value)
	case bool:
		return fmt.Sprint(value)
	default:
		return "the number " + clip(n.Raw)
	}
}
