package archtest

import (
	"slices"
	"strings"
)

// layers lists the folders from the bottom to the top. A folder imports its own
// layer and those above it in this list, that is, below it in the picture. A
// name that ends in "/" stands for the folders below it and not for itself.
func layers() [][]string {
	return [][]string{
		{
			"internal/diag", "internal/yamldoc", "internal/schema", "internal/probe",
			"internal/filelock", "internal/disk", "internal/wait",
		},
		{"internal/expr", "internal/issues", "internal/action"},
		{"internal/versions", "internal/procedure", "internal/platform", "internal/runbook"},
		{"internal/plan"},
		{"internal/run"},
		{"internal/report"},
		{"internal/engine"},
		{
			"procedures", "internal/engine/", "internal/action/", "internal/backup", "internal/backup/",
			"internal/secret", "internal/secret/", "internal/detect", "internal/detect/",
			"internal/notify", "internal/notify/", "internal/probe/", "internal/kube", "internal/kube/",
			"internal/yamledit",
		},
		{"internal/service", "internal/service/"},
		{"internal/ui/"},
		{"cmd/"},
	}
}

// testHelpers exist for tests; only tests and each other import them.
func testHelpers() []string {
	return []string{
		"internal/action/actiontest", "internal/engine/enginetest", "internal/backup/miniotest",
		"internal/action/database/databasetest", "internal/action/jupyterhub/hubtest",
		"internal/disk/disktest", "internal/kube/kubetest", "internal/testserver", "internal/sim",
		"internal/archtest",
	}
}

// bans forbid what the order of the layers alone would permit.
func bans() []ban {
	return []ban{
		{"internal/action/", "internal/run", "an action does not know the run that it is part of"},
		{"internal/action/", "internal/engine", "an action does not know its host"},
		{"internal/action/", "internal/engine/", "an action does not know its host"},
		{"internal/secret", "internal/action/", "families hand in what starts programs; secret does not know them"},
		{"internal/action/", "internal/notify/", "an action does not know the run that it is part of"},
		{"internal/notify", "internal/action/", "a message is sent by whoever has one; notify knows no families"},
		{"internal/ui/", "internal/engine", "user interfaces go through internal/service"},
		{"internal/ui/", "internal/engine/", "user interfaces go through internal/service"},
		{"internal/ui/", "internal/action/", "user interfaces go through internal/service"},
		{"internal/ui/", "internal/run", "user interfaces read internal/report"},
	}
}

type ban struct{ from, to, why string }

// importRule checks that imports point one way. Tests may import what they
// like: they stand beside the picture.
func importRule(t *Tree) []Problem {
	var problems []Problem
	unknown := map[string]bool{}
	for _, f := range t.Go {
		dir := f.Dir()
		if f.Test() || slices.Contains(testHelpers(), dir) || !inLayers(dir) {
			continue
		}
		if rank(dir) < 0 && !unknown[dir] {
			unknown[dir] = true
			problems = append(problems, at(dir, 0, "has no layer: give it one in internal/archtest/layers.go"))
		}
		for _, spec := range f.AST.Imports {
			target, ours := strings.CutPrefix(strings.Trim(spec.Path.Value, `"`), Module+"/")
			if !ours {
				continue
			}
			if why := forbidden(dir, target); why != "" {
				problems = append(problems, t.problem(f, spec.Pos(), "imports %s: %s", target, why))
			}
		}
	}
	return problems
}

// inLayers tells whether a folder holds code of the program.
func inLayers(dir string) bool {
	return strings.HasPrefix(dir, "internal/") || strings.HasPrefix(dir, "cmd/") || dir == "procedures"
}

// forbidden says why code in dir may not import target, or nothing.
func forbidden(dir, target string) string {
	if slices.Contains(testHelpers(), target) {
		return "only tests may import it"
	}
	for _, b := range bans() {
		if within(dir, b.from) && within(target, b.to) {
			return b.why
		}
	}
	if rank(dir) >= 0 && rank(target) > rank(dir) {
		return "imports point one way, and it stands above " + dir
	}
	return ""
}

// rank returns the number of a folder's layer, -1 for none.
func rank(dir string) int {
	return slices.IndexFunc(layers(), func(layer []string) bool {
		return slices.ContainsFunc(layer, func(member string) bool { return within(dir, member) })
	})
}

// within tells whether a member of a layer stands for dir.
func within(dir, member string) bool {
	if strings.HasSuffix(member, "/") {
		return strings.HasPrefix(dir, member)
	}
	return dir == member
}
