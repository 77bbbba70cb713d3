package kube

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"sigs.k8s.io/yaml"
)

// maxDiff is how much of a difference is shown, in bytes.
const maxDiff = 16 << 10

// kindSecret is the kind whose values are never shown or recorded.
const kindSecret = "Secret"

// showDiff returns a unified difference of two contents of an object, without values
// of Secrets and of keys that look like secrets.
func showDiff(name string, before, after map[string]any) string {
	old, now := masked(before, after)
	text := string(diff.Diff(name, asYAML(old), name+" (new)", asYAML(now)))
	// The first line names the program that it would be made with.
	if _, rest, ok := strings.Cut(text, "\n"); ok && strings.HasPrefix(text, "diff ") {
		text = rest
	}
	return withoutCredentials(text)
}

func asYAML(content map[string]any) []byte {
	if content == nil {
		return nil
	}
	text, err := yaml.Marshal(content)
	if err != nil { // what came as JSON can be written
		return []byte(err.Error() + "\n")
	}
	return text
}

// cutDiff bounds a difference.
func cutDiff(text string) string {
	if len(text) <= maxDiff {
		return text
	}
	cut := strings.ToValidUTF8(text[:maxDiff], "")
	if end := strings.LastIndexByte(cut, '\n'); end >= 0 {
		cut = cut[:end+1]
	}
	return cut + "… the rest is not shown\n"
}

// masked replaces the values of a Secret. What differs still differs, so that one can
// see which keys a change is about.
func masked(before, after map[string]any) (old, now map[string]any) {
	if before["kind"] != kindSecret && after["kind"] != kindSecret {
		return before, after
	}
	old, now = maps.Clone(before), maps.Clone(after)
	for _, field := range []string{"data", "stringData"} {
		x, _ := before[field].(map[string]any)
		y, _ := after[field].(map[string]any)
		maskInto(old, field, x, nil, "***")
		maskInto(now, field, y, x, "*** (new)")
	}
	return old, now
}

func maskInto(object map[string]any, field string, values, others map[string]any, changed string) {
	if values == nil {
		return
	}
	shown := make(map[string]any, len(values))
	for _, key := range slices.Sorted(maps.Keys(values)) {
		shown[key] = "***"
		if other, there := others[key]; others != nil && (!there || other != values[key]) {
			shown[key] = changed
		}
	}
	object[field] = shown
}

// withoutCredentials hides values of keys that look like those of secrets, and the
// values of variables of containers whose names do: what stands next to a change comes
// into the difference too.
func withoutCredentials(text string) string {
	const words = `password|passwd|secret|token|api-?_?key|credential|private-?_?key`
	pair := regexp.MustCompile(`(?i)^([-+ ]\s*(?:- )?["']?[\w.-]*(?:` + words + `)[\w.-]*["']?\s*:\s+)\S.*$`)
	variable := regexp.MustCompile(`(?i)^[-+ ]\s*(?:- )?name:\s+["']?[\w.-]*(?:` + words + `)`)
	name := regexp.MustCompile(`^[-+ ]\s*(?:- )?name:`)
	value := regexp.MustCompile(`^([-+ ]\s*(?:- )?value:\s+)\S.*$`)
	lines := strings.Split(text, "\n")
	hides := false
	for i, line := range lines {
		if name.MatchString(line) {
			hides = variable.MatchString(line)
		}
		if hides {
			line = value.ReplaceAllString(line, "$1***")
		}
		if !strings.Contains(line, "'***") { // hidden already
			line = pair.ReplaceAllString(line, "$1***")
		}
		lines[i] = line
	}
	return strings.Join(lines, "\n")
}

// listed joins names for a message, the first ones only.
func listed(names []string) string {
	const most = 5
	if len(names) > most {
		names = append(slices.Clone(names[:most]), fmt.Sprintf("%d more", len(names)-most))
	}
	return strings.Join(names, ", ")
}
