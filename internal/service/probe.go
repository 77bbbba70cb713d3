package service

import (
	"context"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/probe"
	"github.com/refitproject/refit/internal/probe/watch"
	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/run"
)

// probeDir is the folder for the samples of probes; "" when there is no place.
func (s *Service) probeDir() string {
	if s.o.StateDir == "" {
		return ""
	}
	return filepath.Join(s.o.StateDir, "probes")
}

// Probe takes the samples of the probes of a run until it has ended. It is for a
// process of its own, which the one that drives the run begins.
func (s *Service) Probe(ctx context.Context, id string) error {
	e, err := s.host(ctx)
	if err != nil {
		return err
	}
	snap, err := e.Load(ctx, id)
	if err != nil {
		return runError(id, err)
	}
	if s.o.Probes.HTTP == nil || s.probeDir() == "" || len(snap.State.Plan().Probes) == 0 {
		return nil
	}
	s.withholdPlan(snap.State.Plan())
	return watch.Watch(ctx, watch.Options{
		Dir: s.probeDir(), Run: id, Plan: snap.State.Plan(), Folder: snap.Info.Dir,
		HTTP: s.o.Probes.HTTP, Programs: s.o.Probes.Programs, Now: s.o.Now,
		Changed: func(ctx context.Context, p probe.Plan, span probe.Span, unmeasured bool) error {
			return e.Request(ctx, id, &run.ProbeChanged{
				Probe: p.Name, Component: p.Component, Up: span.Up, Since: span.From,
				Unmeasured: unmeasured, Why: span.Why,
			})
		},
		Over: func(ctx context.Context) (bool, error) {
			list, err := s.Runs(ctx)
			if err != nil {
				return false, err
			}
			i := slices.IndexFunc(list.Runs, func(r report.RunInfo) bool { return r.ID == id })
			return i < 0 || list.Runs[i].Moved || list.Runs[i].Status.Final() && list.Runs[i].Next.IsZero(), nil
		},
	})
}

// samples returns the probes of a run and what they have sampled. Samples that
// cannot be read are not measured.
func (s *Service) samples(id string, p *plan.Plan) ([]probe.Plan, []probe.Span) {
	if len(p.Probes) == 0 || s.probeDir() == "" {
		return nil, nil
	}
	spans, err := watch.Samples{Dir: s.probeDir(), Run: id}.Read()
	if err != nil {
		spans = nil
	}
	return watch.PlansOf(p), spans
}

// prober sees to it that the probes of a run are measured while it is driven.
type prober struct {
	s   *Service
	id  string
	say func(string)
	// behind are the steps behind the checks of their stages.
	behind map[run.GateRef]bool

	mu    sync.Mutex
	begun bool
	last  time.Time
	said  bool
}

// newProber returns the prober of a run; nil when it has no probes.
func (s *Service) newProber(id string, p *plan.Plan, say func(string)) *prober {
	if len(p.Probes) == 0 || s.o.Probes.Detach == nil || s.probeDir() == "" {
		return nil
	}
	b := &prober{s: s, id: id, say: say, behind: map[run.GateRef]bool{}}
	for i := range p.Stages {
		st := &p.Stages[i]
		for j := range st.Steps {
			if phase := st.Steps[j].Phase; phase != plan.Prepare && phase != plan.Preflight {
				b.behind[run.GateRef{Stage: st.ID, Step: st.Steps[j].ID}] = true
			}
		}
	}
	return b
}

// started is told that an operation was started. It returns at once.
func (b *prober) started(op run.Ref) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.begun = b.begun || b.behind[run.GateRef{Stage: op.Stage, Step: op.Step}]
	const pause = 5 * time.Second
	if now := b.s.o.Now(); b.begun && (b.last.IsZero() || now.Sub(b.last) >= pause) {
		b.last = now
		go b.ensure()
	}
}

// ensure begins the process that measures, unless there is one. Trouble is said
// once: what is not measured holds up nothing.
func (b *prober) ensure() {
	running, err := watch.Running(b.s.probeDir(), b.id)
	if err == nil && !running {
		err = b.s.o.Probes.Detach(b.id)
	}
	if err == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.said {
		b.said = true
		b.say("probes: " + err.Error() + ": the downtime is not measured")
	}
}
