package databasetest

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/refitproject/refit/internal/testserver"
)

const (
	password = "of the administrator's"
	patience = 60 * time.Second
)

// Server is a server of databases. Its methods are safe for concurrent use.
type Server struct {
	// Engine is postgresql or mysql, as the actions call it.
	Engine string
	Port   int
	dir    string
	cmd    *exec.Cmd
	ended  chan struct{}
	output *os.File

	mu    sync.Mutex
	pools map[string]*sql.DB
}

// Shared is a server for all tests of a package, started by the first one that needs
// it. Stop has to be called when all have ended, in TestMain.
type Shared struct {
	Engine string
	once   sync.Once
	server *Server
	err    error
}

// Server returns the server. Without its programs the test is skipped, unless
// REFIT_TEST=all asks for everything.
func (s *Shared) Server(tb testing.TB) *Server {
	tb.Helper()
	if why := missing(s.Engine); why != "" {
		if os.Getenv("REFIT_TEST") == "all" {
			tb.Fatal(why)
		}
		tb.Skip(why)
	}
	s.once.Do(func() { s.server, s.err = start(s.Engine) })
	if s.err != nil {
		tb.Fatalf("start a server for %s: %v", s.Engine, s.err)
	}
	return s.server
}

// Stop ends the server, if there is one, and removes all that it has.
func (s *Shared) Stop() {
	if s.server != nil {
		s.server.stop()
	}
}

// Start starts a server of the test's own, which may end it with Kill.
func Start(tb testing.TB, engine string) *Server {
	tb.Helper()
	s := &Shared{Engine: engine}
	server := s.Server(tb)
	tb.Cleanup(s.Stop)
	return server
}

// Kill ends the server as a power cut would.
func (s *Server) Kill() { s.signal(syscall.SIGKILL) }

// programs are those of an engine, with the folders that packages install them into.
func programs(engine string) (names, folders []string) {
	if engine == "mysql" {
		return []string{"mariadb-install-db", "mariadbd", "mariadb-dump"}, []string{"/usr/sbin", "/usr/bin"}
	}
	folders, _ = filepath.Glob("/usr/lib/postgresql/*/bin") // the pattern is sound
	return []string{"initdb", "postgres", "pg_dump"}, folders
}

func program(engine, name string) string {
	_, folders := programs(engine)
	for _, folder := range folders {
		if path := filepath.Join(folder, name); exists(path) {
			return path
		}
	}
	path, _ := exec.LookPath(name) // "" when it is nowhere
	return path
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// missing says why a server cannot be started, "" when it can.
func missing(engine string) string {
	names, _ := programs(engine)
	for _, name := range names {
		if program(engine, name) == "" {
			return fmt.Sprintf("there is no program %s: "+
				"run hack/packages.sh postgresql mariadb-server-core mariadb-client", name)
		}
	}
	return ""
}

// start starts a server. Somebody else may take a port between asking for it and using
// it, so that it is tried again.
func start(engine string) (*Server, error) {
	const tries = 3
	var err error
	for range tries {
		s := &Server{Engine: engine, pools: map[string]*sql.DB{}, ended: make(chan struct{})}
		if err = s.launch(); err == nil {
			return s, nil
		}
		s.stop()
	}
	return nil, err
}

func (s *Server) launch() (err error) {
	if s.dir, err = os.MkdirTemp("", "refit-database-"); err != nil {
		return err
	}
	if err := give(s.dir); err != nil {
		return err
	}
	if s.output, err = os.Create(filepath.Join(s.dir, "log")); err != nil {
		return err
	}
	if s.Port, err = testserver.FreePort(); err != nil {
		return err
	}
	prepare, serve := s.commands()
	for _, args := range prepare {
		cmd := s.command(args)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", args[0], err, out)
		}
	}
	s.cmd = s.command(serve)
	s.cmd.Stdout, s.cmd.Stderr = s.output, s.output
	if err := s.cmd.Start(); err != nil {
		return err
	}
	go func() {
		_ = s.cmd.Wait() // what it says is in its log
		close(s.ended)
	}()
	return s.ready()
}

// command returns a command of the user that the server runs as.
func (s *Server) command(args []string) *exec.Cmd {
	cmd := exec.CommandContext(context.Background(), args[0], args[1:]...)
	cmd.Dir = s.dir
	cmd.Env = []string{"HOME=" + s.dir, "PATH=/usr/bin:/bin:/usr/sbin", "LC_ALL=C.UTF-8", "TMPDIR=" + s.dir}
	testserver.EndsWithUs(cmd, syscall.SIGKILL)
	asNobody(cmd)
	return cmd
}

