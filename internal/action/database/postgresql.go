package database

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/backup"
)

// connectTimeout is how long a server may take to answer the first time.
const connectTimeout = 10 * time.Second

// postgres is a database of PostgreSQL.
type postgres struct {
	place
	// address is where Refit reaches the server, inside where its programs do.
	address, inside address
	box             toolbox
	major           int
}

// connect opens a session in a database of the server.
func (p *postgres) connect(ctx context.Context, database string) (*pgx.Conn, error) {
	doing := fmt.Sprintf("connect to database %q of %s", database, p.address.name)
	settings := []string{
		"sslmode=" + p.sslMode(), "application_name=refit", "connect_timeout=10",
		"host=" + quoteSetting(p.address.host), "port=" + p.address.portText(), "user=" + quoteSetting(p.at.User),
		"dbname=" + quoteSetting(database), "passfile=/dev/null", "servicefile=/dev/null",
	}
	if p.at.CA != "" {
		settings = append(settings, "sslrootcert="+quoteSetting(absolute(p.env, p.at.CA)))
	}
	config, err := pgx.ParseConfig(strings.Join(settings, " "))
	if err != nil {
		return nil, failure(reasonConnection, "correct database", false, "%s: %s", doing, flat(err))
	}
	config.Password = p.password
	for _, fallback := range config.Fallbacks {
		if fallback.TLSConfig != nil {
			fallback.TLSConfig.ServerName = p.address.name
		}
	}
	if config.TLSConfig != nil && !config.TLSConfig.InsecureSkipVerify {
		config.TLSConfig.ServerName = p.address.name
	}
	// What is read into numbers and texts has one form, whatever is usual for the user.
	maps.Copy(config.RuntimeParams, map[string]string{
		"DateStyle": "ISO, YMD", "IntervalStyle": "postgres", "TimeZone": "UTC", "extra_float_digits": "3",
		"bytea_output": "hex", "row_security": "off", "search_path": "pg_catalog",
	})
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		if ctx.Err() != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return nil, failure(reasonUnreachable, "is its address right, and the server up?", true,
				"%s: no answer within %s", doing, connectTimeout)
		}
		return nil, p.failed(doing, err)
	}
	return conn, nil
}

func (p *postgres) sslMode() string {
	return map[string]string{
		"": "prefer", "prefer": "prefer", "off": "disable", "require": "require", "verify": "verify-full",
	}[p.at.TLS]
}

// quoteSetting quotes a value of a connection string.
func quoteSetting(value string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(value) + "'"
}

// failed says what the server did not do. Messages of the server hold no secret.
func (p *postgres) failed(doing string, err error) error {
	coded, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		if known := common(doing, err); known != nil {
			return known
		}
		return failure(reasonUnreachable, "is its address right, and the server up?", true, "%s: %s", doing, flat(err))
	}
	reason, remedy, retryable := reasonServerRefused, "", false
	switch code := coded.Code; {
	case code == "28P01", code == "28000":
		reason, remedy = action.ReasonAccessRefused, "correct the password or pg_hba.conf"
	case code == "42501":
		reason, remedy = reasonPrivilegeMissing, "database.check-privileges says which statement grants it"
	case code == "3D000":
		reason, remedy = reasonDatabaseNotFound, "correct database.name"
	case code == "55006":
		reason, remedy, retryable = reasonDatabaseInUse, "stop what uses it, or set disconnect: true", true
	case code == "57014":
		reason, retryable = reasonInterrupted, true
	case strings.HasPrefix(code, "53") && code != "53100",
		strings.HasPrefix(code, "57P"), strings.HasPrefix(code, "08"):
		reason, retryable = reasonUnreachable, true
	case code == "53100":
		reason, remedy, retryable = reasonServerFull, "make room", true
	case code == "55P03", strings.HasPrefix(code, "40"):
		reason, retryable = reasonDatabaseInUse, true
	}
	return failure(reason, remedy, retryable, "%s: %s (%s)",
		doing, strings.Join(strings.Fields(coded.Message), " "), coded.Code)
}

// within runs do in a session of a database.
func (p *postgres) within(ctx context.Context, database, doing string, do func(*pgx.Conn) error) error {
	conn, err := p.connect(ctx, database)
	if err != nil {
		return err
	}
	defer func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(ending) // the server ends it anyway
	}()
	if err := do(conn); err != nil {
		return p.failed(doing, err)
	}
	return nil
}

