package values

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/file"
)

const (
	reasonFileExists = "FileExists"
	// fileNotFound is a reason of package file.
	fileNotFound = "FileNotFound"
)

// How much of what was done is kept, in bytes.
const (
	maxDiff = 14 << 10
	maxDone = 10 << 10
)

// MigrateInput is the input of values.migrate.
type MigrateInput struct {
	Values    string         `json:"values" doc:"YAML file with the values, relative to the platform file; it is not changed."`
	To        string         `json:"to,omitempty" doc:"File to write, relative to the platform file; default that of values with -VERSION before its ending."`
	Version   string         `json:"version,omitempty" doc:"Version of the chart that the rules lead to."`
	Rules     []Rule         `json:"rules" doc:"Changes of the values, carried out in their order; as a rule a property of the hop."`
	Chart     map[string]any `json:"chart,omitempty" doc:"Where the chart comes from, as for helm.upgrade: it is rendered with the new values, and what it refuses is not written."`
	Release   string         `json:"release,omitempty" doc:"Name of the release for rendering; default release."`
	Namespace string         `json:"namespace,omitempty" doc:"Namespace for rendering; default default."`
	Replace   bool           `json:"replace,omitempty" doc:"Replaces a file of another content that is at the place of the new one, and keeps a copy; default false: it is an error."`
	HideDiff  bool           `json:"hideDiff,omitempty" doc:"Leaves the difference out of preview and output, for values that hold secrets under keys that do not say so."`
}

// MigrateOutput is the output of values.migrate.
type MigrateOutput struct {
	File      string    `json:"file" doc:"Absolute path of the file that was written."`
	SHA256    string    `json:"sha256" doc:"Digest of its content, 64 hexadecimal digits."`
	Changed   bool      `json:"changed" doc:"Tells whether it differs from the file that was read."`
	Done      []Applied `json:"done" doc:"What the rules have done, in their order."`
	Diff      string    `json:"diff,omitempty" doc:"Unified difference between the two, without values of keys that look like secrets, at most 14 KiB."`
	Truncated bool      `json:"truncated" doc:"Tells that diff or done is not all of it."`
	Rendered  bool      `json:"rendered" doc:"Tells that the chart took the values."`
	Kept      string    `json:"kept,omitempty" doc:"Absolute path of the copy of the file that was there before."`
}

// Migrate returns the action values.migrate, which writes to system and renders
// charts with renderer; nil refuses the input chart.
func Migrate(system file.System, renderer Renderer) action.Action {
	m := migrator{system, renderer}
	return action.Define(action.Definition[MigrateInput, MigrateOutput]{
		Name:    "values.migrate",
		Version: 1,
		Summary: "Take the values file of a chart to another version, by rules, into a new file.",
		Effect:  action.Mutating,
		Check:   checkMigrate,
		Preview: m.preview,
		Observe: m.observe,
		Run:     m.run,
		Undo: func(ctx context.Context, env action.Env, in MigrateInput, before map[string]any) error {
			ours, _ := before["wrote"].(string)
			return file.NewPlace(system, env, in.to(), nil, 0).Undo(ctx, before, ours)
		},
	})
}

