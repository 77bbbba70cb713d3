package report

import (
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/refitproject/refit/internal/plan"
)

func TestPlanMermaidGolden(t *testing.T) {
	t.Parallel()
	golden(t, "plan.mermaid", render(t, func(w io.Writer) error { return PlanMermaid(w, hubPlan()) }))
}

// mermaidLines are the only forms of line that PlanMermaid may write.
var mermaidLines = regexp.MustCompile(`^(` + strings.Join([]string{
	`flowchart TB`,
	` *direction TB`,
	` *end`,
	` *subgraph \w+\["[^"\[\]{}()|<>]+"\]`,
	` *\w+(\["[^"\[\]{}()|]+"\]|\{"[^"\[\]{}()|]+"\}):::\w+`,
	` *\w+ (-->|==>) \w+`,
	` *classDef \w+ [\w:#,-]+`,
}, "|") + `)$`)

// checkMermaid checks the grammar of a diagram, that subgraphs are closed and
// that arrows join what exists.
func checkMermaid(t *testing.T, text string) {
	t.Helper()
	depth, nodes := 0, map[string]bool{}
	node := regexp.MustCompile(`^ *(?:subgraph )?(\w+)[\[{]"`)
	arrow := regexp.MustCompile(`^ *(\w+) (?:-->|==>) (\w+)$`)
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for _, line := range lines {
		if !mermaidLines.MatchString(line) {
			t.Errorf("line is not valid: %q", line)
		}
		switch trimmed := strings.TrimSpace(line); {
		case strings.HasPrefix(trimmed, "subgraph "):
			depth++
		case trimmed == "end":
			depth--
		}
		if m := node.FindStringSubmatch(line); m != nil {
			if nodes[m[1]] {
				t.Errorf("node %s is drawn twice", m[1])
			}
			nodes[m[1]] = true
		}
	}
	if depth != 0 {
		t.Errorf("%d subgraphs are not closed", depth)
	}
	for _, line := range lines {
		if m := arrow.FindStringSubmatch(line); m != nil && (!nodes[m[1]] || !nodes[m[2]]) {
			t.Errorf("arrow %q joins what does not exist", line)
		}
	}
}

func TestPlanMermaidValid(t *testing.T) {
	t.Parallel()
	hostile := hubPlan()
	hostile.Stages[0].ID = "end\"] --> x\nclick a"
	hostile.Stages[0].Gates[0].Name = `a"}{b`
	for i := range hostile.Stages[0].Steps {
		hostile.Stages[0].Steps[i].ID += "<b>`\"[](){}|#;%é→\x1b[2J"
		hostile.Stages[0].Steps[i].Needs = nil
	}
	cases := map[string]struct {
		reason string
		plan   *plan.Plan
		want   []string
	}{
		"Everything": {"a plan with everything", hubPlan(), []string{
			`{"go-ahead<br/>gate.approval@1"}:::gate`, `["upgrade<br/>helm.upgrade@1"]:::danger`,
			`["legacy-ingress<br/>skipped: the platform has no ingress"]:::muted`, "s0 ==> s1",
		}},
		"Hostile": {"names with every sign that Mermaid acts on", hostile, []string{`#34;`, `#91;`, `é→`}},
		"Large":   {"a phase with many steps is folded", largePlan(1, 10_000), []string{`"9,960 more steps"`}},
		"Empty":   {"a plan without stages", &plan.Plan{}, nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := render(t, func(w io.Writer) error { return PlanMermaid(w, tc.plan) })
			checkMermaid(t, got)
			for _, want := range tc.want {
				if !strings.Contains(got, want) {
					t.Errorf("%s: %q is missing in:\n%.3000s", tc.reason, want, got)
				}
			}
		})
	}
}
