package plan

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCover(t *testing.T) {
	t.Parallel()
	quiesce := func(until string) Step {
		s := step("stop", Quiesce)
		s.Quiesces = []string{"db"}
		if until != "" {
			s.Lease = &StepLease{Until: until}
			if id, isStep := strings.CutPrefix(until, "step:"); isStep {
				s.Lease = &StepLease{Until: untilSteps, Steps: []string{id}}
			}
		}
		return s
	}
	backup := func(id string, change ...func(*Step)) Step {
		s := step(id, Backup)
		s.Covers, s.Proof = []string{"db"}, 3
		for _, c := range change {
			c(&s)
		}
		return s
	}
	change := func(id string) Step {
		s := step(id, Upgrade)
		s.Changes = []string{"db", "hub"}
		return s
	}
	cases := map[string]struct {
		reason   string
		steps    []Step
		groups   []Group
		abort    []Step
		quiesced bool
		want     []Coverage
		code     string
		says     string
	}{
		"Covered": {
			reason: "quiesce, backup, change",
			steps:  []Step{quiesce("stage"), backup("dump"), change("migrate")},
			want:   []Coverage{{Component: "db", ChangedBy: []string{"migrate"}, Backups: []string{"dump"}, Proof: 3}},
		},
		"NoBackup": {
			reason: "a change without a backup is refused",
			steps:  []Step{quiesce("stage"), change("migrate")},
			code:   "NotCovered", says: `step "migrate" may damage "db", which no backup of the stage covers`,
		},
		"StatelessNeedsNone": {
			reason: "a service holds no data",
			steps:  []Step{{ID: "roll", Phase: Upgrade, Changes: []string{"hub"}}},
		},
		"SkippedChange": {
			reason: "a change that is not made needs no backup",
			steps:  []Step{func() Step { s := change("migrate"); s.Skip = "no"; return s }()},
		},
		"SkippedBackup": {
			reason: "a backup that is not made covers nothing",
			steps:  []Step{quiesce("stage"), backup("dump", func(s *Step) { s.Skip = "no" }), change("migrate")},
			code:   "BackupUnfit", says: `step "dump" is skipped`,
		},
		"ConditionalBackup": {
			reason: "a backup that may be skipped covers nothing",
			steps:  []Step{quiesce("stage"), backup("dump", func(s *Step) { s.When = "${x}" }), change("migrate")},
			code:   "BackupUnfit", says: "may be skipped when the stage runs",
		},
		"BackupTooLate": {
			reason: "a free backup that nothing orders before the change may end after it",
			steps:  []Step{quiesce("stage"), backup("dump", func(s *Step) { s.Free = true }), change("migrate")},
			code:   "BackupUnfit", says: `does not end before step "migrate" starts`,
		},
		"NotQuiesced": {
			reason: "a backup of something that is written to is not consistent",
			steps:  []Step{backup("dump"), change("migrate")},
			code:   "BackupUnfit", says: "quiesce it first",
		},
		"Online": {
			reason: "unless it says that it is",
			steps:  []Step{backup("dump", func(s *Step) { s.Online = true }), change("migrate")},
			want:   []Coverage{{Component: "db", ChangedBy: []string{"migrate"}, Backups: []string{"dump"}, Proof: 3}},
		},
		"ConditionalQuiesce": {
			reason: "a quiesce that may be skipped does not count",
			steps: []Step{
				func() Step { s := quiesce("stage"); s.When = "${x}"; return s }(), backup("dump"), change("migrate"),
			},
			code: "BackupUnfit", says: "quiesce it first",
		},
		"ReleasedTooEarly": {
			reason: "what is written after the release and before the change is not in the backup",
			steps:  []Step{quiesce("step:dump"), backup("dump"), change("migrate")},
			code:   "BackupUnfit", says: "lets the component be written to again before the change",
		},
		"ReleasedAfterTheChange": {
			reason: "a lease until the change itself is held long enough",
			steps:  []Step{quiesce("step:migrate"), backup("dump"), change("migrate")},
			want:   []Coverage{{Component: "db", ChangedBy: []string{"migrate"}, Backups: []string{"dump"}, Proof: 3}},
		},
		"ReadBeforeTheLastQuiesce": {
			reason: "all quiesces of the component must stand before the backup",
			steps: []Step{
				quiesce("stage"),
				func() Step { s := free("second", Upgrade); s.Quiesces = []string{"db"}; return s }(),
				backup("dump"),
				func() Step { s := change("migrate"); s.Needs = []string{"second"}; return s }(),
			},
			code: "BackupUnfit", says: `begins to read before step "second" has quiesced the component`,
		},
		"ConditionalUse": {
			reason: "nor does a backup of a sub-procedure that may be skipped as a whole",
			steps:  []Step{quiesce("stage"), backup("use/inner/dump", func(s *Step) { s.Group = "use/inner" }), change("migrate")},
			groups: []Group{{ID: "use/inner", Parent: "use"}, {ID: "use", When: "${x}"}},
			code:   "BackupUnfit", says: "may be skipped when the stage runs",
		},
		"ConditionalUseOfQuiesce": {
			reason: "nor does such a quiesce",
			steps: []Step{
				func() Step { s := quiesce("stage"); s.Group = "use"; return s }(), backup("dump"), change("migrate"),
			},
			groups: []Group{{ID: "use", When: "${x}"}},
			code:   "BackupUnfit", says: "quiesce it first",
		},
		"BackupMayFail": {
			reason: "a backup whose failure stops nothing covers nothing",
			steps:  []Step{quiesce("stage"), backup("dump", func(s *Step) { s.OnFailure = "continue" }), change("migrate")},
			code:   "BackupUnfit", says: `may fail without stopping step "migrate"`,
		},
		"BackupMayFailButIsNeeded": {
			reason: "unless the change needs it",
			steps: []Step{
				quiesce("stage"), backup("dump", func(s *Step) { s.OnFailure = "continue" }),
				func() Step { s := change("migrate"); s.Needs = []string{"dump"}; return s }(),
			},
			want: []Coverage{{Component: "db", ChangedBy: []string{"migrate"}, Backups: []string{"dump"}, Proof: 3}},
		},
		"WhatTheBackupNeedsMayFail": {
			reason: "then the backup is never made, and nothing stops the change",
			steps: []Step{
				quiesce("stage"), func() Step { s := step("mount", Backup); s.OnFailure = "continue"; return s }(),
				backup("dump", func(s *Step) { s.Needs = []string{"mount"} }), change("migrate"),
			},
			code: "BackupUnfit", says: `may fail without stopping step "migrate"`,
		},
		"QuiesceMayFail": {
			reason: "a quiesce whose failure stops nothing holds nothing still",
			steps: []Step{
				func() Step { s := quiesce("stage"); s.OnFailure = "continue"; return s }(), backup("dump"), change("migrate"),
			},
			code: "BackupUnfit", says: "quiesce it first",
		},
		"QuiescedByAnEarlierStage": {
			reason: "a quiesce until the end of the run holds in later stages",
			steps:  []Step{backup("dump"), change("migrate")}, quiesced: true,
			want: []Coverage{{Component: "db", ChangedBy: []string{"migrate"}, Backups: []string{"dump"}, Proof: 3}},
		},
		"AllMembersOfAForEach": {
			reason: "each member may hold a part, and the weakest proof counts",
			steps: []Step{
				quiesce("stage"), backup("dump[a]"), backup("dump[b]", func(s *Step) { s.Proof = 1 }), change("migrate"),
			},
			want: []Coverage{{Component: "db", ChangedBy: []string{"migrate"}, Backups: []string{"dump[a]", "dump[b]"}, Proof: 1}},
		},
		"BackupBetweenTwoChanges": {
			reason: "what was read after the first change cannot bring back the start of the stage",
			steps: []Step{
				quiesce("stage"), backup("dump"), change("first"),
				func() Step {
					s := backup("late")
					s.Phase, s.Needs = Upgrade, []string{"first"}
					return s
				}(),
				func() Step { s := change("second"); s.Needs = []string{"late"}; return s }(),
			},
			want: []Coverage{{Component: "db", ChangedBy: []string{"first", "second"}, Backups: []string{"dump"}, Proof: 3}},
		},
		"BestProof": {
			reason: "of two backups the better proved one counts",
			steps: []Step{
				quiesce("stage"), backup("good"), backup("weak", func(s *Step) { s.Proof = 1 }), change("migrate"),
			},
			want: []Coverage{{Component: "db", ChangedBy: []string{"migrate"}, Backups: []string{"good"}, Proof: 3}},
		},
		"AbortCovered": {
			reason: "the way back may damage what the stage has backed up",
			steps:  []Step{quiesce("stage"), backup("dump")}, abort: []Step{change("wipe")},
		},
		"AbortNotCovered": {
			reason: "but nothing else",
			steps:  []Step{quiesce("stage")}, abort: []Step{change("wipe")},
			code: "NotCovered", says: `step "wipe" may damage "db"`,
		},
		"EveryChangeCounts": {
			reason: "one covered change does not cover another",
			steps: []Step{
				quiesce("stage"), backup("dump"), change("migrate"),
				func() Step { s := change("early"); s.Phase = Prepare; return s }(),
			},
			code: "BackupUnfit", says: `step "early" may damage "db"`,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ordered, err := order(c.steps)
			if err != nil {
				t.Fatal(err)
			}
			s := &Stage{ID: "s", Steps: ordered, Groups: c.groups}
			if c.abort != nil {
				s.Abort = &Abort{Steps: c.abort}
			}
			problems := cover(s, map[string]bool{"db": true}, map[string]bool{"db": c.quiesced})
			if c.code == "" {
				if len(problems) > 0 {
					t.Fatalf("%s: got problems %v", c.reason, problems)
				}
				if diff := cmp.Diff(c.want, s.Coverage); diff != "" {
					t.Errorf("%s: -want +got\n%s", c.reason, diff)
				}
				return
			}
			if len(problems) != 1 || problems[0].code != c.code || !strings.Contains(problems[0].message, c.says) {
				t.Errorf("%s: got %+v, want %s %q", c.reason, problems, c.code, c.says)
			}
		})
	}
}
