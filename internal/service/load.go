package service

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/platform"
	"github.com/refitproject/refit/internal/procedure"
)

// loaded is a platform file with its procedure, checked against each other.
// Nothing of it has been observed.
type loaded struct {
	platform  *platform.Platform
	procedure *procedure.Procedure
	// source is where the procedure was read from, for the places in messages.
	source *source
	// dir is the absolute folder of the platform file.
	dir string
	// inputs are the values of the procedure's inputs, complete and checked.
	inputs map[string]any
	// targets are the targets of the procedure. Identity is what the platform
	// file pins, if it pins any.
	targets  []plan.Target
	warnings diag.Diagnostics
	// text is the platform file as it was read.
	text []byte
}

// loadPlatform reads a platform file and the procedure that it names, and
// checks one against the other. Problems come back as diag.Diagnostics, all of
// them.
func (s *Service) loadPlatform(file string) (*loaded, error) {
	l, ds, err := openPlatform(file)
	if err != nil {
		return nil, err
	}
	if !l.platform.Procedure.IsSet() || l.platform.Procedure.Value == "" {
		return nil, ds
	}
	err = s.attachProcedure(l, file)
	var broken diag.Diagnostics
	switch {
	case errors.As(err, &broken):
		ds = append(ds, broken...)
		ds.Sort()
		return nil, ds
	case err != nil && ds.HasErrors():
		return nil, ds
	case err != nil:
		return nil, err
	}
	if err := l.resolve(s, ds); err != nil {
		return nil, err
	}
	return l, nil
}

// openPlatform reads a platform file. The diagnostics are what is wrong with
// it as far as it can be read; a file that cannot be read at all is an error.
func openPlatform(file string) (*loaded, diag.Diagnostics, error) {
	data, ds := readDocument(file)
	if ds.HasErrors() {
		return nil, nil, ds
	}
	dir, err := filepath.Abs(filepath.Dir(resolveLink(file)))
	if err != nil {
		return nil, nil, fmt.Errorf("find the folder of %q: %w", file, err)
	}
	p, ds := platform.Load(file, data)
	if p == nil {
		return nil, nil, ds
	}
	return &loaded{platform: p, dir: dir, text: data}, ds, nil
}

// attachProcedure loads the procedure that the platform file names.
func (s *Service) attachProcedure(l *loaded, file string) error {
	s.withholdText(l.text)
	name := l.platform.Procedure
	proc, src, warnings, err := s.loadProcedure(name.Value, filepath.Dir(resolveLink(file)), name.Pos)
	if err != nil {
		return err
	}
	l.procedure, l.source, l.warnings = proc, src, append(l.warnings, warnings...)
	return nil
}

// resolve fills in inputs and targets from the platform file. ds is what is
// known to be wrong with it already; everything comes back together.
func (l *loaded) resolve(s *Service, ds diag.Diagnostics) error {
	ds = append(ds, s.fitting(l.platform, l.procedure)...)
	ds.Sort()
	if ds.HasErrors() {
		return ds
	}
	// Check reports what the following two report.
	inputs, _ := platform.ResolveInputs(l.platform, l.procedure)
	targets, _ := platform.ResolveTargets(l.platform, l.procedure)
	l.inputs = inputs
	for _, t := range targets {
		l.targets = append(l.targets, plan.Target{Name: t.Name, Kind: t.Kind, Config: t.Config, Identity: t.Identity})
	}
	l.warnings = append(l.warnings, ds...)
	return nil
}

// fitting returns what does not fit between a platform file, its procedure and
// what this program knows.
func (s *Service) fitting(p *platform.Platform, proc *procedure.Procedure) diag.Diagnostics {
	ds := append(platform.Check(p, proc), p.CheckZones(loadZone)...)
	return append(ds, p.CheckTargets(s.o.Registry.TargetConfig)...)
}

// loadZone tells whether a time zone is known to the system or the program.
func loadZone(name string) error {
	_, err := time.LoadLocation(name)
	return err
}

// accepts returns what the platform file accepts.
func (l *loaded) accepts() []plan.Accept {
	out := make([]plan.Accept, 0, len(l.platform.Accept))
	for _, a := range l.platform.Accept {
		out = append(out, plan.Accept{
			Name: a.Name.Value, Reason: a.Reason.Value, By: a.By.Value, Expires: a.Expires.Value,
		})
	}
	return out
}

// samePinned refuses targets whose identity is not the one that the platform
// file pins.
func (l *loaded) samePinned(observed []plan.Target) error {
	stale := &StaleError{Remedy: "mend the address of the target, or its identity in the platform file"}
	for i, t := range l.targets {
		if t.Identity != "" && observed[i].Identity != t.Identity {
			stale.Changes = append(stale.Changes, fmt.Sprintf(
				"target %q is not the one that the platform file names: its identity is %q, not %q",
				t.Name, observed[i].Identity, t.Identity))
		}
	}
	if len(stale.Changes) > 0 {
		return stale
	}
	return nil
}
