package values

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/file"
	"github.com/refitproject/refit/internal/secret"
)

const (
	reasonValuesRefused = "ValuesRefused"
	reasonNotRendered   = "NotRendered"
)

// Renderer renders charts. The family of Helm has one.
type Renderer interface {
	// Render renders a chart with values, as `helm template` does, and judges them
	// by its values.schema.json. It changes nothing and needs no cluster. An error
	// that wraps ErrRefused is what the chart says about the values, in the words
	// of Helm; any other is about the chart or the way to it, as an *action.Error.
	Render(ctx context.Context, env action.Env, r Rendering) error
}

// ErrRefused is returned when a chart does not take the values: its schema refuses
// them, or a template fails.
var ErrRefused = errors.New("the chart does not take the values")

// Rendering says what is rendered.
type Rendering struct {
	// Chart says where the chart comes from, as helm.upgrade takes it.
	Chart map[string]any
	// Version is the version of the chart; empty for the one that is found.
	Version string
	// Release and Namespace are those that templates see.
	Release, Namespace string
	// Values is the YAML text of the values.
	Values []byte
}

// render renders the chart of in with values and explains why it is refused.
func render(ctx context.Context, env action.Env, renderer Renderer, in MigrateInput, values []byte) error {
	if in.Chart == nil {
		return nil
	}
	if renderer == nil {
		return &action.Error{
			Reason: reasonNotRendered, Effect: action.ExtentNone, Remedy: "leave chart out",
			Err: errors.New("charts are not rendered here"),
		}
	}
	err := renderer.Render(ctx, env, Rendering{
		Chart: in.Chart, Version: in.Version, Release: in.Release, Namespace: in.Namespace, Values: values,
	})
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrRefused):
		return refused(in, values, err)
	case action.ReasonOf(err) != "":
		return action.WithExtent(err, action.ExtentNone)
	}
	return &action.Error{
		Reason: reasonNotRendered, Retryable: true, Effect: action.ExtentNone,
		Err: fmt.Errorf("render the chart with the values: %w", err),
	}
}

// refused says which keys the chart refuses.
func refused(in MigrateInput, values []byte, err error) error {
	keys := refusedKeys(err.Error())
	clean := secretsIn(values)
	text := clean.Text(strings.TrimSpace(strings.ReplaceAll(err.Error(), ErrRefused.Error()+": ", "")))
	remedy := "mend the values, or the rules of the hop"
	if len(keys) > 0 {
		text = strings.Join(keys, "; ")
	}
	const most = 2000
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + " …"
	}
	version := in.Version
	if version != "" {
		version = " " + version
	}
	return &action.Error{
		Reason: reasonValuesRefused, Effect: action.ExtentNone, Remedy: remedy,
		Err: fmt.Errorf("the chart%s refuses the values that %q becomes: %s", version, in.Values, text),
	}
}

// refusedKeys finds in what Helm says about a schema which keys are refused, and
// why, without their values.
func refusedKeys(text string) []string {
	var keys []string
	add := func(key, why string) {
		if line := key + " " + why; !slices.Contains(keys, line) {
			keys = append(keys, line)
		}
	}
	at := regexp.MustCompile(`at '((?:/[^']*)?)': (.*)`)
	extra := regexp.MustCompile(`^additional propert(?:y|ies) (.*) not allowed`)
	missing := regexp.MustCompile(`^missing propert(?:y|ies):? (.*)`)
	types := regexp.MustCompile(`^got (\w+), want ([\w ]+)`)
	names := regexp.MustCompile(`'([^']*)'`)
	for line := range strings.Lines(text) {
		m := at.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		switch path := pointer(m[1]); {
		case extra.MatchString(m[2]):
			for _, name := range names.FindAllStringSubmatch(extra.FindStringSubmatch(m[2])[1], -1) {
				add(append(path, name[1]).String(), "is not known")
			}
		case missing.MatchString(m[2]):
			for _, name := range names.FindAllStringSubmatch(missing.FindStringSubmatch(m[2])[1], -1) {
				add(append(path, name[1]).String(), "is missing")
			}
		case types.MatchString(m[2]):
			got := types.FindStringSubmatch(m[2])
			add(path.String(), "must be "+strings.TrimSpace(got[2])+", is "+got[1])
		case strings.Contains(m[2], " failed"): // what is below says why
		default:
			add(path.String(), "has a value that is not permitted")
		}
	}
	slices.Sort(keys) // the library finds them in any order
	return keys
}

// pointer reads a JSON pointer (RFC 6901).
func pointer(text string) action.Path {
	var path action.Path
	for part := range strings.SplitSeq(strings.TrimPrefix(text, "/"), "/") {
		if part != "" {
			path = append(path, strings.NewReplacer("~1", "/", "~0", "~").Replace(part))
		}
	}
	return path
}

// secretsIn returns what removes values from a text that stand below keys that
// look like those of secrets.
func secretsIn(values []byte) *secret.Redactor {
	var found []string
	var walk func(v any, hide bool)
	words := file.SecretWords()
	walk = func(v any, hide bool) {
		switch v := v.(type) {
		case map[string]any:
			for key := range v {
				walk(v[key], hide || words.MatchString(key))
			}
		case []any:
			for _, member := range v {
				walk(member, hide)
			}
		case string:
			if hide {
				found = append(found, v)
			}
		}
	}
	m := migration{data: values}
	if m.read() == nil {
		walk(m.now, false)
	}
	return secret.NewRedactor(found...)
}
