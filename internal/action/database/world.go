package database

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/exec"
	"github.com/refitproject/refit/internal/backup"
	"github.com/refitproject/refit/internal/kube"
	"github.com/refitproject/refit/internal/wait"
)

// World is what the actions work with.
type World struct {
	// Stores opens the stores.
	Stores backup.Opener
	// Hostname gives the name of the machine.
	Hostname func() (string, error)
	// Tools are what backups say that they were made with, beside the programs of the
	// database.
	Tools []backup.Tool
	// Programs starts the programs of databases; Environ says in which folders of this
	// machine they are, by PATH.
	Programs *exec.Runner
	Environ  []string
	// Kube makes connections to clusters.
	Kube *kube.Connector
	// Before is called before each change of the world; after an error the change is
	// not made, and nothing is tidied up. Tests break effects off with it, as the end
	// of the process would. It may be nil.
	Before func(what string) error
}

// stream hands the dump of a backup to do and compares what was restored with what
// was saved.
type stream func(do func(dump io.Reader) (backup.Counts, error)) error

// engine is what can be done with a database, whosever it is. It is of one call of an
// action, whose end closes it. Errors about the world are *action.Errors.
type engine interface {
	// facts looks at the database, and counts it when that is asked for.
	facts(ctx context.Context, count bool) (facts, error)
	// prepare finds the programs that save needs.
	prepare(ctx context.Context) ([]backup.Tool, error)
	// save writes the database to out and counts what it has written.
	save(ctx context.Context, out io.Writer) (backup.Counts, error)
	// rights returns what the user may not do.
	rights(ctx context.Context, purposes []string) ([]Missing, error)
	restorer
}

// restorer brings a database back. See RestoreInput.
type restorer interface {
	observeRestore(ctx context.Context) (action.Observed[RestoreOutput], error)
	runRestore(ctx context.Context, m *backup.Manifest, stream stream) (*RestoreOutput, error)
	undoRestore(ctx context.Context) error
}

// facts are what an engine says of a database.
type facts struct {
	// server is product and version, for people; identity tells the database from
	// others.
	server, product, version, identity string
	tables                             []Table
	revisions                          []string
}

// alembicTable is where Alembic, which JupyterHub's migrations are written with, keeps
// the revision of the schema.
const alembicTable = "alembic_version"

// place is what every engine is given.
type place struct {
	world    World
	env      action.Env
	at       Connection
	password string
	// disconnect permits that clients are ended, elsewhere that the database is another
	// one than was saved.
	disconnect, elsewhere bool
	// stopped tells that World.Before has broken the effect off.
	stopped *atomic.Bool
}

func (p *place) before(what string) error {
	if p.world.Before == nil {
		return nil
	}
	err := p.world.Before(what)
	if err == nil {
		return nil
	}
	p.stopped.Store(true)
	return failure(reasonInterrupted, "", true, "%s: %w", what, err)
}

// broken tells whether nothing may be tidied up any more.
func (p *place) broken() bool { return p.stopped.Load() }

func (p *place) wait(ctx context.Context, d time.Duration) error { return wait.For(ctx, d) }

// names are those of what a step makes on a server. They are short enough for all.
type names struct{ step, scratch, new, before string }

func (p *place) names() names {
	sum := sha256.Sum256([]byte(p.env.Key + "\x00" + p.env.Origin))
	step := hex.EncodeToString(sum[:6])
	return names{
		step: step, scratch: "refit_" + step + "_scratch",
		new: "refit_" + step + "_new", before: "refit_" + step + "_before",
	}
}

// open makes the engine of a database. end closes what it has opened.
func (w World) open(
	ctx context.Context, env action.Env, at Connection, password action.SecretRef,
) (e engine, end func(), err error) {
	p := place{world: w, env: env, at: at, stopped: &atomic.Bool{}}
	// A procedure for all kinds names it always; SQLite has none.
	if len(password) > 0 && at.Engine != engineSQLite {
		values, err := env.ResolveSecrets(ctx, "password", map[string]action.SecretRef{"password": password})
		if err != nil {
			return nil, nil, err
		}
		p.password = values["password"]
	}
	var cluster *kube.Cluster
	if at.usesCluster() {
		if env.Target.Kind != kube.KindTarget {
			err := failure(reasonConnection, "give the step a target of kind kubernetes", false,
				"reach %s: it is in a cluster, and the target of the step is none", at)
			return nil, nil, action.WithExtent(err, action.ExtentNone)
		}
		if cluster, err = w.Kube.Connect(env); err != nil {
			return nil, nil, err
		}
	}
	if e, end, err = w.engine(ctx, p, cluster); err != nil {
		return nil, nil, action.WithExtent(err, action.ExtentNone)
	}
	return e, end, nil
}

