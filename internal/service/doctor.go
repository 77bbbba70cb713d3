package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/procedure"
)

// DoctorResult is what doctor found.
type DoctorResult struct {
	Version  string         `json:"version"`
	Findings []plan.Finding `json:"findings"`
}

// Healthy tells whether nothing failed.
func (r *DoctorResult) Healthy() bool {
	return !slices.ContainsFunc(r.Findings, plan.Finding.Blocks)
}

// Doctor checks what Refit needs to work: its state folder, time zones, the
// procedures that it ships, and the programs that actions start. With a
// platform file it checks that file, its procedure and its targets too. Nothing
// stays behind.
func (s *Service) Doctor(ctx context.Context, platformFile string) (*DoctorResult, error) {
	d := &examination{s: s}
	d.state()
	d.zones()
	d.procedures(ctx)
	programs := s.allPrograms()
	if platformFile != "" {
		programs = d.platform(ctx, platformFile)
	}
	d.programs(programs, platformFile != "")
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return &DoctorResult{Version: s.o.Version, Findings: d.findings}, nil
}

// examination collects findings.
type examination struct {
	s        *Service
	findings []plan.Finding
}

// foundf notes a finding. Remedy is empty for those that pass.
func (d *examination) foundf(name string, outcome plan.Outcome, reason, remedy, format string, args ...any) {
	d.findings = append(d.findings, plan.Finding{
		Name: name, Outcome: outcome, Reason: reason, Message: fmt.Sprintf(format, args...), Remedy: remedy,
	})
}

// state checks the state folder, or that it can be made.
func (d *examination) state() {
	dir := d.s.o.StateDir
	if dir == "" {
		d.foundf("state", plan.Fail, "StateUnknown", "set HOME or XDG_STATE_HOME",
			"there is no place for the state folder")
		return
	}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.absentState(dir)
		return
	case err != nil:
		d.foundf("state", plan.Fail, "StateUnreadable", "mend the permissions of the folder",
			"the state folder %s cannot be read: %v", dir, plainPathError(err))
		return
	case !info.IsDir():
		d.foundf("state", plan.Fail, "StateNotFolder", "move the file away", "%s is not a folder", dir)
		return
	case info.Mode().Perm()&0o077 != 0:
		d.foundf("state", plan.Fail, "StateOpen", "chmod 700 "+dir,
			"others may look into the state folder %s (mode %04o)", dir, info.Mode().Perm())
		return
	}
	if _, err := readHashKey(filepath.Join(dir, keyFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		d.foundf("state", plan.Fail, "KeyUnusable", "", "%v", err)
		return
	}
	d.foundf("state", plan.Pass, "StateGood", "", "the state folder %s is private", dir)
}

// absentState checks that the state folder can be made when it is needed: it
// makes another one in the nearest folder that exists, and removes it.
func (d *examination) absentState(dir string) {
	parent := dir
	for errors.Is(lstatError(parent), fs.ErrNotExist) && parent != filepath.Dir(parent) {
		parent = filepath.Dir(parent)
	}
	probe, err := os.MkdirTemp(parent, ".refit-*")
	if err == nil {
		err = os.Remove(probe)
	}
	if err != nil {
		d.foundf("state", plan.Fail, "StateImpossible",
			"mend the permissions of "+parent+", or set XDG_STATE_HOME to a folder of yours",
			"the state folder %s cannot be made: %s: %v", dir, parent, plainPathError(err))
		return
	}
	d.foundf("state", plan.Pass, "StateAbsent", "", "the state folder %s will be made when it is needed", dir)
}

func lstatError(name string) error {
	_, err := os.Lstat(name)
	return err
}

// zones checks that time zones are known: windows are in wall clock time.
func (d *examination) zones() {
	if _, err := time.LoadLocation("Europe/Paris"); err != nil {
		d.foundf("time-zones", plan.Fail, "ZonesMissing", "install the time zone database of the system",
			"time zones cannot be read: %v", err)
		return
	}
	d.foundf("time-zones", plan.Pass, "ZonesGood", "", "time zones are known")
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

// platform checks a platform file, its procedure and its targets, and returns
// the programs that the procedure's actions start.
func (d *examination) platform(ctx context.Context, file string) []string {
	l, err := d.s.loadPlatform(file)
	if err != nil {
		d.foundf("platform", plan.Fail, "PlatformBroken", "see refit lint "+file, "%s", firstProblem(err))
		return nil
	}
	d.foundf("platform", plan.Pass, "PlatformGood", "", "%s and its procedure are right", file)
	w := d.s.newWorld(l.dir, l.targets)
	for _, t := range l.targets {
		name := "target/" + t.Name
		identity, err := w.Identify(ctx, t)
		if err != nil {
			d.foundf(name, plan.Fail, "TargetUnreachable", "", "%v", err)
			continue
		}
		d.foundf(name, plan.Pass, "TargetFound", "", "is %s", identity)
	}
	return programsOf(l.procedure)
}

// programsOf returns the programs that the actions of a procedure start.
func programsOf(proc *procedure.Procedure) []string {
	var programs []string
	for i := range proc.Facts {
		programs = append(programs, proc.Facts[i].Spec.Programs...)
	}
	for _, stage := range proc.Stages {
		programs = append(programs, programsOfSteps(stage.Steps)...)
		programs = append(programs, programsOfSteps(stage.Abort)...)
	}
	return programs
}

// programsOfSteps returns the programs of steps, those of sub-procedures
// included.
func programsOfSteps(steps []*procedure.StepTemplate) []string {
	var programs []string
	for _, step := range steps {
		programs = append(programs, step.Spec.Programs...)
		if step.Sub != nil {
			programs = append(programs, programsOfSteps(step.Sub.Steps)...)
		}
	}
	return programs
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

// allPrograms returns the programs that any action starts.
func (s *Service) allPrograms() []string {
	var programs []string
	for _, name := range s.o.Registry.Names() {
		if spec, ok := s.o.Registry.Spec(name); ok {
			programs = append(programs, spec.Programs...)
		}
	}
	return programs
}

// programs looks for programs. One that is missing is only a failure when it
// is known to be needed.
func (d *examination) programs(names []string, needed bool) {
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		where, err := d.s.o.LookPath(name)
		switch {
		case err == nil:
			d.foundf("program/"+name, plan.Pass, "ProgramFound", "", "is %s", where)
		case needed:
			d.foundf("program/"+name, plan.Fail, "ProgramMissing", "install "+name, "is not in the PATH")
		default:
			d.foundf("program/"+name, plan.Warn, "ProgramMissing", "install it for procedures that use it",
				"is not in the PATH")
		}
	}
}
