package target

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/schema"
)

// The reasons of errors of this package.
const (
	reasonTargetConfig  = "TargetConfig"
	reasonTargetMissing = "TargetMissing"
	reasonNoIdentity    = "NoIdentity"
)

// common are the keys that entries of every kind may have; they are read by
// the loader of platform files.
func common() []string { return []string{"kind", "identity", "description"} }

// checkKeys refuses keys that the kind does not know.
func checkKeys(t action.Target, own ...string) error {
	known := append(common(), own...)
	for _, key := range slices.Sorted(maps.Keys(t.Config)) {
		if !slices.Contains(known, key) {
			return configError(t, fmt.Sprintf("has the unknown key %q", key), diag.DidYouMean(key, known))
		}
	}
	return nil
}

// pathConfig is the entry of a kind that needs a path and nothing else.
func pathConfig(doc string) schema.Type {
	return schema.ObjectOf(map[string]schema.Field{
		"path": {Type: schema.Of(schema.String), Required: true, Doc: doc},
	})
}

// folder returns the real path of the folder that the entry path names.
func folder(env action.Env) (string, error) {
	if err := checkKeys(env.Target, "path"); err != nil {
		return "", err
	}
	path, ok := env.Target.Config["path"].(string)
	if !ok || path == "" {
		return "", configError(env.Target, "has no path", "add path: and the folder, relative to the platform file")
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(env.Dir, path)
	}
	resolved, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", missing(env.Target, path, err)
	}
	return resolved, nil
}

func configError(t action.Target, what, remedy string) error {
	return &action.Error{
		Reason: reasonTargetConfig, Effect: action.ExtentNone, Remedy: remedy,
		Err: fmt.Errorf("target %q %s", t.Name, what),
	}
}

func missing(t action.Target, path string, err error) error {
	if cause := errors.Unwrap(err); cause != nil {
		err = cause // without the path that the system repeats
	}
	return &action.Error{
		Reason: reasonTargetMissing, Retryable: true, Effect: action.ExtentNone,
		Remedy: "check the path in the platform file, and that it is mounted",
		Err:    fmt.Errorf("look at folder %q of target %q: %w", path, t.Name, err),
	}
}
