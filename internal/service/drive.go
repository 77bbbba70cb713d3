package service

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/report"
)

// DriveRequest says which runs to drive, and for how long.
type DriveRequest struct {
	// Runs names runs; empty for all that have not ended and that nobody drives.
	Runs []string
	// Linger is how long a run may wait for a timer before it is left; negative
	// means until it has ended, also for a person.
	Linger time.Duration
	// Stop asks to end in order when it is closed; it may be nil.
	Stop <-chan struct{}
	// On is told every event. It is called by several goroutines.
	On func(report.EventLine)
	// Say is told in one line of trouble that does not concern the runs, such as a
	// channel of notifications that cannot be reached. It is called by several
	// goroutines; nil drops it.
	Say func(line string)
}

// DriveResult is how driving a run has ended.
type DriveResult struct {
	Run string `json:"run"`
	// View is where the run stands; nil when it cannot be read.
	View *report.RunView `json:"view,omitempty"`
	// Err is why the run could not be driven; nil when the view says it all.
	Err error `json:"-"`
}

// Drive carries runs on. A run that another process drives is passed over
// unless it was named. The results are in the order of the runs.
func (s *Service) Drive(ctx context.Context, req DriveRequest) ([]DriveResult, error) {
	e, err := s.host(ctx)
	if err != nil {
		return nil, err
	}
	who, err := s.person()
	if err != nil {
		return nil, err
	}
	list, err := s.toDrive(ctx, req.Runs)
	if err != nil {
		return nil, err
	}
	if req.Say == nil {
		req.Say = func(string) {}
	}
	beside := s.besides(ctx, e, list, req.Say)
	ids := make([]string, len(list))
	for i := range list {
		ids[i] = list[i].id
	}
	results, err := s.driveAll(ctx, e, ids, &req, beside, who.By)
	beside.close(ctx)
	return results, err
}

// driveAll drives runs until each has ended, waits, or has to stop.
func (s *Service) driveAll(
	ctx context.Context, e engine.Engine, ids []string, req *DriveRequest, beside *backgrounds, by string,
) ([]DriveResult, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	outcomes, err := e.Drive(ctx, engine.DriveOptions{
		Runs: ids, Linger: req.Linger, By: by, Stop: req.Stop,
		On: func(id string, r engine.Record) {
			beside.woken(id, r.Event.Body)
			if req.On == nil {
				return
			}
			if line, err := report.BuildEvent(id, r.Event); err == nil {
				req.On(line)
			}
		},
		OnProgress: func(_, _ string, p action.Progress) { s.o.Progress(noteOf(p)) },
	})
	if err != nil {
		return nil, runError("", err)
	}
	results := make([]DriveResult, 0, len(outcomes))
	for _, o := range outcomes {
		r := DriveResult{Run: o.ID, Err: runError(o.ID, o.Err)}
		if owned(r.Err) && len(req.Runs) == 0 {
			continue
		}
		// What is seen is told although the driving was interrupted.
		if _, v, err := s.view(context.WithoutCancel(ctx), o.ID); err == nil {
			r.View = v
		} else if r.Err == nil {
			r.Err = err
		}
		results = append(results, r)
	}
	return results, nil
}

func owned(err error) bool {
	trouble, ok := errors.AsType[*RunError](err)
	return ok && trouble.Trouble == TroubleOwned
}

// toDrive is a run that is to be driven.
type toDrive struct {
	id string
	// fresh tells that nothing has happened yet but that it was put down.
	fresh bool
}

// toDrive returns the runs that are meant.
func (s *Service) toDrive(ctx context.Context, names []string) ([]toDrive, error) {
	list, err := s.Runs(ctx)
	if err != nil {
		return nil, err
	}
	var out []toDrive
	for _, name := range names {
		id, err := findRun(list.Runs, name)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(list.Runs, func(r report.RunInfo) bool { return r.ID == id })
		out = append(out, toDrive{id: id, fresh: list.Runs[i].Events <= 1})
	}
	if len(names) > 0 {
		return out, nil
	}
	for i := range list.Runs {
		// One that has ended may still have a lease to give back.
		r := &list.Runs[i]
		if goesOn := !r.Status.Final() || !r.Next.IsZero(); goesOn && !r.Moved && r.Owner == nil {
			out = append(out, toDrive{id: r.ID, fresh: r.Events <= 1})
		}
	}
	return out, nil
}

// noteOf words the progress of an operation.
func noteOf(p action.Progress) Note { return Note{Text: report.ProgressText(p)} }

// watchEvery is how often the history of another process is looked at.
const watchEvery = 200 * time.Millisecond

// WatchRequest says which run to watch.
type WatchRequest struct {
	Run string
	// Last is how many of the events that have happened are told first; negative
	// for all.
	Last int
	On   func(report.EventLine)
}

// Watch tells the events of a run from any process, until the run has ended or
// ctx ends. It returns where the run stands then.
func (s *Service) Watch(ctx context.Context, req WatchRequest) (*report.RunView, error) {
	e, err := s.host(ctx)
	if err != nil {
		return nil, err
	}
	v, err := s.Status(ctx, req.Run)
	if err != nil {
		return nil, err
	}
	after := uint64(0)
	if last := uint64(max(req.Last, 0)); req.Last >= 0 && v.Events > last {
		after = v.Events - last
	}
	tick := time.NewTicker(watchEvery) //nolint:forbidigo // A person watches, and nothing is recorded.
	defer tick.Stop()
	for {
		seen, err := tell(ctx, e, v.ID, after, req.On)
		if err != nil {
			return nil, err
		}
		if seen > after || v.Status.Final() {
			after = seen
			over, err := s.over(ctx, v.ID, after)
			if err != nil {
				return nil, err
			}
			if over {
				return s.Status(ctx, v.ID)
			}
		}
		select {
		case <-ctx.Done():
			return v, ctx.Err()
		case <-tick.C:
		}
	}
}

// over tells whether a run has ended, with the event of that number. It does not look
// where the run stands: with very many steps that takes its time.
func (s *Service) over(ctx context.Context, id string, after uint64) (bool, error) {
	list, err := s.Runs(ctx)
	if err != nil {
		return false, err
	}
	i := slices.IndexFunc(list.Runs, func(r report.RunInfo) bool { return r.ID == id })
	return i >= 0 && list.Runs[i].Status.Final() && list.Runs[i].Events <= after, nil
}

// tell tells the events behind the one numbered after, and returns the number of
// the last one.
func tell(ctx context.Context, e engine.Engine, id string, after uint64, on func(report.EventLine)) (uint64, error) {
	records, err := e.History(ctx, id, after, 0)
	if err != nil {
		return 0, runError(id, err)
	}
	for _, r := range records {
		line, err := report.BuildEvent(id, r.Event)
		if err != nil {
			return 0, err
		}
		on(line)
		after = r.Event.Seq
	}
	return after, nil
}
