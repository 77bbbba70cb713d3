package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"sync"

	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/service"
)

// lines writes what happens, one line for each event: text for people, JSON
// lines or YAML documents for programs. It is safe for concurrent use.
type lines struct {
	c *console
	// many puts the names of the runs in front.
	many bool

	mu sync.Mutex
	// gone is called when nobody reads any more.
	gone func()
	err  error
}

// lineKind tells the lines of programs apart.
type lineKind struct {
	// Kind is event or outcome.
	Kind string `json:"kind"`
}

type eventLine struct {
	lineKind
	report.EventLine
}

// outcomeLine is the last line about a run.
type outcomeLine struct {
	lineKind
	Run      string          `json:"run"`
	ExitCode ExitCode        `json:"exitCode"`
	Error    string          `json:"error,omitempty"`
	View     *report.RunView `json:"view,omitempty"`
}

// event writes one event.
func (l *lines) event(e report.EventLine) {
	l.write(eventLine{lineKind{"event"}, e}, func(w io.Writer, opts report.TextOptions) error {
		return report.EventText(w, e, l.many, opts)
	})
}

// write writes one line. After an error nothing more is written.
func (l *lines) write(value any, text func(io.Writer, report.TextOptions) error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return
	}
	l.c.progress.clear()
	if l.err = l.c.showLine(value, text); l.err != nil && l.gone != nil {
		l.gone()
	}
}

// showLine writes one result of several: JSON on one line, YAML as a document.
func (c *console) showLine(value any, text func(io.Writer, report.TextOptions) error) error {
	c.lines = true
	var buf bytes.Buffer
	switch c.output.value {
	case formatJSON:
		enc := json.NewEncoder(&buf)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(value); err != nil {
			return err
		}
	case formatYAML:
		buf.WriteString("---\n")
		if err := writeYAML(&buf, value); err != nil {
			return err
		}
	default:
		if err := text(&buf, c.textOptions(c.app.Stdout)); err != nil {
			return err
		}
	}
	_, err := c.app.Stdout.Write(buf.Bytes())
	return c.written(err)
}

// driven drives runs, tells what happens and ends with the worst exit code. The
// first interrupt lets what is under way end, the second stops it in order. Of one
// run a terminal shows all of it.
func (c *console) driven(ctx context.Context, s *service.Service, req service.DriveRequest, many bool) error {
	live, err := c.lively()
	if err != nil {
		return err
	}
	if live && !many && len(req.Runs) == 1 {
		id, err := s.RunNamed(ctx, req.Runs[0])
		if err != nil {
			return err
		}
		return c.drivenLive(ctx, s, id)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := make(chan struct{})
	d := &driving{c: c, stop: stop}
	release := c.app.Interrupts(d.interrupt, func() {})
	out := &lines{c: c, many: many, gone: cancel}
	req.Stop, req.On = stop, out.event
	req.Say = func(line string) { c.sayf("refit: %s", oneLine(line)) }
	results, err := s.Drive(ctx, req)
	release()
	if err != nil {
		return err
	}
	return d.tell(out, results, ctx.Err() != nil)
}

// driving is how somebody asks that runs are driven no more.
type driving struct {
	c    *console
	stop chan<- struct{}

	mu                sync.Mutex
	interrupted, left bool
}

// interrupt lets what is under way go on to its end.
func (d *driving) interrupt() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.interrupted && d.c.feed == nil { // A screen says so itself.
		d.c.sayf("refit: interrupted: what is under way goes on to its end; interrupt again to stop it now")
	}
	if !d.interrupted && !d.left {
		close(d.stop)
	}
	d.interrupted = true
}

// leave does the same for a person who has read so. A run that only waits is left
// as it is then: that is no interruption.
func (d *driving) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.interrupted && !d.left {
		close(d.stop)
	}
	d.left = true
}

// tell says how driving runs has ended, and ends with the worst exit code.
func (d *driving) tell(out *lines, results []service.DriveResult, cancelled bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	worst := ExitDone
	for i := range results {
		r := &results[i]
		code := resultCode(r)
		stopped := d.interrupted || cancelled || d.left && r.View != nil && !r.View.WaitsForPerson()
		if stopped && code == ExitWaiting {
			code = ExitError // It waits for nothing: somebody stopped it.
		}
		if severity(code) > severity(worst) {
			worst = code
		}
		d.c.tellOutcome(out, r, code, stopped)
	}
	if out.err != nil {
		return out.err
	}
	if worst == ExitDone {
		return nil
	}
	return outcome{code: worst}
}

// tellOutcome says how driving one run has ended, and how to go on.
func (c *console) tellOutcome(out *lines, r *service.DriveResult, code ExitCode, interrupted bool) {
	line := outcomeLine{lineKind: lineKind{"outcome"}, Run: r.Run, ExitCode: code, View: r.View}
	if r.Err != nil {
		line.Error = oneLine(r.Err.Error())
		c.sayf("%s %s", c.textOptions(c.app.Stderr).Style.Paint(report.Danger, "refit:"), line.Error)
	}
	if c.output.value != formatText || r.View != nil && r.Err == nil {
		out.write(line, func(w io.Writer, opts report.TextOptions) error {
			return report.RunStandsText(w, *r.View, opts)
		})
	}
	if interrupted && r.View != nil && r.View.Ending() == report.EndWaiting {
		c.sayf("refit: run %s was stopped in order: refit drive %s goes on", r.Run, r.Run)
	}
}

// resultCode is the exit code for one run.
func resultCode(r *service.DriveResult) ExitCode {
	if r.Err != nil {
		return exitCodeOf(r.Err)
	}
	return endingCode(r.View.Ending())
}

// endingCode is the exit code of an ending.
func endingCode(e report.Ending) ExitCode {
	switch e {
	case report.EndDone:
		return ExitDone
	case report.EndWaiting:
		return ExitWaiting
	case report.EndRolledBack:
		return ExitRolledBack
	case report.EndHalted:
		return ExitHalted
	case report.EndInDoubt:
		return ExitInDoubt
	case report.EndCancelled:
		return ExitCancelled
	}
	return ExitError
}

// severity orders exit codes: how soon somebody has to look.
func severity(code ExitCode) int {
	order := []ExitCode{
		ExitDone, ExitCancelled, ExitRolledBack, ExitWaiting, ExitOwned, ExitStale, ExitBlocked, ExitUsage, ExitHalted,
		ExitInDoubt, ExitError,
	}
	for i, c := range order {
		if c == code {
			return i
		}
	}
	return len(order)
}

// asked shows where a run stands after something was asked for.
func (c *console) asked(v *report.RunView, err error) error {
	if err != nil {
		return err
	}
	return c.show(v, func(w io.Writer, opts report.TextOptions) error { return report.RunStandsText(w, *v, opts) })
}

// view shows where a run stands.
func (c *console) view(v *report.RunView, full bool) error {
	return c.show(v, func(w io.Writer, opts report.TextOptions) error {
		opts.Full = full
		return report.RunText(w, *v, opts)
	})
}
