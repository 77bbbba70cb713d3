package helm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/v2/loader"

	"github.com/refitproject/refit/internal/action"
)

// valueSources are where the values of a release come from, the later ones over the
// earlier ones.
type valueSources struct {
	reuse   bool
	files   []string
	inline  map[string]any
	secrets map[string]action.SecretRef
}

// check tells what is wrong with the sources.
func (v valueSources) check() error {
	for _, file := range v.files {
		if file == "" || strings.ContainsRune(file, 0) {
			return errors.New("fields \"valuesFile\" and \"valuesFiles\" must be paths")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(v.secrets)) {
		path, err := action.ParsePath(name)
		if err != nil {
			return fmt.Errorf("field \"secretValues\": %w", err)
		}
		for _, part := range path {
			if _, ok := part.(string); !ok {
				return fmt.Errorf("field \"secretValues\": %q leads into a list: give the whole list by a file", name)
			}
		}
	}
	return nil
}

// given tells whether any values are given.
func (v valueSources) given() bool {
	return len(v.files) > 0 || len(v.inline) > 0 || len(v.secrets) > 0
}

// hidden stands for the values of secrets where they are only shown.
const hidden = "***"

// values returns what the release gets; live is what it has. Without resolve, secrets
// stand as hidden.
func (v valueSources) values(
	ctx context.Context, env action.Env, live map[string]any, resolve bool,
) (map[string]any, error) {
	if !v.given() {
		return plainMap(live)
	}
	out := map[string]any{}
	if v.reuse {
		var err error
		if out, err = plainMap(live); err != nil {
			return nil, err
		}
	}
	for _, file := range v.files {
		read, err := readValues(env, file)
		if err != nil {
			return nil, err
		}
		out = loader.MergeMaps(out, read)
	}
	inline, err := plainMap(v.inline)
	if err != nil {
		return nil, err
	}
	out = loader.MergeMaps(out, inline)
	secrets := map[string]string{}
	if resolve {
		if secrets, err = env.ResolveSecrets(ctx, "secretValues", v.secrets); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(v.secrets)) {
		value := hidden
		if resolve {
			value = secrets[name]
		}
		if err := put(out, name, value); err != nil {
			return nil, err
		}
	}
	return plainMap(out)
}

// put sets a value within a map, by a path that check has let pass.
func put(values map[string]any, name string, value any) error {
	path, err := action.ParsePath(name)
	if err != nil {
		return err
	}
	for i, part := range path {
		key, _ := part.(string)
		if i == len(path)-1 {
			values[key] = value
			return nil
		}
		next, there := values[key]
		table, ok := next.(map[string]any)
		if there && next != nil && !ok {
			return refused(reasonValuesInvalid, "correct the path in secretValues",
				fmt.Errorf("set the value %q: %s is no map", name, path[:i+1]))
		}
		if table == nil {
			table = map[string]any{}
			values[key] = table
		}
		values = table
	}
	return nil
}

// readValues reads a file of values.
func readValues(env action.Env, file string) (map[string]any, error) {
	path := file
	if !filepath.IsAbs(path) {
		path = filepath.Join(env.Dir, path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		if cause, ok := errors.AsType[*fs.PathError](err); ok {
			err = cause.Err
		}
		return nil, refused(reasonValuesInvalid, "correct the path", fmt.Errorf("read values file %q: %w", file, err))
	}
	values, err := common.ReadValues(data)
	if err != nil {
		// What does not parse may be quoted, and it may be a secret.
		text, _, _ := strings.Cut(err.Error(), "\n")
		return nil, refused(reasonValuesInvalid, "correct the file",
			fmt.Errorf("read values file %q: it is no YAML of values: %s", file, text))
	}
	return values, nil
}

// plainMap returns values with the numbers that this program compares, in a copy of
// its own: Helm changes what it is given.
func plainMap(values map[string]any) (map[string]any, error) {
	data, err := json.Marshal(values)
	if err != nil {
		return nil, fmt.Errorf("read values: %w", err)
	}
	plain, err := action.ParseJSON(data)
	if err != nil {
		return nil, fmt.Errorf("read values: %w", err)
	}
	out, ok := plain.(map[string]any)
	if !ok {
		return map[string]any{}, nil
	}
	return out, nil
}

// differences returns the paths at which two values differ, without what they hold.
func differences(a, b any) []string {
	var out []string
	collect(a, b, nil, &out)
	return out
}

func collect(a, b any, path action.Path, out *[]string) {
	x, isMap := a.(map[string]any)
	y, isAlso := b.(map[string]any)
	if !isMap || !isAlso {
		if !action.Equal(a, b) {
			*out = append(*out, path.String())
		}
		return
	}
	keys := maps.Clone(x)
	maps.Copy(keys, y)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		next := append(slices.Clone(path), key)
		_, left := x[key]
		_, right := y[key]
		if left != right {
			*out = append(*out, next.String())
			continue
		}
		collect(x[key], y[key], next, out)
	}
}
