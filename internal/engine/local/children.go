package local

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/run"
)

// children records the programs of one run while they run.
type children struct {
	e   *Engine
	run int64
}

// Started implements action.Children. The record is durable when it returns.
func (c *children) Started(_ context.Context, child action.Child) error {
	return c.e.inTransaction(func(ctx context.Context, tx querier) error {
		_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO children (run, key, pid, start) VALUES (?, ?, ?, ?)",
			c.run, child.Key, child.PID, child.StartTime)
		return err
	})
}

// Ended implements action.Children. A record that stays is found to be of no
// process any more.
func (c *children) Ended(child action.Child) {
	_ = c.e.inTransaction(func(ctx context.Context, tx querier) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM children WHERE run = ? AND pid = ? AND start = ?",
			c.run, child.PID, child.StartTime)
		return err
	})
}

// child is a program that an earlier owner left running.
type child struct {
	pid      int
	start    string
	patience time.Duration
}

// adopt finds what an earlier owner left under way: the operations are observed,
// but not before the programs that were started for them have ended.
func (d *driver) adopt(ctx context.Context) error {
	keys := map[string]time.Duration{}
	for op := range d.state.Operations() {
		switch op.Life {
		case run.Observing, run.Asking, run.Starting, run.Active, run.Polling:
			keys[engine.EffectKey(op.Ref, op.Key)] = d.patience(op)
		case run.Asleep, run.Resting, run.Matching, run.Mending, run.Awaiting,
			run.InDoubt, run.Done, run.Broken, run.Dropped:
		}
	}
	if len(keys) == 0 || d.announced {
		return nil
	}
	recorded, err := d.e.store.children(ctx, d.hold.row.n)
	if err != nil {
		return err
	}
	d.orphans = map[string][]child{}
	maps.Copy(recorded, marked(d.e.o.Dir))
	for pid, c := range recorded {
		patience, ours := keys[c.Key]
		if ours && processStart(pid) == c.StartTime && pid != os.Getpid() {
			d.orphans[c.Key] = append(d.orphans[c.Key], child{pid: pid, start: c.StartTime, patience: patience})
		}
	}
	d.announced = true
	return d.append(&run.OwnerChanged{Owner: d.o.By, Epoch: d.hold.epoch})
}

// patience is how long a program of an operation may go on: as long as its step
// may take. One that only looked is ended at once.
func (d *driver) patience(op *run.Operation) time.Duration {
	const usually = time.Hour
	if op.Life != run.Active && op.Life != run.Polling && !op.Attempted {
		return 0
	}
	if at, ok := d.state.Find(op.Stage, op.Step); ok {
		if _, step := d.state.StepAt(at); step.Timeout > 0 {
			return time.Duration(step.Timeout)
		}
	}
	return usually
}

// children reads the programs that are recorded.
func (s *store) children(ctx context.Context, n int64) (map[int]action.Child, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT key, pid, start FROM children WHERE run = ?", n)
	if err != nil {
		return nil, s.explain(err)
	}
	defer func() { _ = rows.Close() }() // It was only read from.
	list := map[int]action.Child{}
	for rows.Next() {
		var c action.Child
		if err := rows.Scan(&c.Key, &c.PID, &c.StartTime); err != nil {
			return nil, s.explain(err)
		}
		list[c.PID] = c
	}
	return list, s.explain(rows.Err())
}

// leftRunning returns the number of a program that was started for a run and has
// not ended, 0 for none.
func (e *Engine) leftRunning(ctx context.Context, n int64) (int, error) {
	recorded, err := e.store.children(ctx, n)
	if err != nil {
		return 0, err
	}
	for pid, c := range recorded {
		if c.StartTime != "" && processStart(pid) == c.StartTime {
			return pid, nil
		}
	}
	return 0, nil
}

// marked finds the programs of this machine that carry the key of an operation:
// also those that were started a moment before the owner died, before it could
// record them, and those that they started. Those that name another state folder
// than dir belong to another run of the same name. Empty where there is no /proc.
func marked(dir string) map[int]action.Child {
	list := map[int]action.Child{}
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		return list // The pattern is right.
	}
	for _, file := range files {
		data, err := os.ReadFile(filepath.Clean(file))
		if err != nil {
			continue // It has ended, or is somebody else's.
		}
		key, state := variable(data, action.KeyVariable), variable(data, action.StateVariable)
		if key == "" || state != "" && state != dir {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil {
			list[pid] = action.Child{Key: key, PID: pid, StartTime: processStart(pid)}
		}
	}
	return list
}

// variable returns the value of an environment variable as /proc shows it.
func variable(environ []byte, name string) string {
	for field := range bytes.SplitSeq(environ, []byte{0}) {
		if value, ok := bytes.CutPrefix(field, []byte(name+"=")); ok {
			return string(value)
		}
	}
	return ""
}

// await waits until the programs of an earlier owner have ended, and ends those
// that take too long.
func (e *Engine) await(ctx context.Context, left []child, tell func(action.Progress)) {
	if len(left) == 0 {
		return // As nearly always; a ticker is not for nothing.
	}
	const pause = 50 * time.Millisecond
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for _, c := range left {
		waited := time.Duration(0)
		for processStart(c.pid) == c.start {
			if waited == 0 {
				tell(action.Progress{
					Note: fmt.Sprintf("waiting for program %d, which the owner before has left running", c.pid),
				})
			}
			if waited >= c.patience {
				endProgram(c, waited-c.patience)
			}
			select {
			case <-tick.C:
				waited += pause
			case <-ctx.Done():
				return
			}
		}
	}
}
