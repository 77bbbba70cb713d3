package database

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/backup"
)

// mark is what the comment of a database that was restored says of it. It stands on
// its last line, behind markPrefix: an owner may comment, and needs to be a superuser
// for a setting.
type mark struct {
	// Step is the hash of the step that has restored it, Backup what it was restored
	// from, Counted what was counted then.
	Step    string `json:"step"`
	Backup  string `json:"backup"`
	Counted string `json:"counted"`
	// OID is the number of the database in whose place it is.
	OID string `json:"oid"`
}

const markPrefix = "refit: "

// splitComment returns what people have written, and the mark; nil for none.
func splitComment(comment string) (string, *mark) {
	at := strings.LastIndexByte(comment, '\n') + 1
	line, ok := strings.CutPrefix(comment[at:], markPrefix)
	if !ok {
		return comment, nil
	}
	m := &mark{}
	if json.Unmarshal([]byte(line), m) != nil || m.OID == "" {
		return comment, nil
	}
	return strings.TrimSuffix(comment[:at], "\n"), m
}

func (m *mark) comment(people string) (string, error) {
	line, err := json.Marshal(m)
	if people != "" {
		people += "\n"
	}
	return people + markPrefix + string(line), err
}

// there are the databases of a restore.
type there struct {
	// live is whether there is a database of the name, mine whether this step has
	// restored it, before whether what was there is kept, new whether one is being
	// loaded.
	live, before, new bool
	mine, ready       *mark
}

// look returns which databases of a restore there are.
func (p *postgres) look(ctx context.Context) (t there, err error) {
	n := p.names()
	err = p.within(ctx, p.maintenance(), "look for database "+p.at.Name, func(conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, `SELECT datname, coalesce(shobj_description(oid, 'pg_database'), '')
			FROM pg_database WHERE datname = ANY($1)`, []string{p.at.Name, n.new, n.before})
		if err != nil {
			return err
		}
		var name, comment string
		_, err = pgx.ForEachRow(rows, []any{&name, &comment}, func() error {
			_, m := splitComment(comment)
			if m != nil && m.Step != n.step {
				m = nil
			}
			switch name {
			case p.at.Name:
				t.live, t.mine = true, m
			case n.new:
				t.new, t.ready = true, m
			default:
				t.before = true
			}
			return nil
		})
		return err
	})
	return t, err
}

func (p *postgres) restored(t there) *RestoreOutput {
	out := &RestoreOutput{Database: p.at.String(), Counted: t.mine.Counted}
	if t.before {
		out.Kept = p.names().before
	}
	return out
}

func (p *postgres) observeRestore(ctx context.Context) (action.Observed[RestoreOutput], error) {
	t, err := p.look(ctx)
	switch {
	case err != nil:
		return action.Observed[RestoreOutput]{}, err
	case t.mine != nil:
		return action.Observed[RestoreOutput]{
			Status: action.Done, Output: p.restored(t), Reason: "it was brought back",
		}, nil
	case t.new:
		return action.Observed[RestoreOutput]{
			Status: action.Partial, Reason: "it is being brought back beside the one in use",
		}, nil
	default:
		return action.Observed[RestoreOutput]{Status: action.NotStarted, Reason: "nothing was brought back yet"}, nil
	}
}

func (p *postgres) runRestore(ctx context.Context, m *backup.Manifest, stream stream) (*RestoreOutput, error) {
	t, err := p.look(ctx)
	if err != nil || t.mine != nil {
		return p.restoredOr(t, err)
	}
	if err := p.nobody(ctx, p.at.Name); err != nil {
		return nil, action.WithExtent(err, action.ExtentNone)
	}
	if t.ready == nil || t.ready.Backup != m.ID {
		if err := p.build(ctx, m, stream); err != nil {
			return nil, err
		}
	}
	if err := p.before("switch"); err != nil {
		return nil, err
	}
	n := p.names()
	if err := p.swap(ctx, p.at.Name, n.before, n.new); err != nil {
		return nil, err
	}
	t, err = p.look(ctx)
	return p.restoredOr(t, err)
}

func (p *postgres) restoredOr(t there, err error) (*RestoreOutput, error) {
	if err != nil {
		return nil, err
	}
	if t.mine == nil {
		return nil, failure(reasonServerRefused, "see who renames databases", false,
			"database %q is not the one that was just restored", p.at.Name)
	}
	return p.restored(t), nil
}

