package cli_test

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/all"
	"github.com/refitproject/refit/internal/action/wrap"
	"github.com/refitproject/refit/internal/backup"
	"github.com/refitproject/refit/internal/backup/miniotest"
	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/engine/local"
	"github.com/refitproject/refit/internal/engine/worker"
	"github.com/refitproject/refit/internal/probe/watch"
	"github.com/refitproject/refit/internal/secret"
	"github.com/refitproject/refit/internal/service"
	"github.com/refitproject/refit/internal/ui/cli"
	"github.com/refitproject/refit/procedures"
)

var update = flag.Bool("update", false, "rewrite the expected output of scripts and the reference page")

func TestMain(m *testing.M) {
	if code, is := asGuestbook(); is {
		os.Exit(code)
	}
	testscript.Main(stopping{m}, map[string]func(){
		"refit":       func() { os.Exit(int(refit())) },
		"refit-stamp": stamp,
	})
}

// server is the S3 server of the tests.
var server miniotest.Shared

// stopping stops the server when all tests have ended.
type stopping struct{ m *testing.M }

func (s stopping) Run() int {
	code := s.m.Run()
	server.Stop()
	return code
}

// refit is the program as the scripts run it: everything is real but the
// clock, the version and the terminal, which the environment sets.
func refit() cli.ExitCode {
	now := time.Now
	if text := os.Getenv("REFIT_TEST_NOW"); text != "real" {
		fixed, err := time.Parse(time.RFC3339, text)
		if err != nil {
			fmt.Fprintln(os.Stderr, "REFIT_TEST_NOW:", err)
			return cli.ExitError
		}
		now = func() time.Time { return fixed }
	}
	app := cli.App{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv,
		Terminal: func(w io.Writer) (int, bool) {
			if w != os.Stdout && w != os.Stderr {
				return 0, false
			}
			columns, err := strconv.Atoi(os.Getenv("REFIT_TEST_TERMINAL"))
			return columns, err == nil
		},
		Interactive: func() bool { return os.Getenv("REFIT_TEST_ASK") != "" },
		Interrupts:  func(_, _ func()) func() { return func() {} },
		Interrupt:   func() {},
		Build:       cli.Build{Version: "v0.0.0-test", Commit: "0123abc", Go: "go1.26", Platform: "linux/amd64"},
		NewService: func(progress service.Progress) (*service.Service, error) {
			// Runs of scripts that are carried out at once have the same names.
			state := filepath.Join(os.Getenv("WORK"), "state")
			clients := all.NewClients(append(os.Environ(), action.StateVariable+"="+state))
			clients.Archive.Hostname = func() (string, error) { return "laptop", nil }
			clients.Archive.Tools = []backup.Tool{{Name: "refit", Version: "v0.0.0-test"}}
			registry, err := all.NewRegistry(clients)
			if err != nil {
				return nil, err
			}
			limits := wrap.Options{Ask: time.Minute, Limiter: wrap.NewLimiter(8, 0), LargeOutputs: true}
			registry = registry.Wrapped(func(a action.Action) action.Action { return wrap.All(a, limits) })
			secrets := secret.Resolver{Environ: os.Environ(), Programs: clients.Programs, Stores: clients.Archive.Stores}
			return service.New(service.Options{
				Registry: registry, Shipped: procedures.FS(), Now: now, Version: "v0.0.0-test",
				StateDir: state, LookPath: exec.LookPath, Progress: progress, Secrets: secrets, Person: person,
				Sender: clients.Sender, Stores: clients.Archive.Stores, Clusters: clients.Kube, ReadExport: local.ReadExport,
				Probes: service.Probes{HTTP: clients.HTTP, Programs: clients.Programs, Detach: func(run string) error {
					program, err := os.Executable()
					if err != nil {
						return err
					}
					return watch.Detach(program, []string{"refit", "probe", run})
				}, Try: func(ctx context.Context) error {
					program, err := os.Executable()
					if err != nil {
						return err
					}
					return watch.TryDetach(ctx, program, []string{"refit", "version"})
				}},
				Engine: func(ctx context.Context, keyed func(string) (string, error)) (engine.Engine, error) {
					w, err := worker.New(worker.Options{
						Registry: registry, Secrets: func(dir string) action.Secrets { return secrets.In(dir) }, Now: now,
						Keyed: keyed,
					})
					if err != nil {
						return nil, err
					}
					return local.Open(ctx, local.Options{
						Dir: state, Worker: w, Catalog: registry, Now: now, Host: "laptop", Form: "test",
					})
				},
			})
		},
	}
	return app.Run(context.Background(), os.Args[1:])
}

