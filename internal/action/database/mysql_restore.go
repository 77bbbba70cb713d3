package database

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/backup"
)

// The marks of a restore stand in a table of the database that keeps what was there.
// Each says that all before it has happened.
const (
	marksTable = "refit_restore"
	// markReady: the backup is all there in the new database. It holds its id and what
	// was counted.
	markReady = "ready"
	// markTables: the tables are about to change their places. It holds which were
	// there and which are new.
	markTables = "tables"
	// markDone: they have.
	markDone = "done"
	// markUndoing: they are on their way back.
	markUndoing = "undoing"
	// markBack: they are back. What is in the new database may go.
	markBack = "back"
)

// moves are the tables of an exchange.
type moves struct {
	Old []string `json:"old"`
	New []string `json:"new"`
}

// ready is what markReady holds.
type ready struct {
	Backup  string `json:"backup"`
	Counted string `json:"counted"`
}

// marks returns the marks of this step; nil when nothing was begun.
func (m *mysqlServer) marks(ctx context.Context) (map[string]string, error) {
	n := m.names()
	list, err := column(ctx, m.db,
		`SELECT schema_name FROM information_schema.schemata WHERE schema_name IN (?, ?)`, n.before, n.new)
	if err != nil || len(list) == 0 {
		return nil, m.outcome("look for what a restore has left", err)
	}
	found := map[string]string{}
	tables, err := column(ctx, m.db,
		`SELECT table_name FROM information_schema.tables WHERE table_schema = ? AND table_name = ?`,
		n.before, marksTable)
	if err == nil && len(tables) > 0 {
		var names, texts []string
		if names, err = column(ctx, m.db, "SELECT mark FROM "+name(n.before, marksTable)+" ORDER BY mark"); err == nil {
			texts, err = column(ctx, m.db, "SELECT content FROM "+name(n.before, marksTable)+" ORDER BY mark")
		}
		for i := range min(len(names), len(texts)) {
			found[names[i]] = texts[i]
		}
	}
	return found, m.outcome("look for what a restore has left", err)
}

// mark sets a mark.
func (m *mysqlServer) mark(ctx context.Context, mark string, content any) error {
	if err := m.before("mark " + mark); err != nil {
		return err
	}
	text, err := json.Marshal(content)
	if err != nil {
		return err
	}
	table := name(m.names().before, marksTable)
	//nolint:gosec // a name is no parameter of a statement; it is quoted
	_, err = m.db.ExecContext(ctx, "REPLACE INTO "+table+" VALUES (?, ?)", mark, string(text))
	return m.outcome("mark a restore", err)
}

func (m *mysqlServer) restored(marks map[string]string) (*RestoreOutput, error) {
	var r ready
	if err := json.Unmarshal([]byte(marks[markReady]), &r); err != nil {
		return nil, failure(reasonServerRefused, "", false, "read what table %q says: %w", marksTable, err)
	}
	return &RestoreOutput{Database: m.at.String(), Kept: m.names().before, Counted: r.Counted}, nil
}

func (m *mysqlServer) observeRestore(ctx context.Context) (action.Observed[RestoreOutput], error) {
	marks, err := m.marks(ctx)
	if err != nil {
		return action.Observed[RestoreOutput]{}, err
	}
	_, done := marks[markDone]
	_, undoing := marks[markUndoing]
	switch {
	case marks == nil:
		return action.Observed[RestoreOutput]{Status: action.NotStarted, Reason: "nothing was brought back yet"}, nil
	case !done || undoing:
		return action.Observed[RestoreOutput]{
			Status: action.Partial, Reason: "it is being brought back beside the one in use",
		}, nil
	}
	out, err := m.restored(marks)
	return action.Observed[RestoreOutput]{Status: action.Done, Output: out, Reason: "it was brought back"}, err
}

func (m *mysqlServer) runRestore(ctx context.Context, b *backup.Manifest, stream stream) (*RestoreOutput, error) {
	marks, err := m.marks(ctx)
	if err != nil {
		return nil, err
	}
	if _, undoing := marks[markUndoing]; undoing {
		if err := m.undoRestore(ctx); err != nil {
			return nil, err
		}
		marks = nil
	}
	if _, done := marks[markDone]; !done {
		if err := m.bring(ctx, b, stream, marks); err != nil {
			return nil, err
		}
		if marks, err = m.marks(ctx); err != nil {
			return nil, err
		}
	}
	// It is empty now.
	if err := m.drop(ctx, m.names().new); err != nil {
		return nil, err
	}
	return m.restored(marks)
}