func checkMigrate(in MigrateInput) error {
	for _, path := range []struct{ field, value string }{{"values", in.Values}, {"to", in.to()}} {
		if path.value == "" || strings.ContainsRune(path.value, 0) || strings.HasSuffix(path.value, "/") {
			return fmt.Errorf("field %q must be the path of a file", path.field)
		}
	}
	if in.To == "" && !regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,60}$`).MatchString(in.Version) {
		return errors.New("field \"to\" is missing, and field \"version\" gives no name for the new file")
	}
	if filepath.Clean(in.Values) == filepath.Clean(in.to()) {
		return errors.New("fields \"values\" and \"to\" are the same file: values are never changed in place")
	}
	for i, rule := range in.Rules {
		if _, err := rule.parse(); err != nil {
			return fmt.Errorf("field \"rules[%d]\": %w", i, err)
		}
	}
	return nil
}

// to is the file to write, as the author calls it.
func (in MigrateInput) to() string {
	if in.To != "" {
		return in.To
	}
	ending := filepath.Ext(in.Values)
	return strings.TrimSuffix(in.Values, ending) + "-" + in.Version + ending
}

// migrator carries out values.migrate.
type migrator struct {
	system   file.System
	renderer Renderer
}

// migrated is what a values file becomes.
type migrated struct {
	place   file.Place
	content []byte
	out     MigrateOutput
}

// migrated computes the new values; it writes nothing.
func (m migrator) migrated(env action.Env, in MigrateInput) (migrated, error) {
	data, mode, err := file.Content(env, in.Values)
	if err != nil {
		return migrated{}, err
	}
	content, done, err := migrate(in.Values, data, in.Rules)
	if err != nil {
		return migrated{}, err
	}
	place := file.NewPlace(m.system, env, in.to(), content, mode&^fs.FileMode(0o111))
	result := migrated{place: place, content: content, out: MigrateOutput{
		File: place.Path(), SHA256: place.SHA256(), Changed: !bytes.Equal(data, content), Rendered: in.Chart != nil,
	}}
	result.out.Done = []Applied{}
	size := 0
	for _, applied := range done {
		if size += len(applied.Rule) + len(applied.Reason) + 40; size > maxDone {
			result.out.Truncated = true
			break
		}
		result.out.Done = append(result.out.Done, applied)
	}
	if !in.HideDiff {
		text := file.HideSecrets(string(diff.Diff(in.Values, data, in.to(), content)))
		if len(text) > maxDiff {
			text, result.out.Truncated = strings.ToValidUTF8(text[:maxDiff], ""), true
		}
		result.out.Diff = text
	}
	return result, nil
}

func (m migrator) preview(_ context.Context, env action.Env, in MigrateInput) (action.Preview, error) {
	out := action.Preview{Summary: fmt.Sprintf("migrate values %q into %q", in.Values, in.to())}
	result, err := m.migrated(env, in)
	switch {
	case action.ReasonOf(err) == fileNotFound: // an earlier step may make it
		return out, nil
	case err != nil:
		return out, err
	}
	out.Summary += fmt.Sprintf(", changes: %d", len(result.out.Done))
	out.Diff = result.out.Diff
	return out, nil
}

func (m migrator) observe(
	ctx context.Context, env action.Env, in MigrateInput,
) (action.Observed[MigrateOutput], error) {
	result, err := m.migrated(env, in)
	if err != nil {
		return action.Observed[MigrateOutput]{}, err
	}
	found, err := result.place.Look(ctx)
	if err != nil {
		return action.Observed[MigrateOutput]{}, err
	}
	found.Before["wrote"] = result.place.SHA256()
	seen := action.Observed[MigrateOutput]{Status: action.NotStarted, Before: found.Before, Reason: found.Reason}
	if found.Wanted {
		seen.Status, seen.Output = action.Done, result.output()
	}
	return seen, nil
}

func (r migrated) output() *MigrateOutput {
	out := r.out
	out.Kept = r.place.Kept()
	return &out
}

func (m migrator) run(
	ctx context.Context, env action.Env, in MigrateInput, before map[string]any,
) (MigrateOutput, error) {
	result, err := m.migrated(env, in)
	if err != nil {
		return MigrateOutput{}, err
	}
	found, err := result.place.Look(ctx)
	switch {
	case err != nil:
		return MigrateOutput{}, err
	case found.Wanted:
		return *result.output(), nil
	case found.Exists && !in.Replace:
		return MigrateOutput{}, &action.Error{
			Reason: reasonFileExists, Effect: action.ExtentNone,
			Remedy: "take over what was changed in it by hand, then remove it, or set replace: true",
			Err:    fmt.Errorf("write file %q: it is there with another content", in.to()),
		}
	}
	if err := render(ctx, env, m.renderer, in, result.content); err != nil {
		return MigrateOutput{}, err
	}
	if err := result.place.Run(ctx, before); err != nil {
		return MigrateOutput{}, err
	}
	return *result.output(), nil
}
