package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"sync"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/run"
)

var errClosed = errors.New("the engine is closed")

// Options are what an Engine is built from. Dir, Worker and Now are required.
type Options struct {
	// Dir is the state folder.
	Dir string
	// Worker carries out the commands.
	Worker engine.Worker
	// Catalog tells which actions this program has; nil for all.
	Catalog action.Catalog
	// Now is the wall clock.
	Now func() time.Time
	// Host is the name of this machine, for display.
	Host string
	// Form names the program that writes checkpoints: another one folds the
	// history instead of believing them.
	Form string
	// Reached is told of moments at which tests end the process; it may be nil.
	Reached func(moment Moment, id, what string)
}

// Moment is a moment in the life of an event or of a command.
type Moment string

// The moments. A command is named by its ID, an event by its number.
const (
	BeforeAppend  Moment = "beforeAppend"
	AfterAppend   Moment = "afterAppend"
	BeforeCommand Moment = "beforeCommand"
	AfterCommand  Moment = "afterCommand"
)

// Engine keeps runs in SQLite and drives them.
type Engine struct {
	o      Options
	store  *store
	writer *writer
	watch  *watcher

	mu     sync.Mutex
	closed sync.Once
	// quit ends everything that is driven.
	quit    chan struct{}
	driving sync.WaitGroup
}

var (
	_ engine.Engine     = (*Engine)(nil)
	_ engine.Keeper     = (*Engine)(nil)
	_ engine.Mover      = (*Engine)(nil)
	_ engine.Replanner  = (*Engine)(nil)
	_ engine.Timekeeper = (*Engine)(nil)
)

// Open opens the state folder and makes it when it is not there. What is wrong
// with it is an *engine.StoreError.
func Open(ctx context.Context, o Options) (*Engine, error) {
	if o.Worker == nil || o.Now == nil {
		return nil, errors.New("open the engine: an option is missing")
	}
	if o.Reached == nil {
		o.Reached = func(Moment, string, string) {}
	}
	s, err := openStore(ctx, o.Dir)
	if err != nil {
		return nil, err
	}
	w, err := newWriter(ctx, s)
	if err != nil {
		s.close()
		return nil, err
	}
	o.Form += " " + shapeOf(reflect.TypeFor[run.State]())
	e := &Engine{o: o, store: s, writer: w, quit: make(chan struct{})}
	e.watch = newWatcher(e)
	return e, nil
}

// Close implements engine.Engine.
func (e *Engine) Close() error {
	e.closed.Do(func() {
		e.mu.Lock()
		close(e.quit)
		e.mu.Unlock()
		e.driving.Wait()
		e.watch.close()
		e.writer.close()
		e.store.close()
	})
	return nil
}

// idPattern admits ids that are easy to type and safe as names of files.
var idPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)

// Create implements engine.Engine.
func (e *Engine) Create(ctx context.Context, n engine.NewRun) (engine.Info, error) {
	if n.ID != "" && !idPattern.MatchString(n.ID) {
		return engine.Info{}, fmt.Errorf(
			"a run cannot be called %q: use up to 63 of a-z, 0-9, dot, dash and underscore", n.ID)
	}
	if err := e.supported(n.ID, n.Plan); err != nil {
		return engine.Info{}, err
	}
	first, err := e.firstEvent(n)
	if err != nil {
		return engine.Info{}, err
	}
	id, err := e.insert(n, first)
	if err != nil {
		return engine.Info{}, e.store.explain(err)
	}
	r, err := e.store.find(ctx, e.store.read, id)
	if err != nil {
		return engine.Info{}, err
	}
	return r.info(e.alive), nil
}

// List implements engine.Engine.
func (e *Engine) List(ctx context.Context) ([]engine.Info, error) {
	rows, err := e.store.all(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]engine.Info, len(rows))
	for i, r := range rows {
		list[i] = r.info(e.alive)
	}
	return list, nil
}

// alive tells whether a process drives a run still.
func (e *Engine) alive(o engine.Owner, start string) bool {
	return o.Host == e.o.Host && processStart(o.PID) == start
}

// me describes this process as an owner.
func (e *Engine) me(by string) ownerRow {
	pid := os.Getpid()
	return ownerRow{
		Owner: engine.Owner{Host: e.o.Host, PID: pid, By: by, Since: e.o.Now().UTC()}, Start: processStart(pid),
	}
}

// inTransaction does some work in a transaction, which it shares with whatever
// else is written now. It is durable when inTransaction returns.
func (e *Engine) inTransaction(do func(ctx context.Context, tx querier) error) error {
	n := &entry{work: do, urgent: true}
	e.writer.write(n)
	return n.wait()
}
