package helm

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/values"
)

func TestRender(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "hub/Chart.yaml", "apiVersion: v2\nname: hub\nversion: 2.0.0\n")
	write(t, dir, "hub/values.yaml", "replicas: 1\nold: \"\"\n")
	write(t, dir, "hub/values.schema.json", `{"type": "object", "properties": {"replicas": {"type": "integer"}}}`)
	write(t, dir, "hub/templates/a.yaml", "{{ if .Values.old }}{{ fail \"RENAMED: old is new\" }}{{ end }}\n"+
		"kind: ConfigMap\napiVersion: v1\nmetadata: {name: '{{ .Release.Name }}', namespace: '{{ .Release.Namespace }}'}\n")
	cases := map[string]struct {
		chart   map[string]any
		version string
		values  string
		refused bool   // of the values
		want    string // in the error; empty for none
	}{
		"Fits":    {map[string]any{"path": "hub"}, "2.0.0", "replicas: 2\n", false, ""},
		"Schema":  {map[string]any{"path": "hub"}, "2.0.0", "replicas: many\n", true, "replicas"},
		"Fail":    {map[string]any{"path": "hub"}, "2.0.0", "old: x\n", true, "RENAMED: old is new"},
		"Version": {map[string]any{"path": "hub"}, "3.0.0", "", false, "has version 2.0.0 instead of 3.0.0"},
		"Missing": {map[string]any{"path": "nowhere"}, "", "", false, "nowhere"},
		"Source":  {map[string]any{}, "", "", false, "needs one of path, repo and oci"},
		"Broken":  {map[string]any{"path": "hub"}, "2.0.0", "a: [", false, "read the values"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := Renderer{}.Render(t.Context(), action.Env{Dir: dir},
				values.Rendering{Chart: tc.chart, Version: tc.version, Values: []byte(tc.values)})
			switch {
			case tc.want == "" && err != nil:
				t.Error(err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("error %v, want %q in it", err, tc.want)
			case errors.Is(err, values.ErrRefused) != tc.refused:
				t.Errorf("refused is %t: %v", !tc.refused, err)
			}
		})
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
