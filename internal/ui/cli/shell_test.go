package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestCompletionInShells sources the script in each shell and lets the shell itself
// complete command lines.
func TestCompletionInShells(t *testing.T) {
	t.Parallel()
	const bash = `source /usr/share/bash-completion/bash_completion
source <(refit completion bash)
COMP_LINE="$1" COMP_POINT=${#1} COMP_TYPE=9 COMP_KEY=9
read -ra COMP_WORDS <<< "$1"
[[ "$1" == *' ' ]] && COMP_WORDS+=("")
COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
compopt() { :; }
$(complete -p refit | sed 's/.*-F \([^ ]*\) .*/\1/') refit "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\n' "${COMPREPLY[@]}"`
	// The completion system of zsh works in an editor of lines only: one in a
	// terminal of its own, which lists what there is.
	const zsh = `cat > $HOME/setup <<'END'
PS1=
autoload -U compinit; compinit -u -D
source <(refit completion zsh); compdef _refit refit
compadd() {
  local -a found; builtin compadd -O found "$@"
  for f in $found; do print -r -- "<$f>"; done
  builtin compadd "$@"
}
print ready
END
zmodload zsh/zpty
zpty -b z zsh -f -i
zpty -w z 'source $HOME/setup'
zpty -r z out $'*ready\r*'
zpty -n -w z "$1"$'\t'
zpty -n -w z $'\C-uprint all-done\n'
zpty -r z out $'*all-done\r*'
print -r -- "$out" | sed -n 's/.*<\([^>]*\)>.*/\1/p'`
	const fish = `refit completion fish | source
complete -C "$argv[1]" | string split -f1 \t
true`
	for name, tc := range map[string]struct {
		needs, script string
		run           func(script, line string) []string
	}{
		"Bash": {"/usr/share/bash-completion/bash_completion", bash, func(script, line string) []string {
			return []string{"bash", "--norc", "-c", script, "bash", line}
		}},
		"Zsh": {"/usr/bin/zsh", zsh, func(script, line string) []string {
			return []string{"zsh", "-f", "-c", script, "zsh", line}
		}},
		"Fish": {"/usr/bin/fish", fish, func(script, line string) []string {
			return []string{"fish", "--no-config", "-c", script, line}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := os.Stat(tc.needs); err != nil {
				if os.Getenv("REFIT_TEST") == "all" {
					t.Fatal(err)
				}
				t.Skip("the shell or its completion is not installed: " + tc.needs)
			}
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS("testdata/notes")); err != nil {
				t.Fatal(err)
			}
			environ := shellEnviron(t, dir)
			for line, want := range map[string][]string{
				"refit appr":         {"approve"},
				"refit schema ":      {"issues", "plan", "platform", "procedure", "versions"},
				"refit completion f": {"fish"},
				"refit procedures paths procedure.yaml --from 2": {"2.0.0", "2.1.0"},
				"refit plan platform.yaml --color ":              {"always", "auto", "never"},
			} {
				var got []string
				// An editor of lines that is given keys faster than it draws, on a busy
				// machine, does as little as it can: people press the key again.
				for range 5 {
					if got = completed(t, dir, environ, tc.run(tc.script, line)); len(got) > 0 {
						break
					}
				}
				if !slices.Equal(got, want) {
					t.Errorf("%q completes to %q, want %q", line, got, want)
				}
			}
		})
	}
}

// completed runs a shell and returns the words that it offers, in order.
func completed(t *testing.T, dir string, environ, args []string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Dir, cmd.Env = dir, environ
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%q: %v\n%s", args, err, out)
	}
	var got []string
	for word := range strings.Lines(string(out)) {
		// Bash is given the descriptions too, in brackets, when there are several.
		if word, _, _ = strings.Cut(strings.TrimSpace(word), " "); word != "" {
			got = append(got, word)
		}
	}
	slices.Sort(got)
	return slices.Compact(got)
}

// shellEnviron is an environment in which refit is the program.
func shellEnviron(t *testing.T, dir string) []string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := os.Symlink(self, filepath.Join(bin, "refit")); err != nil {
		t.Fatal(err)
	}
	return []string{
		"PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH"), "HOME=" + dir, "WORK=" + dir, "TERM=xterm",
		"REFIT_TEST_NOW=2026-11-21T09:00:00Z", "GOCOVERDIR=" + t.TempDir(),
	}
}