func (m *mysqlServer) bring(ctx context.Context, b *backup.Manifest, stream stream, marks map[string]string) error {
	if err := m.nobody(ctx); err != nil {
		return none(err)
	}
	if err := m.movable(ctx, m.at.Name); err != nil {
		return none(err)
	}
	var r ready
	_ = json.Unmarshal([]byte(marks[markReady]), &r) // without the mark it is not ready
	if r.Backup != b.ID {
		if err := m.build(ctx, b, stream); err != nil {
			return err
		}
	}
	return m.exchange(ctx)
}

// none says that an error has left the world as it was, as far as this attempt goes.
func none(err error) error { return action.WithExtent(err, action.ExtentNone) }

// build restores the backup beside the database in use.
func (m *mysqlServer) build(ctx context.Context, b *backup.Manifest, stream stream) error {
	n := m.names()
	if err := m.before("create"); err != nil {
		return err
	}
	for _, statement := range []string{
		"CREATE DATABASE IF NOT EXISTS " + name(n.before),
		"CREATE TABLE IF NOT EXISTS " + name(n.before, marksTable) +
			" (mark VARCHAR(20) PRIMARY KEY, content LONGTEXT NOT NULL) ENGINE=InnoDB",
	} {
		if _, err := m.db.ExecContext(ctx, statement); err != nil {
			return m.failed("keep what is there", err)
		}
	}
	if err := m.before("load"); err != nil {
		return err
	}
	if err := m.create(ctx, n.new); err != nil {
		return err
	}
	err := stream(func(dump io.Reader) (backup.Counts, error) { return m.load(ctx, b, dump, n.new) })
	if err != nil {
		return err
	}
	if err := m.movable(ctx, n.new); err != nil {
		return err
	}
	return m.mark(ctx, markReady, ready{Backup: b.ID, Counted: b.Counts.String()})
}

// movable makes sure that a database holds nothing that a table cannot take along
// when it changes its database.
func (m *mysqlServer) movable(ctx context.Context, database string) error {
	list, err := column(ctx, m.db,
		`SELECT concat('view ', table_name) FROM information_schema.views WHERE table_schema = ?
		UNION SELECT concat('trigger ', trigger_name) FROM information_schema.triggers WHERE trigger_schema = ?
		UNION SELECT concat('routine ', routine_name) FROM information_schema.routines WHERE routine_schema = ?
		UNION SELECT concat('event ', event_name) FROM information_schema.events WHERE event_schema = ?`,
		database, database, database, database)
	if err != nil {
		return m.failed("look at what database "+database+" holds", err)
	}
	if len(list) > 0 {
		return failure(reasonNotMovable, "restore the backup by hand with mariadb", false,
			"restore %s: views, triggers, routines and events cannot be exchanged: there are %s", m.at, few(list))
	}
	return nil
}

// nobody makes sure that nobody is connected to the database, or ends who is when that
// was asked for. Without the right PROCESS only sessions of the same user are seen.
func (m *mysqlServer) nobody(ctx context.Context) error {
	doing := "see who uses " + m.at.String()
	const of = "FROM information_schema.processlist WHERE db = ? AND id <> connection_id() ORDER BY id"
	list, err := m.staying(ctx, func() ([]string, error) {
		return column(ctx, m.db, "SELECT concat(user, ' from ', host) "+of, m.at.Name)
	})
	if err != nil || len(list) == 0 {
		return m.outcome(doing, err)
	}
	if !m.disconnect {
		return inUse(m.at.Name, list)
	}
	ids, err := column(ctx, m.db, "SELECT id "+of, m.at.Name)
	if err != nil {
		return m.failed(doing, err)
	}
	for _, id := range ids {
		if _, err := m.db.ExecContext(ctx, "KILL "+id); err != nil && !strings.Contains(err.Error(), "Unknown thread") {
			return m.failed("end a session", err)
		}
	}
	return m.wait(ctx, patience)
}

