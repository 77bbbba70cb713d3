package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/plan"
)

// DoctorRequest says what to examine.
type DoctorRequest struct {
	// Platform is a platform file; empty for Refit itself alone.
	Platform string
	// Getenv gives variables of the environment, for what is noted of the terminal
	// and the shell; nil for none.
	Getenv func(name string) string
}

// DoctorResult is what doctor found.
type DoctorResult struct {
	Version  string         `json:"version"`
	Findings []plan.Finding `json:"findings"`
	// Notes are what is good to know and no reason to act.
	Notes []DoctorNote `json:"notes"`
}

// DoctorNote is something that is good to know.
type DoctorNote struct {
	Name    string `json:"name"`
	Message string `json:"message"`
	// Remedy is what to do about it who wants to; it may be empty.
	Remedy string `json:"remedy,omitempty"`
}

// Healthy tells whether nothing failed.
func (r *DoctorResult) Healthy() bool {
	return !slices.ContainsFunc(r.Findings, plan.Finding.Blocks)
}

// Doctor checks what Refit needs to work: its state folder with the disk below it,
// locks and the database, runs that nobody looks after, the clock and time zones, the
// procedures that it ships, and the programs that actions start. With a platform file
// it checks that file, its procedure, its targets, its secrets and its backup store
// too. Nothing stays behind: what it writes to see whether it can is removed again.
func (s *Service) Doctor(ctx context.Context, req DoctorRequest) (*DoctorResult, error) {
	d := &examination{s: s}
	if place := d.state(); place != "" {
		d.room("state/disk", place, stateNeed())
		d.locks(place)
		d.clock(place)
	}
	d.runs(ctx)
	d.zones()
	d.procedures(ctx)
	d.probes(ctx)
	needed := need{programs: s.allPrograms()}
	if req.Platform != "" {
		needed = d.platform(ctx, req.Platform)
	}
	d.programs(ctx, needed)
	d.person(req.Getenv)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return &DoctorResult{Version: s.o.Version, Findings: d.findings, Notes: append([]DoctorNote{}, d.notes...)}, nil
}

// examination collects findings.
type examination struct {
	s        *Service
	findings []plan.Finding
	notes    []DoctorNote
	// newest is when the newest of all runs was written.
	newest time.Time
}

// foundf notes a finding. Remedy is empty for those that pass.
func (d *examination) foundf(name string, outcome plan.Outcome, reason, remedy, format string, args ...any) {
	d.findings = append(d.findings, plan.Finding{
		Name: name, Outcome: outcome, Reason: reason, Message: fmt.Sprintf(format, args...), Remedy: remedy,
	})
}

// procedures checks that every shipped procedure loads.
func (d *examination) procedures(ctx context.Context) {
	all, err := d.s.Procedures(ctx)
	if err != nil {
		d.foundf("procedures", plan.Fail, "ProcedureBroken", "install Refit again",
			"a shipped procedure does not load: %v", err)
		return
	}
	d.foundf("procedures", plan.Pass, "ProceduresGood", "", "%d shipped procedures load", len(all))
}

// firstProblem says on one line what is wrong with a platform file: the first
// error, for warnings do not make it fail.
func firstProblem(err error) string {
	var ds diag.Diagnostics
	if !errors.As(err, &ds) || len(ds) == 0 {
		return err.Error()
	}
	first := max(0, slices.IndexFunc(ds, func(d diag.Diagnostic) bool { return d.Severity == diag.Error }))
	if len(ds) == 1 {
		return ds[0].String()
	}
	return fmt.Sprintf("%s (and %d more)", ds[first], len(ds)-1)
}