func (w World) engine(ctx context.Context, p place, cluster *kube.Cluster) (engine, func(), error) {
	if p.at.Engine == engineSQLite {
		f, err := newSQLite(ctx, p, cluster)
		if err != nil {
			return nil, nil, err
		}
		return f, f.end, nil
	}
	a, err := p.reach(ctx, cluster)
	if err != nil {
		return nil, nil, err
	}
	box, leave, err := p.toolbox(ctx, cluster)
	if err != nil {
		a.close()
		return nil, nil, err
	}
	end := func() { leave(); a.close() }
	if p.at.Engine == enginePostgreSQL {
		return &postgres{place: p, address: a, inside: p.inside(a, box), box: box}, end, nil
	}
	m, err := newMySQL(p, a, box)
	if err != nil {
		end()
		return nil, nil, err
	}
	return m, func() { m.end(); end() }, nil
}

// inside returns the address by which programs reach the server from where they run.
func (p *place) inside(a address, box toolbox) address {
	if _, pod := box.(*podBox); !pod {
		return a
	}
	host := p.at.Host
	if p.at.Service != "" {
		host = p.at.Service + "." + p.at.Namespace + ".svc"
	}
	return address{host: host, port: p.at.port(), name: host}
}

// reach returns the address of the server, through the cluster where it is there.
func (p *place) reach(ctx context.Context, cluster *kube.Cluster) (address, error) {
	if p.at.Service == "" {
		return address{host: p.at.Host, port: p.at.port(), name: p.at.Host, close: func() {}}, nil
	}
	f, err := forwardTo(ctx, cluster, p.at.Namespace, p.at.Service, p.at.port())
	if err != nil {
		return address{}, err
	}
	name := p.at.Service + "." + p.at.Namespace + ".svc"
	return address{host: "127.0.0.1", port: f.port, name: name, close: f.close}, nil
}

// store is a store that was opened, with who works on it.
type store struct {
	backup.Store
	worker backup.Worker
	key    *backup.Key
}

// openStore opens the store and resolves the key. e reads what is in it; nil for nobody.
func (w World) openStore(
	ctx context.Context, env action.Env, name string, key action.SecretRef, scratch string, e engine,
) (*store, error) {
	opened, err := w.Stores.Open(name, env.Dir)
	if err != nil {
		return nil, action.WithExtent(err, action.ExtentNone)
	}
	s := &store{Store: opened}
	if len(key) > 0 {
		values, err := env.ResolveSecrets(ctx, "key", map[string]action.SecretRef{"key": key})
		if err != nil {
			return nil, err
		}
		if s.key, err = backup.ParseKey(values["key"]); err != nil {
			return nil, action.WithExtent(err, action.ExtentNone)
		}
	}
	host, err := w.Hostname()
	if err != nil {
		return nil, fmt.Errorf("read the name of this machine: %w", err)
	}
	if scratch != "" {
		scratch = absolute(env, scratch)
	}
	s.worker = backup.Worker{
		Host: host, Tools: w.Tools, Now: env.Now, Scratch: scratch,
		Key: env.Key, Origin: env.Origin, Report: env.Report,
	}
	if reader, ok := e.(backup.ServerReader); ok { // a file of SQLite is read here
		s.worker.Server = reader
	}
	return s, nil
}

// absolute returns the path that the author calls name.
func absolute(env action.Env, name string) string {
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(env.Dir, name)
}

// isDatabase refuses a database that is not the one that was meant.
func isDatabase(at Connection, want, got string) error {
	if want == "" || want == got {
		return nil
	}
	return action.WithExtent(failure(reasonAnotherDatabase, "correct its address, or plan again for this one", false,
		"%s is another database: it is %s, and %s is wanted", at, got, want), action.ExtentNone)
}
