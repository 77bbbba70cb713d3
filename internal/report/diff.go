package report

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/refitproject/refit/internal/plan"
)

// Op says what became of something between two plans.
type Op string

// The four possibilities.
const (
	Unchanged Op = "unchanged"
	Added     Op = "added"
	Removed   Op = "removed"
	Changed   Op = "changed"
)

// Diff is what differs between two plans.
type Diff struct {
	Old PlanRef `json:"old"`
	New PlanRef `json:"new"`
	// Equal tells that both plans do the same: their digests are equal. They
	// may still differ in predictions, descriptions and findings.
	Equal bool `json:"equal"`
	// Changes are about the plan as a whole: platform, procedure, targets,
	// inputs, components, path, observed facts, probes.
	Changes []FieldChange `json:"changes,omitempty"`
	// Stages has one entry for each stage of either plan: those of the new
	// plan in their order, each removed one behind its old predecessor.
	Stages   []StageDiff     `json:"stages,omitempty"`
	Findings []FindingChange `json:"findings,omitempty"`
	// Predictions are changes of durations, downtime and the point of no
	// return.
	Predictions []FieldChange `json:"predictions,omitempty"`
}

// PlanRef names one of the two plans.
type PlanRef struct {
	Platform string `json:"platform"`
	Digest   string `json:"digest"`
}

// StageDiff is what became of one stage.
type StageDiff struct {
	ID        string `json:"id"`
	Op        Op     `json:"op"`
	OldDigest string `json:"oldDigest,omitempty"`
	NewDigest string `json:"newDigest,omitempty"`
	// ApprovalsSurvive tells that approvals of the old stage count for the new
	// one, because both have the same digest.
	ApprovalsSurvive bool          `json:"approvalsSurvive"`
	Changes          []FieldChange `json:"changes,omitempty"`
	// Steps are the steps that were added, removed or changed.
	Steps []StepDiff `json:"steps,omitempty"`
}

// StepDiff is what became of one step.
type StepDiff struct {
	ID      string        `json:"id"`
	Op      Op            `json:"op"`
	Phase   plan.Phase    `json:"phase"`
	Action  string        `json:"action"`
	Changes []FieldChange `json:"changes,omitempty"`
}

// FindingChange is what became of one finding.
type FindingChange struct {
	Name  string        `json:"name"`
	Stage string        `json:"stage,omitempty"`
	Step  string        `json:"step,omitempty"`
	Op    Op            `json:"op"`
	Old   *plan.Finding `json:"old,omitempty"`
	New   *plan.Finding `json:"new,omitempty"`
}

// PlanDiff compares two plans. Neither is changed.
func PlanDiff(older, newer *plan.Plan) Diff {
	d := Diff{
		Old:   PlanRef{Platform: older.Platform, Digest: older.Digest},
		New:   PlanRef{Platform: newer.Platform, Digest: newer.Digest},
		Equal: older.Digest == newer.Digest && older.Digest != "",
	}
	before, after := headOf(older), headOf(newer)
	d.Changes = compare(before, after, true)
	d.Stages = stageDiffs(older, newer)
	d.Findings = findingChanges(older.Findings, newer.Findings)
	d.Predictions = compare(predictionsOf(older), predictionsOf(newer), false)
	return d
}

// headOf returns what concerns a plan as a whole. Digests are compared by
// their owners and times say nothing.
func headOf(p *plan.Plan) map[string]any {
	return map[string]any{
		"platform": p.Platform, "procedure": p.Procedure, "targets": p.Targets, "inputs": p.Inputs,
		"components": p.Components, "path": p.Path, "facts": p.Facts, "observe": p.Observe,
		"probes": p.Probes, "allowScratch": p.AllowScratch,
	}
}

// predictionsOf returns what a plan promises, without the steps of the
// critical path, which follow from it.
func predictionsOf(p *plan.Plan) map[string]any {
	s := p.Summary
	return map[string]any{
		"duration": s.Duration, "rollback": s.Rollback, "downtime": s.Downtime,
		"pointOfNoReturn": s.PointOfNoReturn, "steps": s.Steps,
	}
}

