package local

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"reflect"
)

// shapeOf names the shape of a type as JSON sees it: the names, tags and types of
// all its fields. A checkpoint of another shape is not read, whatever version the
// program that wrote it said it was.
func shapeOf(t reflect.Type) string {
	h := sha256.New()
	writeShape(h, t, map[reflect.Type]bool{})
	const enough = 8
	return hex.EncodeToString(h.Sum(nil)[:enough])
}

func writeShape(to io.Writer, t reflect.Type, seen map[reflect.Type]bool) {
	_, _ = fmt.Fprintf(to, "%s;", t) // a hash never fails to write
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array:
		writeShape(to, t.Elem(), seen)
	case reflect.Map:
		writeShape(to, t.Key(), seen)
		writeShape(to, t.Elem(), seen)
	case reflect.Struct:
		if seen[t] {
			return
		}
		seen[t] = true
		for f := range t.Fields() {
			if f.IsExported() {
				_, _ = fmt.Fprintf(to, "%s %s;", f.Name, f.Tag)
				writeShape(to, f.Type, seen)
			}
		}
	default: // Its name says it all.
	}
}
