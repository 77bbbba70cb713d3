package sim

import (
	"slices"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// started judges the start of an attempt: the moment from which the world may
// change.
func (j *judge) started(b *run.OperationStarted) error {
	key := keyOf(b.Op)
	name := b.Op.Stage + "/" + b.Op.Step
	if !j.clear[key] {
		return breachf("I4", "%s %s was started, and nothing says that it is not done", b.Op.What, name)
	}
	if j.doubt[b.Op] {
		return breachf("doubt", "%s %s was started in doubt", b.Op.What, name)
	}
	j.clear[key] = false
	if err := j.picks(b); err != nil {
		return err
	}
	if b.Op.What != run.Do {
		return nil
	}
	if s := &j.s.state; j.paused || j.cancelled || s.Back != nil {
		return breachf("I10", "%s was started in spite of a pause or the end", name)
	}
	in := j.s.world.info(b.Op)
	if err := j.neighbours(in, name, b.Attempt == 1); err != nil {
		return err
	}
	if in.abort {
		return nil
	}
	a := &j.stages[in.at.Stage]
	if err := j.stage(in, a, name); err != nil {
		return err
	}
	if in.step.Phase != plan.Prepare {
		defer func() { a.entered = true }()
	}
	return j.inWindow(in, a, name, b.Op)
}

// neighbours judges I1, I2 and the order among the steps of a stage.
func (j *judge) neighbours(in *info, name string, first bool) error {
	st := &j.s.state.Stages[in.at.Stage]
	steps := j.steps(in)
	active := 0
	first = first && attempted(&st.Steps[in.at.Step]) == 1 // Those of later members begin nothing.
	for k := range steps {
		o, s := &steps[k], &st.Steps[k]
		if takesRoom(s) {
			active++
		}
		if k == in.at.Step {
			continue
		}
		over := j.over(in, o, s)
		if slices.Contains(in.step.Needs, o.ID) && !over {
			return breachf("I1", "%s was started, and %s is %s", name, o.ID, s.Status)
		}
		if slices.Contains(in.step.Needs, o.ID) && s.Status == run.StepFailed && !j.accepted(in, o) {
			return breachf("I1", "%s was started, and %s has failed", name, o.ID)
		}
		if in.step.Effect == action.Mutating && !in.abort && o.Phase == plan.Preflight && !j.passed(in, o, s) {
			return breachf("I2", "%s was started, and check %s is %s", name, o.ID, s.Status)
		}
		before := slices.Index(plan.Phases(), o.Phase) < slices.Index(plan.Phases(), in.step.Phase) &&
			first && o.Remedy == nil && in.step.Remedy == nil
		if before && !o.Free && !in.step.Free && !over {
			return breachf("order", "%s was started, and %s of an earlier phase is %s", name, o.ID, s.Status)
		}
	}
	if active > j.s.c.Parallel+len(j.settled) {
		return breachf("order", "%d steps run at once, %d are permitted", active, j.s.c.Parallel)
	}
	return nil
}

// attempted counts the attempts of a step.
func attempted(s *run.StepState) int {
	n := 0
	for i := range s.Ops {
		n += s.Ops[i].Attempt
	}
	return n
}

// takesRoom tells whether a step is under way. One that waits for a remedy leaves
// its room to it.
func takesRoom(s *run.StepState) bool {
	mending := s.Op < len(s.Ops) && s.Ops[s.Op].Life == run.Mending
	return s.Status == run.StepRunning && !mending
}

func (j *judge) steps(in *info) []plan.Step {
	st := &j.s.c.Plan.Stages[in.at.Stage%len(j.s.c.Plan.Stages)]
	if in.abort {
		return st.Abort.Steps
	}
	return st.Steps
}

// over tells whether a step holds up none that come later.
func (j *judge) over(in *info, o *plan.Step, s *run.StepState) bool {
	switch s.Status {
	case run.StepSucceeded:
		return true
	case run.StepSkipped:
		return o.Skip != "" || o.When != "" || o.Remedy != nil || s.Reason == "NeedFailed"
	case run.StepFailed:
		return j.accepted(in, o) || o.Remedy != nil || o.OnFailure == "continue" && o.Phase != plan.Preflight
	case run.StepPending, run.StepReady, run.StepRunning, run.StepInDoubt, run.StepWaiting, run.StepCancelled,
		run.StepUndoing, run.StepUndone:
	}
	return false
}

// accepted tells whether a person, or the plan, let the failure of a check pass.
func (j *judge) accepted(in *info, o *plan.Step) bool {
	name := string(o.Phase) + "/" + o.ID
	if o.Effect != action.ReadOnly {
		return false
	}
	if !in.abort && j.stages[in.at.Stage].accepted[name] || in.abort && j.stages[0].accepted[name] {
		return true
	}
	return slices.ContainsFunc(j.s.c.Plan.Accept, func(a plan.Accept) bool {
		return a.Name == name && a.Expires >= "2026-02-01"
	})
}

// passed tells whether a check of preflight lets the stage change something.
// What rests on prepare comes after it.
func (j *judge) passed(in *info, o *plan.Step, s *run.StepState) bool {
	if in.step.Phase == plan.Prepare && j.behindPrepare(in, o) {
		return true
	}
	if !j.over(in, o, s) {
		return false
	}
	if o.Gate != "" || s.Status == run.StepSkipped || j.accepted(in, o) {
		return true
	}
	return j.stages[in.at.Stage].checks[o.ID] || len(s.Issues) > 0
}

func (j *judge) behindPrepare(in *info, o *plan.Step) bool {
	for _, need := range o.Needs {
		n := j.s.world.infos[in.stage+"/"+need]
		later := !n.step.Free && slices.Index(plan.Phases(), n.step.Phase) > slices.Index(plan.Phases(), plan.Preflight)
		if n.step.Phase == plan.Prepare || later || j.behindPrepare(in, n.step) {
			return true
		}
	}
	return false
}

// stage judges facts, findings and gates of the stage of a step.
func (j *judge) stage(in *info, a *account, name string) error {
	p := &j.s.c.Plan.Stages[in.at.Stage]
	if a.changed || a.facts == "" {
		return breachf("facts", "%s was started, and the facts are not as the plan expects", name)
	}
	for f := range a.blocked {
		return breachf("facts", "%s was started, and %s blocks", name, f)
	}
	for i := range j.s.c.Plan.Findings {
		f := &j.s.c.Plan.Findings[i]
		if !a.passed && f.Blocks() && (f.Stage == "" || f.Stage == p.ID) && !a.accepted[f.Name] {
			return breachf("facts", "%s was started, and %s blocks", name, f.Name)
		}
	}
	for _, g := range p.Gates {
		if g.Kind == "approval" && len(a.votes["/"+g.Name]) < max(g.Count, 1) {
			return breachf("I7", "%s was started, gate %s has %d approvals", name, g.Name, len(a.votes["/"+g.Name]))
		}
	}
	if in.step.ForEach != nil && in.step.ForEach.Approve && len(a.votes[in.step.ID+"/"]) == 0 {
		return breachf("I7", "%s was started, and nobody approved its members", name)
	}
	if in.at.Stage > 0 {
		last := &j.s.c.Plan.Stages[in.at.Stage-1]
		if last.Soak != nil && j.stages[in.at.Stage-1].soaked < time.Duration(last.Soak.For) {
			return breachf("gate", "%s was started after a soak of %s", name, j.stages[in.at.Stage-1].soaked)
		}
	}
	return nil
}

// inWindow judges that a window is open that fits the step and the way back.
func (j *judge) inWindow(in *info, a *account, name string, op run.Ref) error {
	p := &j.s.c.Plan.Stages[in.at.Stage]
	if len(p.Windows) == 0 || in.step.Phase == plan.Prepare || in.step.Effect != action.Mutating {
		return nil
	}
	w := a.window
	if w == nil || !w.Open {
		return breachf("window", "%s was started, and no window is open", name)
	}
	if a.forever || w.OnClose == "finish" && a.entered {
		return nil
	}
	need := time.Duration(in.step.Estimate.Worst)
	for i := range j.s.c.Plan.Summary.Stages {
		if s := &j.s.c.Plan.Summary.Stages[i]; s.ID == p.ID {
			need += time.Duration(s.Rollback.Worst)
		}
	}
	if j.partial[keyOf(op)] {
		return nil // What is half done is better finished.
	}
	if at := j.last; at.Add(need).After(w.ClosesAt) {
		return breachf("window", "%s was started %s before the window closes, it needs %s with the way back",
			name, w.ClosesAt.Sub(at), need)
	}
	return nil
}

// end judges how the run has ended.
func (j *judge) end() error {
	s := j.s
	if err := j.impossible(); err != nil {
		return err
	}
	sum := run.Summarize(s.state)
	if s.state.Status == run.Succeeded && len(sum.Leases) > 0 {
		return breachf("leases", "the run succeeded and holds %v", sum.Leases)
	}
	held := map[string]bool{}
	for _, l := range sum.Leases {
		held[l.Stage+"/"+l.Step] = true
	}
	listed := map[string]bool{}
	for _, list := range [][]string{sum.Done, sum.Remains, sum.Failed, sum.InDoubt} {
		for _, n := range list {
			listed[n] = true
		}
	}
	for _, n := range s.world.left() {
		name, _, _ := strings.Cut(n, "[")
		in := s.world.infos[name]
		shown := plan.StepPath(in.stage, in.step.ID)
		switch {
		case in.step.Lease != nil && !held[name]:
			return breachf("leases", "lease %s is in the world, and nobody knows", name)
		case in.step.Lease == nil && !listed[shown]:
			return breachf("rollback", "%s is in the world, and is listed nowhere", name)
		}
	}
	if err := j.back(); err != nil {
		return err
	}
	return j.fold()
}

// back judges what a rollback or a way back has come to.
func (j *judge) back() error {
	s := j.s
	switch s.state.Status {
	case run.RolledBack:
		if d := s.world.same(s.state.Back.To); d != "" {
			return breachf("rollback", "the run was rolled back to %s, and %s", s.c.Plan.Stages[s.state.Back.To].ID, d)
		}
	case run.PartlyRolledBack:
		if s.state.Reason == "PointOfNoReturn" && len(s.state.Back.Remainder) == 0 {
			return breachf("rollback", "the run was rolled back in part, and no remainder is written")
		}
	case run.Failed:
		if s.state.Reason == "WayBackTaken" {
			return j.wayBack()
		}
		if j.aborted {
			return breachf("abort", "the way back was asked for, and the run is Failed because of %s", s.state.Reason)
		}
	case run.Succeeded:
		if j.aborted {
			return breachf("abort", "the way back was asked for, and the run succeeded")
		}
	case run.Planned, run.Running, run.Waiting, run.Paused, run.Halted, run.RollingBack, run.Cancelled:
	}
	return nil
}

// wayBack judges that the steps of the way back are done, in the world.
func (j *judge) wayBack() error {
	s := j.s
	for i := range s.state.Stages[s.state.Stage].Steps {
		st := &s.state.Stages[s.state.Stage].Steps[i]
		step := &s.c.Plan.Stages[s.state.Stage-len(s.c.Plan.Stages)].Abort.Steps[i]
		in := s.world.infos[s.c.Plan.Stages[s.state.Stage-len(s.c.Plan.Stages)].ID+"/abort/"+step.ID]
		switch {
		case st.Status == run.StepSkipped || step.OnFailure == "continue" || step.Effect != action.Mutating:
			continue
		case st.Status != run.StepSucceeded:
			return breachf("abort", "the way back was taken, and %s is %s", step.ID, st.Status)
		}
		for k := range st.Ops {
			o, want := s.world.of(st.Ops[k].Ref)
			if (o.value != want || o.half) && !o.foreign && step.Lease == nil {
				return breachf("abort", "the way back was taken, and %s is %q", in.object, o.value)
			}
		}
	}
	return nil
}
