package plan

import (
	"slices"
	"time"
)

// schedule is the earliest course of a stage: when each step starts and ends,
// counted from the start of the stage.
type schedule struct {
	start, end []time.Duration
	// because is the step whose end lets a step start, -1 for none.
	because []int
	// total is the end of the last step and of the releases after it.
	total time.Duration
	// beforeWindow is the end of the prepare phase, which needs no window.
	beforeWindow time.Duration
	last         int // the step that ends last, -1 without steps
}

// course computes the schedule of ordered steps; length gives the duration of
// a step.
func course(steps []Step, length func(*Step) time.Duration) schedule {
	c := scheduler{
		schedule: schedule{
			start: make([]time.Duration, len(steps)), end: make([]time.Duration, len(steps)),
			because: make([]int, len(steps)), last: -1,
		},
		index: stepIndex(steps), resources: map[string]int{}, barrier: -1, phaseLast: -1, lastPrepare: -1,
	}
	for i := range steps {
		if !steps[i].Free && steps[i].Phase == Prepare {
			c.lastPrepare = i
		}
	}
	for i := range steps {
		c.add(i, &steps[i], length(&steps[i]))
	}
	if c.last >= 0 {
		c.total = c.end[c.last]
	}
	return c.schedule
}

// TimeLeft predicts how long ordered steps still take together, when left tells it
// of each: what is behind is 0.
func TimeLeft(steps []Step, left func(*Step) time.Duration) time.Duration {
	c := course(steps, left)
	return c.total
}

// scheduler carries the state of course from step to step.
type scheduler struct {
	schedule
	index     map[string]int
	resources map[string]int // who uses a resource last
	// phase is the current phase, phaseLast the step that ends last so far,
	// and barrier the one that ended last in the phases before.
	phase, phaseLast, barrier int
	// lastPrepare is the last step of the phase prepare; free steps before it
	// are needed by that phase and belong to it.
	lastPrepare int
	// prepareLast is the step of prepare that ends last so far.
	prepareLast int
}

// add schedules step i behind all that it waits for.
func (c *scheduler) add(i int, s *Step, length time.Duration) {
	c.because[i] = -1
	for _, need := range s.Needs {
		if j, ok := c.index[need]; ok {
			c.after(i, j)
		}
	}
	if j, taken := c.resources[s.Resource]; taken && s.Resource != "" {
		c.after(i, j)
	}
	c.resources[s.Resource] = i
	if !s.Free {
		if p := phaseIndex(s.Phase); p > c.phase {
			c.phase, c.barrier = p, c.phaseLast
		}
		c.after(i, c.barrier)
	} else if s.Phase != Prepare && i > c.lastPrepare && c.start[i] < c.beforeWindow {
		// Only prepare may run before the window opens.
		c.start[i], c.because[i] = c.beforeWindow, c.prepareLast
	}
	c.end[i] = c.start[i] + length
	if c.last < 0 || c.end[i] >= c.end[c.last] {
		c.last = i
	}
	if s.Free {
		return
	}
	if c.phaseLast < 0 || c.end[i] >= c.end[c.phaseLast] {
		c.phaseLast = i
	}
	if s.Phase == Prepare && c.end[i] >= c.beforeWindow {
		c.beforeWindow, c.prepareLast = c.end[i], i
	}
}

// after lets step i start when step j has ended, if not later.
func (c *scheduler) after(i, j int) {
	if j >= 0 && (c.because[i] < 0 || c.end[j] > c.start[i]) {
		c.because[i], c.start[i] = j, c.end[j]
	}
}

// criticalPath returns the ids of the steps that decide the duration, first to
// last. Steps that take no time are left out.
func (c *schedule) criticalPath(steps []Step) []string {
	var ids []string
	for i := c.last; i >= 0; i = c.because[i] {
		if c.end[i] > c.start[i] {
			ids = append(ids, steps[i].ID)
		}
	}
	slices.Reverse(ids)
	return ids
}

// typicalOf and worstOf are the lengths of a step for course.
func typicalOf(s *Step) time.Duration {
	if !s.certain() {
		return 0
	}
	return time.Duration(s.Estimate.Typical)
}

func worstOf(s *Step) time.Duration {
	if !s.certain() {
		return 0
	}
	return time.Duration(s.Estimate.Worst)
}

