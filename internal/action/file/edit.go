package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/yamledit"
)

const reasonNoPlace = "NoPlace"

// maxDiff is how much of a difference is shown, in bytes.
const maxDiff = 16 << 10

// EditInput is the input of file.edit.
type EditInput struct {
	Path     string `json:"path" doc:"YAML file to read, relative to the platform file; it is not changed."`
	To       string `json:"to" doc:"File to write, relative to the platform file; its folder must be there."`
	Edits    []Edit `json:"edits" doc:"Changes, carried out in their order."`
	HideDiff bool   `json:"hideDiff,omitempty" doc:"Leaves the difference out of preview and output, for files that hold secrets."`
}

// Edit is one change. Exactly one of Set, Delete and Append is given.
type Edit struct {
	Set    string `json:"set,omitempty" doc:"Path of the value to set, such as hub.image.tag; maps on the way are made."`
	Delete string `json:"delete,omitempty" doc:"Path of the key or member to remove; it must be there."`
	Append string `json:"append,omitempty" doc:"Path of the list to put a member behind; it is made when it is not there."`
	Value  any    `json:"value,omitempty" doc:"Value to set or to append; null when it is left out."`
}

// EditOutput is the output of file.edit.
type EditOutput struct {
	Path      string `json:"path" doc:"Absolute path of the file that was written."`
	SHA256    string `json:"sha256" doc:"Digest of its content, 64 hexadecimal digits."`
	Changed   bool   `json:"changed" doc:"Tells whether it differs from the file that was read."`
	Diff      string `json:"diff,omitempty" doc:"Unified difference between the two, without values of keys that look like secrets, at most 16 KiB."`
	Truncated bool   `json:"truncated" doc:"Tells that diff is not all of it."`
	Kept      string `json:"kept,omitempty" doc:"Absolute path of the copy of the file that was there before."`
}

// EditYAML returns the action file.edit, which writes to system.
func EditYAML(system System) action.Action {
	e := editor{system}
	return action.Define(action.Definition[EditInput, EditOutput]{
		Name:     "file.edit",
		Version:  1,
		Summary:  "Edit a YAML file into a new one, with its comments and its order.",
		Effect:   action.Mutating,
		CanLease: true,
		Check:    checkEdit,
		Preview: func(_ context.Context, env action.Env, in EditInput) (action.Preview, error) {
			out := action.Preview{Summary: fmt.Sprintf("edit file %q into %q%s", in.Path, in.To, replaces(env, in.To))}
			if result, err := edit(env, in); err == nil { // the file may be made by an earlier step
				out.Diff = result.diff
			}
			return out, nil
		},
		Observe: e.observe,
		Run:     e.run,
		Undo: func(ctx context.Context, env action.Env, in EditInput, before map[string]any) error {
			return replace(system, env, in.To).undo(ctx, before)
		},
	})
}

func checkEdit(in EditInput) error {
	if err := checkPaths(map[string]string{"path": in.Path, "to": in.To}); err != nil {
		return err
	}
	if in.Path == in.To {
		return errors.New("fields \"path\" and \"to\" are the same file: nothing is edited in place")
	}
	if len(in.Edits) == 0 {
		return errors.New("field \"edits\" is empty: say what is to be changed")
	}
	for i, e := range in.Edits {
		if _, err := e.change(); err != nil {
			return fmt.Errorf("field \"edits[%d]\": %w", i, err)
		}
	}
	return nil
}

// change reads an edit.
func (e Edit) change() (yamledit.Change, error) {
	var found []yamledit.Change
	for _, verb := range []struct{ name, path string }{{"set", e.Set}, {"delete", e.Delete}, {"append", e.Append}} {
		if verb.path == "" {
			continue
		}
		path, err := action.ParsePath(verb.path)
		if err != nil {
			return yamledit.Change{}, err
		}
		found = append(found, yamledit.Change{Verb: verb.name, Path: path, Value: e.Value})
	}
	if len(found) != 1 {
		return yamledit.Change{}, errors.New("give one of set, delete and append")
	}
	if found[0].Verb == "delete" && e.Value != nil {
		return yamledit.Change{}, errors.New("a delete has no value")
	}
	return found[0], nil
}

// edited is what a file becomes.
type edited struct {
	content   []byte
	want      version
	changed   bool
	diff      string
	truncated bool
}

// edit computes the new file; it writes nothing.
func edit(env action.Env, in EditInput) (edited, error) {
	data, info, err := content(absolute(env, in.Path))
	if err != nil {
		return edited{}, failure(in.Path, err)
	}
	var changes []yamledit.Change
	for _, e := range in.Edits {
		c, err := e.change()
		if err != nil {
			return edited{}, err
		}
		changes = append(changes, c)
	}
	out, err := yamledit.Edit(data, changes)
	if err != nil {
		failed := &action.Error{
			Reason: reasonNotYAML, Effect: action.ExtentNone, Remedy: "mend the file, or use another action",
			Err: fmt.Errorf("edit file %q: %w", in.Path, err),
		}
		if errors.Is(err, yamledit.ErrNoPlace) {
			failed.Reason, failed.Remedy = reasonNoPlace, "correct the path in edits"
		}
		return edited{}, failed
	}
	result := edited{
		content: out, changed: !bytes.Equal(data, out),
		want: version{exists: true, sha256: digestOf(out), size: int64(len(out)), mode: info.Mode().Perm()},
	}
	if !in.HideDiff {
		result.diff = HideSecrets(string(diff.Diff(in.Path, data, in.To, out)))
		if len(result.diff) > maxDiff {
			result.diff, result.truncated = strings.ToValidUTF8(result.diff[:maxDiff], ""), true
		}
	}
	return result, nil
}

// editor carries out file.edit.
type editor struct{ system System }

func (e editor) observe(
	ctx context.Context, env action.Env, in EditInput,
) (action.Observed[EditOutput], error) {
	r := replace(e.system, env, in.To)
	now, err := r.look(ctx)
	if err != nil {
		return action.Observed[EditOutput]{}, err
	}
	result, err := edit(env, in)
	if err != nil {
		return action.Observed[EditOutput]{}, err
	}
	seen := action.Observed[EditOutput]{Status: action.NotStarted, Before: now.plain(), Reason: now.describe()}
	if now.same(result.want) {
		out := result.output(r)
		seen.Status, seen.Output = action.Done, &out
	}
	return seen, nil
}

func (e editor) run(
	ctx context.Context, env action.Env, in EditInput, before map[string]any,
) (EditOutput, error) {
	result, err := edit(env, in)
	if err != nil {
		return EditOutput{}, err
	}
	r := replace(e.system, env, in.To)
	content := &interruptible{end: ctx.Err, next: bytes.NewReader(result.content)}
	if err := r.run(ctx, content, result.want, before); err != nil {
		return EditOutput{}, err
	}
	return result.output(r), nil
}

func (e edited) output(r replacement) EditOutput {
	return EditOutput{
		Path: r.path, SHA256: e.want.sha256, Changed: e.changed,
		Diff: e.diff, Truncated: e.truncated, Kept: r.keptFile(),
	}
}
