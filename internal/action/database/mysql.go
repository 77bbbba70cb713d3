package database

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/go-sql-driver/mysql"

	"github.com/refitproject/refit/internal/action"
)

// mysqlServer is a database of MySQL or MariaDB.
type mysqlServer struct {
	place
	inside address
	box    toolbox
	db     *sql.DB
	// isMaria and series are known when somebody has asked.
	isMaria bool
	series  version
}

func newMySQL(p place, a address, box toolbox) (*mysqlServer, error) {
	config := mysql.NewConfig()
	config.User, config.Passwd = p.at.User, p.password
	config.Net, config.Addr = "tcp", net.JoinHostPort(a.host, a.portText())
	if a.socket() {
		config.Net, config.Addr = "unix", a.host
	}
	config.Timeout, config.CheckConnLiveness = connectTimeout, true
	config.Logger = log.New(io.Discard, "", 0) // what it would print comes back as an error too
	config.Params = map[string]string{
		// A text is the same whatever is usual for the server, and nobody waits for long.
		"time_zone": "'+00:00'", "lock_wait_timeout": "30",
	}
	config.ConnectionAttributes = "program_name:refit"
	switch p.at.TLS {
	case "", "prefer":
		config.TLSConfig = "preferred"
	case "require":
		config.TLSConfig = "skip-verify"
	case "verify":
		trusted, err := certificates(p)
		if err != nil {
			return nil, err
		}
		config.TLS = &tls.Config{ServerName: a.name, RootCAs: trusted, MinVersion: tls.VersionTLS12}
	}
	if a.socket() {
		config.TLSConfig = ""
	}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, failure(reasonConnection, "correct database", false, "connect to %s: %s", p.at, flat(err))
	}
	return &mysqlServer{place: p, inside: p.inside(a, box), box: box, db: sql.OpenDB(connector)}, nil
}

// certificates are those that are trusted; nil for those of the system.
func certificates(p place) (*x509.CertPool, error) {
	if p.at.CA == "" {
		return nil, nil //nolint:nilnil // the library takes those of the system then
	}
	data, err := os.ReadFile(absolute(p.env, p.at.CA))
	pool := x509.NewCertPool()
	if err == nil && !pool.AppendCertsFromPEM(data) {
		err = errors.New("it holds no certificate")
	}
	if err != nil {
		return nil, failure(reasonConnection, "correct database.ca", false, "read %q: %s", p.at.CA, flat(err))
	}
	return pool, nil
}

func (m *mysqlServer) end() { _ = m.db.Close() } // the server ends sessions by itself

// failed says what the server did not do.
func (m *mysqlServer) failed(doing string, err error) error {
	coded, ok := errors.AsType[*mysql.MySQLError](err)
	if !ok {
		if known := common(doing, err); known != nil {
			return known
		}
		return failure(reasonUnreachable, "is its address right, and the server up?", true, "%s: %s", doing, flat(err))
	}
	reason, remedy, retryable := reasonServerRefused, "", false
	switch coded.Number {
	case 1045, 1698, 1862, 3118, 4151:
		reason, remedy = action.ReasonAccessRefused, "correct the user or the password"
	case 1044, 1142, 1143, 1227, 1370, 1419:
		reason, remedy = reasonPrivilegeMissing, "database.check-privileges says which statement grants it"
	case 1049:
		reason, remedy = reasonDatabaseNotFound, "correct database.name"
	case 1040, 1053, 1203, 1226:
		reason, retryable = reasonUnreachable, true
	case 1205, 1213, 1969:
		reason, remedy, retryable = reasonDatabaseInUse, "stop what writes to it", true
	case 1021, 1114:
		reason, remedy, retryable = reasonServerFull, "make room", true
	}
	return failure(reason, remedy, retryable, "%s: %s (%d)",
		doing, strings.Join(strings.Fields(coded.Message), " "), coded.Number)
}

// name quotes a name.
func name(parts ...string) string {
	for i := range parts {
		parts[i] = "`" + strings.ReplaceAll(parts[i], "`", "``") + "`"
	}
	return strings.Join(parts, ".")
}

// asker is a session or a pool of them.
type asker interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// column returns the texts of one column.
func column(ctx context.Context, q asker, query string, args ...any) (list []string, err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		list = append(list, text)
	}
	return list, rows.Err()
}

// look asks the server for its version, and whether the database is there.
func (m *mysqlServer) look(ctx context.Context) (f facts, err error) {
	doing := "look at " + m.at.String()
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	var full string
	if err := m.db.QueryRowContext(ctx, "SELECT version()").Scan(&full); err != nil {
		return f, m.failed(doing, err)
	}
	f.version, _, _ = strings.Cut(full, "-")
	m.isMaria = strings.Contains(full, "MariaDB")
	f.product = "MySQL"
	if m.isMaria {
		f.product = "MariaDB"
	}
	f.server = f.product + " " + f.version
	m.series, _ = numbers(seriesVersion, f.version)
	list, err := column(ctx, m.db,
		"SELECT schema_name FROM information_schema.schemata WHERE schema_name = ?", m.at.Name)
	if err == nil {
		f.identity, err = m.identity(ctx)
	}
	if err != nil {
		return f, m.failed(doing, err)
	}
	if len(list) == 0 {
		return f, failure(reasonDatabaseNotFound, "correct database.name, or let its user see it", false,
			"%s: database %q is not there", doing, m.at.Name)
	}
	return f, nil
}