// exchange lets the tables change their places. A server that ends meanwhile may have
// moved some of them only, so that where each is decides.
func (m *mysqlServer) exchange(ctx context.Context) error {
	n := m.names()
	marks, err := m.marks(ctx)
	if err != nil {
		return err
	}
	var plan moves
	if text, ok := marks[markTables]; ok {
		if err := json.Unmarshal([]byte(text), &plan); err != nil {
			return err
		}
	} else {
		if plan.Old, err = m.list(ctx, m.at.Name); err != nil {
			return err
		}
		if plan.New, err = m.list(ctx, n.new); err != nil {
			return err
		}
		if err := m.mark(ctx, markTables, plan); err != nil {
			return err
		}
	}
	kept, err := m.list(ctx, n.before)
	if err != nil {
		return err
	}
	waiting, err := m.list(ctx, n.new)
	if err != nil {
		return err
	}
	var steps []string
	for _, t := range plan.Old {
		if !slices.Contains(kept, t) {
			steps = append(steps, move(m.at.Name, n.before, t))
		}
	}
	for _, t := range waiting {
		steps = append(steps, move(n.new, m.at.Name, t))
	}
	if err := m.before("rename"); err != nil {
		return err
	}
	if err := m.createMissing(ctx); err != nil {
		return err
	}
	if err := m.rename(ctx, steps); err != nil {
		return err
	}
	return m.mark(ctx, markDone, true)
}

// createMissing makes the database that is restored when it was dropped.
func (m *mysqlServer) createMissing(ctx context.Context) error {
	list, err := column(ctx, m.db,
		"SELECT schema_name FROM information_schema.schemata WHERE schema_name = ?", m.at.Name)
	if err != nil || len(list) > 0 {
		return m.outcome("look for "+m.at.String(), err)
	}
	_, err = m.db.ExecContext(ctx, "CREATE DATABASE "+name(m.at.Name))
	return m.outcome("create database "+m.at.Name, err)
}

func move(from, to, table string) string { return name(from, table) + " TO " + name(to, table) }

// rename moves tables by one statement, which does all or, when it fails, nothing.
func (m *mysqlServer) rename(ctx context.Context, steps []string) error {
	if len(steps) == 0 {
		return nil
	}
	conn, err := m.db.Conn(ctx)
	if err != nil {
		return m.failed("rename tables", err)
	}
	defer func() { _ = conn.Close() }() // its settings go with it
	for _, statement := range []string{
		"SET SESSION foreign_key_checks = 0", "RENAME TABLE " + strings.Join(steps, ", "),
	} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return m.failed("rename tables", err)
		}
	}
	_, err = conn.ExecContext(ctx, "SET SESSION foreign_key_checks = 1") // the session is used again
	return m.outcome("rename tables", err)
}

// list returns the tables of a database, without the one of the marks.
func (m *mysqlServer) list(ctx context.Context, database string) ([]string, error) {
	tables, _, err := tablesOf(ctx, m.db, database)
	if err != nil {
		return nil, m.failed("list the tables of "+database, err)
	}
	return slices.DeleteFunc(tables, func(t string) bool {
		return database == m.names().before && t == marksTable
	}), nil
}

func (m *mysqlServer) undoRestore(ctx context.Context) error {
	marks, err := m.marks(ctx)
	if err != nil || marks == nil {
		return none(err)
	}
	_, back := marks[markBack]
	if text, begun := marks[markTables]; begun && !back {
		if err := m.nobody(ctx); err != nil {
			return none(err)
		}
		var plan moves
		if err := json.Unmarshal([]byte(text), &plan); err != nil {
			return fmt.Errorf("read what table %q says: %w", marksTable, err)
		}
		if err := m.mark(ctx, markUndoing, true); err != nil {
			return err
		}
		if err := m.putBack(ctx, plan); err != nil {
			return err
		}
		if err := m.mark(ctx, markBack, true); err != nil {
			return err
		}
	}
	if err := m.before("clear"); err != nil {
		return err
	}
	if err := m.drop(ctx, m.names().new); err != nil {
		return err
	}
	return m.drop(ctx, m.names().before)
}

// putBack moves what was there to its place, and everything else away.
func (m *mysqlServer) putBack(ctx context.Context, plan moves) error {
	n := m.names()
	if _, err := m.db.ExecContext(ctx, "CREATE DATABASE IF NOT EXISTS "+name(n.new)); err != nil {
		return m.failed("create database "+n.new, err)
	}
	live, err := m.list(ctx, m.at.Name)
	if err != nil {
		return err
	}
	kept, err := m.list(ctx, n.before)
	if err != nil {
		return err
	}
	waiting, err := m.list(ctx, n.new)
	if err != nil {
		return err
	}
	var steps []string
	for _, t := range live {
		isNew := slices.Contains(plan.New, t) && !slices.Contains(waiting, t)
		// What was there and is not among what is kept has never left its place, or is
		// back already.
		if slices.Contains(plan.Old, t) && !slices.Contains(kept, t) && !isNew || slices.Contains(waiting, t) {
			continue
		}
		steps = append(steps, move(m.at.Name, n.new, t))
	}
	for _, t := range kept {
		steps = append(steps, move(n.before, m.at.Name, t))
	}
	return m.rename(ctx, steps)
}