// build restores the backup beside the database in use, and marks it as whole.
func (p *postgres) build(ctx context.Context, m *backup.Manifest, stream stream) error {
	if err := p.before("create"); err != nil {
		return err
	}
	like, err := p.properties(ctx, p.at.Name)
	if err != nil {
		return err
	}
	n := p.names()
	if err := p.create(ctx, n.new, like); err != nil {
		return err
	}
	if err := p.before("load"); err != nil {
		return err
	}
	err = stream(func(dump io.Reader) (backup.Counts, error) { return p.load(ctx, m, dump, n.new) })
	if err != nil {
		return err
	}
	if err := p.before("ready"); err != nil {
		return err
	}
	return p.within(ctx, p.maintenance(), "make database "+n.new+" ready", func(conn *pgx.Conn) error {
		return p.likeBefore(ctx, conn, m)
	})
}

// likeBefore gives the new database what belongs to a database and is in no dump of
// it, and the mark.
func (p *postgres) likeBefore(ctx context.Context, conn *pgx.Conn, m *backup.Manifest) error {
	n := p.names()
	to := pgx.Identifier{n.new}.Sanitize()
	ready := &mark{Step: n.step, Backup: m.ID, Counted: m.Counts.String()}
	var people string
	err := conn.QueryRow(ctx, `SELECT oid::text, coalesce(shobj_description(oid, 'pg_database'), '') FROM pg_database
		WHERE datname = $1`, p.at.Name).Scan(&ready.OID, &people)
	switch {
	case errors.Is(err, pgx.ErrNoRows): // It was dropped: it becomes what it was.
		ready.OID = m.Source.Identity[strings.LastIndexByte(m.Source.Identity, '/')+1:]
	case err != nil:
		return err
	default:
		var before *mark
		if people, before = splitComment(people); before != nil {
			ready.OID = before.OID
		}
		if err := p.copyRights(ctx, conn, to); err != nil {
			return err
		}
		if err := p.copySettings(ctx, conn, to); err != nil {
			return err
		}
	}
	comment, err := ready.comment(people)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "COMMENT ON DATABASE "+to+" IS "+literal(comment))
	return err
}

// copyRights grants on the new database what is granted on the one in use.
func (p *postgres) copyRights(ctx context.Context, conn *pgx.Conn, to string) error {
	rows, err := conn.Query(ctx, `SELECT privilege_type,
		CASE grantee WHEN 0 THEN NULL ELSE pg_get_userbyid(grantee) END, is_grantable
		FROM pg_database, aclexplode(datacl) WHERE datname = $1`, p.at.Name)
	if err != nil {
		return err
	}
	type right struct {
		Privilege string
		To        *string
		Grantable bool
	}
	rights, err := pgx.CollectRows(rows, pgx.RowToStructByPos[right])
	if err != nil || len(rights) == 0 {
		return err
	}
	statements := []string{"REVOKE ALL ON DATABASE " + to + " FROM PUBLIC"}
	for _, r := range rights {
		grantee, option := "PUBLIC", ""
		if r.To != nil {
			grantee = pgx.Identifier{*r.To}.Sanitize()
		}
		if r.Grantable {
			option = " WITH GRANT OPTION"
		}
		statements = append(statements, "GRANT "+r.Privilege+" ON DATABASE "+to+" TO "+grantee+option)
	}
	_, err = conn.Exec(ctx, strings.Join(statements, "; "))
	return err
}

// copySettings sets on the new database what is set on the one in use. What only a
// superuser may set is told in the log.
func (p *postgres) copySettings(ctx context.Context, conn *pgx.Conn, to string) error {
	rows, err := conn.Query(ctx, `SELECT setting, CASE setrole WHEN 0 THEN NULL ELSE pg_get_userbyid(setrole) END
		FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase, unnest(setconfig) AS setting
		WHERE datname = $1`, p.at.Name)
	if err != nil {
		return err
	}
	type setting struct {
		Text string
		Role *string
	}
	settings, err := pgx.CollectRows(rows, pgx.RowToStructByPos[setting])
	if err != nil {
		return err
	}
	for _, s := range settings {
		name, value, _ := strings.Cut(s.Text, "=")
		if !slices.Contains(listSettings(), name) { // a list is kept as it is written
			value = literal(value)
		}
		of := "DATABASE " + to
		if s.Role != nil {
			of = "ROLE " + pgx.Identifier{*s.Role}.Sanitize() + " IN DATABASE " + to
		}
		quoted := pgx.Identifier(strings.Split(name, ".")).Sanitize()
		if _, err := conn.Exec(ctx, "ALTER "+of+" SET "+quoted+" = "+value); err != nil {
			// Nobody waits for the log.
			_, _ = fmt.Fprintf(p.env.LogWriter(), "not carried over: %s of %s: %s\n", name, of, flat(err))
		}
	}
	return nil
}