// identity is what tells the database from others. MySQL has made an id of its server
// with its data. MariaDB has none that lasts: its server_uid follows the network card,
// which changes with each pod. So what its administrator has set has to do there: the
// number of the server and its folder.
func (m *mysqlServer) identity(ctx context.Context) (string, error) {
	query, prefix := "SELECT @@server_uuid", "mysql:"
	if m.isMaria {
		query, prefix = "SELECT concat(@@server_id, ':', @@datadir)", "mariadb:"
	}
	var id string
	err := m.db.QueryRowContext(ctx, query).Scan(&id)
	return prefix + id + "/" + m.at.Name, err
}

func (m *mysqlServer) facts(ctx context.Context, count bool) (facts, error) {
	f, err := m.look(ctx)
	if err != nil || !count {
		return f, err
	}
	doing := "count " + m.at.String()
	conn, err := m.snapshot(ctx)
	if err != nil {
		return f, m.failed(doing, err)
	}
	defer func() { _ = conn.Close() }() // it was only read
	if f.tables, err = m.count(ctx, conn, m.at.Name, false); err != nil {
		return f, m.failed(doing, err)
	}
	if slices.ContainsFunc(f.tables, func(t Table) bool { return t.Name == alembicTable }) {
		f.revisions, err = column(ctx, conn, "SELECT version_num FROM "+name(m.at.Name, alembicTable)+" ORDER BY 1")
	}
	if err != nil {
		return f, m.failed(doing, err)
	}
	return f, nil
}

// snapshot returns a session that sees one moment.
func (m *mysqlServer) snapshot(ctx context.Context) (*sql.Conn, error) {
	conn, err := m.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	for _, statement := range []string{
		"SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", "START TRANSACTION WITH CONSISTENT SNAPSHOT",
	} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	return conn, nil
}

// tables returns the tables of a database with their storage engines, by name.
func tablesOf(ctx context.Context, q asker, database string) (list, engines []string, err error) {
	const of = "FROM information_schema.tables WHERE table_schema = ? AND table_type = 'BASE TABLE' " +
		"ORDER BY BINARY table_name"
	if list, err = column(ctx, q, "SELECT table_name "+of, database); err != nil {
		return nil, nil, err
	}
	engines, err = column(ctx, q, "SELECT coalesce(engine, '') "+of, database)
	return list, engines, err
}

// count counts the rows of all tables, and sums up what is in them when sums is set.
func (m *mysqlServer) count(ctx context.Context, q asker, database string, sums bool) ([]Table, error) {
	list, _, err := tablesOf(ctx, q, database)
	if err != nil {
		return nil, err
	}
	tables := make([]Table, len(list))
	for i, t := range list {
		sum := "''"
		if sums {
			if sum, err = sumOf(ctx, q, database, t); err != nil {
				return nil, err
			}
		}
		tables[i].Name = t
		query := "SELECT count(*), " + sum + " FROM " + name(database, t)
		if err := q.QueryRowContext(ctx, query).Scan(&tables[i].Rows, &tables[i].sum); err != nil {
			return nil, fmt.Errorf("count table %q: %w", t, err)
		}
	}
	return tables, nil
}

// sumOf returns the expression that sums a table up: the order of its rows does not
// matter, and no two rows weigh each other out.
func sumOf(ctx context.Context, q asker, database, table string) (string, error) {
	rows, err := q.QueryContext(ctx, `SELECT column_name, data_type FROM information_schema.columns
		WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position`, database, table)
	if err != nil {
		return "", err
	}
	defer func() { _ = rows.Close() }() // it is read to its end, which says what is wrong
	var values []string
	for rows.Next() {
		var column, kind string
		if err := rows.Scan(&column, &kind); err != nil {
			return "", err
		}
		value := "QUOTE(CAST(" + name(column) + " AS CHAR))"
		switch strings.ToLower(kind) {
		case "int", "bigint", "smallint", "tinyint", "mediumint", "decimal", "float", "double", "date", "datetime",
			"timestamp", "time", "year", "uuid", "inet4", "inet6":
		case "bit":
			value = "coalesce(HEX(" + name(column) + "), '-')"
		default:
			value = "coalesce(MD5(" + name(column) + "), '-')"
		}
		values = append(values, value)
	}
	return "CAST(coalesce(sum(CAST(CONV(SUBSTRING(MD5(CONCAT_WS(',', " + strings.Join(values, ", ") +
		")), 1, 15), 16, 10) AS UNSIGNED)), 0) AS CHAR)", rows.Err()
}
