package archtest

import (
	"maps"
	"path"
	"slices"
	"strings"
)

// architectureFile explains the folders in a table "folder | …", and those that
// do not exist yet in a table "later | …".
const architectureFile = "ARCHITECTURE.md"

// architecture checks that ARCHITECTURE.md explains the folders that exist, no
// others, and calls none of them a thing of the future.
func architecture(t *Tree) []Problem {
	var problems []Problem
	existing := t.folders()
	listed := map[string]bool{}
	for _, r := range t.tables(architectureFile, "folder") {
		for _, name := range quoted(r.Cells[0]) {
			dir := strings.TrimSuffix(name, "/")
			listed[dir] = true
			if !existing[dir] {
				problems = append(problems, at(architectureFile, r.Line, "lists %s, which does not exist", dir))
			}
		}
	}
	for _, r := range t.tables(architectureFile, "later") {
		for _, name := range quoted(r.Cells[0]) {
			if dir := strings.TrimSuffix(name, "/"); existing[dir] {
				problems = append(problems, at(architectureFile, r.Line,
					"says that %s comes later, but it exists", dir))
			}
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(existing)) {
		if !listed[dir] {
			problems = append(problems, at(architectureFile, 0, "does not list the folder %s", dir))
		}
	}
	return problems
}

// folders returns the folders that a newcomer has to know: those at the top,
// every package, and the kinds of pages below docs.
func (t *Tree) folders() map[string]bool {
	dirs := map[string]bool{}
	for name := range t.Files {
		parts := strings.Split(name, "/")
		switch {
		case len(parts) == 1 || strings.HasPrefix(parts[0], "."):
		case parts[0] == "docs" && len(parts) > 2:
			dirs[path.Join(parts[:2]...)] = true
		case parts[0] != "docs" && parts[0] != "internal" && parts[0] != "cmd":
			dirs[parts[0]] = true
		}
	}
	for _, f := range t.Go {
		if inLayers(f.Dir()) {
			dirs[f.Dir()] = true
		}
	}
	return dirs
}
