package database

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/backup"
)

// tool finds a program of PostgreSQL that understands the server and what atLeast has
// written. From version 17 on they speak of a setting that older servers do not know.
func (p *postgres) tool(ctx context.Context, name string, atLeast int) (tool, error) {
	return find(ctx, p.box, []string{name},
		func(text string) (version, bool) { return numbers(postgresVersion, text) },
		func(v version) bool { return v.major >= max(p.major, atLeast) && (v.major < 17 || p.major >= 17) })
}

// environ are the variables by which programs find the server.
func (p *postgres) environ(database string) map[string]string {
	vars := map[string]string{
		"PGHOST": p.inside.host, "PGPORT": p.inside.portText(), "PGUSER": p.at.User, "PGDATABASE": database,
		"PGSSLMODE": p.sslMode(), "PGAPPNAME": "refit", "PGCONNECT_TIMEOUT": "10", "PGCLIENTENCODING": "UTF8",
	}
	if p.at.CA != "" {
		vars["PGSSLROOTCERT"] = absolute(p.env, p.at.CA)
	}
	if !p.inside.socket() && p.inside.name != p.inside.host {
		vars["PGHOST"], vars["PGHOSTADDR"] = p.inside.name, p.inside.host
	}
	return vars
}

// passFile is a line that fits every server, database and user.
func (p *postgres) passFile() string {
	return "*:*:*:*:" + strings.NewReplacer(`\`, `\\`, `:`, `\:`).Replace(p.password) + "\n"
}

func (p *postgres) start(ctx context.Context, t tool, database string, c call) error {
	c.env, c.secret, c.fileVariable = p.environ(database), p.passFile(), "PGPASSFILE"
	return p.box.run(ctx, t.path, c)
}

// prepare finds the programs before anything is begun.
func (p *postgres) prepare(ctx context.Context) ([]backup.Tool, error) {
	t, err := p.tool(ctx, "pg_dump", 0)
	if err != nil {
		return nil, err
	}
	return []backup.Tool{{Name: "pg_dump", Version: t.text}}, nil
}

// save lets pg_dump write what a snapshot sees, and counts what the same snapshot sees.
func (p *postgres) save(ctx context.Context, out io.Writer) (counts backup.Counts, err error) {
	t, err := p.tool(ctx, "pg_dump", 0)
	if err != nil {
		return counts, err
	}
	err = p.within(ctx, p.at.Name, "save "+p.at.String(), func(conn *pgx.Conn) error {
		tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback(ctx) }() // it was only read
		var snapshot string
		if err := tx.QueryRow(ctx, "SELECT pg_export_snapshot()").Scan(&snapshot); err != nil {
			return err
		}
		err = p.start(ctx, t, p.at.Name, call{to: out, args: []string{
			"--format=custom", "--compress=0", "--no-password", "--lock-wait-timeout=30s", "--snapshot=" + snapshot,
		}})
		if err != nil {
			return err
		}
		p.env.Report(action.Progress{Note: "count " + p.at.Name})
		tables, err := countPostgres(ctx, tx, true)
		counts = countsOf(tables)
		return err
	})
	return counts, err
}

// dumpedBy is the major version of the pg_dump that has written a backup.
func dumpedBy(m *backup.Manifest) int {
	for _, t := range m.Tools {
		if v, ok := numbers(postgresVersion, t.Version); ok && t.Name == "pg_dump" {
			return v.major
		}
	}
	return 0
}

// Parse implements backup.ServerReader: pg_restore turns all of it into statements.
func (p *postgres) Parse(ctx context.Context, m *backup.Manifest, dump io.Reader) error {
	t, err := p.tool(ctx, "pg_restore", dumpedBy(m))
	if err != nil {
		return err
	}
	return damagedDump(m, p.start(ctx, t, p.at.Name, call{args: []string{"--file=/dev/null"}, from: dump}))
}

// damagedDump tells that a program does not understand what it was given, where only
// that can be the cause.
func damagedDump(m *backup.Manifest, err error) error {
	if action.ReasonOf(err) != reasonToolFailed {
		return err
	}
	return backup.Damaged(m.ID, err)
}

// load restores a dump into a database that is empty, in one transaction.
func (p *postgres) load(
	ctx context.Context, m *backup.Manifest, dump io.Reader, into string, flags ...string,
) (backup.Counts, error) {
	t, err := p.tool(ctx, "pg_restore", dumpedBy(m))
	if err != nil {
		return backup.Counts{}, err
	}
	if p.elsewhere { // whose users are others
		flags = append(flags, "--no-owner", "--no-privileges")
	}
	err = p.start(ctx, t, into, call{from: dump, args: append([]string{
		"--dbname=dbname=" + quoteSetting(into), "--no-password", "--exit-on-error", "--single-transaction",
	}, flags...)})
	if err != nil {
		return backup.Counts{}, err
	}
	var tables []Table
	err = p.within(ctx, into, "count what was restored", func(conn *pgx.Conn) error {
		tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback(ctx) }() // it was only read
		tables, err = countPostgres(ctx, tx, true)
		return err
	})
	return countsOf(tables), err
}

// Restore implements backup.ServerReader.
func (p *postgres) Restore(ctx context.Context, m *backup.Manifest, dump io.Reader) (counts backup.Counts, err error) {
	if err := p.before("create scratch"); err != nil {
		return counts, err
	}
	like, err := p.properties(ctx, p.at.Name)
	if err != nil {
		return counts, err
	}
	name := p.names().scratch
	defer func() {
		// It is removed also when the context has ended.
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), connectTimeout)
		defer cancel()
		if p.broken() {
			return
		}
		if dropped := p.drop(ending, name); err == nil {
			err = dropped
		}
	}()
	if err := p.create(ctx, name, like); err != nil {
		return counts, err
	}
	if err := p.before("load scratch"); err != nil {
		return counts, err
	}
	counts, err = p.load(ctx, m, dump, name, "--no-owner", "--no-privileges", "--no-comments", "--no-publications",
		"--no-subscriptions", "--no-security-labels")
	if err == nil {
		err = p.before("drop scratch")
	}
	return counts, err
}

// properties are what a database is made with.
type properties struct {
	Owner, Encoding, Collate, Ctype string
	// LocaleOf says whose locales they are: c, i for ICU, or b for those built in.
	LocaleOf string
	Locale   *string
}

// properties returns those of a database; nil when it is not there.
func (p *postgres) properties(ctx context.Context, name string) (*properties, error) {
	var found *properties
	err := p.within(ctx, p.maintenance(), "look at database "+name, func(conn *pgx.Conn) error {
		provider, locale := "'c'", "NULL::text"
		if p.version(conn) >= 15 {
			provider, locale = "datlocprovider::text", "daticulocale"
		}
		if p.version(conn) >= 17 {
			locale = "datlocale"
		}
		var like properties
		err := conn.QueryRow(ctx, `SELECT pg_get_userbyid(datdba), pg_encoding_to_char(encoding), `+
			`datcollate, datctype, `+provider+`, `+locale+` FROM pg_database WHERE datname = $1`, name).
			Scan(&like.Owner, &like.Encoding, &like.Collate, &like.Ctype, &like.LocaleOf, &like.Locale)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		found = &like
		return err
	})
	return found, err
}

func (p *postgres) version(conn *pgx.Conn) int {
	number, ok := numbers(leadingVersion, conn.PgConn().ParameterStatus("server_version"))
	if ok {
		p.major = number.major
	}
	return p.major
}

// maintenance is the database from which others are made and renamed.
func (p *postgres) maintenance() string { return "postgres" }

// create makes an empty database like another one; one of that name, which an attempt
// before has left, goes first.
func (p *postgres) create(ctx context.Context, name string, like *properties) error {
	if err := p.drop(ctx, name); err != nil {
		return err
	}
	statement := "CREATE DATABASE " + pgx.Identifier{name}.Sanitize() + " TEMPLATE template0"
	if like != nil {
		statement += " OWNER " + pgx.Identifier{like.Owner}.Sanitize() + " ENCODING " + literal(like.Encoding) +
			" LC_COLLATE " + literal(like.Collate) + " LC_CTYPE " + literal(like.Ctype)
		switch {
		case like.LocaleOf == "i" && like.Locale != nil:
			statement += " LOCALE_PROVIDER icu ICU_LOCALE " + literal(*like.Locale)
		case like.LocaleOf == "b" && like.Locale != nil:
			statement += " LOCALE_PROVIDER builtin BUILTIN_LOCALE " + literal(*like.Locale)
		}
	}
	return p.within(ctx, p.maintenance(), "create database "+name, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, statement)
		return err
	})
}

// drop removes a database that Refit has made, with whoever is connected to it.
func (p *postgres) drop(ctx context.Context, name string) error {
	return p.within(ctx, p.maintenance(), "drop database "+name, func(conn *pgx.Conn) error {
		force := ""
		if p.version(conn) >= 13 {
			force = " WITH (FORCE)"
		}
		_, err := conn.Exec(ctx, "DROP DATABASE IF EXISTS "+pgx.Identifier{name}.Sanitize()+force)
		return err
	})
}

// literal quotes a text for a statement that takes no parameters.
func literal(text string) string {
	quoted := "'" + strings.ReplaceAll(text, "'", "''") + "'"
	if strings.Contains(text, `\`) {
		return "E" + strings.ReplaceAll(quoted, `\`, `\\`)
	}
	return quoted
}

// isClient tells sessions from workers of the server. Of sessions of others, only
// superusers see what they are.
const isClient = `usename IS NOT NULL AND coalesce(backend_type, 'client backend') = 'client backend'`

// clients returns who else is connected to a database.
func clients(ctx context.Context, conn *pgx.Conn, database string) ([]string, error) {
	rows, err := conn.Query(ctx, `SELECT coalesce(usename, '?') ||
		coalesce(' (' || nullif(application_name, '') || ')', '') || coalesce(' from ' || host(client_addr), '')
		FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid() AND `+isClient+` ORDER BY 1`, database)
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return slices.Compact(list), err
}
