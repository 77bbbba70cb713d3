package all_test

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/refitproject/refit/internal/procedure"
)

type memory map[string]string

func (m memory) ReadFile(name string) ([]byte, error) {
	if data, ok := m[name]; ok {
		return []byte(data), nil
	}
	return nil, fs.ErrNotExist
}

const graph = `apiVersion: refit.dev/v1alpha1
kind: Versions
product: a chart
scheme: {kind: semver}
properties:
  valuesRules:
    type: list
    items: ITEMS
    default: []
    description: Rules of the hop.
versions:
  - {version: 1.0.0}
  - {version: 2.0.0}
edges:
  - from: 1.0.0
    to: 2.0.0
    kind: upgrade
    properties:
      valuesRules:
        - {move: hub.uid, to: hub.containerSecurityContext.runAsUser, reason: It was moved.}
        - {remove: auth.type, if: [{path: auth.type, is: there}], reason: It is gone.}
`

const hops = `apiVersion: refit.dev/v1alpha1
kind: Procedure
metadata: {name: chart, summary: Takes the values of a chart along.}
versions: versions.yaml
targets:
  here: {kind: directory}
inputs:
  installed: {type: string, description: The release of the chart.}
from: ${inputs.installed}
stages:
  - forEach: ${path.hops}
    as: item
    id: to-${item.to}
    steps:
      values:
        phase: prepare
        action: values.migrate
        with:
          values: values-${item.from}.yaml
          to: values-${item.to}.yaml
          version: ${item.to}
          rules: RULES
`

// TestRulesOfHops lints procedures of values.migrate whose rules are a property of
// their hops.
func TestRulesOfHops(t *testing.T) {
	t.Parallel()
	catalog := registry(t)
	cases := map[string]struct{ items, rules, want string }{
		"Any":     {"any", "${item.valuesRules}", ""},
		"Objects": {"object", "${item.valuesRules}", ""},
		"More":    {"any", `'${item.valuesRules + [{"remove": "hub.db.upgrade", "if": [{"path": "hub.db.upgrade", "equals": true}], "reason": "A step migrates."}]}'`, ""},
		"Text":    {"object", "${item.to}", "list"},
		"Typo":    {"object", "${item.valuesRule}", "valuesRule"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := memory{
				"versions.yaml":  strings.Replace(graph, "ITEMS", tc.items, 1),
				"procedure.yaml": strings.Replace(hops, "RULES", tc.rules, 1),
			}
			_, ds := procedure.Load(files, "procedure.yaml", catalog)
			var got []string
			for _, d := range ds {
				got = append(got, d.String())
			}
			text := strings.Join(got, "\n")
			if tc.want == "" && len(ds) > 0 || tc.want != "" && (len(ds) != 1 || !strings.Contains(text, tc.want)) {
				t.Errorf("got %q, want one with %q", text, tc.want)
			}
		})
	}
}
