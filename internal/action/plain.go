package action

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"
)

// ParseJSON reads one JSON document as plain values: nil, bool, string, int64
// (float64 for numbers that are not whole or too large), []any and
// map[string]any. Anything behind the document is an error.
func ParseJSON(data []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("the document is empty")
		}
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("there is more behind the document, which ends at byte %d", dec.InputOffset())
	}
	return plainNumbers(v)
}

// plainNumbers replaces the json.Numbers in v.
func plainNumbers(v any) (any, error) {
	var err error
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n, nil
		}
		return v.Float64()
	case []any:
		for i := range v {
			if v[i], err = plainNumbers(v[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for k := range v {
			if v[k], err = plainNumbers(v[k]); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

// encode returns the struct out as plain values. Optional fields with a zero
// value are left out.
func encode(out any) (map[string]any, error) {
	v, err := encodeStruct(reflect.ValueOf(out))
	if err != nil {
		return nil, fmt.Errorf("encode output: %w", err)
	}
	return v, nil
}

func encodeStruct(v reflect.Value) (map[string]any, error) {
	out := map[string]any{}
	for i := range v.NumField() {
		name, optional := fieldTag(v.Type().Field(i))
		if name == "" || (optional && v.Field(i).IsZero()) {
			continue
		}
		plain, err := encodeValue(v.Field(i))
		if err != nil {
			return nil, fmt.Errorf("field %q: %w", name, err)
		}
		out[name] = plain
	}
	return out, nil
}

func encodeValue(v reflect.Value) (any, error) {
	if d, ok := reflect.TypeAssert[time.Duration](v); ok {
		return d.String(), nil
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil, nil
		}
		return encodeValue(v.Elem())
	case reflect.String:
		return v.String(), nil
	case reflect.Bool:
		return v.Bool(), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return v.Int(), nil
	case reflect.Float32, reflect.Float64:
		return v.Float(), nil
	case reflect.Struct:
		return encodeStruct(v)
	case reflect.Slice:
		return encodeList(v)
	case reflect.Map:
		return encodeMap(v)
	default:
		return nil, fmt.Errorf("a %s has no plain value", v.Type())
	}
}

func encodeList(v reflect.Value) (any, error) {
	out := make([]any, v.Len())
	for i := range out {
		plain, err := encodeValue(v.Index(i))
		if err != nil {
			return nil, err
		}
		out[i] = plain
	}
	return out, nil
}

func encodeMap(v reflect.Value) (any, error) {
	out := make(map[string]any, v.Len())
	for _, key := range v.MapKeys() {
		plain, err := encodeValue(v.MapIndex(key))
		if err != nil {
			return nil, err
		}
		out[key.String()] = plain
	}
	return out, nil
}

// fieldTag returns the name of a field in plain values, "" for fields that
// have none, and whether it may be left out.
func fieldTag(f reflect.StructField) (name string, optional bool) {
	name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
	if !f.IsExported() || name == "-" {
		return "", false
	}
	return name, strings.Contains(options, "omit") || strings.Contains(f.Tag.Get("refit"), "optional")
}