// person is who the environment says: "ada@laptop".
func person() (service.Person, error) {
	name, host, _ := strings.Cut(cmp.Or(os.Getenv("REFIT_TEST_PERSON"), "ada@laptop"), "@")
	return service.Person{Name: name, Host: host, From: "pts/1", Groups: []string{"staff"}}, nil
}

// stamp prints its arguments, for procedures in the scripts that need a
// program which is there on every machine.
func stamp() { fmt.Println(strings.Join(os.Args[1:], " ")) }

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setup,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exit":      exit,
			"fixture":   fixture,
			"big":       big,
			"replace":   replace,
			"mode":      mode,
			"digest":    digest,
			"match":     match,
			"until":     until,
			"within":    within,
			"agekey":    agekey,
			"database":  database,
			"counted":   counted,
			"down":      down,
			"guestbook": func(ts *testscript.TestScript, _ bool, args []string) { guestbook(t, ts, args) },
			"s3":        func(ts *testscript.TestScript, _ bool, args []string) { s3(t, ts, args) },
		},
		Condition: func(cond string) (bool, error) {
			if cond != "minio" {
				return false, fmt.Errorf("there is no condition %q", cond)
			}
			why := miniotest.Missing()
			if why != "" && os.Getenv("REFIT_TEST") == "all" {
				return false, errors.New(why)
			}
			return why == "", nil
		},
	})
}

// setup fixes what differs between machines, and serves the folder www of the
// script at $URL.
func setup(env *testscript.Env) error {
	server := httptest.NewServer(www(env.WorkDir))
	env.Defer(server.Close)
	fixtures, err := filepath.Abs("testdata")
	if err != nil {
		return err
	}
	env.Vars = append(env.Vars, "FIXTURES="+fixtures, "REFIT_TEST_NOW=2026-11-21T09:00:00Z", "URL="+server.URL, "NO_COLOR=", "TERM=xterm",
		"HOME="+env.WorkDir, "COLUMNS=")
	return nil
}

