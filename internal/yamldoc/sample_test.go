package yamldoc_test

import (
	"fmt"
	"strings"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/yamldoc"
)

// sampleDocument and the types below it hold every type of field that Decode
// knows, in the manner of a procedure.
type sampleDocument struct {
	Pos      diag.Position                  `yaml:"-"`
	Kind     yamldoc.Text                   `yaml:"kind,required" enum:"Procedure,SubProcedure" doc:"Kind of document."`
	Metadata sampleMetadata                 `yaml:"metadata,required" doc:"Name and summary."`
	From     *yamldoc.Node                  `yaml:"from" type:"text" doc:"Expression that gives the version."`
	Inputs   yamldoc.Ordered[*sampleInput]  `yaml:"inputs" doc:"Values, by name."`
	Steps    yamldoc.Ordered[sampleStep]    `yaml:"steps" doc:"Steps, by id."`
	Expects  yamldoc.Ordered[*yamldoc.Node] `yaml:"expects" type:"text" doc:"Facts, by path."`
	Windows  []sampleWindow                 `yaml:"windows" doc:"Windows."`
	Note     string                         `yaml:"-"`
	_        int
}

type sampleMetadata struct {
	Name    yamldoc.Text `yaml:"name,required" doc:"Name."`
	Summary string       `yaml:"summary,required"`
	Level   string       `yaml:"level" enum:"low,high" doc:"Level."`
}

type sampleInput struct {
	Pos      diag.Position                 `yaml:"-"`
	Type     yamldoc.Text                  `yaml:"type,required" enum:"int,object,string" doc:"Type."`
	Default  *yamldoc.Node                 `yaml:"default" doc:"Default."`
	Optional bool                          `yaml:"optional" doc:"May be left out."`
	Fields   yamldoc.Ordered[*sampleInput] `yaml:"fields" doc:"Members."`
}

type sampleStep struct {
	Action  yamldoc.Text            `yaml:"action" doc:"Action."`
	With    *yamldoc.Node           `yaml:"with" type:"map" doc:"Input."`
	Command *yamldoc.Node           `yaml:"command" type:"list" doc:"Program."`
	Needs   []yamldoc.Text          `yaml:"needs" doc:"Ids."`
	Targets map[string]yamldoc.Text `yaml:"targets" doc:"Targets."`
	Weights map[string]float64      `yaml:"weights" doc:"Weights."`
	Max     int                     `yaml:"max" doc:"How many."`
	Small   int8                    `yaml:"small" doc:"A small number."`
	Status  []int                   `yaml:"status" doc:"Codes."`
	Timeout yamldoc.Duration        `yaml:"timeout" doc:"Limit."`
	Retry   *sampleRetry            `yaml:"retry" doc:"Retries."`
	Matrix  [][]string              `yaml:"matrix" doc:"Lists of lists."`
}

type sampleRetry struct {
	Attempts int              `yaml:"attempts,required" doc:"How many attempts."`
	Backoff  yamldoc.Duration `yaml:"backoff" doc:"Wait."`
}

type sampleWindow struct {
	Pos  diag.Position  `yaml:"-"`
	Days []yamldoc.Text `yaml:"days" enum:"Mon,Tue,Wed" doc:"Days."`
}

// sampleGood uses every key.
const sampleGood = `kind: Procedure
metadata: {name: hub, summary: Upgrades., level: low}
from: ${observe.release.version}
inputs:
  b: {type: string, default: "1"}
  a:
    type: object
    optional: true
    fields: {x: {type: int, default: 3}}
steps:
  one:
    action: helm.upgrade
    with: {version: 1.10, anything: [1, null]}
    needs: [zero, "2"]
    targets: {here: there}
    weights: {a: 1, b: 1.5}
    max: 3
    small: -128
    status: [200, 204]
    timeout: 1d12h
    retry: {attempts: 3, backoff: 500ms}
    matrix: [[a], [b, c], []]
  two: {command: [echo, hello]}
expects: {release.version: 1.10, replicas: 2, ready: true, path: "${item.from}"}
windows:
- {days: [Mon, Tue]}
`

// sampleOf returns a document of about the given number of lines.
func sampleOf(lines int) string {
	var b strings.Builder
	b.WriteString("kind: Procedure\nmetadata: {name: hub, summary: Upgrades.}\nsteps:\n")
	for i := range lines / 10 {
		fmt.Fprintf(&b, `  step-%d: # a comment
    action: helm.upgrade
    with:
      release: "${inputs.release}"
      values: {replicas: %d, enabled: true}
    needs: [step-%d]
    timeout: 20m
    retry:
      attempts: 3
      backoff: 10s
`, i, i, max(i-1, 0))
	}
	return b.String()
}
