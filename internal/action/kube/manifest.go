package kube

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
)

// Limits of manifests.
const (
	maxManifest = 4 << 20
	maxObjects  = 100
)

const reasonBadManifest = "BadManifest"

// loadManifest reads the objects of a YAML file, of one or more documents.
func loadManifest(env action.Env, file string) ([]*unstructured.Unstructured, error) {
	path := file
	if !filepath.IsAbs(path) {
		path = filepath.Join(env.Dir, path)
	}
	bad := func(err error, remedy string) error {
		return &action.Error{
			Reason: reasonBadManifest, Effect: action.ExtentNone, Remedy: remedy,
			Err: fmt.Errorf("read manifest %q: %w", file, err),
		}
	}
	f, err := os.Open(path)
	if err != nil {
		if failure, ok := errors.AsType[*fs.PathError](err); ok {
			err = failure.Err
		}
		return nil, bad(err, "create it, or correct file")
	}
	defer f.Close() //nolint:errcheck // it was only read
	data, err := io.ReadAll(io.LimitReader(f, maxManifest+1))
	if err != nil {
		return nil, bad(err, "check the path and the permissions")
	}
	if len(data) > maxManifest {
		return nil, bad(fmt.Errorf("it is larger than %d bytes", maxManifest), "split it")
	}
	objects, err := parseManifest(data)
	if err != nil {
		return nil, bad(err, "mend the file")
	}
	return objects, nil
}

// parseManifest reads objects of YAML or JSON. Values are never part of its errors.
func parseManifest(data []byte) ([]*unstructured.Unstructured, error) {
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
	var objects []*unstructured.Unstructured
	for document := 1; ; document++ {
		text, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return objects, checkObjects(objects)
		}
		var value any
		if err == nil {
			value, err = plainYAML(text)
		}
		plain, isObject := value.(map[string]any)
		switch {
		case err != nil:
			return nil, fmt.Errorf("document %d is no object of YAML: %s", document, whyNotYAML(err))
		case value == nil: // such as comments alone
			continue
		case !isObject:
			return nil, fmt.Errorf("document %d is no object of YAML: its form is wrong", document)
		}
		members := []any{plain}
		if kind, _ := plain["kind"].(string); kind == "List" {
			members, _ = plain["items"].([]any)
		}
		for _, member := range members {
			m, ok := member.(map[string]any)
			if !ok {
				return nil, fmt.Errorf("document %d: a member of its list is no object", document)
			}
			objects = append(objects, &unstructured.Unstructured{Object: normal(m)})
		}
	}
}

// plainYAML reads one document as plain values. A key that is there twice is an error.
func plainYAML(text []byte) (any, error) {
	asJSON, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		return nil, err
	}
	return action.ParseJSON(asJSON)
}

// whyNotYAML keeps the place of a mistake and leaves out what stands there: it may be
// a part of a secret.
func whyNotYAML(err error) string {
	text := err.Error()
	if i := strings.Index(text, "line "); i >= 0 {
		line, _, _ := strings.Cut(text[i:], ":")
		return "look at " + line
	}
	return "its form is wrong"
}

// givenObjects returns the objects that stand in an input.
func givenObjects(list []map[string]any) []*unstructured.Unstructured {
	objects := make([]*unstructured.Unstructured, len(list))
	for i, m := range list {
		objects[i] = &unstructured.Unstructured{Object: normal(m)}
	}
	return objects
}

// checkObjects refuses what has no name, is there twice, or cannot be applied.
func checkObjects(objects []*unstructured.Unstructured) error {
	if len(objects) == 0 {
		return errors.New("there is no object in it")
	}
	if len(objects) > maxObjects {
		return fmt.Errorf("it has %d objects, one step applies at most %d", len(objects), maxObjects)
	}
	seen := map[string]bool{}
	for n, o := range objects {
		metadata, _ := o.Object["metadata"].(map[string]any)
		if metadata == nil && o.Object["metadata"] != nil {
			return fmt.Errorf("object %d: its metadata is no map", n+1)
		}
		if err := idOf(o).check(); err != nil {
			return fmt.Errorf("object %d: %w", n+1, err)
		}
		key := idOf(o).key()
		if seen[key] {
			return fmt.Errorf("object %d: %s is there twice", n+1, idOf(o))
		}
		seen[key] = true
		if o.Object["status"] != nil {
			return fmt.Errorf("object %d: %s has a status, which is not set by applying", n+1, idOf(o))
		}
		for _, field := range []string{"resourceVersion", "uid", "managedFields"} {
			if metadata[field] != nil {
				return fmt.Errorf("object %d: %s has metadata.%s, which belongs to the cluster", n+1, idOf(o), field)
			}
		}
		annotations, _ := metadata["annotations"].(map[string]any)
		if _, there := annotations[kube.KeyAnnotation]; there {
			return fmt.Errorf("object %d: the annotation %s is set by Refit", n+1, kube.KeyAnnotation)
		}
	}
	return nil
}

// normal returns a copy of a map in which whole numbers are what the libraries of
// Kubernetes can copy.
func normal(m map[string]any) map[string]any {
	out := make(map[string]any, len(m))
	for key, v := range m {
		out[key] = normalValue(v)
	}
	return out
}

func normalValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		return normal(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = normalValue(v[i])
		}
		return out
	case int:
		return int64(v)
	default:
		return v
	}
}
