package exec

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/secret"
)

// checkCommand refuses commands that no system could start.
func checkCommand(field string, args []string, envs ...map[string]string) error {
	if len(args) == 0 || args[0] == "" {
		return fmt.Errorf("field %q is empty: name the program first, then its arguments", field)
	}
	if slices.ContainsFunc(args, func(arg string) bool { return strings.ContainsRune(arg, 0) }) {
		return fmt.Errorf("field %q holds a NUL character", field)
	}
	for _, env := range envs {
		for _, name := range slices.Sorted(maps.Keys(env)) {
			if name == "" || strings.ContainsAny(name, "=\x00") {
				return fmt.Errorf("%q cannot be the name of an environment variable", name)
			}
			if strings.ContainsRune(env[name], 0) {
				return fmt.Errorf("environment variable %q holds a NUL character", name)
			}
		}
	}
	return nil
}

// checkHanded refuses two ways to hand over one thing.
func checkHanded(vars, files map[string]action.SecretRef, twoInputs bool) error {
	for name := range files {
		if _, twice := vars[name]; twice {
			return fmt.Errorf("environment variable %q stands in secretEnv and in secretFiles: name it once", name)
		}
	}
	if twoInputs {
		return errors.New("fields \"stdin\" and \"secretStdin\" exclude each other: give one")
	}
	return nil
}

// handed is what a program is given beside its arguments.
type handed struct {
	vars              map[string]string
	secretVars, files map[string]action.SecretRef
	stdin             string
	secretStdin       action.SecretRef
}

// newCommand returns the command that the fields of an input describe. Secrets
// are resolved here, just before the program is started.
func newCommand(ctx context.Context, env action.Env, args []string, dir string, h handed) (Program, error) {
	env, recorder := secret.Recording(env)
	secrets, err := env.ResolveSecrets(ctx, "secretEnv", h.secretVars)
	if err != nil {
		return Program{}, err
	}
	files, err := env.ResolveSecrets(ctx, "secretFiles", h.files)
	if err != nil {
		return Program{}, err
	}
	stdin := h.stdin
	if h.secretStdin != nil {
		one, err := env.ResolveSecrets(ctx, "secretStdin", map[string]action.SecretRef{"value": h.secretStdin})
		if err != nil {
			return Program{}, err
		}
		stdin = one["value"]
	}
	all := map[string]string{}
	maps.Copy(all, h.vars)
	maps.Copy(all, secrets)
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(env.Dir, dir)
	}
	return Program{
		Args: args, Dir: dir, Env: all, Files: files, Stdin: stdin, Secrets: recorder.Values(),
		Key: env.Key, Log: env.Log, Children: env.Children,
	}, nil
}

// names returns variables without their values, which are not known yet.
func names(secrets map[string]action.SecretRef) map[string]string {
	out := make(map[string]string, len(secrets))
	for name := range secrets {
		out[name] = ""
	}
	return out
}

func orDefault(codes []int, codesByDefault ...int) []int {
	if len(codes) == 0 {
		return codesByDefault
	}
	return codes
}

// failed says that a program ended with an exit code that does not count as
// success; the last line that it printed is as a rule the reason.
func failed(c Program, res Result, effect action.Extent) *action.Error {
	text := fmt.Sprintf("%s ended with exit code %d", c.label(), res.ExitCode)
	if line := lastLine(res.Stderr, res.Stdout); line != "" {
		text += ": " + line
	}
	return &action.Error{Reason: reasonCommandFailed, Effect: effect, Err: errors.New(c.redactor().Text(text))}
}

// lastLine returns the last line of the first text that has one, shortened to
// what a message can carry.
func lastLine(texts ...string) string {
	for _, text := range texts {
		lines := strings.Split(strings.TrimSpace(text), "\n")
		if line := strings.TrimSpace(lines[len(lines)-1]); line != "" {
			const most = 400
			if runes := []rune(line); len(runes) > most {
				return string(runes[:most]) + "…"
			}
			return line
		}
	}
	return ""
}
