package exec_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/exec"
)

// TestSecretFiles gives secrets in files and by standard input: the program and
// what it starts read them whole, as often as they want, nobody else may, and
// afterwards they are gone.
func TestSecretFiles(t *testing.T) {
	t.Parallel()
	reference := map[string]any{"env": "TOKEN"}
	in := sh(`sh -c 'cat "$F"; echo; cat "$F"' | sed s/hunter/read-/g; echo " at $F"; cat | sed s/hunter/read-/
stat -L -c "%a %F" "$F" >&2; env | grep -c hunter2 >&2`)
	in["secretFiles"] = map[string]any{"F": reference}
	in["secretStdin"] = reference
	in["okExits"] = []any{int64(0), int64(1)} // What grep -c ends with.
	env := action.Env{Dir: t.TempDir(), Secrets: secrets()}
	obs, err := exec.Observe(runner()).Observe(t.Context(), env, in)
	if err != nil {
		t.Fatal(err)
	}
	stdout, _ := obs.Output["stdout"].(string)
	stderr, _ := obs.Output["stderr"].(string)
	if n := strings.Count(stdout, "read-2"); n != 3 {
		t.Errorf("it read %q, %d times the secret, want 3", stdout, n)
	}
	if runtime.GOOS == "linux" && stderr != "600 regular file\n0" {
		t.Errorf("the file, and the secrets in the environment: %q", stderr)
	}
	_, rest, found := strings.Cut(stdout, " at ")
	path, _, _ := strings.Cut(rest, "\n")
	if !found || !filepath.IsAbs(path) {
		t.Fatalf("it does not say where the file was: %q", stdout)
	}
	if content, err := os.ReadFile(path); err == nil && strings.Contains(string(content), "hunter2") {
		t.Errorf("the secret is still at %q", path)
	}
}

// TestSecretFilesOfAllParts gives them to observe and undo too, the standard input
// to the program alone that has the effect.
func TestSecretFilesOfAllParts(t *testing.T) {
	t.Parallel()
	env := action.Env{Dir: t.TempDir(), Key: "k", Secrets: secrets()}
	in := map[string]any{
		"script":      `test "$(cat "$F")" = hunter2 && test "$(cat)" = abcdef && touch done`,
		"observe":     `test "$(cat "$F")" = hunter2 && test -z "$(cat)" && test -e done`,
		"undo":        `test "$(cat "$F")" = hunter2 && test -z "$(cat)" && rm -f done`,
		"secretFiles": map[string]any{"F": map[string]any{"env": "TOKEN"}},
		"secretStdin": map[string]any{"env": "LONG"},
	}
	a := exec.Shell(runner())
	if _, err := a.Run(t.Context(), env, in, nil); err != nil {
		t.Fatal(err)
	}
	obs, err := a.Observe(t.Context(), env, in)
	if err != nil || obs.Status != action.Done {
		t.Fatalf("observe: %v, %v", obs, err)
	}
	if err := a.Undo(t.Context(), env, in, nil); err != nil {
		t.Fatal(err)
	}
}

// TestSecretsHandedOverTwice refuses two ways for one thing.
func TestSecretsHandedOverTwice(t *testing.T) {
	t.Parallel()
	reference := map[string]any{"env": "TOKEN"}
	for want, in := range map[string]map[string]any{
		`environment variable "T" stands in secretEnv and in secretFiles: name it once`: {
			"secretEnv": map[string]any{"T": reference}, "secretFiles": map[string]any{"T": reference},
		},
		`fields "stdin" and "secretStdin" exclude each other: give one`: {"stdin": "x", "secretStdin": reference},
		`"A=B" cannot be the name of an environment variable`:           {"secretFiles": map[string]any{"A=B": reference}},
	} {
		in["command"] = []any{"true"}
		for _, a := range []action.Action{exec.Command(runner()), exec.Observe(runner())} {
			err := a.(action.Checker).Check(in)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v, want %q", a.Spec().Name, err, want)
			}
		}
	}
}
