package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/plan"
)

// randomPlan makes a plan that the planner permits.
func randomPlan(d *dice, mode Mode, m *Meeting) *plan.Plan {
	for {
		g := &generator{d: d, total: stepsOf(d, mode), meeting: m}
		p := g.plan(mode)
		g.windows(p)
		if plan.Freeze(p) == nil { // Else the planner would refuse it: another one.
			return p
		}
	}
}

// otherPlan makes a plan that may take the place of what is left of another one:
// some stages have other names, and it may have more or fewer of them.
func otherPlan(d *dice) *plan.Plan {
	for {
		g := &generator{d: d, total: 12 + d.below(30), other: true}
		p := g.plan(Mixed)
		g.windows(p)
		if plan.Freeze(p) == nil {
			return p
		}
	}
}

// stepsOf returns how many steps a plan has: 50 and more as a rule, some
// hundreds at times.
func stepsOf(d *dice, mode Mode) int {
	switch {
	case mode == Small:
		return 6 + d.below(8)
	case mode == Aborts:
		return 200
	case d.oneIn(50):
		return 200 + d.below(200)
	case d.oneIn(4):
		return 12 + d.below(40)
	}
	return 50 + d.below(40)
}

// generator makes one plan.
type generator struct {
	d     *dice
	total int
	st    *plan.Stage
	other bool
	// meeting is what the plan has to make possible.
	meeting *Meeting
}

func (g *generator) plan(mode Mode) *plan.Plan {
	p := &plan.Plan{
		APIVersion: plan.APIVersion, Kind: plan.Kind, Platform: "simulated",
		Procedure: plan.ProcedureRef{Name: "simulated"},
		Components: []plan.Component{
			{Name: "db", Kind: "database"}, {Name: "homes", Kind: "volume"}, {Name: "web", Kind: "service"},
		},
	}
	stages := 1 + g.d.below(3)
	if mode == Small {
		stages = 1 + g.d.below(2)
	}
	if g.meeting != nil {
		stages = 2 + g.d.below(2)
	}
	for i := range stages {
		id := fmt.Sprintf("s%d", i)
		if g.other && g.d.oneIn(3) {
			id = fmt.Sprintf("t%d", i)
		}
		p.Stages = append(p.Stages, plan.Stage{ID: id, OnFailure: "halt"})
		g.stage(&p.Stages[i], max(g.total/stages, 5), mode)
		if g.meeting != nil {
			g.fit(&p.Stages[i])
		}
	}
	if g.meets(Accept) {
		p.Findings = append(p.Findings, plan.Finding{
			Name: "risk/downtime", Stage: p.Stages[1].ID, Outcome: plan.Fail,
			Reason: "Downtime", Message: "it takes hours",
		})
	}
	if g.d.oneIn(6) || g.meets(Accept) || g.meets(Pause) {
		p.Findings = append(p.Findings, plan.Finding{
			Name: "risk/token-loss", Stage: pick(g.d, "", p.Stages[g.d.below(stages)].ID),
			Outcome: pick(g.d, plan.Fail, plan.UnknownOutcome, plan.Warn),
			Reason:  "TokenLoss", Message: "tokens may be lost",
		})
	}
	if g.d.oneIn(6) {
		p.Accept = append(p.Accept, plan.Accept{
			Name: "preflight/check0", Reason: "known", By: "ada", Expires: pick(g.d, "2999-01-01", "2020-01-01"),
		})
	}
	return p
}

func (g *generator) stage(st *plan.Stage, n int, mode Mode) {
	const room = 64
	g.st, st.Steps = st, make([]plan.Step, 0, room)
	d := g.d
	if d.oneIn(3) {
		st.Gates = append(st.Gates, plan.Gate{
			Kind: "approval", Name: "approval", Reason: "go?", Count: 1 + d.below(2),
			By: pick(d, nil, []string{"ada", "ops", "grace"}),
		})
	}
	if d.oneIn(8) {
		st.Gates = append(st.Gates, plan.Gate{
			Kind: "person", Name: "kubernetes", Reason: "upgrade it", Count: 1,
			Requirement: &plan.Requirement{Name: "kubernetes"},
		})
	}
	if d.oneIn(3) {
		st.Soak = &plan.Soak{
			For: plan.Duration(d.span(0, 10*time.Minute)), Every: plan.Duration(time.Minute),
			MaxGap: plan.Duration(3 * time.Minute), Checks: []string{"answers0"},
		}
	}
	if d.oneIn(3) {
		st.Windows = []plan.Window{{OnClose: pick(d, "finish", "pause", "abort")}}
	}
	if d.oneIn(3) || mode == Aborts {
		st.Abort = &plan.Abort{}
		for i := range 1 + d.below(4) {
			s := g.step(fmt.Sprintf("abort/home%d", i), pick(d, plan.Quiesce, plan.Upgrade, plan.Verify))
			if s.Phase == plan.Verify {
				g.reads(&s)
			}
			st.Abort.Steps = append(st.Abort.Steps, s)
		}
	}
	for i := range 1 + d.below(max(n/10, 1)) {
		s := g.step(fmt.Sprintf("config%d", i), plan.Prepare)
		if d.oneIn(2) {
			g.reads(&s)
		} else if d.oneIn(4) {
			s.Lease = g.lease(&s)
		}
		g.add(s)
	}
	g.checks(n)
	g.data()
	g.upgrades(n)
	g.answers(n)
	g.asks()
	for i := range d.below(max(n/15, 2)) {
		g.add(g.step(fmt.Sprintf("on%d", i), plan.Resume))
	}
	for i := range d.below(max(n/15, 2)) {
		s := g.step(fmt.Sprintf("tidy%d", i), plan.Cleanup)
		if d.oneIn(6) {
			s.Reversible, s.Irreversibly = plan.ReversibleNo, "it is gone"
		}
		g.add(s)
	}
}

