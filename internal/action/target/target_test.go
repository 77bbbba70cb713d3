package target_test

import (
	"context"
	"errors"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/exec"
	"github.com/refitproject/refit/internal/action/target"
)

// env returns the environment for a target with the given entry.
func env(dir string, config map[string]any) action.Env {
	return action.Env{Dir: dir, Target: action.Target{Name: "place", Config: config}}
}

// identify returns the identity of a folder, which must have one.
func identify(t *testing.T, kind action.TargetKind, e action.Env) string {
	t.Helper()
	identity, err := kind.Identify(t.Context(), e)
	if err != nil || identity == "" {
		t.Fatalf("identify: got %q, %v", identity, err)
	}
	return identity
}

func TestDirectoryIdentity(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	platform := filepath.Join(dir, "platform")
	if err := os.Mkdir(platform, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("platform", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	kind := target.Directory()
	first := identify(t, kind, env(dir, map[string]any{"path": "platform", "kind": "directory", "description": "d"}))
	for _, path := range []string{"./platform/", "link", platform} {
		if got := identify(t, kind, env(dir, map[string]any{"path": path})); got != first {
			t.Errorf("%q is %q, want %q like the same folder by another name", path, got, first)
		}
	}
	if err := os.WriteFile(filepath.Join(platform, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := identify(t, kind, env(dir, map[string]any{"path": "platform"})); got != first {
		t.Errorf("the identity changed with the content: %q, was %q", got, first)
	}
	// The old folder is kept, so that its inode cannot be used again.
	if err := os.Rename(platform, platform+".old"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(platform, 0o700); err != nil {
		t.Fatal(err)
	}
	if got := identify(t, kind, env(dir, map[string]any{"path": "platform"})); got == first {
		t.Error("a folder that was replaced must have another identity")
	}
}

func TestHostIdentity(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	source := func(machineID, name string) target.HostSource {
		file := filepath.Join(dir, "id-"+machineID+name)
		if machineID != "" {
			if err := os.WriteFile(file, []byte(machineID+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return target.HostSource{MachineIDFile: file, Hostname: func() (string, error) { return name, nil }}
	}
	const id = "0123456789abcdef0123456789abcdef"
	byID := identify(t, target.Host(source(id, "a")), env("", nil))
	if byID != identify(t, target.Host(source(id, "b")), env("", map[string]any{"kind": "host"})) {
		t.Error("a machine with another name stays the same machine")
	}
	if strings.Contains(byID, id) || !strings.HasPrefix(byID, "machine-id-hash:") {
		t.Errorf("the machine id is confidential, got %q", byID)
	}
	if other := identify(t, target.Host(source(strings.Repeat("f", 32), "a")), env("", nil)); other == byID {
		t.Error("two machines with the same name must differ")
	}
	for _, machineID := range []string{"", "uninitialized"} {
		if got := identify(t, target.Host(source(machineID, "hub1")), env("", nil)); got != "hostname:hub1" {
			t.Errorf("machine id %q: got %q, want the host name", machineID, got)
		}
	}
	identify(t, target.Host(target.ThisHost()), env("", nil))
	_, err := target.Host(source("", "")).Identify(t.Context(), env("", nil))
	expectError(t, err, "NoIdentity", "the host name is empty")
}

func expectError(t *testing.T, err error, reason, text string) {
	t.Helper()
	failure, ok := errors.AsType[*action.Error](err)
	if !ok || failure.Reason != reason || !strings.Contains(err.Error(), text) || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v, want one line, %s: %s", err, reason, text)
	}
}

// repository makes a repository with the given commits.
func repository(t *testing.T, messages ...string) string {
	t.Helper()
	dir := t.TempDir()
	git(t, dir, "init", "-q", "-b", "main")
	for _, message := range messages {
		commit(t, dir, message)
	}
	return dir
}

func commit(t *testing.T, dir, message string) {
	t.Helper()
	git(t, dir, "-c", "user.name=T", "-c", "user.email=t@example.org", "commit", "-q", "--allow-empty", "-m", message)
}

func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := osexec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "GIT_CONFIG_NOSYSTEM=1"}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

// gitKind runs git as if Refit ran in a hook of another repository.
func gitKind() action.TargetKind {
	return target.Git(exec.NewRunner([]string{"PATH=" + os.Getenv("PATH"), "GIT_DIR=/nowhere", "GIT_INDEX_FILE=/nowhere/index"}))
}

func TestGitIdentity(t *testing.T) {
	t.Parallel()
	dir := repository(t, "first of one")
	first := identify(t, gitKind(), env("/", map[string]any{"path": dir}))
	if len(first) != len("git:")+40 {
		t.Errorf("got %q, want the id of one commit", first)
	}
	commit(t, dir, "second")
	if got := identify(t, gitKind(), env("/", map[string]any{"path": dir})); got != first {
		t.Errorf("a commit changed the identity from %q to %q", first, got)
	}
	clone := filepath.Join(t.TempDir(), "clone")
	git(t, filepath.Dir(clone), "clone", "-q", dir, clone)
	if got := identify(t, gitKind(), env(filepath.Dir(clone), map[string]any{"path": "clone"})); got != first {
		t.Errorf("a clone is %q, want %q", got, first)
	}
	if got := identify(t, gitKind(), env("/", map[string]any{"path": repository(t, "first of another")})); got == first {
		t.Error("another repository must have another identity")
	}
}

func TestGitErrors(t *testing.T) {
	t.Parallel()
	full := repository(t, "one", "two")
	shallow := filepath.Join(t.TempDir(), "shallow")
	git(t, filepath.Dir(shallow), "clone", "-q", "--depth", "1", "file://"+full, shallow)
	for name, tc := range map[string]struct{ path, want string }{
		"NoRepository": {t.TempDir(), "not a git repository"},
		"NoCommit":     {repository(t), "name the folder of a git repository that has a commit"},
		"Shallow":      {shallow, "it is a shallow clone, which hides the first commits: run git fetch --unshallow in it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := gitKind().Identify(t.Context(), env("/", map[string]any{"path": tc.path}))
			expectError(t, err, "NoIdentity", tc.want)
		})
	}
	none := target.Git(exec.NewRunner([]string{"PATH=/nowhere"}))
	_, err := none.Identify(t.Context(), env("/", map[string]any{"path": full}))
	expectError(t, err, "ProgramNotFound", `program "git" not found`)
}

func TestConfigErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		config       map[string]any
		reason, want string
	}{
		"NoPath":    {nil, "TargetConfig", `target "place" has no path: add path:`},
		"EmptyPath": {map[string]any{"path": ""}, "TargetConfig", "has no path"},
		"WrongType": {map[string]any{"path": int64(3)}, "TargetConfig", "has no path"},
		"Typo":      {map[string]any{"pth": "x"}, "TargetConfig", `has the unknown key "pth": did you mean "path"?`},
		"Missing":   {map[string]any{"path": "gone"}, "TargetMissing", "no such file or directory: check the path"},
		"File":      {map[string]any{"path": "file"}, "TargetMissing", "is not a folder"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := target.Directory().Identify(t.Context(), env(dir, tc.config))
			expectError(t, err, tc.reason, tc.want)
		})
	}
	_, err := target.Host(target.ThisHost()).Identify(context.Background(), env(dir, map[string]any{"path": "x"}))
	expectError(t, err, "TargetConfig", `unknown key "path"`)
}
