package plan

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// lasting gives a step a known estimate in minutes.
func lasting(s Step, typical, worst int) Step {
	s.Estimate = Estimate{
		Typical: Duration(time.Duration(typical) * time.Minute), Worst: Duration(time.Duration(worst) * time.Minute), Known: true,
	}
	return s
}

// mutating makes a step that changes something and can be taken back.
func mutating(s Step, way Reversible) Step {
	s.Effect, s.Reversible = "mutating", way
	return s
}

func minutes(n int) Duration { return Duration(time.Duration(n) * time.Minute) }

func TestEstimateStage(t *testing.T) {
	t.Parallel()
	stop := lasting(mutating(step("stop", Quiesce), ReversibleUndo), 1, 2)
	stop.Quiesces, stop.Downtime, stop.Lease = []string{"db"}, []string{"hub"}, &StepLease{Until: "stage"}
	dump := lasting(mutating(step("dump", Backup), ReversibleUndo), 10, 20)
	dump.Covers, dump.Effect = []string{"db"}, "readOnly"
	migrate := lasting(mutating(step("migrate", Upgrade), ReversibleRestore), 5, 10)
	migrate.Changes, migrate.Downtime = []string{"db"}, []string{"db"}
	images := lasting(step("images", Prepare), 30, 60)
	check := lasting(step("check", Verify), 1, 1)
	skipped := lasting(mutating(step("skipped", Upgrade), ReversibleNo), 100, 100)
	skipped.Skip = "not needed"
	parallel := lasting(mutating(step("parallel", Upgrade), ReversibleUndo), 2, 30)

	ordered, err := order([]Step{stop, dump, migrate, images, check, skipped, parallel})
	if err != nil {
		t.Fatal(err)
	}
	s := &Stage{ID: "s", Steps: ordered}
	if problems := cover(s, map[string]bool{"db": true}, nil); len(problems) > 0 {
		t.Fatal(problems)
	}
	got, carried := estimateStage(s, nil)
	want := StageSummary{
		ID: "s", Steps: 7,
		// images 30 | stop 1 | dump 10 | migrate 5 (parallel 2) | check 1, and
		// giving stop back takes 1 again; worst with parallel 30 in its place.
		Duration: Estimate{Typical: minutes(48), Worst: minutes(60 + 2 + 20 + 30 + 1 + 2), Known: true},
		InWindow: Estimate{Typical: minutes(18), Worst: minutes(55), Known: true},
		// Undo stop 1, migrate 5, parallel 2; restore 10, for which stop is taken
		// again 1, and check 1 after it.
		Rollback:     Estimate{Typical: minutes(20), Worst: minutes(2 + 10 + 30 + 20 + 2 + 1), Known: true},
		CriticalPath: []string{"images", "stop", "dump", "migrate", "check"},
		Downtime: []Downtime{
			{Component: "hub", Stage: "s", Typical: minutes(18), Worst: minutes(55), Known: true},
			{Component: "db", Stage: "s", Typical: minutes(5), Worst: minutes(10), Known: true},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if len(carried) != 0 {
		t.Errorf("nothing stays down after the stage, got %v", carried)
	}
}

func TestEstimateStageUnknown(t *testing.T) {
	t.Parallel()
	s := &Stage{ID: "s", Steps: []Step{lasting(step("a", Upgrade), 1, 2), {ID: "b", Phase: Verify, Estimate: Estimate{Worst: minutes(10)}}}}
	got, _ := estimateStage(s, nil)
	if got.Duration.Known || got.Duration.Worst != minutes(12) {
		t.Errorf("a step without an estimate counts with its timeout and makes the sum a guess: got %+v", got.Duration)
	}
}

func TestRollbackStopsAtThePointOfNoReturn(t *testing.T) {
	t.Parallel()
	s := &Stage{ID: "s", Steps: []Step{
		lasting(mutating(step("a", Upgrade), ReversibleUndo), 3, 3),
		lasting(mutating(Step{ID: "burn", Phase: Upgrade, Irreversibly: "gone"}, ReversibleNo), 7, 7),
		lasting(mutating(step("b", Cleanup), ReversibleUndo), 5, 5),
	}}
	got, _ := estimateStage(s, nil)
	if got.Rollback.Typical != minutes(3) {
		t.Errorf("the way back is from just before the point of no return: got %s", got.Rollback.Typical)
	}
	if diff := cmp.Diff(&PointOfNoReturn{Stage: "s", Step: "burn", Why: "gone"}, got.PointOfNoReturn); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// TestRollbackRestsOnWaysBack claims runs as a source only when they went back.
func TestRollbackRestsOnWaysBack(t *testing.T) {
	t.Parallel()
	ran := func(runs int) Estimate {
		return Estimate{Typical: minutes(3), Worst: minutes(9), Known: true, Source: SourceRuns, Runs: runs}
	}
	byAuthor := Estimate{Typical: minutes(3), Worst: minutes(9), Known: true, Source: SourceAuthor}
	for name, tc := range map[string]struct {
		reason            string
		do, back, another Estimate
		want              Source
		runs              int
	}{
		"Forward": {"Nothing was ever taken back.", ran(1), Estimate{}, byAuthor, "", 0},
		"Back":    {"All that runs tell of was taken back.", ran(5), ran(2), Estimate{Known: true}, SourceRuns, 2},
		"Some":    {"One step was taken back, the other was not.", ran(5), ran(2), ran(5), SourceMixed, 0},
		"Author":  {"Nobody has run it.", byAuthor, Estimate{}, byAuthor, SourceAuthor, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			one, two := mutating(step("a", Upgrade), ReversibleUndo), mutating(step("b", Upgrade), ReversibleRestore)
			one.Estimate, one.Back, two.Estimate = tc.do, tc.back, tc.another
			check := step("check", Verify)
			check.Estimate = ran(5)
			if name == "Back" || name == "Author" {
				check.Estimate = Estimate{Known: true}
			}
			two.Changes = []string{"db"}
			got, _ := estimateStage(&Stage{ID: "s", Steps: []Step{one, two, check}}, nil)
			if e := got.Rollback; e.Source != tc.want || e.Runs != tc.runs || !e.Known || e.Typical < minutes(3) {
				t.Errorf("%s got %+v, want it from %q, %d runs", tc.reason, e, tc.want, tc.runs)
			}
		})
	}
}

func TestResourcesAreUsedInTurn(t *testing.T) {
	t.Parallel()
	a, b, c := lasting(step("a", Upgrade), 4, 4), lasting(step("b", Upgrade), 4, 4), lasting(step("c", Upgrade), 4, 4)
	a.Resource, b.Resource = "node", "node"
	got, _ := estimateStage(&Stage{Steps: []Step{a, b, c}}, nil)
	if got.Duration.Typical != minutes(8) {
		t.Errorf("two steps with one resource take 8 minutes, the third runs beside them: got %s", got.Duration.Typical)
	}
}

func TestDowntimeOfLeases(t *testing.T) {
	t.Parallel()
	build := func(until string) *Stage {
		down := lasting(step("down", Quiesce), 1, 1)
		down.Downtime, down.Lease = []string{"hub"}, &StepLease{Until: until}
		if until == untilSteps {
			down.Lease.Steps = []string{"work"}
		}
		return &Stage{ID: "s", Steps: []Step{down, lasting(step("work", Upgrade), 10, 10), lasting(step("later", Verify), 20, 20)}}
	}
	cases := map[string]struct {
		until   string
		want    Duration
		carried []string
	}{
		"UntilStage": {until: "stage", want: minutes(1 + 10 + 20 + 1)},
		"UntilStep":  {until: untilSteps, want: minutes(1 + 10 + 1)},
		"UntilRun":   {until: "run", want: minutes(1 + 10 + 20), carried: []string{"hub"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, carried := estimateStage(build(c.until), nil)
			if got.Downtime[0].Typical != c.want {
				t.Errorf("got %s, want %s", got.Downtime[0].Typical, c.want)
			}
			if diff := cmp.Diff(c.carried, carried); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
	next, _ := estimateStage(&Stage{ID: "n", Steps: []Step{lasting(step("x", Upgrade), 7, 7)}}, []string{"hub"})
	if len(next.Downtime) != 1 || next.Downtime[0].Typical != minutes(7) {
		t.Errorf("what is held down until the end of the run is down in the whole next stage: got %+v", next.Downtime)
	}
}

func TestOnlyPrepareRunsBeforeTheWindow(t *testing.T) {
	t.Parallel()
	s := &Stage{ID: "s", Steps: []Step{
		lasting(free("images", Cleanup), 60, 60), lasting(step("prepare", Prepare, "images"), 60, 60),
		lasting(free("early", Upgrade), 300, 300), lasting(step("late", Verify), 10, 10),
	}}
	got, _ := estimateStage(s, nil)
	if got.InWindow.Typical != minutes(300) || got.Duration.Typical != minutes(420) {
		t.Errorf("a free step of a later phase waits for the window: got %s of %s", got.InWindow.Typical, got.Duration.Typical)
	}
}

func TestSoakCounts(t *testing.T) {
	t.Parallel()
	down := lasting(step("down", Quiesce), 1, 1)
	down.Downtime, down.Lease = []string{"hub"}, &StepLease{Until: untilRun}
	got, _ := estimateStage(&Stage{ID: "s", Steps: []Step{down}, Soak: &Soak{For: minutes(90)}}, nil)
	if got.Duration.Typical != minutes(91) || got.InWindow.Typical != minutes(1) {
		t.Errorf("the stage takes its soak, the window does not: got %+v", got)
	}
	if got.Downtime[0].Typical != minutes(91) {
		t.Errorf("what is held down until the end of the run is down during the soak: got %s", got.Downtime[0].Typical)
	}
}

func TestWindowFinding(t *testing.T) {
	t.Parallel()
	stage := func(length int) *Stage {
		return &Stage{ID: "s", Windows: []Window{{Duration: minutes(length)}, {Duration: minutes(600)}}}
	}
	summary := func(known bool) *StageSummary {
		return &StageSummary{
			InWindow: Estimate{Worst: minutes(40), Known: known}, Rollback: Estimate{Worst: minutes(20), Known: true},
		}
	}
	cases := map[string]struct {
		length int
		known  bool
		want   Outcome
	}{
		"Fits":            {length: 60, known: true, want: Pass},
		"RollbackDoesNot": {length: 59, known: true, want: Fail},
		"NotKnown":        {length: 59, known: false, want: Warn},
		"FitsAnyway":      {length: 60, known: false, want: Pass},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sum := summary(c.known)
			f := windowFinding(stage(c.length), sum)
			if f == nil || f.Outcome != c.want || *sum.FitsWindow != (c.want == Pass) {
				t.Errorf("got %+v, want %s", f, c.want)
			}
		})
	}
	if windowFinding(&Stage{}, summary(true)) != nil {
		t.Error("a stage without windows has nothing to fit")
	}
}
