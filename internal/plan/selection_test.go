package plan

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestBuildSelections tests what the plan says of steps that pick out themselves
// what they act on: a person sees the list where something may be lost by it,
// unless the procedure says otherwise. It is part of the digest.
func TestBuildSelections(t *testing.T) {
	t.Parallel()
	const save = "\n      stop: {phase: quiesce, action: test.stop, with: {}, quiesces: [db], lease: {until: stage}}" +
		"\n      save: {phase: backup, action: test.dump, with: {}, covers: [db]}"
	digests := map[string]string{}
	for name, c := range map[string]struct {
		step string
		want Selection
	}{
		"can be taken back":    {"{phase: upgrade, action: test.move, with: {}, select: {max: 3, empty: ok}}", Selection{Max: 3, Empty: EmptyOK}},
		"cannot be taken back": {`{phase: upgrade, action: test.prune, with: {}, select: {max: 3, empty: refuse}, reversible: "no: gone"}`, Selection{Max: 3, Empty: EmptyRefuse, Approve: true}},
		"changes data":         {"{phase: upgrade, action: test.move, with: {}, select: {max: 3, empty: ok}, changes: [db], reversible: restore}", Selection{Max: 3, Empty: EmptyOK, Approve: true}},
		"changes a service":    {"{phase: upgrade, action: test.move, with: {}, select: {max: 3, empty: ok}, changes: [hub]}", Selection{Max: 3, Empty: EmptyOK}},
		"always":               {"{phase: upgrade, action: test.move, with: {}, select: {max: 3, empty: ok, approve: always}}", Selection{Max: 3, Empty: EmptyOK, Approve: true}},
		"never":                {`{phase: upgrade, action: test.prune, with: {}, select: {max: 3, empty: refuse, approve: never}, reversible: "no: gone"}`, Selection{Max: 3, Empty: EmptyRefuse}},
	} {
		s := one("\nstages:\n  - id: only\n    steps:" + save + "\n      pick: " + c.step + "\n").must(t).Stages[0]
		got := s.Steps[stepIndex(s.Steps)["pick"]].Selection
		if diff := cmp.Diff(&c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if other := digests[s.Digest]; other != "" {
			t.Errorf("%q and %q have the same digest", name, other)
		}
		digests[s.Digest] = name
	}
}
