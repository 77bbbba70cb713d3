package run

import (
	"slices"
	"time"

	"github.com/refitproject/refit/internal/plan"
)

// index is the plan in the form in which it is looked up. It never changes.
type index struct {
	plan *plan.Plan
	// origins are the plans that the stages came from.
	origins []*plan.Plan
	stages  []stageView
	byID    map[string]int
}

// stageView is a stage, or the author's way back from one.
type stageView struct {
	id     string
	plan   *plan.Stage
	abort  bool
	steps  []plan.Step
	groups []plan.Group
	byID   map[string]int
	// needs, neededBy and phase are by the place of the step.
	needs    [][]int
	neededBy [][]int
	phase    []int
	// perPhase are the steps of each phase.
	perPhase [][]int
	// mutatingPrepare tells that checks have to come before prepare.
	mutatingPrepare bool
	// behindPrepare are steps that come behind a step of prepare: they need one, or one
	// of a phase behind it, directly or not.
	behindPrepare []bool
	gates         []Terms
	rollback      time.Duration
	resolve       []bool
	// reads are the steps of whose outputs the expressions of a step may speak.
	reads [][]int
}

// named returns "stage/step" for people.
func (v *stageView) named(j int) string { return plan.StepPath(v.id, v.steps[j].ID) }

// abortID is how the author's way back from a stage is called.
func abortID(stage string) string { return stage + plan.AbortSuffix }

func newIndex(p *plan.Plan, origins []*plan.Plan) *index {
	ix := &index{plan: p, origins: origins, byID: map[string]int{}}
	for i := range p.Stages {
		st := &p.Stages[i]
		v := stageView{id: st.ID, plan: st, steps: st.Steps, groups: st.Groups, gates: stageGates(st)}
		for _, sum := range p.Summary.Stages {
			if sum.ID == st.ID {
				v.rollback = time.Duration(sum.Rollback.Worst)
			}
		}
		ix.stages = append(ix.stages, v)
	}
	for i := range p.Stages {
		st := &p.Stages[i]
		v := stageView{id: abortID(st.ID), plan: st, abort: true}
		if st.Abort != nil {
			v.steps, v.groups = st.Abort.Steps, st.Abort.Groups
		}
		ix.stages = append(ix.stages, v)
	}
	for i := range ix.stages {
		ix.stages[i].link()
		ix.byID[ix.stages[i].id] = i
	}
	return ix
}

// stageGates are the gates that the plan names, and one for the point of no
// return where the plan has no approval of its own.
func stageGates(st *plan.Stage) []Terms {
	var gates []Terms
	approval := false
	for _, g := range st.Gates {
		approval = approval || g.Kind == string(WaitApproval)
		gates = append(gates, Terms{
			Kind: Wait(g.Kind), Name: g.Name, Question: g.Reason, From: g.By, Count: max(g.Count, 1),
			Recheck: g.Requirement != nil,
		})
	}
	at := slices.IndexFunc(st.Steps, func(s plan.Step) bool {
		return s.Reversible == plan.ReversibleNo && s.Skip == ""
	})
	if approval || at < 0 {
		return gates
	}
	return append(gates, Terms{
		Kind: WaitApproval, Name: "point-of-no-return", Count: 1,
		Question: "step " + st.Steps[at].ID + " cannot be taken back: " + st.Steps[at].Irreversibly,
	})
}

func (v *stageView) link() {
	n := len(v.steps)
	v.byID = make(map[string]int, n)
	v.needs, v.phase = make([][]int, n), make([]int, n)
	v.behindPrepare, v.resolve = make([]bool, n), make([]bool, n)
	v.reads, v.neededBy = make([][]int, n), make([][]int, n)
	phases, read := plan.Phases(), newReader(v)
	v.perPhase = make([][]int, len(phases))
	for i := range v.steps {
		s := &v.steps[i]
		v.byID[s.ID] = i
		v.phase[i] = slices.Index(phases, s.Phase)
		v.perPhase[v.phase[i]] = append(v.perPhase[v.phase[i]], i)
		if s.Phase == plan.Prepare && s.Effect == "mutating" && s.Skip == "" {
			v.mutatingPrepare = true
		}
		for _, need := range s.Needs {
			j, ok := v.byID[need]
			if !ok {
				continue // The plan holds steps behind all that they need.
			}
			v.needs[i] = append(v.needs[i], j)
			v.neededBy[j] = append(v.neededBy[j], i)
			v.behindPrepare[i] = v.behindPrepare[i] || v.behindPrepare[j] || v.steps[j].Phase == plan.Prepare ||
				!v.steps[j].Free && v.phase[j] > inPreflight // which waits for prepare itself
		}
		v.resolve[i] = s.When != "" || len(s.Deferred) > 0 || s.ForEach != nil || s.Gate != "" || v.groupAsks(s.Group)
		if v.resolve[i] {
			v.reads[i] = read.of(s)
		}
	}
}

// groupAsks tells whether the use of a sub-procedure has values or a condition
// that are known only when its steps start.
func (v *stageView) groupAsks(id string) bool {
	for id != "" {
		i := slices.IndexFunc(v.groups, func(g plan.Group) bool { return g.ID == id })
		if i < 0 {
			return false
		}
		if v.groups[i].When != "" || len(v.groups[i].Deferred) > 0 {
			return true
		}
		id = v.groups[i].Parent
	}
	return false
}