// identity is what tells the database from others: the system identifier, which is
// made with a cluster of databases, and the number of the database, or that of the one
// in whose place it was restored: a database stays what it is when it is restored.
func (p *postgres) identity(ctx context.Context, conn *pgx.Conn, database string) (string, error) {
	var system, oid, comment string
	err := conn.QueryRow(ctx, `SELECT (SELECT system_identifier::text FROM pg_control_system()), oid::text,
		coalesce(shobj_description(oid, 'pg_database'), '') FROM pg_database WHERE datname = $1`, database).
		Scan(&system, &oid, &comment)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", failure(reasonDatabaseNotFound, "correct database.name", false, "database %q is not there", database)
	}
	if _, mark := splitComment(comment); mark != nil {
		oid = mark.OID
	}
	return "postgresql:" + system + "/" + oid, err
}

func (p *postgres) facts(ctx context.Context, count bool) (f facts, err error) {
	doing := "look at " + p.at.String()
	err = p.within(ctx, p.at.Name, doing, func(conn *pgx.Conn) error {
		var number int
		err := conn.QueryRow(ctx, `SELECT current_setting('server_version_num')::int,
			'PostgreSQL ' || split_part(current_setting('server_version'), ' ', 1)`).Scan(&number, &f.server)
		if err != nil {
			return err
		}
		p.major = number / 10000
		f.product, f.version = "PostgreSQL", strings.TrimPrefix(f.server, "PostgreSQL ")
		if f.identity, err = p.identity(ctx, conn, p.at.Name); err != nil {
			return err
		}
		if !count {
			return nil
		}
		tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback(ctx) }() // it was only read
		if f.tables, err = countPostgres(ctx, tx, false); err != nil {
			return err
		}
		f.revisions, err = p.revisions(ctx, tx, f.tables)
		return err
	})
	return f, err
}

// revisions reads what Alembic has written down, in the schemas that have it.
func (p *postgres) revisions(ctx context.Context, tx pgx.Tx, tables []Table) ([]string, error) {
	var found []string
	for _, t := range tables {
		if t.Name != alembicTable && !strings.HasSuffix(t.Name, "."+alembicTable) {
			continue
		}
		schema, _, qualified := strings.Cut(t.Name, ".")
		if !qualified {
			schema = "public"
		}
		from := pgx.Identifier{schema, alembicTable}.Sanitize()
		rows, err := tx.Query(ctx, "SELECT version_num FROM "+from+" ORDER BY 1")
		if err != nil {
			return nil, err
		}
		list, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return nil, err
		}
		found = append(found, list...)
	}
	return found, nil
}

// countPostgres counts the rows of all tables of users, and sums up what is in them
// when sums is set. A table in schema public is called by its name alone.
func countPostgres(ctx context.Context, tx pgx.Tx, sums bool) ([]Table, error) {
	rows, err := tx.Query(ctx, `SELECT n.nspname, c.relname
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
		AND NOT EXISTS (SELECT 1 FROM pg_depend d
			WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
		ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`)
	if err != nil {
		return nil, err
	}
	type name struct{ Schema, Table string }
	names, err := pgx.CollectRows(rows, pgx.RowToStructByPos[name])
	if err != nil {
		return nil, err
	}
	tables := make([]Table, len(names))
	for i, n := range names {
		t := &tables[i]
		t.Name = n.Table
		if n.Schema != "public" {
			t.Name = n.Schema + "." + n.Table
		}
		sum := "''"
		if sums {
			sum = "coalesce(sum(('x' || substr(md5(refit_row::text), 1, 15))::bit(60)::bigint), 0)::text"
		}
		from := pgx.Identifier{n.Schema, n.Table}.Sanitize()
		query := "SELECT count(*), " + sum + " FROM ONLY " + from + " AS refit_row"
		if err := tx.QueryRow(ctx, query).Scan(&t.Rows, &t.sum); err != nil {
			return nil, fmt.Errorf("count table %q: %w", t.Name, err)
		}
	}
	return tables, nil
}

// countsOf sums tables up.
func countsOf(tables []Table) backup.Counts {
	var c backup.Counts
	sum := sha256.New()
	for _, t := range tables {
		c.Tables++
		c.Rows += t.Rows
		_, _ = fmt.Fprintf(sum, "%q %d %s\n", t.Name, t.Rows, t.sum)
	}
	c.Digest = hex.EncodeToString(sum.Sum(nil))
	return c
}