// answers are checks behind the changes.
func (g *generator) answers(n int) {
	for i := range 1 + g.d.below(max(n/10, 1)) {
		s := g.step(fmt.Sprintf("answers%d", i), plan.Verify)
		g.reads(&s)
		if g.meets(Accept) {
			s.OnFailure = "continue"
		}
		g.add(s)
	}
}

// checks are of preflight: some rest on what prepare makes.
func (g *generator) checks(n int) {
	for i := range 1 + g.d.below(max(n/8, 2)) {
		s := g.step(fmt.Sprintf("check%d", i), plan.Preflight)
		g.reads(&s)
		s.OnFailure = "halt"
		if g.d.oneIn(5) {
			s.Needs = []string{"config0"}
		}
		g.add(s)
	}
}

// data are quiesces and backups of the components that the stage may damage.
func (g *generator) data() {
	d := g.d
	if d.oneIn(2) {
		s := g.step("silence", plan.Quiesce)
		s.Lease = g.lease(&s)
		g.add(s)
	}
	for _, c := range []string{"db", "homes"} {
		online := d.oneIn(4)
		for i := range 1 + d.below(2) {
			if online {
				break
			}
			s := g.step(fmt.Sprintf("quiet-%s%d", c, i), plan.Quiesce)
			s.Quiesces, s.Lease, s.OnFailure = []string{c}, g.lease(&s), "halt"
			s.ForEach, s.When = nil, ""
			if s.Lease.Until == "steps" {
				s.Lease.Until, s.Lease.Steps = "stage", nil
				if d.oneIn(2) {
					s.Lease.Until, s.Lease.Steps = "steps", []string{"answers0"}
				}
			}
			g.add(s)
		}
		for i := range 1 + d.below(2) {
			s := g.step(fmt.Sprintf("save-%s%d", c, i), plan.Backup)
			s.Effect, s.Reversible, s.Covers, s.Proof = action.Scratch, plan.ReversibleNone, []string{c}, 3
			s.Selection = nil
			s.Online, s.ForEach, s.When = online, nil, ""
			if s.OnFailure == "continue" {
				s.OnFailure = "halt"
			}
			g.add(s)
		}
	}
}

func (g *generator) upgrades(n int) {
	d := g.d
	if d.oneIn(6) {
		s := g.step("fix", plan.Upgrade)
		s.Remedy = &plan.Remedy{Issue: locked, Max: 1 + d.below(3)}
		s.ForEach, s.When, s.Skip, s.Resource, s.With["object"] = nil, "", "", "", g.st.ID+"-fix"
		g.st.Steps = append(g.st.Steps, s)
	}
	for i := range max(n-len(g.st.Steps)-n/5, 2) {
		s := g.step(fmt.Sprintf("up%d", i), plan.Upgrade)
		switch d.below(8) {
		case 0, 1, 2:
			s.Changes = []string{pick(d, "db", "homes")}
			s.Reversible = pick(d, plan.ReversibleRestore, plan.ReversibleRestore, plan.ReversibleUndo)
		case 3:
			s.Changes = []string{"web"}
		}
		if d.below(30+10*n) < 10 {
			s.Reversible, s.Irreversibly = plan.ReversibleNo, "it cannot be taken back"
		}
		if d.oneIn(10) {
			s.Lease = g.lease(&s)
			s.Reversible, s.Changes = plan.ReversibleUndo, nil
		}
		g.add(s)
	}
}

// meets tells whether the plan is for a deed.
func (g *generator) meets(d Deed) bool { return g.meeting != nil && g.meeting.Do == d }

