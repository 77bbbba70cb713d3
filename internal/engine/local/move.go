package local

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// exportForm names the form of what Export writes: one JSON value per line, the
// head first, then the plans, then the events.
const exportForm = "refit.dev/run/v1"

// exportHead is the first line of an exported run.
type exportHead struct {
	Form     string `json:"form"`
	ID       string `json:"id"`
	Platform string `json:"platform"`
	Digest   string `json:"digest"`
	Created  string `json:"created"`
	By       string `json:"by"`
	Dir      string `json:"dir"`
	Host     string `json:"host"`
	Plans    int    `json:"plans"`
	Events   uint64 `json:"events"`
	// Head is the hash of the chain at the last event.
	Head string `json:"head"`
	// Copy tells that the run goes on where it was exported.
	Copy bool `json:"copy,omitempty"`
}

// exportEvent is the line of an event.
type exportEvent struct {
	Hash  string          `json:"hash"`
	Event json.RawMessage `json:"event"`
}

// What is said of runs that are not driven here.
const (
	movedAway  = "was moved to another machine"
	copiedHere = "is a copy that can only be looked at"
)

// Export implements engine.Mover. A run that somebody drives is not exported,
// nor one whose operations are under way: they could not be observed together
// with their programs elsewhere.
func (e *Engine) Export(ctx context.Context, id string, to io.Writer, keep bool) error {
	h, err := e.acquire(ctx, id, "export", ownerPatience)
	if err != nil {
		return err
	}
	defer h.giveBack()
	l, err := e.store.fold(ctx, e.store.read, h.row, "") // All of it, to check the whole chain.
	if err != nil {
		return err
	}
	if !keep {
		left, err := e.leftRunning(ctx, h.row.n)
		if err != nil {
			return err
		}
		if left > 0 {
			return fmt.Errorf("export run %q: program %d, which it has started, is still running: "+
				"wait until it ends, or let refit drive %s end it, then export again", id, left, id)
		}
		for op := range l.state.Operations() {
			if op.Life == run.Active {
				return fmt.Errorf("export run %q: %s of step %s/%s is under way: "+
					"refit drive %s until it waits or has ended, then export again", id, op.What, op.Stage, op.Step, id)
			}
		}
	}
	out := bufio.NewWriter(to)
	if err := e.export(ctx, h.row, out, keep); err != nil {
		return fmt.Errorf("export run %q: %w", id, err)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("export run %q: %w", id, err)
	}
	// Not before the file is safe is the run given away.
	if file, ok := to.(interface{ Sync() error }); ok {
		if err := file.Sync(); err != nil {
			return fmt.Errorf("export run %q: %w", id, err)
		}
	}
	if keep {
		return nil
	}
	return e.inTransaction(func(ctx context.Context, tx querier) error {
		_, err := tx.ExecContext(ctx, "UPDATE runs SET moved = ? WHERE n = ?", movedAway, h.row.n)
		return err
	})
}

func (e *Engine) export(ctx context.Context, r *runRow, out *bufio.Writer, keep bool) error {
	var plans [][]byte
	err := each(ctx, e.store.read, "SELECT data FROM plans WHERE run = ? ORDER BY digest", r.n,
		func(scan func(...any) error) error {
			var data []byte
			err := scan(&data)
			plans = append(plans, data)
			return err
		})
	if err != nil {
		return err
	}
	head := exportHead{
		Form: exportForm, ID: r.id, Platform: r.platform, Digest: r.digest, Created: r.created, By: r.by, Dir: r.dir,
		Host: e.o.Host, Plans: len(plans), Events: r.seq, Head: headText(r.head), Copy: keep,
	}
	lines := json.NewEncoder(out)
	if err := lines.Encode(head); err != nil {
		return err
	}
	for _, data := range plans {
		if err := lines.Encode(data); err != nil { // A text in base64: a plan file keeps its checksum.
			return err
		}
	}
	return readEvents(ctx, e.store.read, r, 0, 0, func(n *row) error {
		return lines.Encode(exportEvent{Hash: hex.EncodeToString(n.hash), Event: n.data})
	})
}

