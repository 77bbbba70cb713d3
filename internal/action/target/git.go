package target

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/exec"
	"github.com/refitproject/refit/internal/schema"
)

// KindGit is the kind of target that is the working copy of a git repository.
// Its entry in the platform file has a path.
const KindGit = "git"

type git struct{ runner *exec.Runner }

// Git returns the kind git, which asks the program git through runner. The
// identity are the root commits of HEAD: they are the same in every clone and
// stay the same whatever is committed.
func Git(runner *exec.Runner) action.TargetKind { return git{runner} }

// Kind implements action.TargetKind.
func (git) Kind() string { return KindGit }

// Config implements action.Configured.
func (git) Config() schema.Type {
	return pathConfig("Folder of a working copy on this machine, absolute or relative to the platform file.")
}

// Identify implements action.TargetKind.
func (g git) Identify(ctx context.Context, env action.Env) (string, error) {
	path, err := folder(env)
	if err != nil {
		return "", err
	}
	shallow, err := g.ask(ctx, env.Target, path, "rev-parse", "--is-shallow-repository")
	if err != nil {
		return "", err
	}
	if shallow == "true" {
		return "", noRoots(env.Target, path, errors.New("it is a shallow clone, which hides the first commits"),
			"run git fetch --unshallow in it")
	}
	roots, err := g.ask(ctx, env.Target, path, "rev-list", "--max-parents=0", "HEAD", "--")
	if err != nil {
		return "", err
	}
	return "git:" + strings.Join(slices.Sorted(slices.Values(strings.Fields(roots))), ","), nil
}

// ask runs git in path and returns what it prints.
func (g git) ask(ctx context.Context, t action.Target, path string, args ...string) (string, error) {
	res, err := g.runner.Run(ctx, exec.Program{
		Args: append([]string{"git", "-C", path}, args...),
		Dir:  path,
		// Messages are read by tests and people; git must neither wait for a
		// password nor refresh its index; and variables of a git hook in which
		// Refit may run must not point it to another repository.
		Env:        map[string]string{"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"},
		Unset:      []string{"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR"},
		KeepStdout: 1 << 20,
	})
	if err != nil {
		return "", err
	}
	if res.ExitCode != 0 {
		first, _, _ := strings.Cut(strings.TrimSpace(res.Stderr), "\n")
		return "", noRoots(t, path, errors.New(first), "name the folder of a git repository that has a commit")
	}
	return strings.TrimSpace(res.Stdout), nil
}

func noRoots(t action.Target, path string, err error, remedy string) error {
	return &action.Error{
		Reason: reasonNoIdentity, Effect: action.ExtentNone, Remedy: remedy,
		Err: fmt.Errorf("read the first commits of %q for target %q: %w", path, t.Name, err),
	}
}
