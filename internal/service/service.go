package service

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"sync"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/backup"
	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/engine/observe"
	"github.com/refitproject/refit/internal/kube"
	"github.com/refitproject/refit/internal/notify"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/probe/watch"
	"github.com/refitproject/refit/internal/secret"
)

// Limits of what is asked of the world at a time and for how long.
const (
	// previewTimeout is how long one preview may take; it is a convenience and
	// must not hold up a plan.
	previewTimeout = 20 * time.Second
	// parallel is how many previews and checks are asked for at once.
	parallel = 8
)

// Options are what a Service is built from. All fields
// but Secrets, Stores, Sender, Probes, Engine, ReadExport and Person are required.
type Options struct {
	// Registry holds the actions and kinds of target.
	Registry *action.Registry
	// Shipped holds the procedures that Refit ships, one folder each with a
	// procedure.yaml.
	Shipped fs.FS
	// Now gives the time.
	Now func() time.Time
	// Secrets resolves references to secrets. Its Dir is set for each platform.
	// The zero value knows no environment and no programs.
	Secrets secret.Resolver
	// Sender delivers notifications.
	Sender Sender
	// Clusters connects to clusters that no plan has named yet; nil when none are
	// reached.
	Clusters *kube.Connector
	// Stores opens backup stores. The zero value knows no keys.
	Stores backup.Opener
	// Probes is what probes are measured with; the zero value measures nothing.
	Probes Probes
	// Version is the version of the program; plans record it.
	Version string
	// StateDir is the folder for what Refit keeps for itself, such as the key
	// of hashes. It is created at first need. It is empty when there is no
	// place for it; then only what needs it fails.
	StateDir string
	// LookPath finds a program, like exec.LookPath.
	LookPath func(name string) (string, error)
	// Progress is told what is being done.
	Progress Progress
	// Engine opens the engine that keeps and drives runs, which hashes sensitive
	// values with keyed. It is called at first need; nil when there are no runs.
	Engine func(ctx context.Context, keyed func(text string) (string, error)) (engine.Engine, error)
	// ReadExport reads a run that was exported, without keeping it; nil when there
	// are no runs.
	ReadExport func(from io.Reader) (engine.Snapshot, []engine.Record, error)
	// Person says who uses the program; it is asked for whenever something is
	// put down in a person's name.
	Person func() (Person, error)
}

// Probes is what the probes of runs are measured with.
type Probes struct {
	HTTP     *http.Client
	Programs watch.Programs
	// Detach begins a process that outlives this one and calls Service.Probe.
	Detach func(run string) error
	// Try tells whether Detach can begin one; nil when nobody can.
	Try func(ctx context.Context) error
}

// Sender delivers messages to people; notify.Sender is one. Its errors hold nothing
// of the address.
type Sender interface {
	Deliver(ctx context.Context, kind notify.Kind, address string, m notify.Message) error
}

// Note is one line about what is being done, for people.
type Note struct {
	// Text is one line: "observing fact release".
	Text string
	// Done and Total count when there are several; Total is 0 when there is
	// nothing to count.
	Done, Total int
}

// Progress is told what is being done. It is called by several goroutines at
// once and must return soon.
type Progress func(Note)

// Service carries out the use cases. It is safe for concurrent use.
type Service struct {
	o      Options
	hasher func() (*observe.Hasher, error)

	mu     sync.Mutex
	engine engine.Engine
	// lastPlan is the plan of the run that was looked at last: the engine need not
	// read it again for who looks again and again.
	lastPlan *plan.Plan
}

// New returns a Service. It contacts nothing and opens no file.
func New(o Options) (*Service, error) {
	if o.Registry == nil || o.Shipped == nil || o.Now == nil || o.LookPath == nil || o.Progress == nil {
		return nil, errors.New("build service: an option is missing")
	}
	return &Service{
		o: o,
		hasher: sync.OnceValues(func() (*observe.Hasher, error) {
			key, err := loadHashKey(o.StateDir)
			if err != nil {
				return nil, err
			}
			return observe.NewHasher(key), nil
		}),
	}, nil
}

// Now is the time by the clock that the use cases go by.
func (s *Service) Now() time.Time { return s.o.Now() }
