package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// procedurePlaceholder stands in targets.txt for a procedure of 2,000 lines.
const procedurePlaceholder = "PROCEDURE"

// writeProcedure writes a procedure of n lines that lints clean, with
// expressions in most of its steps, and returns its name.
func writeProcedure(dir string, n int) (string, error) {
	var b strings.Builder
	b.WriteString(`apiVersion: refit.dev/v1alpha1
kind: Procedure
metadata: {name: long, summary: A procedure as long as a long one gets.}
components:
  web: {kind: service, description: Pages.}
inputs:
  folder: {type: string, description: Folder.}
observe:
  release: {action: file.read, with: {path: "${inputs.folder}/release.json", format: json}}
stages:
`)
	const perStage, perStep = 20, 13
	for i := 0; strings.Count(b.String(), "\n")+perStep <= n; i++ {
		if i%perStage == 0 {
			fmt.Fprintf(&b, "  - id: stage-%d\n    steps:\n", i/perStage)
		}
		fmt.Fprintf(&b, `      step-%d:
        phase: upgrade
        description: Step %d of ${inputs.folder}.
        when: ${observe.release.exists && size(inputs.folder) > %d}
        action: exec.command
        with:
          command: [touch, "${inputs.folder}/${observe.release.value.version}-%d"]
          observe: {command: [test, -e, "${inputs.folder}/%d"]}
          undo: {command: [rm, -f, "${inputs.folder}/%d"]}
        changes: [web]
        duration: {typical: 1s, worst: 5s}
        timeout: 20s
        reversible: undo
`, i, i, i, i, i, i)
	}
	name := filepath.Join(dir, "procedure.yaml")
	return name, os.WriteFile(name, []byte(b.String()), 0o600)
}