// estimateStage predicts duration, rollback, downtime and the critical path of
// a stage. down are the components that an earlier stage took down and holds
// down with a lease until the end of the run.
func estimateStage(s *Stage, down []string) (StageSummary, []string) {
	typical, worst := course(s.Steps, typicalOf), course(s.Steps, worstOf)
	known := Estimate{Known: true}
	for i := range s.Steps {
		if s.Steps[i].certain() {
			known.include(s.Steps[i].Estimate)
		}
	}
	releaseTypical, releaseWorst := releases(s)
	typical.total += releaseTypical
	worst.total += releaseWorst
	soak := soakOf(s)
	before, beforeAtWorst := typical.beforeWindow, worst.beforeWindow
	summary := StageSummary{
		ID: s.ID, Steps: len(s.Steps),
		Duration:        known.lasting(Duration(typical.total)+soak, Duration(worst.total)+soak),
		InWindow:        known.lasting(Duration(typical.total-before), Duration(worst.total-beforeAtWorst)),
		Rollback:        rollbackEstimate(s),
		CriticalPath:    typical.criticalPath(s.Steps),
		PointOfNoReturn: pointOfNoReturn(s),
	}
	for i := range s.Coverage {
		s.Coverage[i].LossWindow = lossWindow(s, &s.Coverage[i], &worst)
	}
	var carried []string
	summary.Downtime, carried = downtimes(s, &typical, &worst, down)
	return summary, carried
}

// soakOf is how long the stage is observed after its steps.
func soakOf(s *Stage) Duration {
	if s.Soak == nil {
		return 0
	}
	return s.Soak.For
}

// releases returns how long giving back the leases of the stage takes, one
// after the other at its end.
func releases(s *Stage) (typical, worst time.Duration) {
	for i := range s.Steps {
		step := &s.Steps[i]
		if step.Lease != nil && step.Lease.Until != untilRun {
			if step.certain() {
				typical += time.Duration(step.TakingBack().Typical)
				worst += time.Duration(step.TakingBack().Worst)
			}
		}
	}
	return typical, worst
}

// pointOfNoReturn returns the first step of the stage that cannot be taken
// back, nil when all can.
func pointOfNoReturn(s *Stage) *PointOfNoReturn {
	for i := range s.Steps {
		if step := &s.Steps[i]; step.Skip == "" && step.Reversible == ReversibleNo {
			return &PointOfNoReturn{Stage: s.ID, Step: step.ID, Why: step.Irreversibly}
		}
	}
	return nil
}

// rollbackEstimate predicts the longest way back to the start of the stage:
// undoing one by one every step before the point of no return. Where no earlier run
// tells, a step takes as long to undo as to do, and a restore as long as its backup;
// before it
// the component is quiesced again, and after it the stage is verified and what
// was quiesced is given back. Backups stay.
func rollbackEstimate(s *Stage) Estimate {
	sum := Estimate{Known: true}
	add := func(part Estimate) {
		sum.include(part)
		sum = sum.lasting(sum.Typical+part.Typical, sum.Worst+part.Worst)
	}
	source := wayBackSource{}
	restored := map[string]bool{}
	for i := range s.Steps {
		step := &s.Steps[i]
		if !step.certain() || step.Effect != "mutating" || step.Gate != "" || len(step.Covers) > 0 {
			continue
		}
		if step.Reversible == ReversibleNo {
			break
		}
		source.add(step)
		add(step.TakingBack())
		if step.Reversible == ReversibleRestore {
			for _, c := range step.Changes {
				restored[c] = true
			}
		}
	}
	if len(restored) > 0 {
		addRestore(s, restored, &source, add)
	}
	source.note(&sum)
	return sum
}

// wayBackSource collects what the estimate of a way back rests on.
type wayBackSource struct {
	// seen tells that earlier runs took a step back, guessed that they only did one.
	seen, guessed bool
}

func (w *wayBackSource) add(s *Step) {
	w.seen = w.seen || s.Back.Known
	w.guessed = w.guessed || !s.Back.Known && s.Estimate.byRuns()
}

