package file

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/action"
)

// MatchInput is the input of file.match.
type MatchInput struct {
	Path       string                 `json:"path" doc:"YAML or JSON file, relative to the platform file."`
	Conditions map[string][]Condition `json:"conditions" doc:"Conditions on the content, by name; a name holds when one of its conditions does."`
}

// Condition is a condition on one place of a file. Exactly one of Is, Equals and
// Matches is given.
type Condition struct {
	Path    string `json:"path,omitempty" doc:"Where in the file, such as hub.image.tag; default all of it."`
	Is      string `json:"is,omitempty" enum:"there,absent" doc:"Whether there is something at the path; null counts as something."`
	Equals  any    `json:"equals,omitempty" doc:"What stands there; numbers are compared by their value."`
	Matches string `json:"matches,omitempty" doc:"Regular expression (RE2) that fits some part of a text there or below, keys included."`
}

// MatchOutput is the output of file.match.
type MatchOutput struct {
	Holds map[string]bool `json:"holds" doc:"Which conditions hold, by name."`
}

// Match returns the action file.match.
func Match() action.Action {
	return action.Define(action.Definition[MatchInput, MatchOutput]{
		Name:    "file.match",
		Version: 1,
		Summary: "Tell which conditions the content of a YAML file meets, and nothing else of it.",
		Effect:  action.ReadOnly,
		Check:   checkMatch,
		Preview: func(_ context.Context, _ action.Env, in MatchInput) (action.Preview, error) {
			summary := fmt.Sprintf("match file %q, conditions: %d", in.Path, len(in.Conditions))
			return action.Preview{Summary: summary}, nil
		},
		Observe: func(ctx context.Context, env action.Env, in MatchInput) (action.Observed[MatchOutput], error) {
			if err := ctx.Err(); err != nil {
				return action.Observed[MatchOutput]{}, fmt.Errorf("match file %q: %w", in.Path, err)
			}
			out, err := match(env, in)
			if err != nil {
				return action.Observed[MatchOutput]{}, err
			}
			return action.Saw(out), nil
		},
	})
}

func checkMatch(in MatchInput) error {
	if in.Path == "" || strings.ContainsRune(in.Path, 0) {
		return errors.New("field \"path\" must be the path of a file")
	}
	if len(in.Conditions) == 0 {
		return errors.New("field \"conditions\" is empty")
	}
	for _, name := range slices.Sorted(maps.Keys(in.Conditions)) {
		if len(in.Conditions[name]) == 0 {
			return fmt.Errorf("field \"conditions.%s\" is empty", name)
		}
		for i, c := range in.Conditions[name] {
			if err := c.check(); err != nil {
				return fmt.Errorf("field \"conditions.%s[%d]\": %w", name, i, err)
			}
		}
	}
	return nil
}

func (c Condition) check() error {
	given := 0
	for _, is := range []bool{c.Is != "", c.Equals != nil, c.Matches != ""} {
		if is {
			given++
		}
	}
	if given != 1 {
		return errors.New("give one of is, equals and matches")
	}
	if c.Path == "" && c.Matches == "" {
		return errors.New("path is missing")
	}
	if _, err := c.place(); err != nil {
		return err
	}
	_, err := regexp.Compile(c.Matches)
	return err
}

// place returns where the condition looks, nil for all of the file.
func (c Condition) place() (action.Path, error) {
	if c.Path == "" {
		return nil, nil
	}
	return action.ParsePath(c.Path)
}

func match(env action.Env, in MatchInput) (MatchOutput, error) {
	path := in.Path
	if !filepath.IsAbs(path) {
		path = filepath.Join(env.Dir, path)
	}
	data, _, err := content(path)
	if err != nil {
		return MatchOutput{}, failure(in.Path, err)
	}
	_, value, err := interpret(in.Path, data, "yaml")
	if err != nil {
		return MatchOutput{}, err
	}
	out := MatchOutput{Holds: make(map[string]bool, len(in.Conditions))}
	for name, conditions := range in.Conditions {
		out.Holds[name] = slices.ContainsFunc(conditions, func(c Condition) bool { return c.holds(value) })
	}
	return out, nil
}

// holds tells whether a checked condition is true of the content of a file.
func (c Condition) holds(value any) bool {
	path, err := c.place()
	if err != nil {
		return false
	}
	found, there := path.Find(value)
	switch {
	case c.Is != "":
		return there == (c.Is == "there")
	case c.Equals != nil:
		return there && action.Equal(found, c.Equals)
	}
	pattern, err := regexp.Compile(c.Matches)
	return err == nil && there && fits(pattern, found)
}

// fits tells whether a pattern fits a key or a text within a value.
func fits(pattern *regexp.Regexp, value any) bool {
	switch value := value.(type) {
	case string:
		return pattern.MatchString(value)
	case map[string]any:
		for key, member := range value {
			if pattern.MatchString(key) || fits(pattern, member) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(value, func(member any) bool { return fits(pattern, member) })
	}
	return false
}
