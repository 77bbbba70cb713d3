package file

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/refitproject/refit/internal/action"
)

// CopyInput is the input of file.copy.
type CopyInput struct {
	From   string `json:"from" doc:"File to copy, relative to the platform file."`
	To     string `json:"to" doc:"File to write, relative to the platform file; its folder must be there."`
	SHA256 string `json:"sha256,omitempty" doc:"Digest that the content must have, 64 hexadecimal digits; default that of the file as it is found."`
	Mode   string `json:"mode,omitempty" doc:"Permissions as octal digits, such as 0644; default those of the file that is copied."`
}

// CopyOutput is the output of file.copy.
type CopyOutput struct {
	Path   string `json:"path" doc:"Absolute path of the file that was written."`
	SHA256 string `json:"sha256" doc:"Digest of its content, 64 hexadecimal digits."`
	Size   int64  `json:"size" doc:"Size in bytes."`
	Mode   string `json:"mode" doc:"Permissions as octal digits."`
	Kept   string `json:"kept,omitempty" doc:"Absolute path of the copy of the file that was there before."`
}

// Copy returns the action file.copy, which writes to system.
func Copy(system System) action.Action {
	c := copier{system}
	return action.Define(action.Definition[CopyInput, CopyOutput]{
		Name:     "file.copy",
		Version:  1,
		Summary:  "Copy a file of this machine, and keep what was in its place.",
		Effect:   action.Mutating,
		CanLease: true,
		Check:    checkCopy,
		Preview: func(_ context.Context, env action.Env, in CopyInput) (action.Preview, error) {
			what := fmt.Sprintf("copy file %q to %q", in.From, in.To)
			return action.Preview{Summary: what + replaces(env, in.To)}, nil
		},
		Observe: c.observe,
		Run:     c.run,
		Undo: func(ctx context.Context, env action.Env, in CopyInput, before map[string]any) error {
			return replace(system, env, in.To).undo(ctx, before)
		},
	})
}

// replaces says what a preview knows of the file that will be written.
func replaces(env action.Env, name string) string {
	if _, err := os.Lstat(absolute(env, name)); err == nil {
		return ", which is there and is kept as a copy"
	}
	return ""
}

func checkCopy(in CopyInput) error {
	if err := checkPaths(map[string]string{"from": in.From, "to": in.To}); err != nil {
		return err
	}
	if in.From == in.To {
		return errors.New("fields \"from\" and \"to\" are the same file")
	}
	if in.SHA256 != "" && !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(in.SHA256) {
		return errors.New("field \"sha256\" must be 64 hexadecimal digits in lower case")
	}
	if in.Mode != "" && !regexp.MustCompile(`^0?[0-7]{3}$`).MatchString(in.Mode) {
		return fmt.Errorf("field \"mode\" is %q, needs octal digits such as 0644", in.Mode)
	}
	return nil
}

// checkPaths refuses what cannot be the path of a file.
func checkPaths(paths map[string]string) error {
	for _, field := range []string{"path", "from", "to"} {
		path, given := paths[field]
		if !given {
			continue
		}
		if path == "" || strings.ContainsRune(path, 0) || strings.HasSuffix(path, "/") {
			return fmt.Errorf("field %q must be the path of a file", field)
		}
	}
	return nil
}

// copier carries out file.copy.
type copier struct{ system System }

// wanted returns what is wanted of the copy. A file whose digest and
// permissions are given is not read for that, so that the effect can be
// observed when it is gone.
func wanted(ctx context.Context, env action.Env, in CopyInput) (version, error) {
	want := version{exists: true, sha256: in.SHA256, mode: parseMode(in.Mode)}
	if in.SHA256 != "" && in.Mode != "" {
		return want, nil
	}
	from, err := filepath.EvalSymlinks(absolute(env, in.From))
	if err != nil {
		return want, failure(in.From, err)
	}
	found, err := look(ctx, from)
	if err != nil {
		return want, failure(in.From, err)
	}
	want.sha256 = cmp.Or(in.SHA256, found.sha256)
	if in.Mode == "" {
		want.mode = found.mode
	}
	return want, nil
}

func (c copier) observe(
	ctx context.Context, env action.Env, in CopyInput,
) (action.Observed[CopyOutput], error) {
	r := replace(c.system, env, in.To)
	now, err := r.look(ctx)
	if err != nil {
		return action.Observed[CopyOutput]{}, err
	}
	want, err := wanted(ctx, env, in)
	if err != nil {
		return action.Observed[CopyOutput]{}, err
	}
	seen := action.Observed[CopyOutput]{Status: action.NotStarted, Before: now.plain(), Reason: now.describe()}
	if now.same(want) {
		out := copied(r, now)
		seen.Status, seen.Output = action.Done, &out
	}
	return seen, nil
}

func (c copier) run(
	ctx context.Context, env action.Env, in CopyInput, before map[string]any,
) (CopyOutput, error) {
	want, err := wanted(ctx, env, in)
	if err != nil {
		return CopyOutput{}, err
	}
	from, size, err := open(absolute(env, in.From))
	if err != nil {
		return CopyOutput{}, failure(in.From, err)
	}
	defer func() { _ = from.Close() }() // it was only read
	r := replace(c.system, env, in.To)
	content := &interruptible{end: ctx.Err, next: from, report: env.Report, total: size}
	if err := r.run(ctx, content, want, before); err != nil {
		return CopyOutput{}, err
	}
	want.size = content.done
	if content.done == 0 { // it was there already
		want.size = size
	}
	return copied(r, want), nil
}

// open opens a regular file and returns its size.
func open(path string) (*os.File, int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() { // opening a named pipe would wait for its writer
		return nil, 0, errNotAFile
	}
	f, err := os.Open(path)
	return f, info.Size(), err
}

func copied(r replacement, now version) CopyOutput {
	return CopyOutput{Path: r.path, SHA256: now.sha256, Size: now.size, Mode: octal(now.mode), Kept: r.keptFile()}
}