// note takes from an estimate what it does not rest on: runs of which none was ever
// taken back tell only how long it takes to go forward.
func (w *wayBackSource) note(e *Estimate) {
	switch {
	case !w.seen && e.byRuns():
		e.Source, e.Runs = "", 0
	case w.seen && w.guessed:
		e.Source, e.Runs = SourceMixed, 0
	}
}

// addRestore adds what a restore of components takes beside the undoing.
func addRestore(s *Stage, restored map[string]bool, source *wayBackSource, add func(Estimate)) {
	index := stepIndex(s.Steps)
	for _, c := range s.Coverage {
		if restored[c.Component] {
			for _, id := range c.Backups {
				if backup := &s.Steps[index[id]]; backup.certain() {
					source.add(backup)
					add(backup.TakingBack())
				}
			}
		}
	}
	for i := range s.Steps {
		step := &s.Steps[i]
		again := slices.ContainsFunc(step.Quiesces, func(c string) bool { return restored[c] })
		if step.certain() && (again || step.Phase == Verify) {
			add(step.Estimate)
		}
	}
}

// lossWindow is how much may be lost on restore with an online backup.
func lossWindow(s *Stage, c *Coverage, worst *schedule) Duration {
	index := stepIndex(s.Steps)
	start, online := time.Duration(-1), false
	for _, id := range c.Backups {
		if i := index[id]; s.Steps[i].Online {
			online = true
			if start < 0 || worst.start[i] < start {
				start = worst.start[i]
			}
		}
	}
	if !online {
		return 0
	}
	end := time.Duration(0)
	for _, id := range c.ChangedBy {
		end = max(end, worst.end[index[id]])
	}
	return Duration(max(0, end-start))
}

// interval is a time in which a component is down.
type interval struct{ from, to time.Duration }

// downtimes predicts the downtime of every component in the stage, and returns
// the components that stay down after it.
func downtimes(s *Stage, typical, worst *schedule, down []string) (all []Downtime, carried []string) {
	carried = slices.Clone(down)
	for _, c := range downComponents(s, down) {
		d := Downtime{Component: c, Stage: s.ID, Known: true}
		var t, w []interval
		if slices.Contains(down, c) {
			t, w = append(t, interval{0, typical.total}), append(w, interval{0, worst.total})
		}
		for i := range s.Steps {
			step := &s.Steps[i]
			if !step.certain() || !slices.Contains(step.Downtime, c) {
				continue
			}
			t = append(t, interval{typical.start[i], downUntil(s, i, typical)})
			w = append(w, interval{worst.start[i], downUntil(s, i, worst)})
			d.Known = d.Known && step.Estimate.Known
			if step.Lease != nil && step.Lease.Until == untilRun && !slices.Contains(carried, c) {
				carried = append(carried, c)
			}
		}
		d.Typical, d.Worst = Duration(union(t)), Duration(union(w))
		if slices.Contains(carried, c) {
			d.Typical, d.Worst = d.Typical+soakOf(s), d.Worst+soakOf(s)
		}
		all = append(all, d)
	}
	return all, carried
}

// downComponents returns the components that are down at some time in the
// stage: those that were down before it, then in the order of its steps.
func downComponents(s *Stage, down []string) []string {
	components := slices.Clone(down)
	for i := range s.Steps {
		for _, c := range s.Steps[i].Downtime {
			if s.Steps[i].certain() && !slices.Contains(components, c) {
				components = append(components, c)
			}
		}
	}
	return components
}

// downUntil returns when the downtime that step i causes ends: with the step,
// or with the release of its lease.
func downUntil(s *Stage, i int, c *schedule) time.Duration {
	step := &s.Steps[i]
	if step.Lease == nil {
		return c.end[i]
	}
	if step.Lease.Until != untilSteps {
		return c.total
	}
	end := c.end[i]
	for j := range s.Steps {
		if slices.Contains(step.Lease.Steps, s.Steps[j].ID) {
			end = max(end, c.end[j])
		}
	}
	return end + (c.end[i] - c.start[i])
}

// union returns how long at least one of the intervals lasts.
func union(intervals []interval) time.Duration {
	slices.SortFunc(intervals, func(a, b interval) int { return int(a.from - b.from) })
	var sum, at time.Duration
	for _, i := range intervals {
		from := max(i.from, at)
		if i.to > from {
			sum += i.to - from
			at = i.to
		}
	}
	return sum
}
