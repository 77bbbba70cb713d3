package service

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// person notes what the terminal and the shell of a person lack.
func (d *examination) person(getenv func(string) string) {
	if getenv == nil {
		return
	}
	locale := cmp.Or(getenv("LC_ALL"), getenv("LC_CTYPE"), getenv("LANG"))
	if upper := strings.ToUpper(locale); !strings.Contains(upper, "UTF-8") && !strings.Contains(upper, "UTF8") {
		d.notes = append(d.notes, DoctorNote{
			Name:    "locale",
			Message: "the locale is " + cmp.Or(locale, "not set") + ", not one of UTF-8: lines may look broken",
			Remedy:  "set LANG to a locale such as C.UTF-8",
		})
	}
	if terminal := getenv("TERM"); terminal == "" || terminal == "dumb" {
		d.notes = append(d.notes, DoctorNote{
			Name: "terminal",
			Message: "TERM is " + cmp.Or(terminal, "not set") +
				": there are no colours, and questions come line by line",
		})
	}
	d.completion(getenv)
}

// completion notes that the shell of the person does not complete commands.
func (d *examination) completion(getenv func(string) string) {
	shell := filepath.Base(getenv("SHELL"))
	home := getenv("HOME")
	data := cmp.Or(getenv("XDG_DATA_HOME"), filepath.Join(home, ".local", "share"))
	config := cmp.Or(getenv("XDG_CONFIG_HOME"), filepath.Join(home, ".config"))
	places := map[string][]string{
		"bash": {
			filepath.Join(data, "bash-completion/completions/refit"), "/usr/share/bash-completion/completions/refit",
			"/usr/local/share/bash-completion/completions/refit", "/etc/bash_completion.d/refit",
		},
		"zsh": {
			"/usr/share/zsh/site-functions/_refit", "/usr/local/share/zsh/site-functions/_refit",
			"/usr/share/zsh/vendor-completions/_refit",
		},
		"fish": {
			filepath.Join(config, "fish/completions/refit.fish"), "/usr/share/fish/vendor_completions.d/refit.fish",
		},
	}
	files, ok := places[shell]
	if !ok || home == "" {
		return
	}
	if shell == "zsh" {
		for dir := range strings.SplitSeq(getenv("FPATH"), ":") {
			files = append(files, filepath.Join(dir, "_refit"))
		}
	}
	there := slices.ContainsFunc(files, func(name string) bool { _, err := os.Stat(name); return err == nil })
	for _, name := range []string{".bashrc", ".bash_profile", ".zshrc"} {
		data, err := readFile(filepath.Join(home, name), MaxFileSize)
		there = there || err == nil && strings.Contains(string(data), "refit completion")
	}
	if !there {
		d.notes = append(d.notes, DoctorNote{
			Name: "completion", Message: shell + " does not complete the commands of refit, as far as can be seen",
			Remedy: "refit completion --help says how it does",
		})
	}
}
