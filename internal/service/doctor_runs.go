package service

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/report"
)

// runs checks the database of the state folder and the runs in it. Where there are
// none yet, nothing is made.
func (d *examination) runs(ctx context.Context) {
	s := d.s
	if s.o.Engine == nil || s.o.StateDir == "" {
		return
	}
	if _, err := os.Stat(filepath.Join(s.o.StateDir, "refit.db")); err != nil {
		return
	}
	e, err := s.host(ctx)
	if err != nil {
		d.storeTrouble(err)
		return
	}
	if x, ok := e.(engine.Examiner); ok {
		list, err := x.Examine(ctx)
		if err != nil {
			d.storeTrouble(err)
			return
		}
		if !d.troubles(list) {
			d.foundf("state/database", plan.Pass, "DatabaseGood", "",
				"the database of the runs reads as it was written")
		}
	}
	list, err := s.Runs(ctx)
	if err != nil {
		d.storeTrouble(err)
		return
	}
	before, open := len(d.findings), 0
	for i := range list.Runs {
		r := &list.Runs[i]
		if r.Updated.After(d.newest) {
			d.newest = r.Updated
		}
		if !r.Status.Final() && !r.Moved {
			open++
			d.run(ctx, r)
		}
	}
	d.past()
	if len(d.findings) == before {
		d.foundf("runs", plan.Pass, "RunsGood", "",
			"%d runs, %d of which go on; none is left alone with something to do", len(list.Runs), open)
	}
}

// past checks that the clock is not behind what runs have recorded.
func (d *examination) past() {
	const tolerance = time.Minute
	if now := d.s.o.Now(); d.newest.After(now.Add(tolerance)) {
		d.foundf("clock/runs", plan.Fail, "ClockBehind", "set the clock; windows, soaks and approvals depend on it",
			"the clock says %s, and a run has recorded %s already",
			now.UTC().Format(time.RFC3339), d.newest.UTC().Format(time.RFC3339))
	}
}

// storeTrouble says why the runs cannot be read.
func (d *examination) storeTrouble(err error) {
	broken, ok := errors.AsType[*engine.StoreError](err)
	if !ok {
		d.foundf("state/database", plan.Fail, "DatabaseUnusable", "", "%v", err)
		return
	}
	text := broken.What
	if broken.Err != nil {
		text += ": " + broken.Err.Error()
	}
	d.foundf("state/database", plan.Fail, "DatabaseUnusable", broken.Remedy, "the runs cannot be read: %s", text)
}

// troubles tells what the engine has found, and whether the database is damaged.
func (d *examination) troubles(list []engine.Trouble) (damaged bool) {
	for _, t := range list {
		name := "runs/" + t.Run
		switch t.Kind {
		case engine.TroubleDamaged:
			damaged = true
			d.foundf("state/database", plan.Fail, "DatabaseDamaged", "bring the state folder back from a copy",
				"the database of the runs is damaged: %s", t.Text)
		case engine.TroubleDied:
			d.foundf(name, plan.Warn, "DriverDied", "refit drive "+t.Run+" looks at what was under way, and goes on",
				"process %d drove it and ended without giving it back", t.PID)
		case engine.TroubleChild:
			d.foundf(name, plan.Warn, "ProgramLeft",
				"refit drive "+t.Run+" waits for it, and ends it when it takes too long",
				"program %d, which was started for it, still runs, and nobody drives the run", t.PID)
		case engine.TroubleLocked:
			d.foundf(name, plan.Fail, "LockHeld", "see which process holds it, such as with fuser, and end that",
				"it cannot be driven: something holds its lock, %s", t.Text)
		}
	}
	return damaged
}

// run checks a run that has not ended: that it can be read, and that somebody looks
// after what it holds.
func (d *examination) run(ctx context.Context, r *report.RunInfo) {
	name := "runs/" + r.ID
	_, v, err := d.s.view(ctx, r.ID)
	if err != nil {
		d.foundf(name, plan.Fail, "RunUnreadable", "refit status "+r.ID+" says what can be done", "%v", err)
		return
	}
	if r.Owner != nil {
		return
	}
	const late = time.Minute
	switch now := d.s.o.Now(); {
	case len(v.Leases) > 0:
		first := &v.Leases[0]
		more := ""
		if n := len(v.Leases) - 1; n > 0 {
			more = fmt.Sprintf(" and %d more", n)
		}
		d.foundf(name, plan.Warn, "HeldByNobody",
			fmt.Sprintf("refit drive %s goes on, refit release %s %s %s gives it back",
				r.ID, r.ID, first.Stage, first.Step),
			"nobody drives it, and it holds %s/%s%s since %s", first.Stage, first.Step, more,
			first.Since.UTC().Format(time.RFC3339))
	case !r.Next.IsZero() && r.Next.Before(now.Add(-late)):
		d.foundf(name, plan.Warn, "DrivenByNobody", "refit drive "+r.ID,
			"nobody drives it, and it should have gone on at %s", r.Next.UTC().Format(time.RFC3339))
	}
}