// listSettings are the settings whose values are lists of quoted names, as pg_dump
// knows them (variable_is_guc_list_quote).
func listSettings() []string {
	return []string{
		"local_preload_libraries", "search_path", "session_preload_libraries", "shared_preload_libraries",
		"temp_tablespaces", "unix_socket_directories",
	}
}

// nobody makes sure that nobody is connected to a database, or ends who is when that
// was asked for.
func (p *postgres) nobody(ctx context.Context, database string) error {
	return p.within(ctx, p.maintenance(), "see who uses database "+database, func(conn *pgx.Conn) error {
		list, err := p.staying(ctx, func() ([]string, error) { return clients(ctx, conn, database) })
		if err != nil || len(list) == 0 {
			return err
		}
		if !p.disconnect {
			return inUse(database, list)
		}
		_, err = conn.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = $1 AND pid <> pg_backend_pid() AND `+isClient, database)
		return err
	})
}

// staying returns the clients of a database that are still there after a moment. A server
// lists those that have left, such as Refit's own of the step before, until it has
// noticed. Where clients are ended nobody has to wait for them.
func (p *place) staying(ctx context.Context, look func() ([]string, error)) ([]string, error) {
	const tries = 10
	for try := 1; ; try++ {
		list, err := look()
		if err != nil || len(list) == 0 || p.disconnect || try == tries {
			return list, err
		}
		if err := p.wait(ctx, patience); err != nil {
			return nil, err
		}
	}
}

func inUse(database string, list []string) error {
	return failure(reasonDatabaseInUse, "stop what uses it, or set disconnect: true", true,
		"database %q is in use by %s", database, few(list))
}

// swap gives a database that is there the name away, and its name to the one that is
// called from: both or neither.
func (p *postgres) swap(ctx context.Context, name, away, from string) error {
	const tries = 5
	var err error
	for range tries {
		if err = p.nobody(ctx, name); err != nil {
			return err
		}
		err = p.within(ctx, p.maintenance(), "rename database "+name, func(conn *pgx.Conn) error {
			return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return rename(ctx, tx, name, away, from) })
		})
		// Who was ended may not be gone yet, or come back at once.
		if action.ReasonOf(err) != reasonDatabaseInUse || !p.disconnect || p.wait(ctx, 200*time.Millisecond) != nil {
			return err
		}
	}
	return err
}

func rename(ctx context.Context, tx pgx.Tx, name, away, from string) error {
	var live bool
	err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)", name).Scan(&live)
	if err != nil {
		return err
	}
	to := func(a, b string) string {
		return "ALTER DATABASE " + pgx.Identifier{a}.Sanitize() + " RENAME TO " + pgx.Identifier{b}.Sanitize()
	}
	if live {
		if _, err := tx.Exec(ctx, to(name, away)); err != nil {
			return err
		}
	}
	if from == "" {
		return nil
	}
	_, err = tx.Exec(ctx, to(from, name))
	return err
}

func (p *postgres) undoRestore(ctx context.Context) error {
	t, err := p.look(ctx)
	if err != nil {
		return action.WithExtent(err, action.ExtentNone)
	}
	n := p.names()
	if t.mine != nil {
		if t.new { // left by somebody who has broken off an undo and restored again
			if err := p.drop(ctx, n.new); err != nil {
				return err
			}
		}
		from := ""
		if t.before {
			from = n.before
		}
		if err := p.swap(ctx, p.at.Name, n.new, from); err != nil {
			return err
		}
		if err := p.before("undone"); err != nil {
			return err
		}
		t.new = true
	}
	if !t.new {
		return nil
	}
	return p.drop(ctx, n.new)
}