// commands are those that make an empty server, and the one that serves.
func (s *Server) commands() (prepare [][]string, serve []string) {
	data := filepath.Join(s.dir, "data")
	if s.Engine == "mysql" {
		first := fmt.Sprintf("ALTER USER root@localhost IDENTIFIED BY '%s';", strings.ReplaceAll(password, "'", "''"))
		prepare = [][]string{
			{
				program(s.Engine, "mariadb-install-db"), "--no-defaults", "--datadir=" + data, "--skip-test-db",
				"--auth-root-authentication-method=normal",
			},
			{"sh", "-c", `printf '%s\n' "$1" > init.sql`, "sh", first},
		}
		serve = []string{
			program(s.Engine, "mariadbd"), "--no-defaults", "--datadir=" + data,
			"--socket=" + filepath.Join(s.dir, "sock"), "--pid-file=" + filepath.Join(s.dir, "pid"),
			"--port=" + strconv.Itoa(s.Port), "--bind-address=127.0.0.1",
			"--innodb-buffer-pool-size=24M", "--innodb-flush-log-at-trx-commit=0", "--sync-binlog=0",
			"--init-file=" + filepath.Join(s.dir, "init.sql"), "--skip-name-resolve", "--max-connections=300",
		}
		return prepare, serve
	}
	prepare = [][]string{
		{"sh", "-c", `printf '%s' "$1" > pw`, "sh", password},
		{
			program(s.Engine, "initdb"), "--pgdata=" + data, "--username=postgres", "--auth=scram-sha-256",
			"--pwfile=pw", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8",
		},
	}
	serve = []string{
		program(s.Engine, "postgres"), "-D", data,
		"-c", "listen_addresses=127.0.0.1", "-c", "port=" + strconv.Itoa(s.Port),
		"-c", "unix_socket_directories=" + s.dir, "-c", "fsync=off", "-c", "full_page_writes=off",
		"-c", "max_connections=200", "-c", "shared_buffers=24MB", "-c", "autovacuum=off",
	}
	return prepare, serve
}

// ready waits until the server answers.
func (s *Server) ready() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		err := s.pool(s.admin()).PingContext(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-s.ended:
			return fmt.Errorf("it has ended: %s", s.said())
		case <-ctx.Done():
			return fmt.Errorf("it does not answer: %w: %s", err, s.said())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (s *Server) said() string {
	data, _ := os.ReadFile(s.output.Name()) // without it there is nothing to say
	return string(bytes.TrimSpace(data))
}

func (s *Server) admin() string {
	return map[string]string{"mysql": "mysql", "postgresql": "postgres"}[s.Engine]
}

// pool returns connections of the administrator to a database.
func (s *Server) pool(database string) *sql.DB {
	s.mu.Lock()
	defer s.mu.Unlock()
	if db := s.pools[database]; db != nil {
		return db
	}
	var db *sql.DB
	if s.Engine == "mysql" {
		config := mysql.NewConfig()
		config.User, config.Passwd, config.Net, config.Addr = "root", password, "unix", filepath.Join(s.dir, "sock")
		config.DBName, config.Logger = database, log.New(io.Discard, "", 0)
		connector, err := mysql.NewConnector(config)
		if err != nil {
			panic(err) // it is a constant but for the name
		}
		db = sql.OpenDB(connector)
	} else {
		config, err := pgx.ParseConfig(fmt.Sprintf("host=%s port=%d user=postgres dbname=%s sslmode=disable",
			s.dir, s.Port, database))
		if err != nil {
			panic(err) // it is a constant but for the name
		}
		config.Password = password
		db = stdlib.OpenDB(*config)
	}
	// Nobody of ours stays connected: an action may refuse a database in use.
	db.SetMaxIdleConns(0)
	s.pools[database] = db
	return db
}

// Exec carries out statements of the administrator in a database, "" for that of the
// administrator.
func (s *Server) Exec(tb testing.TB, database string, statements ...string) {
	tb.Helper()
	if database == "" {
		database = s.admin()
	}
	for _, statement := range statements {
		if _, err := s.pool(database).ExecContext(context.Background(), statement); err != nil {
			tb.Fatalf("%s: %v", statement, err)
		}
	}
}

// Query returns what a question of the administrator answers, a line for each row.
func (s *Server) Query(tb testing.TB, database, query string) []string {
	tb.Helper()
	if database == "" {
		database = s.admin()
	}
	rows, err := s.pool(database).QueryContext(context.Background(), query)
	if err != nil {
		tb.Fatalf("%s: %v", query, err)
	}
	defer func() { _ = rows.Close() }() // It was only read from.
	columns, err := rows.Columns()
	if err != nil {
		tb.Fatal(err)
	}
	var lines []string
	for rows.Next() {
		values, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			tb.Fatal(err)
		}
		texts := make([]string, len(values))
		for i, v := range values {
			texts[i] = v.String
		}
		lines = append(lines, strings.Join(texts, "|"))
	}
	if err := rows.Err(); err != nil {
		tb.Fatalf("%s: %v", query, err)
	}
	return lines
}

// Hold opens a session in a database, as a program that uses it would. It ends with
// the test, or when end is called.
func (s *Server) Hold(tb testing.TB, database string) (end func()) {
	tb.Helper()
	conn, err := s.pool(database).Conn(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	var once sync.Once
	end = func() { once.Do(func() { _ = conn.Close() }) } // it may have been ended
	tb.Cleanup(end)
	return end
}

func (s *Server) signal(sig syscall.Signal) {
	if s.cmd == nil || s.cmd.Process == nil {
		return
	}
	_ = s.cmd.Process.Signal(sig) // it may have ended already
	select {
	case <-s.ended:
	case <-time.After(patience):
		_ = s.cmd.Process.Kill()
		<-s.ended
	}
}

func (s *Server) stop() {
	s.mu.Lock()
	for _, db := range s.pools {
		_ = db.Close() // the server ends it anyway
	}
	s.mu.Unlock()
	sig := syscall.SIGQUIT // at once, with all its processes
	if s.Engine == "mysql" {
		sig = syscall.SIGKILL
	}
	s.signal(sig)
	if s.output != nil {
		_ = s.output.Close() // it goes
	}
	_ = os.RemoveAll(s.dir) // what is left is in the temporary folder
}
