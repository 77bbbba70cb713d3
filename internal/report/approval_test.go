package report_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/run"
)

// Instructions are shown line by line, and a command in them in one piece, however
// narrow the page is: people copy it.
func TestApprovalShowsLines(t *testing.T) {
	t.Parallel()
	command := "helm upgrade hub ./chart --namespace hub --version 3.2.1 --set proxy.secretToken=x --wait"
	view := report.ApprovalView{
		Run: "hub-1", Platform: "hub", Head: "sha256:0123456789abcdef",
		Gate: report.GateView{
			Stage: "up", Name: "helm-upgrade", Kind: run.WaitPerson, Count: 1, Digest: "sha256:0123456789abcdef",
			Question: "Run the upgrade, and look at it all the time:\n\n    " + command + "\n      # then wait\n\nThen go on.\n",
		},
		NoReturn: []string{"a: not known", "b: not known", "c: the data is gone", "d: not known"},
	}
	var b strings.Builder
	if err := report.ApprovalText(&b, view, report.TextOptions{Width: 60}); err != nil {
		t.Fatal(err)
	}
	got := strings.Split(b.String(), "\n")
	want := []string{
		"Run hub-1 asks for a person's work, helm-upgrade of stage",
		"  up: Run the upgrade, and look at it all the time: …",
		"",
		"  Run the upgrade, and look at it all the time:",
		"",
		"      " + command,
		"        # then wait",
		"",
		"  Then go on.",
		"",
	}
	if diff := cmp.Diff(want, got[:len(want)]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n := strings.Count(b.String(), "POINT OF NO RETURN"); n != 2 {
		t.Errorf("%d points of no return are drawn, want one for each reason:\n%s", n, b.String())
	}
	if !strings.Contains(b.String(), "    a, b, d: not known\n") {
		t.Errorf("the steps of one reason do not stand together:\n%s", b.String())
	}
}
