package helm

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	releaseutil "helm.sh/helm/v4/pkg/release/v1/util"
	"sigs.k8s.io/yaml"
)

// maxDiff is how much of a difference is shown, in bytes.
const maxDiff = 64 << 10

// manifestDiff compares the objects of two revisions, one object after the other. What
// Secrets hold is not shown, only that it differs.
func manifestDiff(before, after string) string {
	a, b := objects(before), objects(after)
	names := maps.Clone(a)
	maps.Copy(names, b)
	var out strings.Builder
	for _, name := range slices.Sorted(maps.Keys(names)) {
		was, is := mask(a[name], b[name])
		if was == is {
			continue
		}
		oldName, newName := name, name
		if was == "" {
			oldName = "/dev/null"
		}
		if is == "" {
			newName = "/dev/null"
		}
		text := string(diff.Diff(oldName, []byte(was), newName, []byte(is)))
		// It begins with the line of a command that nobody has typed.
		if first, rest, ok := strings.Cut(text, "\n"); ok && strings.HasPrefix(first, "diff ") {
			text = rest
		}
		out.WriteString(text)
	}
	text := withoutCredentials(out.String())
	if len(text) > maxDiff {
		cut := strings.LastIndexByte(text[:maxDiff], '\n') + 1
		text = text[:cut] + fmt.Sprintf("… and %d more lines\n", strings.Count(text[cut:], "\n"))
	}
	return text
}

// objects splits a manifest, by kind, namespace and name of the objects.
func objects(manifest string) map[string]string {
	out := map[string]string{}
	for _, doc := range releaseutil.SplitManifests(manifest) {
		name, text := object(doc)
		if text != "" {
			out[name] += text
		}
	}
	return out
}

func object(doc string) (name, text string) {
	var parsed map[string]any
	if err := yaml.Unmarshal([]byte(doc), &parsed); err != nil || len(parsed) == 0 {
		return "", ""
	}
	data, err := yaml.Marshal(parsed) // in one order, without comments: charts move lines
	if err != nil {
		return "", ""
	}
	meta, _ := parsed["metadata"].(map[string]any)
	kind, _ := parsed["kind"].(string)
	name, _ = meta["name"].(string)
	if namespace, _ := meta["namespace"].(string); namespace != "" {
		name = namespace + "/" + name
	}
	return kind + "/" + name, string(data)
}

// mask hides what two states of a Secret hold.
func mask(was, is string) (maskedWas, maskedIs string) {
	var a, b map[string]any
	if yaml.Unmarshal([]byte(was), &a) != nil || yaml.Unmarshal([]byte(is), &b) != nil {
		return was, is
	}
	if a["kind"] != "Secret" && b["kind"] != "Secret" {
		return was, is
	}
	for _, field := range []string{"data", "stringData"} {
		x, _ := a[field].(map[string]any)
		y, _ := b[field].(map[string]any)
		for key := range y {
			if value, there := x[key]; there && value != y[key] {
				y[key] = hidden + " (changed)"
			} else {
				y[key] = hidden
			}
		}
		for key := range x {
			x[key] = hidden
		}
	}
	return written(a), written(b)
}

func written(object map[string]any) string {
	if len(object) == 0 {
		return ""
	}
	data, err := yaml.Marshal(object)
	if err != nil {
		return ""
	}
	return string(data)
}

// withoutCredentials hides values of keys that look like those of secrets: charts put
// them into ConfigMaps and environments too.
func withoutCredentials(text string) string {
	const words = `password|passwd|secret|token|api-?_?key|credential|private-?_?key|cookie_?secret`
	pair := regexp.MustCompile(`(?im)^([-+ ]\s*(?:- )?["']?[\w.-]*(?:` + words + `)[\w.-]*["']?\s*:\s+)[^\s{\[].*$`)
	return pair.ReplaceAllStringFunc(text, func(line string) string {
		if strings.Contains(line, hidden) {
			return line // it is, and says whether it changed
		}
		return pair.ReplaceAllString(line, "${1}"+hidden)
	})
}