// www serves the folder www. What is posted to /hook goes into the file hooked,
// one line each, unless there is a file down: then nothing is taken.
func www(work string) http.Handler {
	files := http.FileServer(http.Dir(filepath.Join(work, "www")))
	var mu sync.Mutex
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || !strings.HasPrefix(r.URL.Path, "/hook/") {
			files.ServeHTTP(w, r)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if _, err := os.Stat(filepath.Join(work, "down")); err == nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		f, err := os.OpenFile(filepath.Join(work, "hooked"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err == nil {
			_, err = io.Copy(f, r.Body)
			_, _ = f.WriteString("\n")
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
}

// fixture copies a platform of testdata into the working folder of the script,
// with the address of the server put in.
func fixture(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: fixture NAME")
	}
	ts.Check(os.CopyFS(ts.MkAbs("."), os.DirFS(filepath.Join(ts.Getenv("FIXTURES"), args[0]))))
	name := ts.MkAbs("platform.yaml")
	data, err := os.ReadFile(name)
	ts.Check(err)
	ts.Check(os.WriteFile(name, []byte(strings.ReplaceAll(string(data), "url: URL", "url: "+ts.Getenv("URL"))), 0o600))
}

// exit runs refit and expects an exit code: exit 3 plan platform.yaml.
func exit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: exit CODE [ARGUMENTS...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec("refit", args[1:]...); err != nil {
		var failed *exec.ExitError
		if !errors.As(err, &failed) {
			ts.Fatalf("run refit: %v", err)
		}
		got = failed.ExitCode()
	}
	if got != want {
		ts.Logf("[stdout]\n%s[stderr]\n%s", ts.ReadFile("stdout"), ts.ReadFile("stderr"))
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// big makes a file of so many MiB without writing them.
func big(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: big FILE MIB")
	}
	size, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	name := ts.MkAbs(args[0])
	ts.Check(os.WriteFile(name, nil, 0o600))
	ts.Check(os.Truncate(name, size<<20))
}

// replace replaces a text in a file: replace FILE OLD NEW.
func replace(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: replace FILE OLD NEW")
	}
	old := ts.ReadFile(args[0])
	if !strings.Contains(old, args[1]) {
		ts.Fatalf("%s does not hold %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(old, args[1], args[2], 1)), 0o600))
}

// mode expects the permissions of a file: mode 0600 FILE.
func mode(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: mode PERMISSIONS FILE")
	}
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[0] {
		ts.Fatalf("%s has mode %s, want %s", args[1], got, args[0])
	}
}

// digest puts the digest of a plan file, or of one of its stages, into a
// variable: digest NAME FILE [STAGE].
func digest(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: digest NAME FILE [STAGE]")
	}
	var p struct {
		Digest string `json:"digest"`
		Stages []struct {
			ID     string `json:"id"`
			Digest string `json:"digest"`
		} `json:"stages"`
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &p))
	got := p.Digest
	for _, st := range p.Stages {
		if len(args) > 2 && st.ID == args[2] {
			got = st.Digest
		}
	}
	ts.Setenv(args[0], got)
}

// match puts what the first group of a pattern matches in the output into a
// variable: match NAME PATTERN.
func match(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: match NAME PATTERN")
	}
	found := regexp.MustCompile("(?m)" + args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if len(found) < 2 {
		ts.Fatalf("%q matches nothing in the output", args[1])
	}
	ts.Setenv(args[0], found[1])
}

// until runs refit again and again until its output holds a text:
// until TEXT ARGUMENTS...
func until(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: until TEXT ARGUMENTS...")
	}
	limit := time.After(20 * time.Second)
	for {
		_ = ts.Exec("refit", args[1:]...) // Any exit code: the text decides.
		if strings.Contains(ts.ReadFile("stdout"), args[0]) {
			return
		}
		select {
		case <-limit:
			ts.Logf("[stdout]\n%s[stderr]\n%s", ts.ReadFile("stdout"), ts.ReadFile("stderr"))
			ts.Fatalf("waited in vain for %q", args[0])
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// agekey makes a key for backups: agekey FILE.
func agekey(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: agekey FILE")
	}
	id, err := age.GenerateX25519Identity()
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(id.String()+"\n"), 0o600))
}

// database makes a SQLite database with one table of some rows: database FILE ROWS.
func database(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: database FILE ROWS")
	}
	db, err := sql.Open("sqlite", "file:"+ts.MkAbs(args[0]))
	ts.Check(err)
	_, err = db.Exec("CREATE TABLE users AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < " +
		args[1] + ") SELECT x FROM n")
	ts.Check(errors.Join(err, db.Close()))
}

// s3 makes a bucket on a real server and puts the address of a store in it, and
// the keys, into variables: s3 NAME.
func s3(t *testing.T, ts *testscript.TestScript, args []string) {
	t.Helper()
	if len(args) != 1 {
		ts.Fatalf("usage: s3 NAME")
	}
	minio := server.Server(t)
	ts.Setenv(args[0], minio.Address(minio.Bucket(t), "wiki"))
	for _, entry := range minio.Environ() {
		name, value, _ := strings.Cut(entry, "=")
		ts.Setenv(name, value)
	}
}

// within runs refit and expects it to do well in so much time: within 1s pause.
func within(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: within DURATION ARGUMENTS...")
	}
	most, err := time.ParseDuration(args[0])
	ts.Check(err)
	began := time.Now()
	ts.Check(ts.Exec("refit", args[1:]...))
	if took := time.Since(began); took > most {
		ts.Fatalf("it took %s, at most %s are fine", took, most)
	}
}