// each calls visit for every row.
func each(ctx context.Context, q reader, query string, n int64, visit func(scan func(...any) error) error) error {
	rows, err := q.QueryContext(ctx, query, n)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // It was only read from.
	for rows.Next() {
		if err := visit(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// SetAside implements engine.Mover. A run that can be read is refused: it is
// cancelled instead, so that its leases are given back.
func (e *Engine) SetAside(ctx context.Context, id, why string) error {
	h, err := e.acquire(ctx, id, "set aside", ownerPatience)
	if err != nil {
		return err
	}
	defer h.giveBack()
	_, err = e.store.fold(ctx, e.store.read, h.row, "")
	if _, damaged := errors.AsType[*engine.DamagedError](err); !damaged {
		if err != nil {
			return err
		}
		return fmt.Errorf("%w: run %q can be read: end it with refit cancel %s", run.ErrRefused, id, id)
	}
	return e.inTransaction(func(ctx context.Context, tx querier) error {
		_, err := tx.ExecContext(ctx, "UPDATE runs SET moved = ? WHERE n = ?", "was set aside: "+why, h.row.n)
		return err
	})
}

// Import implements engine.Mover.
func (e *Engine) Import(ctx context.Context, from io.Reader) (engine.Info, error) {
	head, plans, rows, err := readExport(from)
	if err != nil {
		return engine.Info{}, fmt.Errorf("import a run: %w: %w", err, engine.ErrNoExport)
	}
	if !idPattern.MatchString(head.ID) {
		return engine.Info{}, fmt.Errorf("import a run: it is called %q: %w", head.ID, engine.ErrNoExport)
	}
	l, err := foldRows(head, plans, rows)
	if err != nil {
		return engine.Info{}, fmt.Errorf("import run %q: %w: %w", head.ID, err, engine.ErrNoExport)
	}
	if err := e.supported(head.ID, l.state.Plan()); err != nil {
		return engine.Info{}, err
	}
	moved := ""
	if head.Copy {
		moved = copiedHere
	}
	err = e.inTransaction(func(ctx context.Context, tx querier) error {
		return insertImported(ctx, tx, head, plans, rows, l, moved)
	})
	if err != nil {
		return engine.Info{}, fmt.Errorf("import run %q: %w", head.ID, err)
	}
	r, err := e.store.find(ctx, e.store.read, head.ID)
	if err != nil {
		return engine.Info{}, err
	}
	return r.info(e.alive), nil
}

// readExport reads all lines of an exported run.
func readExport(from io.Reader) (exportHead, map[string][]byte, []row, error) {
	var head exportHead
	dec := json.NewDecoder(from)
	if err := dec.Decode(&head); err != nil {
		return head, nil, nil, errors.New("the file is not one that refit runs export has written")
	}
	if head.Form != exportForm {
		return head, nil, nil, fmt.Errorf("it is of the form %q, this program reads %q", head.Form, exportForm)
	}
	plans := map[string][]byte{}
	for range head.Plans {
		var data []byte
		if err := dec.Decode(&data); err != nil {
			return head, nil, nil, fmt.Errorf("read its plans: %w", cutOff(err))
		}
		p, err := plan.Read(bytes.NewReader(data))
		if err != nil {
			return head, nil, nil, err
		}
		plans[p.Digest] = data
	}
	var rows []row
	for i := range head.Events {
		var e exportEvent
		if err := dec.Decode(&e); err != nil {
			return head, nil, nil, fmt.Errorf("read event %d of %d: %w", i+1, head.Events, cutOff(err))
		}
		hash, err := hex.DecodeString(e.Hash)
		if err != nil {
			return head, nil, nil, fmt.Errorf("read the hash of event %d: %w", i+1, err)
		}
		rows = append(rows, row{seq: i + 1, data: e.Event, hash: hash})
	}
	return head, plans, rows, nil
}

func cutOff(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the file ends too early")
	}
	return err
}

// foldRows checks the chain of an exported run and folds it.
func foldRows(head exportHead, plans map[string][]byte, rows []row) (loaded, error) {
	source := func(digest string) (*plan.Plan, error) {
		data, ok := plans[digest]
		if !ok {
			return nil, errors.New("it is not in the file")
		}
		return plan.Read(bytes.NewReader(data))
	}
	first, err := source(head.Digest)
	if err != nil {
		return loaded{}, fmt.Errorf("plan %s: %w", head.Digest, err)
	}
	l := loaded{state: run.WithPlans(run.New(first, head.ID), source)}
	for i := range rows {
		if err := l.add(&rows[i]); err != nil {
			return l, fmt.Errorf("event %d: %w", rows[i].seq, err)
		}
	}
	if headText(l.head) != head.Head {
		return l, errors.New("the head of the chain does not fit")
	}
	return l, nil
}

func insertImported(
	ctx context.Context, tx querier, head exportHead, plans map[string][]byte, rows []row, l loaded, moved string,
) error {
	// A run that was moved away may come back, and only as what it has become: not
	// an older copy of it, nor another run of the same name.
	var back int64
	var seq uint64
	var known []byte
	var last int64
	err := tx.QueryRowContext(ctx, "SELECT n, seq, head, last FROM runs WHERE id = ? AND moved <> ''", head.ID).
		Scan(&back, &seq, &known, &last)
	if err == nil {
		if seq > uint64(len(rows)) || !sameHash(rows[seq-1].hash, known) {
			return fmt.Errorf("the run of this name that is kept here knows events that the file does not: %w",
				engine.ErrExists)
		}
		if err := deleteEvents(ctx, tx, last); err != nil {
			return err
		}
		for _, query := range []string{
			"DELETE FROM runs WHERE n = ?", "DELETE FROM plans WHERE run = ?",
			"DELETE FROM checkpoints WHERE run = ?", "DELETE FROM inbox WHERE run = ?",
		} {
			if _, err := tx.ExecContext(ctx, query, back); err != nil {
				return err
			}
		}
	} else if !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	res, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO runs
		(id, platform, procedure, digest, created, updated, started_by, dir, status, seq, head, moved, epoch)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		head.ID, head.Platform, l.state.Plan().Procedure.Name, head.Digest,
		head.Created, formatTime(l.state.At), head.By, head.Dir,
		string(l.state.Status), l.state.Seq, l.head, moved, l.state.Epoch)
	if err != nil {
		return err
	}
	if made, err := res.RowsAffected(); err != nil || made == 0 {
		return errors.Join(engine.ErrExists, err)
	}
	n, err := res.LastInsertId()
	if err != nil {
		return err
	}
	for digest, data := range plans {
		_, err := tx.ExecContext(ctx, "INSERT INTO plans (run, digest, data) VALUES (?, ?, ?)", n, digest, data)
		if err != nil {
			return err
		}
	}
	return insertHistory(ctx, tx, n, rows)
}

// ReadExport reads what Export wrote without keeping it: it checks the chain,
// folds the events and returns where the run stands with all of its history. An
// engine.ErrNoExport comes back for what is no exported run, and an
// *engine.DamagedError for one whose history cannot be believed.
func ReadExport(from io.Reader) (engine.Snapshot, []engine.Record, error) {
	head, plans, rows, err := readExport(from)
	if err != nil {
		return engine.Snapshot{}, nil, fmt.Errorf("read an exported run: %w: %w", err, engine.ErrNoExport)
	}
	l, err := foldRows(head, plans, rows)
	if err != nil {
		return engine.Snapshot{}, nil, &engine.DamagedError{ID: head.ID, Seq: l.state.Seq + 1, Err: err}
	}
	list := make([]engine.Record, 0, len(rows))
	for i := range rows {
		event, err := run.DecodeEvent(rows[i].data)
		if err != nil {
			return engine.Snapshot{}, nil, &engine.DamagedError{ID: head.ID, Seq: rows[i].seq, Err: err}
		}
		list = append(list, engine.Record{Event: event, Hash: headText(rows[i].hash)})
	}
	info := engine.Info{
		ID: head.ID, Platform: head.Platform, Digest: head.Digest, Created: parseTime(head.Created),
		Updated: l.state.At, By: head.By, Dir: head.Dir, Status: l.state.Status, Seq: l.state.Seq,
		Head: headText(l.head), Moved: true,
	}
	return engine.Snapshot{Info: info, Plan: l.state.Plan(), State: l.state}, list, nil
}
