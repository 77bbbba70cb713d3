package action

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/schema"
)

// invalidInput wraps what is wrong with an input of the action called name.
func invalidInput(name string, err error) error {
	return &Error{Reason: ReasonInvalidInput, Effect: ExtentNone, Err: fmt.Errorf("input of %s: %w", name, err)}
}

// checkInput compares in with t and says everything that does not fit in one
// error.
func checkInput(t schema.Type, in map[string]any) error {
	if in == nil {
		in = map[string]any{}
	}
	problems := schema.Check(t, in)
	if len(problems) == 0 {
		return nil
	}
	texts := make([]string, len(problems))
	for i, p := range problems {
		texts[i] = p.String()
	}
	return errors.New(strings.Join(texts, "; "))
}

// decodeInto fills the struct that out points to from plain values that
// package schema has admitted.
func decodeInto(in map[string]any, out any) error {
	return decodeStruct(in, reflect.ValueOf(out).Elem())
}

func decodeStruct(in map[string]any, out reflect.Value) error {
	for i := range out.NumField() {
		name, _ := fieldTag(out.Type().Field(i))
		v, given := in[name]
		if name == "" || !given || v == nil {
			continue
		}
		if err := decodeValue(v, out.Field(i)); err != nil {
			return fmt.Errorf("field %q: %w", name, err)
		}
	}
	return nil
}

// decodeValue sets out to v. It converts what the types of package schema let
// pass: whole numbers of any Go type, and durations written as text.
func decodeValue(v any, out reflect.Value) error {
	if out.Type() == reflect.TypeFor[time.Duration]() {
		return decodeDuration(v, out)
	}
	switch out.Kind() {
	case reflect.Interface:
		out.Set(reflect.ValueOf(v))
		return nil
	case reflect.Pointer:
		out.Set(reflect.New(out.Type().Elem()))
		return decodeValue(v, out.Elem())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return decodeInt(v, out)
	case reflect.Float32, reflect.Float64:
		return decodeFloat(v, out)
	case reflect.Struct:
		if m, ok := v.(map[string]any); ok {
			return decodeStruct(m, out)
		}
	case reflect.Slice:
		if list, ok := v.([]any); ok {
			return decodeList(list, out)
		}
	case reflect.Map:
		if m, ok := v.(map[string]any); ok {
			return decodeMap(m, out)
		}
	default:
		if rv := reflect.ValueOf(v); rv.Kind() == out.Kind() {
			out.Set(rv.Convert(out.Type()))
			return nil
		}
	}
	return fmt.Errorf("is a %T and does not fit", v)
}

func decodeDuration(v any, out reflect.Value) error {
	text, ok := v.(string)
	if !ok {
		return fmt.Errorf("is a %T, needs a duration such as \"90s\"", v)
	}
	d, err := schema.ParseDuration(text)
	if err != nil {
		return err
	}
	out.SetInt(int64(d))
	return nil
}

func decodeInt(v any, out reflect.Value) error {
	var n int64
	switch v := v.(type) {
	case int64:
		n = v
	case int:
		n = int64(v)
	case float64:
		n = int64(v)
		if float64(n) != v || math.Abs(v) >= 1<<53 {
			return fmt.Errorf("is %v, needs a whole number", v)
		}
	default:
		return fmt.Errorf("is a %T, needs a whole number", v)
	}
	if out.OverflowInt(n) {
		return fmt.Errorf("is %d, which is too large", n)
	}
	out.SetInt(n)
	return nil
}

func decodeFloat(v any, out reflect.Value) error {
	switch v := v.(type) {
	case float64:
		out.SetFloat(v)
	case int64:
		out.SetFloat(float64(v))
	case int:
		out.SetFloat(float64(v))
	default:
		return fmt.Errorf("is a %T, needs a number", v)
	}
	return nil
}

func decodeList(list []any, out reflect.Value) error {
	out.Set(reflect.MakeSlice(out.Type(), len(list), len(list)))
	for i, item := range list {
		if item == nil {
			continue
		}
		if err := decodeValue(item, out.Index(i)); err != nil {
			return fmt.Errorf("member %d: %w", i, err)
		}
	}
	return nil
}

func decodeMap(m map[string]any, out reflect.Value) error {
	out.Set(reflect.MakeMapWithSize(out.Type(), len(m)))
	for key, item := range m {
		value := reflect.New(out.Type().Elem()).Elem()
		if item != nil {
			if err := decodeValue(item, value); err != nil {
				return fmt.Errorf("member %q: %w", key, err)
			}
		}
		out.SetMapIndex(reflect.ValueOf(key).Convert(out.Type().Key()), value)
	}
	return nil
}
