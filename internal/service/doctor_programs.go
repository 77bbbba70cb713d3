package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/plan"
)

// need is which programs are looked for.
type need struct {
	programs []program
	// sure tells that they are known to be needed: by the procedure of a platform.
	sure bool
	// dir is the folder of the platform file.
	dir string
}

// allPrograms returns the programs that any action starts by itself.
func (s *Service) allPrograms() []program {
	var programs []program
	for _, name := range s.o.Registry.Names() {
		if spec, ok := s.o.Registry.Spec(name); ok {
			for _, one := range spec.Programs {
				programs = append(programs, program{name: one})
			}
		}
	}
	return programs
}

// programs looks for programs. One that is missing is only a failure when it is known
// to be needed.
func (d *examination) programs(ctx context.Context, n need) {
	for _, p := range merged(n.programs) {
		found := "program/" + n.shown(&p)
		where, err := d.s.o.LookPath(cmp.Or(p.path, p.name))
		if err == nil {
			version := ""
			if v := d.versionOf(ctx, p.name); v != "" {
				version = ", " + v
			}
			d.foundf(found, plan.Pass, "ProgramFound", "", "is %s%s", where, version)
			continue
		}
		lacks, remedy := "is not in the PATH", "install "+p.name
		switch {
		case errors.Is(err, fs.ErrPermission):
			lacks, remedy = "may not be executed", "let it be executed: chmod +x "+p.path
		case p.path != "":
			lacks, remedy = "is not there", "put it there, or correct its path"
		}
		switch {
		case !n.sure:
			d.foundf(found, plan.Warn, "ProgramMissing", "install it for procedures that use it", "%s", lacks)
		case p.must && p.path == "":
			d.foundf(found, plan.Fail, "ProgramMissing", remedy, "is needed, and %s", lacks)
		case p.must:
			d.foundf(found, plan.Fail, "ProgramMissing", remedy, "is needed by %s, and %s", p.by, lacks)
		case p.script:
			d.foundf(found, plan.Warn, "ProgramMissing", remedy, "%s, and a script of %s names it", lacks, p.by)
		default:
			d.foundf(found, plan.Warn, "ProgramMissing", remedy,
				"%s, and %s needs it: an earlier step may make it", lacks, p.by)
		}
	}
	if !slices.ContainsFunc(n.programs, func(p program) bool { return p.name == "helm" }) {
		what := "no action of this program starts it"
		if n.sure {
			what += ", and no command of the procedure names it"
		}
		d.notes = append(d.notes, DoctorNote{Name: "program/helm", Message: "helm is not needed: " + what})
	}
}

// merged returns every program once, by name and path: as it is needed most.
func merged(all []program) []program {
	out := slices.Clone(all)
	slices.SortStableFunc(out, func(a, b program) int {
		must := 0
		if a.must != b.must {
			must = 1
			if a.must {
				must = -1
			}
		}
		return cmp.Or(strings.Compare(cmp.Or(a.path, a.name), cmp.Or(b.path, b.name)), must)
	})
	return slices.CompactFunc(out, func(a, b program) bool { return cmp.Or(a.path, a.name) == cmp.Or(b.path, b.name) })
}

// shown is how a program is called: by its path from the platform file when it is
// below it.
func (n *need) shown(p *program) string {
	if p.path == "" {
		return p.name
	}
	if rel, err := filepath.Rel(n.dir, p.path); err == nil && n.dir != "" && filepath.IsLocal(rel) {
		return "./" + filepath.ToSlash(rel)
	}
	return p.path
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
