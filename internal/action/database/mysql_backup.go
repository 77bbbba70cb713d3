package database

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/backup"
)

// tool finds a program of the product of the server, not older than it.
func (m *mysqlServer) tool(ctx context.Context, names ...string) (tool, error) {
	if m.series == (version{}) {
		if _, err := m.look(ctx); err != nil && action.ReasonOf(err) != reasonDatabaseNotFound {
			return tool{}, err
		}
	}
	pattern := mysqlVersion
	if m.isMaria {
		pattern = mariaVersion
	}
	return find(ctx, m.box, names,
		func(text string) (version, bool) {
			if !m.isMaria && strings.Contains(text, "MariaDB") {
				return version{}, false
			}
			return numbers(pattern, text)
		},
		func(v version) bool { return !v.less(m.series) })
}

func (m *mysqlServer) dumper(ctx context.Context) (tool, error) {
	return m.tool(ctx, "mariadb-dump", "mysqldump")
}

// options is the content of the file that programs read their connection from.
func (m *mysqlServer) options() string {
	var b strings.Builder
	set := func(key, value string) {
		fmt.Fprintf(&b, "%s=\"%s\"\n", key, strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(value))
	}
	b.WriteString("[client]\n")
	set("user", m.at.User)
	set("password", m.password)
	if m.inside.socket() {
		set("socket", m.inside.host)
	} else {
		set("host", m.inside.host)
		set("port", m.inside.portText())
		set("protocol", "tcp")
	}
	switch {
	case m.at.TLS == "off" && m.isMaria:
		b.WriteString("skip-ssl\n")
	case m.at.TLS == "off":
		set("ssl-mode", "DISABLED")
	case m.at.TLS == "require" && m.isMaria:
		b.WriteString("ssl\nskip-ssl-verify-server-cert\n")
	case m.at.TLS == "require":
		set("ssl-mode", "REQUIRED")
	case m.at.TLS == "verify" && m.isMaria:
		b.WriteString("ssl\nssl-verify-server-cert\n")
	case m.at.TLS == "verify":
		set("ssl-mode", "VERIFY_IDENTITY")
	case m.isMaria:
		b.WriteString("skip-ssl-verify-server-cert\n")
	}
	if m.at.CA != "" {
		set("ssl-ca", absolute(m.env, m.at.CA))
	}
	return b.String()
}

func (m *mysqlServer) start(ctx context.Context, t tool, c call) error {
	c.args = append([]string{"--defaults-extra-file=" + fileArgument}, c.args...)
	c.secret = m.options()
	return m.box.run(ctx, t.path, c)
}

func (m *mysqlServer) prepare(ctx context.Context) ([]backup.Tool, error) {
	t, err := m.dumper(ctx)
	if err != nil {
		return nil, err
	}
	return []backup.Tool{{Name: "mariadb-dump", Version: t.text}}, nil
}

// save lets the dump program write what its snapshot sees, and counts the same. Two
// sessions of MariaDB cannot share a snapshot, so tables are locked against writers
// for the moment in which both are taken; with tables that know no snapshots, to the
// end.
func (m *mysqlServer) save(ctx context.Context, out io.Writer) (counts backup.Counts, err error) {
	doing := "save " + m.at.String()
	t, err := m.dumper(ctx)
	if err != nil {
		return counts, err
	}
	lock, err := m.db.Conn(ctx)
	if err != nil {
		return counts, m.failed(doing, err)
	}
	defer func() { _ = lock.Close() }() // which unlocks
	list, engines, err := tablesOf(ctx, lock, m.at.Name)
	if err != nil {
		return counts, m.failed(doing, err)
	}
	if len(list) > 0 {
		locks := make([]string, len(list))
		for i, t := range list {
			locks[i] = name(m.at.Name, t) + " READ"
		}
		if _, err := lock.ExecContext(ctx, "LOCK TABLES "+strings.Join(locks, ", ")); err != nil {
			return counts, m.failed(doing, err)
		}
	}
	conn, err := m.snapshot(ctx)
	if err != nil {
		return counts, m.failed(doing, err)
	}
	defer func() { _ = conn.Close() }() // it was only read
	var unlock sync.Once
	words := [][]byte{[]byte("-- Table structure for"), []byte("-- Dumping data for")}
	begun := &watcher{w: out, words: words, seen: func() {
		if slices.ContainsFunc(engines, func(e string) bool { return e != "InnoDB" }) {
			return
		}
		// When it fails, the end of the session unlocks.
		unlock.Do(func() { _, _ = lock.ExecContext(ctx, "UNLOCK TABLES") })
	}}
	flags, err := m.flags(ctx, conn)
	if err != nil {
		return counts, m.failed(doing, err)
	}
	if err := m.start(ctx, t, call{to: begun, args: append(flags, m.at.Name)}); err != nil {
		return counts, err
	}
	m.env.Report(action.Progress{Note: "count " + m.at.Name})
	tables, err := m.count(ctx, conn, m.at.Name, true)
	if err != nil {
		return counts, m.failed(doing, err)
	}
	return countsOf(tables), nil
}

