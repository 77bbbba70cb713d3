package databasetest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	"github.com/refitproject/refit/internal/action/database"
)

// World is a database of a user of its own, on a server that all tests share.
type World struct {
	actiontest.World
	Server *Server
	// Name is that of the database and of its user.
	Name string
}

// PasswordRef is the reference to the password of every user.
func PasswordRef() map[string]any { return map[string]any{"env": "DB_PASSWORD"} }

// PasswordOf is that password.
func PasswordOf(t *testing.T) string {
	t.Helper()
	value, err := actiontest.Secrets{}.Resolve(context.Background(), PasswordRef())
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// Fresh makes a database with some rows and its user, who may all that an upgrade
// needs.
func Fresh(t *testing.T, server *Server) *World {
	t.Helper()
	f := &World{World: actiontest.FolderWorld(t), Server: server}
	f.Name = "hub_" + strings.ToLower(rand.Text()[:8])
	// Steps of all worlds have the same key, and what they make on the server its name.
	f.Env.Origin = f.Name
	if err := os.Mkdir(filepath.Join(f.Env.Dir, "store"), 0o700); err != nil {
		t.Fatal(err)
	}
	engine := server.Engine
	rows := []string{
		"CREATE TABLE users (id INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL, admin BOOLEAN)",
		"CREATE TABLE servers (id INTEGER PRIMARY KEY, user_id INTEGER, state TEXT, " +
			"FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE)",
		"CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)",
		"INSERT INTO users VALUES (1, 'ada', true), (2, 'b''ob \\ ü', NULL)",
		"INSERT INTO servers VALUES (1, 1, '{\"pod\": \"jupyter-ada\"}'), (2, 2, NULL)",
		"INSERT INTO alembic_version VALUES ('833da8570507')",
	}
	if engine == "postgresql" {
		f.Server.Exec(t, "", fmt.Sprintf("CREATE ROLE %s LOGIN CREATEDB PASSWORD '%s'", f.Name, PasswordOf(t)),
			fmt.Sprintf("CREATE DATABASE %s OWNER %s", f.Name, f.Name),
			fmt.Sprintf("COMMENT ON DATABASE %s IS 'of the hub'", f.Name),
			fmt.Sprintf("REVOKE TEMPORARY ON DATABASE %s FROM PUBLIC", f.Name),
			fmt.Sprintf("ALTER DATABASE %s SET statement_timeout = '1h'", f.Name))
		f.Server.Exec(t, f.Name, "SET SESSION AUTHORIZATION "+f.Name+
			"; CREATE SCHEMA more; CREATE TABLE more.seen (at timestamptz, data bytea, n bigserial); "+
			"INSERT INTO more.seen VALUES ('2026-11-30', '\\x00ff'), (NULL, NULL); "+strings.Join(rows, "; "))
	} else {
		f.Server.Exec(t, "", "CREATE DATABASE "+f.Name+" CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
			fmt.Sprintf("CREATE USER %s@'%%' IDENTIFIED BY '%s'", f.Name, PasswordOf(t)),
			fmt.Sprintf("GRANT ALL ON `%s`.* TO %s", strings.ReplaceAll(f.Name, "_", `\_`), f.Name),
			fmt.Sprintf("GRANT ALL ON `refit\\_%%`.* TO %s", f.Name),
			fmt.Sprintf("GRANT PROCESS ON *.* TO %s", f.Name))
		rows[3] = strings.ReplaceAll(rows[3], `\`, `\\`)
		f.Server.Exec(t, f.Name, append(rows,
			"CREATE TABLE more (data BLOB, at DATETIME(6), f DOUBLE, e ENUM('a','b'))",
			"INSERT INTO more VALUES (x'00ff27', '2026-11-30 01:02:03.000004', 0.1, 'b'), "+nulls)...)
	}
	t.Cleanup(func() { f.clear(t) })
	f.State = f.state
	f.Adapt = func(in map[string]any) {
		at, _ := in["database"].(map[string]any)
		at["engine"], at["host"], at["port"] = engine, "127.0.0.1", int64(f.Server.Port)
		at["name"], at["user"] = f.Name, f.Name
	}
	return f
}

// clear removes what the test has left on the server.
func (f *World) clear(t *testing.T) {
	t.Helper()
	for _, name := range f.Databases(t) {
		if f.Server.Engine == "postgresql" {
			f.Server.Exec(t, "", "DROP DATABASE "+name+" WITH (FORCE)")
		} else {
			f.Server.Exec(t, "", "DROP DATABASE "+name)
		}
	}
	if f.Server.Engine == "postgresql" {
		f.Server.Exec(t, "", "DROP ROLE "+f.Name)
	} else {
		f.Server.Exec(t, "", "DROP USER "+f.Name)
	}
}

// nulls is a row of four columns.
const nulls = "(NULL" + ", NULL" + ", NULL" + ", NULL)"

// mine is how the names of what a step makes begin.
func mine(env action.Env) string {
	sum := sha256.Sum256([]byte(env.Key + "\x00" + env.Origin))
	return "refit_" + hex.EncodeToString(sum[:6])
}

// Databases are those of the fixture and of what steps of it have made.
func (f *World) Databases(t *testing.T) []string {
	t.Helper()
	var found []string
	query := "SELECT datname FROM pg_database ORDER BY 1"
	if f.Server.Engine == "mysql" {
		query = "SELECT schema_name FROM information_schema.schemata ORDER BY 1"
	}
	other := f.Env
	other.Key = BackupKey
	for _, name := range f.Server.Query(t, "", query) {
		if name == f.Name || strings.HasPrefix(name, mine(f.Env)) || strings.HasPrefix(name, mine(other)) {
			found = append(found, name)
		}
	}
	return found
}

// state tells everything of the databases and which objects the store has.
func (f *World) state(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for _, name := range f.Databases(t) {
		fmt.Fprintln(&b, "database", strings.Replace(name, f.Name, "hub", 1))
		if f.Server.Engine == "postgresql" {
			for _, line := range f.Server.Query(t, "", `SELECT shobj_description(d.oid, 'pg_database'),
				pg_get_userbyid(datdba), datacl, datcollate, setconfig
				FROM pg_database d LEFT JOIN pg_db_role_setting ON setdatabase = d.oid
				WHERE datname = '`+name+"'") {
				comment, rest, _ := strings.Cut(line, "|")
				comment, _, _ = strings.Cut(comment, "refit: ") // which holds the number of the database
				fmt.Fprintln(&b, " ", comment, rest)
			}
		}
		f.content(t, &b, name)
	}
	found, err := filepath.Glob(f.Env.Dir + "/store/*/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range found {
		kind, _, _ := strings.Cut(filepath.Base(name), ".")
		fmt.Fprintln(&b, "object", kind[:min(len(kind), 11)])
	}
	// Every world has names of its own.
	other := f.Env
	other.Key = BackupKey
	names := strings.NewReplacer(f.Name, "hub", mine(f.Env), "refit_step", mine(other), "refit_backup")
	return names.Replace(b.String())
}

