package report

import (
	"slices"

	"github.com/refitproject/refit/internal/plan"
)

// FactStatus says how an observed fact stands to what a plan expects.
type FactStatus string

// The statuses. Later is for facts that an earlier stage of the plan brings
// about, so that they cannot be compared yet. FactUnknown means that the fact
// could not be observed.
const (
	AsExpected  FactStatus = "asExpected"
	FactChanged FactStatus = "changed"
	FactUnknown FactStatus = "unknown"
	Later       FactStatus = "later"
)

// CheckResult is the outcome of check: the facts that the plan expects and
// the targets that it was made for, observed again, and the findings of the
// preflights. Nothing was changed to get it.
type CheckResult struct {
	Platform string         `json:"platform"`
	Digest   string         `json:"digest"`
	Targets  []TargetCheck  `json:"targets,omitempty"`
	Stages   []StageCheck   `json:"stages,omitempty"`
	Findings []plan.Finding `json:"findings,omitempty"`
	Verdict  Verdict        `json:"verdict"`
}

// Verdict is what a CheckResult comes to.
type Verdict struct {
	// Stale tells that the world is no longer as the plan expects.
	Stale bool `json:"stale"`
	// Unknown tells that a target or a fact could not be asked, so that nobody
	// knows whether it is as the plan expects.
	Unknown bool `json:"unknown"`
	// Blocked tells that a finding stops the plan.
	Blocked bool `json:"blocked"`
}

// TargetCheck compares the identity of a target with the pinned one.
type TargetCheck struct {
	Name     string `json:"name"`
	Kind     string `json:"kind"`
	Expected string `json:"expected"`
	Observed string `json:"observed,omitempty"`
	// Error says in one line why the identity could not be read.
	Error string `json:"error,omitempty"`
}

// Same tells whether the target is the one that the plan was made for.
func (c TargetCheck) Same() bool { return c.Error == "" && c.Expected == c.Observed }

// StageCheck holds the facts that one stage expects.
type StageCheck struct {
	ID    string      `json:"id"`
	Facts []FactCheck `json:"facts,omitempty"`
}

// FactCheck compares one fact.
type FactCheck struct {
	// Fact is the path below observe: "release.chart.version".
	Fact     string     `json:"fact"`
	Status   FactStatus `json:"status"`
	Expected any        `json:"expected,omitempty"`
	Observed any        `json:"observed,omitempty"`
	// ExpectedAbsent and ObservedAbsent stand for a value that is not there.
	ExpectedAbsent bool `json:"expectedAbsent,omitempty"`
	ObservedAbsent bool `json:"observedAbsent,omitempty"`
	// Error says in one line why the fact could not be observed.
	Error string `json:"error,omitempty"`
}

// Conclude returns the verdict on the other fields of r.
func (r CheckResult) Conclude() Verdict {
	var v Verdict
	for _, target := range r.Targets {
		v.Stale = v.Stale || target.Error == "" && !target.Same()
		v.Unknown = v.Unknown || target.Error != ""
	}
	for _, stage := range r.Stages {
		for i := range stage.Facts {
			v.Stale = v.Stale || stage.Facts[i].Status == FactChanged
			v.Unknown = v.Unknown || stage.Facts[i].Status == FactUnknown
		}
	}
	v.Blocked = slices.ContainsFunc(r.Findings, plan.Finding.Blocks)
	return v
}
