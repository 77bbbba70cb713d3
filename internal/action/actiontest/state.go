package actiontest

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
)

// FolderState lists the files below dir with their permissions and content.
func FolderState(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	root := os.DirFS(dir)
	err := fs.WalkDir(root, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s %s", info.Mode(), path)
		if info.Mode().IsRegular() {
			data, err := fs.ReadFile(root, path)
			if err != nil {
				return err
			}
			fmt.Fprintf(&b, " %q", data)
		}
		b.WriteByte('\n')
		return nil
	})
	if err != nil {
		t.Fatalf("list folder %q: %v", dir, err)
	}
	return b.String()
}

// describe returns everything that a result holds: as JSON, which follows
// pointers, and as Go writes it, which escapes nothing.
func describe(result any) string {
	text, err := json.Marshal(result)
	if err != nil {
		return fmt.Sprintf("%+v", result)
	}
	return fmt.Sprintf("%s %+v", text, result)
}

// clone returns a copy of plain values.
func clone(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = clone(v[i])
		}
		return out
	case map[string]any:
		return cloneMap(v)
	default:
		return v
	}
}

func cloneMap(m map[string]any) map[string]any {
	out := make(map[string]any, len(m))
	for key := range m {
		out[key] = clone(m[key])
	}
	return out
}