// stageDiffs compares stages of the same id.
func stageDiffs(older, newer *plan.Plan) []StageDiff {
	olds, news := stagesByID(older), stagesByID(newer)
	var out []StageDiff
	for i := range newer.Stages {
		out = append(out, stageDiff(olds[newer.Stages[i].ID], &newer.Stages[i]))
	}
	for i := range older.Stages {
		if news[older.Stages[i].ID] != nil {
			continue
		}
		at := 0
		if i > 0 {
			previous := older.Stages[i-1].ID
			at = 1 + slices.IndexFunc(out, func(s StageDiff) bool { return s.ID == previous })
		}
		out = slices.Insert(out, at, stageDiff(&older.Stages[i], nil))
	}
	return out
}

func stagesByID(p *plan.Plan) map[string]*plan.Stage {
	out := make(map[string]*plan.Stage, len(p.Stages))
	for i := range p.Stages {
		out[p.Stages[i].ID] = &p.Stages[i]
	}
	return out
}

// stageDiff compares one stage; one of the two may be nil.
func stageDiff(older, newer *plan.Stage) StageDiff {
	switch {
	case older == nil:
		return StageDiff{ID: newer.ID, Op: Added, NewDigest: newer.Digest}
	case newer == nil:
		return StageDiff{ID: older.ID, Op: Removed, OldDigest: older.Digest}
	}
	d := StageDiff{ID: newer.ID, Op: Changed, OldDigest: older.Digest, NewDigest: newer.Digest}
	d.ApprovalsSurvive = older.Digest == newer.Digest && older.Digest != ""
	before, after := *older, *newer
	before.Steps, after.Steps = nil, nil
	before.Digest, after.Digest = "", ""
	d.Changes = compare(before, after, true)
	d.Steps = stepDiffs(older.Steps, newer.Steps)
	if d.ApprovalsSurvive || older.Digest == "" && newer.Digest == "" && len(d.Changes)+len(d.Steps) == 0 {
		d.Op = Unchanged
	}
	return d
}

// stepDiffs compares steps of the same id: those of the new stage in their
// order, then the removed ones.
func stepDiffs(older, newer []plan.Step) []StepDiff {
	olds := make(map[string]*plan.Step, len(older))
	for i := range older {
		olds[older[i].ID] = &older[i]
	}
	var out []StepDiff
	for i := range newer {
		s := &newer[i]
		was := olds[s.ID]
		delete(olds, s.ID)
		if was == nil {
			out = append(out, StepDiff{ID: s.ID, Op: Added, Phase: s.Phase, Action: s.Action})
			continue
		}
		if reflect.DeepEqual(was, s) {
			continue
		}
		if changes := compare(was, s, true); len(changes) > 0 {
			out = append(out, StepDiff{ID: s.ID, Op: Changed, Phase: s.Phase, Action: s.Action, Changes: changes})
		}
	}
	for i := range older {
		if s := &older[i]; olds[s.ID] != nil {
			out = append(out, StepDiff{ID: s.ID, Op: Removed, Phase: s.Phase, Action: s.Action})
		}
	}
	return out
}

// findingChanges compares findings by name and place.
func findingChanges(older, newer []plan.Finding) []FindingChange {
	key := func(f *plan.Finding) string { return fmt.Sprintf("%q %q %q", f.Name, f.Stage, f.Step) }
	olds := make(map[string]*plan.Finding, len(older))
	for i := range older {
		olds[key(&older[i])] = &older[i]
	}
	var out []FindingChange
	for i := range newer {
		f := &newer[i]
		was := olds[key(f)]
		delete(olds, key(f))
		change := FindingChange{Name: f.Name, Stage: f.Stage, Step: f.Step, Op: Changed, Old: was, New: f}
		if was == nil {
			change.Op = Added
		} else if reflect.DeepEqual(was, f) {
			continue
		}
		out = append(out, change)
	}
	for i := range older {
		if f := &older[i]; olds[key(f)] != nil {
			out = append(out, FindingChange{Name: f.Name, Stage: f.Stage, Step: f.Step, Op: Removed, Old: f})
		}
	}
	return out
}