// flags are those of the dump. Routines and events are asked for when there are some:
// to look for them needs rights that few users have.
func (m *mysqlServer) flags(ctx context.Context, q asker) ([]string, error) {
	flags := []string{
		"--single-transaction", "--quick", "--skip-lock-tables", "--hex-blob", "--triggers", "--no-tablespaces",
		"--default-character-set=utf8mb4", "--max-allowed-packet=1G",
	}
	if !m.isMaria {
		flags = append(flags, "--set-gtid-purged=OFF")
	}
	for flag, table := range map[string]string{
		"--routines": "routines WHERE routine_schema", "--events": "events WHERE event_schema",
	} {
		var n int
		query := "SELECT count(*) FROM information_schema." + table + " = ?"
		if err := q.QueryRowContext(ctx, query, m.at.Name).Scan(&n); err != nil {
			return nil, err
		}
		if n > 0 {
			flags = append(flags, flag)
		}
	}
	return flags, nil
}

// watcher calls seen when one of the words was written.
type watcher struct {
	w     io.Writer
	words [][]byte
	seen  func()
	end   []byte
	done  bool
}

// Write implements io.Writer.
func (w *watcher) Write(p []byte) (int, error) {
	if !w.done {
		text := append(w.end, p...)
		w.done = slices.ContainsFunc(w.words, func(word []byte) bool { return bytes.Contains(text, word) })
		if w.done {
			w.seen()
		}
		w.end = slices.Clone(text[max(0, len(text)-64):])
	}
	return w.w.Write(p)
}

// Parse implements backup.ServerReader: the last line of a dump says that it is whole.
func (m *mysqlServer) Parse(_ context.Context, b *backup.Manifest, dump io.Reader) error {
	end := &ending{}
	if _, err := io.Copy(end, dump); err != nil {
		return err
	}
	if !bytes.Contains(end.last, []byte("\n-- Dump completed")) {
		return backup.Damaged(b.ID, errors.New("the dump has no end"))
	}
	return nil
}

// ending keeps the end of what is written.
type ending struct{ last []byte }

// Write implements io.Writer.
func (e *ending) Write(p []byte) (int, error) {
	const keep = 200
	e.last = append(e.last, p[max(0, len(p)-keep):]...)
	e.last = slices.Clone(e.last[max(0, len(e.last)-keep):])
	return len(p), nil
}

// load runs a dump in a database that is empty, and counts.
func (m *mysqlServer) load(
	ctx context.Context, b *backup.Manifest, dump io.Reader, into string,
) (counts backup.Counts, err error) {
	t, err := m.tool(ctx, "mariadb", "mysql")
	if err != nil {
		return counts, err
	}
	whole := &ending{}
	err = m.start(ctx, t, call{from: io.TeeReader(dump, whole), args: []string{
		"--batch", "--default-character-set=utf8mb4", "--max-allowed-packet=1G", into,
	}})
	if err != nil {
		return counts, err
	}
	if !bytes.Contains(whole.last, []byte("\n-- Dump completed")) {
		return counts, backup.Damaged(b.ID, errors.New("the dump has no end"))
	}
	tables, err := m.count(ctx, m.db, into, true)
	if err != nil {
		return counts, m.failed("count what was restored", err)
	}
	return countsOf(tables), nil
}

// Restore implements backup.ServerReader.
func (m *mysqlServer) Restore(
	ctx context.Context, b *backup.Manifest, dump io.Reader,
) (counts backup.Counts, err error) {
	if err := m.before("create scratch"); err != nil {
		return counts, err
	}
	scratch := m.names().scratch
	defer func() {
		if m.broken() {
			return
		}
		// It is removed also when the context has ended.
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*connectTimeout)
		defer cancel()
		if dropped := m.drop(ending, scratch); err == nil {
			err = dropped
		}
	}()
	if err := m.create(ctx, scratch); err != nil {
		return counts, err
	}
	if err := m.before("load scratch"); err != nil {
		return counts, err
	}
	counts, err = m.load(ctx, b, dump, scratch)
	if err == nil {
		err = m.before("drop scratch")
	}
	return counts, err
}

// create makes an empty database like the one that is meant; one of that name, which
// an attempt before has left, goes first.
func (m *mysqlServer) create(ctx context.Context, database string) error {
	if err := m.drop(ctx, database); err != nil {
		return err
	}
	//nolint:gosec // a name is no parameter of a statement; it is quoted
	statement := "CREATE DATABASE " + name(database)
	var set, collation string
	err := m.db.QueryRowContext(ctx, `SELECT default_character_set_name, default_collation_name
		FROM information_schema.schemata WHERE schema_name = ?`, m.at.Name).Scan(&set, &collation)
	switch {
	case err == nil:
		statement += " CHARACTER SET " + set + " COLLATE " + collation
	case !errors.Is(err, sql.ErrNoRows):
		return m.failed("look at "+m.at.String(), err)
	}
	_, err = m.db.ExecContext(ctx, statement)
	return m.outcome("create database "+database, err)
}

func (m *mysqlServer) drop(ctx context.Context, database string) error {
	_, err := m.db.ExecContext(ctx, "DROP DATABASE IF EXISTS "+name(database))
	return m.outcome("drop database "+database, err)
}

// outcome is nil for no error.
func (m *mysqlServer) outcome(doing string, err error) error {
	if err == nil {
		return nil
	}
	return m.failed(doing, err)
}

// patience is how long a statement may wait for clients that were ended.
const patience = 200 * time.Millisecond