func (f *World) content(t *testing.T, b *strings.Builder, name string) {
	t.Helper()
	if f.Server.Engine == "postgresql" {
		for _, table := range f.Server.Query(t, name, `SELECT
			quote_ident(nspname) || '.' || quote_ident(relname), pg_get_userbyid(relowner)
			FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
			WHERE relkind IN ('r', 'S') AND nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY 1`) {
			of, _, _ := strings.Cut(table, "|")
			fmt.Fprintln(b, "  ", table, f.rows(t, name, of))
		}
		return
	}
	for _, table := range f.Server.Query(t, name,
		"SELECT table_name FROM information_schema.tables WHERE table_schema = '"+name+"' ORDER BY 1") {
		if table == "refit_restore" {
			fmt.Fprintln(b, "  ", f.Server.Query(t, name, "SELECT mark FROM refit_restore ORDER BY 1"))
			continue
		}
		fmt.Fprintln(b, "  ", f.Server.Query(t, name, "SHOW CREATE TABLE "+table), f.rows(t, name, table))
	}
}

// rows are those of a table, with all that they have.
func (f *World) rows(t *testing.T, name, table string) []string {
	t.Helper()
	//nolint:unqueryvet // A column that is added belongs to the state.
	return f.Server.Query(t, name, "SELECT * FROM "+table+" ORDER BY 1")
}

// BackupKey is the key of the step that has made the backup.
const BackupKey = "run-1/backup"

// Saved has a backup of the database, which was changed since.
func Saved(t *testing.T, server *Server, w database.World) *World {
	t.Helper()
	f := Fresh(t, server)
	id := f.save(t, w)
	f.Server.Exec(t, f.Name, "DELETE FROM servers", "UPDATE users SET name = 'eve'",
		"CREATE TABLE half_migrated (n INTEGER)", "UPDATE alembic_version SET version_num = '4621fec11365'")
	if server.Engine == "postgresql" {
		f.Server.Exec(t, f.Name, fmt.Sprintf("ALTER TABLE half_migrated OWNER TO %s", f.Name))
	}
	adapt := f.Adapt
	f.Adapt = func(in map[string]any) {
		adapt(in)
		in["backup"] = id
	}
	return f
}

// save makes a backup and returns its id.
func (f *World) save(t *testing.T, w database.World) string {
	t.Helper()
	env := f.Env
	env.Key = BackupKey
	out, err := database.Backup(w).Run(t.Context(), env, f.Input("store", "file:store", "series", "hub"), nil)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(out["backup"])
}

// Input is an input for the database with more fields.
func (f *World) Input(fields ...any) map[string]any {
	in := map[string]any{
		"password": PasswordRef(),
		"database": map[string]any{
			"engine": f.Server.Engine, "host": "127.0.0.1", "port": int64(f.Server.Port),
			"name": f.Name, "user": f.Name,
		},
	}
	for i := 0; i < len(fields); i += 2 {
		in[fmt.Sprint(fields[i])] = fields[i+1]
	}
	return in
}