// asks are gates among the steps.
func (g *generator) asks() {
	for i, gate := range []action.Gate{action.GateApproval, action.GatePerson, action.GateCondition, action.GateSoak} {
		byHand := g.meets(Back) && gate == action.GatePerson
		looks := g.meets(Shut) && (gate == action.GateCondition || gate == action.GateSoak)
		if !g.d.oneIn(6) && !byHand && !looks {
			continue
		}
		s := g.step(fmt.Sprintf("ask%d", i), pick(g.d, plan.Preflight, plan.Upgrade, plan.Verify))
		switch {
		case byHand:
			s.Phase = plan.Upgrade
		case looks:
			s.Phase, s.ForEach = plan.Prepare, nil // Its turn is before that of the window.
		}
		if s.Phase == plan.Upgrade && gate == action.GatePerson { // Work that a person does, and takes back.
			s.ForEach, s.With["object"] = nil, g.st.ID+"-"+s.ID
		} else {
			g.reads(&s)
		}
		s.Gate, s.OnFailure, s.Selection = gate, "halt", nil
		g.add(s)
	}
}

// step makes a step that changes something and can be undone.
func (g *generator) step(id string, phase plan.Phase) plan.Step {
	d := g.d
	s := plan.Step{
		ID: id, Phase: phase, Action: "sim.do@1", Effect: action.Mutating, Reversible: plan.ReversibleUndo,
		With:    map[string]any{"object": id},
		Timeout: plan.Duration(pick(d, time.Minute, 5*time.Minute)), OnFailure: "halt",
	}
	worst := d.span(10*time.Second, 3*time.Minute)
	s.Estimate = plan.Estimate{Typical: plan.Duration(worst / 2), Worst: plan.Duration(worst), Known: true}
	if d.oneIn(4) {
		s.With["object"] = g.st.ID + "-" + id
	}
	if d.oneIn(3) {
		s.Retry = plan.Retry{
			Attempts: 2 + d.below(3), Backoff: plan.Duration(10 * time.Second), MaxBackoff: plan.Duration(time.Minute),
		}
	}
	if d.oneIn(3) {
		s.With["rigid"] = true // It cannot go on with a half-done effect.
	}
	switch d.below(12) {
	case 0:
		s.OnFailure = "continue"
	case 1:
		s.OnFailure = "rollback"
	}
	if d.oneIn(20) {
		s.When = "maybe"
	}
	if d.oneIn(15) {
		s.ForEach = &plan.ForEach{Expr: "members", As: "m", Max: 3}
	}
	if d.oneIn(12) {
		s.Selection = &plan.Selection{
			Max: 1 + d.below(3), Approve: d.oneIn(2), Empty: pick(d, plan.EmptyOK, plan.EmptyRefuse),
		}
	}
	if d.oneIn(40) {
		s.Skip = "it is not needed"
	}
	if d.oneIn(6) {
		s.Resource = pick(d, "node", "helm")
	}
	if d.oneIn(12) {
		s.Free = true
	}
	return s
}

// reads turns a step into a check.
func (g *generator) reads(s *plan.Step) {
	s.Effect, s.Reversible, s.ForEach, s.Selection = action.ReadOnly, plan.ReversibleNone, nil, nil
}

func (g *generator) lease(s *plan.Step) *plan.StepLease {
	s.Reversible, s.Changes, s.ForEach = plan.ReversibleUndo, nil, nil
	l := &plan.StepLease{Until: pick(g.d, "stage", "stage", "run"), OnFailure: pick(g.d, "release", "hold")}
	if l.Until == "run" { // Two leases of one value on one target at once cannot be told apart.
		s.With["object"] = g.st.ID + "-" + s.ID
	}
	if g.meets(Release) && g.d.oneIn(2) {
		l.Until = "run"
		s.With["object"] = g.st.ID + "-" + s.ID
		return l
	}
	if g.d.oneIn(4) {
		l.Until, l.Steps = "steps", []string{pick(g.d, "answers0", "up0", "up1")}
	}
	return l
}

// locked is the known issue that some plans have a remedy for.
const locked = "locked"

// add puts a step behind some of those before it.
func (g *generator) add(s plan.Step) {
	for range g.d.below(3) {
		if n := len(g.st.Steps); n > 0 && len(s.Needs) < 3 {
			o := &g.st.Steps[n-1-g.d.below(min(n, 8))]
			if o.Remedy != nil {
				continue // Nothing waits for what may never be done.
			}
			if o.Phase == s.Phase && !contains(s.Needs, o.ID) || g.d.oneIn(10) && !contains(s.Needs, o.ID) {
				s.Needs = append(s.Needs, o.ID)
			}
		}
	}
	g.st.Steps = append(g.st.Steps, s)
}

func contains(list []string, s string) bool {
	return slices.Contains(list, s)
}

// windows makes them long enough for every step with the way back: a step takes
// as long to undo as to do, a backup as long to restore.
func (g *generator) windows(p *plan.Plan) {
	for i := range p.Stages {
		st := &p.Stages[i]
		if len(st.Windows) == 0 {
			continue
		}
		var need plan.Duration
		for j := range st.Steps {
			need += 3 * st.Steps[j].Estimate.Worst
		}
		st.Windows[0].Duration = need + plan.Duration(g.d.span(0, time.Duration(need)))
	}
}
