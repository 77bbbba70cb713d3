package watch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/refitproject/refit/internal/filelock"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/probe"
)

// Options say what is watched. All fields are required.
type Options struct {
	// Dir is the folder of the samples, Run the run.
	Dir, Run string
	Plan     *plan.Plan
	// Folder is where programs of probes are started: that of the platform file.
	Folder   string
	HTTP     *http.Client
	Programs Programs
	Now      func() time.Time
	// Changed is told of transitions, one at a time: of the first sample of each probe,
	// and when a probe finds its component in another state, at most once in
	// changeEvery for a probe. After an error it is told again.
	Changed func(ctx context.Context, p probe.Plan, s probe.Span, unmeasured bool) error
	// Over tells whether the run has ended. An error says that nobody can tell.
	Over func(ctx context.Context) (bool, error)
}

// How often things are done.
const (
	keepEvery = time.Second
	askEvery  = 2 * time.Second
	// changeEvery is how often a component that goes up and down all the time makes a
	// transition that is told: the samples know them all.
	changeEvery = 10 * time.Second
	// tellFor is how long telling may take.
	tellFor = 5 * time.Second
	// blind is how long it goes on when nobody can tell whether the run has ended.
	blind = time.Hour
)

// Watch takes samples until the run has ended or ctx ends. It returns at once when
// another process does so already.
func Watch(ctx context.Context, o Options) error {
	held, err := acquire(o.Dir, o.Run)
	if err != nil || held == nil {
		return err
	}
	defer func() { _ = held.Close() }() // Closing gives the lock back.
	if err := sign(held.File); err != nil {
		return fmt.Errorf("note who measures run %q: %w", o.Run, err)
	}
	w := newWatcher(o, PlansOf(o.Plan))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var all sync.WaitGroup
	for i := range o.Plan.Probes {
		s := &sampler{probe: o.Plan.Probes[i], client: o.HTTP, programs: o.Programs, dir: o.Folder}
		all.Go(func() { w.take(ctx, s, w.plans[i]) })
	}
	err = w.until(ctx)
	cancel()
	all.Wait()
	if kept := w.keep(); err == nil && !w.gone() {
		err = kept
	}
	return err
}

func newWatcher(o Options, plans []probe.Plan) *watcher {
	return &watcher{
		o: o, plans: plans, open: map[string]*probe.Span{}, last: map[string]*probe.Span{},
		told: map[string]transition{},
	}
}

type watcher struct {
	o     Options
	plans []probe.Plan

	mu sync.Mutex
	// done are spans that are not kept yet, open those that go on.
	done []probe.Span
	open map[string]*probe.Span
	// last is what each probe found last, and since when; told what was told.
	last map[string]*probe.Span
	told map[string]transition
}

// transition is the last one of a probe that was told.
type transition struct {
	up bool
	at time.Time
}

// take samples one probe in its rhythm. A sample that takes longer delays the next.
func (w *watcher) take(ctx context.Context, s *sampler, p probe.Plan) {
	tick := time.NewTicker(p.Every) //nolint:forbidigo // A measurement of the world, and no event.
	defer tick.Stop()
	for {
		from := w.o.Now()
		limited, cancel := context.WithTimeout(ctx, p.Timeout)
		err := s.sample(limited)
		cancel()
		if ctx.Err() != nil {
			return // What was broken off says nothing.
		}
		w.note(p.Name, from, err)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// note adds a sample to what goes on.
func (w *watcher) note(name string, at time.Time, err error) {
	at = at.UTC().Round(0)
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.open[name]
	if s == nil || s.Up != (err == nil) || at.Before(s.To) {
		if s != nil {
			w.done = append(w.done, *s)
		}
		s = &probe.Span{Probe: name, Up: err == nil, From: at}
		if err != nil {
			s.Why = short(err.Error())
		}
		w.open[name] = s
	}
	s.To = at
	s.Samples++
	if l := w.last[name]; l == nil || l.Up != s.Up {
		w.last[name] = &probe.Span{Probe: name, Up: s.Up, From: at, To: at, Samples: 1, Why: s.Why}
	}
}

// tell tells of probes that have found another state than was told last.
func (w *watcher) tell(ctx context.Context) {
	for _, p := range w.plans {
		w.mu.Lock()
		now, before := w.last[p.Name], w.told[p.Name]
		w.mu.Unlock()
		first := before.at.IsZero()
		if now == nil || !first && (now.Up == before.up || w.o.Now().Sub(before.at) < changeEvery) {
			continue
		}
		limited, cancel := context.WithTimeout(ctx, tellFor)
		err := w.o.Changed(limited, p, *now, first)
		cancel()
		if err == nil {
			w.mu.Lock()
			w.told[p.Name] = transition{now.Up, w.o.Now()}
			w.mu.Unlock()
		}
	}
}

// short keeps a reason to one that fits a line.
func short(text string) string {
	const most = 200
	if letters := []rune(text); len(letters) > most {
		return string(letters[:most])
	}
	return text
}

// keep writes what was sampled since the last time.
func (w *watcher) keep() error {
	w.mu.Lock()
	spans := w.done
	w.done = nil
	for _, p := range w.plans {
		if s := w.open[p.Name]; s != nil {
			spans = append(spans, *s)
			delete(w.open, p.Name)
		}
	}
	w.mu.Unlock()
	return Samples{Dir: w.o.Dir, Run: w.o.Run}.add(spans, w.gap)
}

// gap is the longest time between samples of a probe that belong together.
func (w *watcher) gap(name string) time.Duration {
	for _, p := range w.plans {
		if p.Name == name {
			return p.Gap()
		}
	}
	return 0
}

// until keeps samples and looks whether the run has ended. A disk that is full
// makes a hole and ends nothing.
func (w *watcher) until(ctx context.Context) error {
	keep := time.NewTicker(keepEvery) //nolint:forbidigo // As in take.
	defer keep.Stop()
	ask := time.NewTicker(askEvery) //nolint:forbidigo // As in take.
	defer ask.Stop()
	since := w.o.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-keep.C:
			_ = w.keep() // These samples are lost, which shows as not measured.
			w.tell(ctx)
		case <-ask.C:
			over, err := w.o.Over(ctx)
			switch {
			case w.gone() || err == nil && over:
				return nil
			case err == nil:
				since = w.o.Now()
			case w.o.Now().Sub(since) > blind:
				return fmt.Errorf("nobody can tell whether run %q has ended: %w", w.o.Run, err)
			}
		}
	}
}

// gone tells that the folder of the samples was removed, and the run with it.
func (w *watcher) gone() bool {
	_, err := os.Stat(lockFile(w.o.Dir, w.o.Run))
	return errors.Is(err, fs.ErrNotExist)
}

func lockFile(dir, run string) string { return filepath.Join(dir, run+".lock") }

// acquire takes the lock of the watch of a run; nil when a process has it.
func acquire(dir, run string) (*filelock.Lock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of probes: %w", err)
	}
	f, err := filelock.Try(lockFile(dir, run))
	if err != nil {
		return nil, fmt.Errorf("lock the probes of run %q: %w", run, err)
	}
	return f, nil
}

// sign writes the number of this process into its lock, for people.
func sign(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// Running tells whether a process watches a run.
func Running(dir, run string) (bool, error) {
	f, err := acquire(dir, run)
	if err != nil {
		return false, err
	}
	if f == nil {
		return true, nil
	}
	return false, f.Close()
}
