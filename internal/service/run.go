package service

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/run"
)

// Person is who uses the program.
type Person struct {
	// Name is what the machine calls the person, Host the machine.
	Name, Host string
	// From says from where: "pts/3", "pts/3 over 10.0.0.7".
	From string
	// Groups are those that the machine knows the person to be in.
	Groups []string
}

// String names the person as histories do: "ada@laptop".
func (p Person) String() string { return p.Name + "@" + p.Host }

// errNoEngine is returned by a service that was built without an engine.
var errNoEngine = errors.New("this program has no engine: it cannot carry out plans")

// host opens the engine at first need.
func (s *Service) host(ctx context.Context) (engine.Engine, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.engine != nil {
		return s.engine, nil
	}
	if s.o.Engine == nil {
		return nil, errNoEngine
	}
	e, err := s.o.Engine(ctx, s.keyed)
	if err != nil {
		return nil, runError("", err)
	}
	s.engine = e
	return e, nil
}

// Close gives back what the use cases opened. Runs that are driven are stopped
// first.
func (s *Service) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.engine == nil {
		return nil
	}
	e := s.engine
	s.engine = nil
	return e.Close()
}

// Runs lists all runs, the newest first.
func (s *Service) Runs(ctx context.Context) (*report.RunList, error) {
	e, err := s.host(ctx)
	if err != nil {
		return nil, err
	}
	list, err := e.List(ctx)
	if err != nil {
		return nil, runError("", err)
	}
	out := &report.RunList{Runs: []report.RunInfo{}}
	for i := range list {
		out.Runs = append(out.Runs, infoOf(&list[i]))
	}
	return out, nil
}

func infoOf(i *engine.Info) report.RunInfo {
	out := report.RunInfo{
		ID: i.ID, Platform: i.Platform, Digest: i.Digest, Status: i.Status, Created: i.Created, Updated: i.Updated,
		By: i.By, Dir: i.Dir, Events: i.Seq, Head: i.Head, Next: i.Next, Moved: i.Moved,
	}
	if i.Owner != nil {
		out.Owner = &report.RunOwner{Host: i.Owner.Host, PID: i.Owner.PID, By: i.Owner.By, Since: i.Owner.Since}
	}
	return out
}

// RunNamed finds a run by its id or by a beginning of it that only one run has.
// The empty name stands for the only run that has not ended.
func (s *Service) RunNamed(ctx context.Context, name string) (string, error) {
	list, err := s.Runs(ctx)
	if err != nil {
		return "", err
	}
	return findRun(list.Runs, name)
}

// SplitRun takes the name of a run off the front of arguments, when they begin
// with one. What has to follow is at least low and at most high arguments; that
// many without a name stand for the only run that has not ended.
func (s *Service) SplitRun(ctx context.Context, args []string, low, high int) (id string, rest []string, err error) {
	list, err := s.Runs(ctx)
	if err != nil {
		return "", nil, err
	}
	if len(args) > 0 {
		_, unknown := findRun(list.Runs, args[0])
		if unknown == nil || len(args) > high {
			id, err = findRun(list.Runs, args[0])
			return id, args[1:], err
		}
	}
	if len(args) < low {
		return "", nil, usageErrorf("something is missing").suggest("name the run and what it is about")
	}
	id, err = findRun(list.Runs, "")
	if err != nil && len(args) > 0 {
		_, err = findRun(list.Runs, args[0])
	}
	return id, args, err
}

func findRun(runs []report.RunInfo, name string) (string, error) {
	var open, ids, near []string
	for i := range runs {
		ids = append(ids, runs[i].ID)
		if !runs[i].Status.Final() && !runs[i].Moved {
			open = append(open, runs[i].ID)
		}
		if runs[i].ID == name {
			return name, nil
		}
		if name != "" && strings.HasPrefix(runs[i].ID, name) {
			near = append(near, runs[i].ID)
		}
	}
	switch {
	case len(ids) == 0:
		return "", usageErrorf("there are no runs").suggest("refit apply PLAN.json begins one")
	case name == "" && len(open) == 1:
		return open[0], nil
	case name == "" && len(open) == 0:
		return "", usageErrorf("no run goes on").suggest("name one: refit runs lists them")
	case name == "":
		return "", usageErrorf("%d runs have not ended", len(open)).suggest("name one: %s", someOf(open))
	case len(near) == 1:
		return near[0], nil
	case len(near) > 1:
		return "", usageErrorf("%d runs begin with %q", len(near), name).suggest("name one: %s", someOf(near))
	}
	hint := diag.DidYouMean(name, ids)
	if hint == "" {
		hint = "refit runs lists them"
	}
	return "", usageErrorf("there is no run %q", name).suggest("%s", hint)
}

// someOf lists the first few names.
func someOf(names []string) string {
	const most = 5
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}

// Status returns where a run stands.
func (s *Service) Status(ctx context.Context, name string) (*report.RunView, error) {
	id, err := s.RunNamed(ctx, name)
	if err != nil {
		return nil, err
	}
	_, v, err := s.view(ctx, id)
	return v, err
}

// view loads a run and makes its view.
func (s *Service) view(ctx context.Context, id string) (report.RunSource, *report.RunView, error) {
	e, err := s.host(ctx)
	if err != nil {
		return report.RunSource{}, nil, err
	}
	snap, err := e.Load(ctx, id)
	if err != nil {
		return report.RunSource{}, nil, runError(id, err)
	}
	s.mu.Lock()
	s.lastPlan = snap.State.Plan()
	s.mu.Unlock()
	src := report.RunSource{Info: infoOf(&snap.Info), State: snap.State, Progress: snap.Progress, Now: s.o.Now()}
	v := report.BuildRun(src)
	v.Channels = s.channelViews(id)
	probes, spans := s.samples(v.ID, snap.State.Plan())
	v.Downtime = report.BuildDowntime(&v, snap.State.Plan(), probes, spans)
	return src, &v, nil
}

func rankOf(s run.Status) int {
	if s.Final() {
		return 1
	}
	return 0
}

// History returns where a run stands and all that has happened.
func (s *Service) History(ctx context.Context, id string) (*report.RunView, []report.EventLine, error) {
	e, err := s.host(ctx)
	if err != nil {
		return nil, nil, err
	}
	_, v, err := s.view(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	records, err := e.History(ctx, id, 0, 0)
	if err != nil {
		return nil, nil, runError(id, err)
	}
	lines := make([]report.EventLine, 0, len(records))
	for _, r := range records {
		line, err := report.BuildEvent(id, r.Event)
		if err != nil {
			return nil, nil, err
		}
		lines = append(lines, line)
	}
	return v, lines, nil
}
