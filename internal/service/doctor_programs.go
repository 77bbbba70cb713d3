package service

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/procedure"
	"github.com/refitproject/refit/internal/yamldoc"
)

// need is which programs are looked for.
type need struct {
	names []string
	// sure tells that they are known to be needed: by the procedure of a platform.
	sure bool
}

// allPrograms returns the programs that any action starts by itself.
func (s *Service) allPrograms() []string {
	var programs []string
	for _, name := range s.o.Registry.Names() {
		if spec, ok := s.o.Registry.Spec(name); ok {
			programs = append(programs, spec.Programs...)
		}
	}
	return programs
}

// programsOf returns the programs that a procedure starts: those of its actions, and
// those that its commands name.
func programsOf(proc *procedure.Procedure) []string {
	var programs []string
	for i := range proc.Facts {
		programs = append(programs, proc.Facts[i].Spec.Programs...)
		programs = append(programs, commandsIn(proc.Facts[i].Source.With)...)
	}
	for _, p := range proc.Document.Probes {
		if p.Value.Exec != nil {
			programs = append(programs, commandOf(p.Value.Exec.Command)...)
		}
	}
	for _, t := range proc.Document.Targets {
		if t.Value.Kind.Value == "git" {
			programs = append(programs, "git") // Its identity is asked for with it.
		}
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
		programs = append(programs, commandsIn(step.Source.With)...)
		if step.Sub != nil {
			programs = append(programs, programsOfSteps(step.Sub.Steps)...)
		}
	}
	return programs
}

// commandsIn finds the programs of the keys command of an input, however deep they
// stand: a command, how its effect is observed, how it is undone.
func commandsIn(n *yamldoc.Node) []string {
	if n == nil {
		return nil
	}
	var out []string
	for i := range n.Pairs {
		if n.Pairs[i].Key == "command" {
			out = append(out, commandOf(n.Pairs[i].Value)...)
		}
		out = append(out, commandsIn(n.Pairs[i].Value)...)
	}
	for _, item := range n.Items {
		out = append(out, commandsIn(item)...)
	}
	return out
}

// commandOf returns the program of a command, nil when it is only known later.
func commandOf(n *yamldoc.Node) []string {
	if n == nil || len(n.Items) == 0 {
		return nil
	}
	name := nodeText(n.Items[0])
	if name == "" || strings.Contains(name, "${") {
		return nil
	}
	return []string{name}
}

// programs looks for programs. One that is missing is only a failure when it is known
// to be needed.
func (d *examination) programs(ctx context.Context, n need) {
	slices.Sort(n.names)
	for _, name := range slices.Compact(n.names) {
		if strings.Contains(name, "/") && !filepath.IsAbs(name) {
			continue // It is relative to the folder that the step names.
		}
		where, err := d.s.o.LookPath(name)
		found := "program/" + name
		switch {
		case err == nil:
			version := ""
			if v := d.versionOf(ctx, name); v != "" {
				version = ", " + v
			}
			d.foundf(found, plan.Pass, "ProgramFound", "", "is %s%s", where, version)
		case n.sure:
			d.foundf(found, plan.Fail, "ProgramMissing", "install "+name, "is needed, and is not in the PATH")
		default:
			d.foundf(found, plan.Warn, "ProgramMissing", "install it for procedures that use it",
				"is not in the PATH")
		}
	}
	if !slices.Contains(n.names, "helm") {
		what := "no action of this program starts it"
		if n.sure {
			what += ", and no command of the procedure names it"
		}
		d.notes = append(d.notes, DoctorNote{Name: "program/helm", Message: "helm is not needed: " + what})
	}
}

// versionQuestions are how programs are asked for their version without asking a
// server. Others are not started: what they would do is not known.
func versionQuestions() map[string][]string {
	return map[string][]string{
		"git": {"--version"}, "helm": {"version", "--short"}, "juju": {"version"}, "kubectl": {"version", "--client"},
		"pachctl": {"version", "--client-only"}, "psql": {"--version"}, "python3": {"--version"},
	}
}

// versionOf asks a program for its version; "" when it does not say.
func (d *examination) versionOf(ctx context.Context, name string) string {
	args, ok := versionQuestions()[name]
	if !ok || d.s.o.Probes.Programs == nil {
		return ""
	}
	const patience, most = 5 * time.Second, 4 << 10
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	text, err := d.s.o.Probes.Programs.Output(ctx, "/", append([]string{name}, args...), most)
	if err != nil {
		return ""
	}
	first, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(first)
}

// probes checks that a process can be started that measures while a run goes on.
func (d *examination) probes(ctx context.Context) {
	if d.s.o.Probes.Try == nil {
		return
	}
	const patience = 20 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := d.s.o.Probes.Try(ctx)
	if ctx.Err() != nil {
		err = fmt.Errorf("it did not end in %s", patience)
	}
	if err != nil {
		d.foundf("probes", plan.Fail, "ProbesImpossible", "install Refit again, where its file may be executed",
			"no process can be started that measures downtime: %v", err)
		return
	}
	d.foundf("probes", plan.Pass, "ProbesGood", "", "a process that measures downtime can be started")
}
