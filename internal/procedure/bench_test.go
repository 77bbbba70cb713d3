package procedure_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/refitproject/refit/internal/procedure"
)

// longProcedure returns a procedure of about the given number of lines that
// looks like a real one: stages of steps with expressions, needs and outputs.
func longProcedure(n int) string {
	var out strings.Builder
	out.WriteString(`apiVersion: refit.dev/v1alpha1
kind: Procedure
metadata: {name: long, summary: A procedure as long as real ones become.}
targets: {cluster: {kind: kubernetes}}
components:
  web: {kind: service}
  db: {kind: database}
inputs:
  namespace: {type: string, description: Namespace.}
  url: {type: string, description: Address.}
  chart: {type: object, description: Where charts come from.}
  hosts: {type: list, items: string, default: [a, b, c]}
observe:
  cluster: {action: kube.version}
  release: {action: helm.release, with: {name: web, namespace: "${inputs.namespace}"}}
stages:
`)
	for stage := 0; strings.Count(out.String(), "\n") < n; stage++ {
		fmt.Fprintf(&out, `  - id: stage-%d
    description: Move part %d from ${observe.release.chart.version}.
    window: ${platform.windows}
    expects: {cluster.version: "1.%d"}
    leaves: {cluster.version: "1.%d"}
    steps:
      stop:
        phase: quiesce
        action: kube.scale
        with: {name: web, namespace: "${inputs.namespace}", replicas: 0}
        lease: {until: stage, onFailure: hold}
        quiesces: [db]
        downtime: [web]
      save:
        phase: backup
        action: database.backup
        with: {database: {name: "db-%d"}, label: "stage-%d of ${platform.name}"}
        covers: [db]
`, stage, stage, stage+20, stage+21, stage, stage)
		for i := range 8 {
			fmt.Fprintf(&out, `      config-%d:
        phase: prepare
        description: Rewrite the values of part %d.
        action: values.migrate
        with: {rules: "rules/%d.yaml", values: "${observe.release.values}"}
      upgrade-%d:
        phase: upgrade
        needs: [config-%d]
        action: helm.upgrade
        with:
          release: web-%d
          namespace: ${inputs.namespace}
          chart: ${inputs.chart}
          version: "${observe.cluster.version.startsWith('1.') ? '2.%d' : '3.%d'}"
          valuesFile: ${steps["config-%d"].output.file}
        changes: [db, web]
        timeout: 20m
        retry: {attempts: 3, backoff: 10s}
        reversible: restore
      answers-%d:
        phase: verify
        forEach: ${inputs.hosts}
        as: host
        key: ${host}
        when: ${steps["upgrade-%d"].output.revision > observe.release.revision}
        action: http.check
        with: {url: "${inputs.url}/${host}/health", expect: {status: 200}}
`, i, i, i, i, i, i, i, i, i, i, i)
		}
	}
	return out.String()
}

// BenchmarkLoad2000Lines measures what refit lint does with a procedure of
// 2,000 lines; it has to stay below 200 ms.
func BenchmarkLoad2000Lines(b *testing.B) {
	text := longProcedure(2000)
	files := memory{"procedure.yaml": text}
	for b.Loop() {
		if _, ds := procedure.Load(files, "procedure.yaml", testCatalog()); len(ds) > 0 {
			b.Fatal(ds)
		}
	}
	b.ReportMetric(float64(strings.Count(text, "\n")), "lines")
}
