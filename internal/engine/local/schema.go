package local

import (
	"context"
	"database/sql"
	"fmt"
)

// migrations bring the database from one version to the next. Released ones
// never change.
func migrations() []string { return []string{firstSchema, eventsAsWritten, procedureOfRun} }

const firstSchema = `CREATE TABLE runs (
	n INTEGER PRIMARY KEY AUTOINCREMENT,
	id TEXT NOT NULL UNIQUE,
	platform TEXT NOT NULL,
	digest TEXT NOT NULL,
	created TEXT NOT NULL,
	updated TEXT NOT NULL,
	started_by TEXT NOT NULL,
	dir TEXT NOT NULL,
	status TEXT NOT NULL,
	seq INTEGER NOT NULL,
	head BLOB NOT NULL,
	next TEXT NOT NULL DEFAULT '',
	moved TEXT NOT NULL DEFAULT '',
	epoch INTEGER NOT NULL DEFAULT 1,
	owner TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE plans (
	run INTEGER NOT NULL,
	digest TEXT NOT NULL,
	data BLOB NOT NULL,
	PRIMARY KEY (run, digest)
) STRICT, WITHOUT ROWID;
CREATE TABLE events (
	run INTEGER NOT NULL,
	seq INTEGER NOT NULL,
	hash BLOB NOT NULL,
	data BLOB NOT NULL,
	PRIMARY KEY (run, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE checkpoints (
	run INTEGER PRIMARY KEY,
	seq INTEGER NOT NULL,
	head BLOB NOT NULL,
	form TEXT NOT NULL,
	state BLOB NOT NULL
) STRICT;
CREATE TABLE inbox (
	n INTEGER PRIMARY KEY AUTOINCREMENT,
	run INTEGER NOT NULL,
	body BLOB NOT NULL,
	asked TEXT NOT NULL,
	answered TEXT NOT NULL DEFAULT '',
	refusal TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX inbox_open ON inbox (run) WHERE answered = '';
CREATE TABLE children (
	run INTEGER NOT NULL,
	key TEXT NOT NULL,
	pid INTEGER NOT NULL,
	start TEXT NOT NULL,
	PRIMARY KEY (run, pid, start)
) STRICT, WITHOUT ROWID;
CREATE TABLE progress (
	run INTEGER NOT NULL,
	command TEXT NOT NULL,
	data BLOB NOT NULL,
	PRIMARY KEY (run, command)
) STRICT, WITHOUT ROWID;`

// eventsAsWritten lays events down in the order in which they are written: see
// events.go.
const eventsAsWritten = `ALTER TABLE events RENAME TO events_1;
CREATE TABLE events (
	n INTEGER PRIMARY KEY,
	run INTEGER NOT NULL,
	seq INTEGER NOT NULL,
	prev INTEGER NOT NULL,
	hash BLOB NOT NULL,
	data BLOB NOT NULL
) STRICT;
INSERT INTO events (n, run, seq, prev, hash, data)
	SELECT n, run, seq, coalesce(lag(n) OVER (PARTITION BY run ORDER BY seq), 0), hash, data
	FROM (SELECT row_number() OVER (ORDER BY run, seq) AS n, * FROM events_1);
DROP TABLE events_1;
ALTER TABLE runs ADD COLUMN last INTEGER NOT NULL DEFAULT 0;
UPDATE runs SET last = coalesce((SELECT max(e.n) FROM events e WHERE e.run = runs.n AND e.seq = runs.seq), 0);`

// procedureOfRun keeps the name of the procedure with a run, so that earlier runs of
// one are found without reading their plans.
const procedureOfRun = `ALTER TABLE runs ADD COLUMN procedure TEXT NOT NULL DEFAULT '';
UPDATE runs SET procedure = coalesce((
	SELECT CASE WHEN json_valid(p.text) THEN json_extract(p.text, '$.procedure.name') END
	FROM (SELECT CAST(data AS TEXT) AS text FROM plans WHERE run = runs.n AND digest = runs.digest) AS p
), '');
CREATE INDEX runs_procedure ON runs (procedure, n);`

// migrate brings the database to the version of this program, one transaction
// per version. A newer one is left alone.
func migrate(ctx context.Context, db *sql.DB, steps []string) error {
	var have int
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have); err != nil {
		return fmt.Errorf("read the version of the database: %w", err)
	}
	if have > len(steps) {
		return &newerError{have: have, know: len(steps)}
	}
	for have < len(steps) {
		// Of two processes that migrate at once the second finds it done.
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return fmt.Errorf("migrate the database: %w", err)
		}
		if err := migrateOnce(ctx, tx, steps, &have); err != nil {
			_ = tx.Rollback() // The first error says it all.
			return fmt.Errorf("migrate the database to version %d: %w", have+1, err)
		}
	}
	return nil
}

func migrateOnce(ctx context.Context, tx *sql.Tx, steps []string, have *int) error {
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(have); err != nil {
		return err
	}
	if *have < len(steps) {
		if _, err := tx.ExecContext(ctx, steps[*have]); err != nil {
			return err
		}
		// The pragma takes no parameter; it is a number of ours.
		if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", *have+1)); err != nil {
			return err
		}
		*have++
	}
	return tx.Commit()
}

// newerError says that a newer program has used the database.
type newerError struct{ have, know int }

// Error implements error.
func (e *newerError) Error() string {
	return fmt.Sprintf("its form is version %d, this program knows up to %d", e.have, e.know)
}
