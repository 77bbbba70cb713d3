package archtest

import (
	"path"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

const matrixFile = "test/e2e/matrix.yaml"

// matrixRow is one line of the matrix: an action on a server in a version.
type matrixRow struct {
	Server, Version string
	// Test is folder.Function; Missing is why there is none.
	Test, Missing string
}

// matrix checks that every action has rows in the matrix of real servers, that
// the tests that they name are there, and that every other row has its reason.
func matrix(t *Tree) []Problem {
	text, ok := t.Files[matrixFile]
	if !ok {
		return []Problem{at(matrixFile, 0, "is not there: it says which action is tested on which real server")}
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return []Problem{at(matrixFile, 0, "cannot be read: %v", err)}
	}
	if len(document.Content) == 0 || document.Content[0].Kind != yaml.MappingNode {
		return []Problem{at(matrixFile, 0, "has to map actions to rows")}
	}
	var problems []Problem
	rows := map[string]bool{}
	pairs := document.Content[0].Content
	for i := 0; i+1 < len(pairs); i += 2 {
		rows[pairs[i].Value] = len(pairs[i+1].Content) > 0
		for _, row := range pairs[i+1].Content {
			if wrong := t.judgeRow(row); wrong != "" {
				problems = append(problems, at(matrixFile, row.Line, "%s: %s", pairs[i].Value, wrong))
			}
		}
	}
	known := map[string]bool{}
	for _, d := range t.definitions() {
		known[d.Name] = true
		if d.Name != "" && !rows[d.Name] {
			problems = append(problems, t.problem(d.File, d.Pos,
				"action %s has no row in %s: a real server, or the reason why there is none", d.Name, matrixFile))
		}
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if !known[pairs[i].Value] {
			problems = append(problems, at(matrixFile, pairs[i].Line, "%s is no action", pairs[i].Value))
		}
	}
	return problems
}

// judgeRow tells what is wrong with a row; "" when nothing is.
func (t *Tree) judgeRow(node *yaml.Node) string {
	var row matrixRow
	for i := 0; i+1 < len(node.Content); i += 2 {
		field := map[string]*string{
			"server": &row.Server, "version": &row.Version, "test": &row.Test, "missing": &row.Missing,
		}[node.Content[i].Value]
		if field == nil {
			return "a row has server, version and test or missing, not " + node.Content[i].Value
		}
		*field = node.Content[i+1].Value
	}
	switch {
	case row.Server == "" || row.Version == "":
		return "a row needs server and version"
	case (row.Test == "") == (row.Missing == ""):
		return "a row needs either a test, or in missing why there is none"
	case row.Test != "" && !t.hasTest(row.Test):
		return "there is no test " + row.Test
	}
	return ""
}

// hasTest tells whether a folder has a test function. It reads the text, because
// tests of other modules count too.
func (t *Tree) hasTest(name string) bool {
	dir, function, ok := strings.Cut(name, ".")
	if !ok || !strings.HasPrefix(function, "Test") {
		return false
	}
	declared := regexp.MustCompile(`(?m)^func ` + regexp.QuoteMeta(function) + `\(`)
	for file, text := range t.Files {
		if path.Dir(file) == dir && strings.HasSuffix(file, "_test.go") && declared.Match(text) {
			return true
		}
	}
	return false
}
