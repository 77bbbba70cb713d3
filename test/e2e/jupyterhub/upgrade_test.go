package jupyterhub

import (
	"slices"
	"strings"
	"testing"

	"github.com/refitproject/refit/test/e2e/harness"
)

// TestUpgrade takes a hub with each kind of database from JupyterHub 3.0.0 over 4.1.6 to
// 5.5.0, as the procedure that Refit ships says. The users stay, the server that runs goes
// on in its pod, and afterwards helm 3 goes on with the release. Refit may do what refit
// plan --rbac prints, and nothing else.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, kind, oldest)
			before := s.work()
			s.Kubeconfig = s.kubeconfig(s.permitted(), s.Config.Host)
			s.apply(exitDone)
			s.is(newest, before)
			s.start("bob")
			s.helm.Must(0, "upgrade", release, chart(newest.chart), "--reuse-values", "--wait", "--timeout", "5m")
			s.answers(newest.hub)
			report := s.refit.Must(exitDone, "report", s.run, "--format", "markdown")
			if strings.Contains(report, password) || strings.Contains(report, token) {
				t.Errorf("the report has a secret: %s", report)
			}
			if status := s.refit.Must(exitDone, "status", s.run); !strings.Contains(status, "hub down for") {
				t.Errorf("the downtime was not measured: %s", status)
			}
		})
	}
}

// Exit codes of refit: see docs/reference/exit-codes.md.
const (
	exitDone       = 0
	exitBlocked    = 3
	exitWaiting    = 5
	exitRolledBack = 6
	exitHalted     = 7
)

// kinds are the kinds of database to test with: one, or all in the longer tier.
func kinds() []string {
	all := []string{postgres, sqlite, mysql}
	if !harness.Full() {
		return slices.Clone(all[:1])
	}
	return all
}
